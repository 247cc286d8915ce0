/* What the store says of itself, and whether that is what this module writes. */
#include "store_refusal.h"
#include "store_reply.h"
#include "store_scripts.h"

#include "../../core/number.h"

#include <stdio.h>
#include <string.h>

/* ---- fields ---- */

/* Each takes a value into the log. NULL, or what is wrong with it (static). */
typedef const char *take_f(ratings_store_state_t *state, const redisReply *value, int partition);

/* What apply.lua writes in the place of a checkpoint while it applies a batch: no reader takes it for
 * one, whichever version of this module it is of. */
#define APPLYING "applying"

#define NOT_OURS(field) "the field " field " of ratings:log is not what this module writes"

/* A text that is compared, and written again, must be one to C. */
static bool take_text(char *to, size_t size, const redisReply *value)
{
    if (value->len == 0 || (size_t)value->len >= size ||
        memchr(value->str, '\0', (size_t)value->len))
        return false;
    memcpy(to, value->str, (size_t)value->len + 1);
    return true;
}

static bool take_int(int *to, const redisReply *value, int min, int max)
{
    int64_t number;
    if (!ratings_parse_int(value->str, (size_t)value->len, min, max, &number))
        return false;
    *to = (int)number;
    return true;
}

static const char *take_topic(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return take_text(state->topic, sizeof state->topic, value) ? NULL : NOT_OURS("topic");
}

static const char *take_generation(ratings_store_state_t *state, const redisReply *value,
                                   int partition)
{
    (void)partition;
    return take_text(state->generation, sizeof state->generation, value) ? NULL
                                                                         : NOT_OURS("generation");
}

static const char *take_claim(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return take_text(state->claim, sizeof state->claim, value) ? NULL : NOT_OURS("claim");
}

static const char *take_behind(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    state->is_behind = true;
    return value->len == 1 && value->str[0] == '1' ? NULL : NOT_OURS("behind");
}

static const char *take_suspect(ratings_store_state_t *state, const redisReply *value,
                                int partition)
{
    (void)partition;
    return take_int(&state->rebuild_request, value, 1, INT32_MAX) ? NULL : NOT_OURS("suspect");
}

static const char *take_routed(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return take_int(&state->routed, value, 0, RATINGS_PARTITIONS_MAX) ? NULL
                                                                      : NOT_OURS("partitions");
}

static const char *take_routing(ratings_store_state_t *state, const redisReply *value,
                                int partition)
{
    (void)partition;
    return store_read_number(value, -1, POSITION_MAX, &state->routing_offset) ? NULL
                                                                              : NOT_OURS("routing");
}

static const char *take_positions(ratings_store_state_t *state, const redisReply *value,
                                  int partition)
{
    (void)partition;
    return take_int(&state->partitions, value, 1, RATINGS_PARTITIONS_MAX) ? NULL
                                                                          : NOT_OURS("positions");
}

static const char *take_position(ratings_store_state_t *state, const redisReply *value,
                                 int partition)
{
    if (strcmp(value->str, APPLYING) == 0)
        return "a write to the store was stopped in its middle";
    return store_read_number(value, -1, POSITION_MAX, &state->checkpoint[partition])
               ? NULL
               : NOT_OURS("position");
}

static const char *take_time(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_number(value, -1, INT64_MAX, &state->log_time[partition]) ? NULL
                                                                                : NOT_OURS("time");
}

static const char *take_mark(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_mark(value, &state->last[partition]) ? NULL : NOT_OURS("mark");
}

static const char *take_first(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_mark(value, &state->first[partition]) ? NULL : NOT_OURS("first");
}

/* "position:count", or a number alone, which says nothing. What it must be, the script that applies
 * chunks knows. */
static const char *take_uses(ratings_store_state_t *state, const redisReply *value, int partition)
{
    const char *colon = memchr(value->str, ':', (size_t)value->len);
    const char *count = colon ? colon + 1 : value->str, *end = value->str + value->len;
    int64_t number;
    (void)state;
    (void)partition;
    if (colon &&
        !ratings_parse_int(value->str, (size_t)(colon - value->str), 0, POSITION_MAX, &number))
        return NOT_OURS("uses");
    return ratings_parse_int(count, (size_t)(end - count), 0, COUNT_MAX, &number)
               ? NULL
               : NOT_OURS("uses");
}

static const struct {
    const char *name; /* with ":" : one of each partition */
    take_f *take;
} known_fields[] = {
    {"topic", take_topic},         {"generation", take_generation}, {"claim", take_claim},
    {"behind", take_behind},       {"suspect", take_suspect},       {"partitions", take_routed},
    {"positions", take_positions}, {"position:", take_position},    {"time:", take_time},
    {"mark:", take_mark},          {"first:", take_first},          {"uses:", take_uses},
    {"routing", take_routing}};

#define KNOWN_FIELDS (sizeof known_fields / sizeof known_fields[0])

/* The most that ratings:log can have, and as many again that a newer version may have added. */
#define FIELDS_MAX (2 * (KNOWN_FIELDS + 5 * (size_t)RATINGS_PARTITIONS_MAX))

/* In bytes, of fields and values: an answer with as many again for the protocol is ours. */
#define LOG_SIZE_MAX (FIELDS_MAX * FIELD_ANSWER_MAX)

static const char *take_named(ratings_store_state_t *state, size_t known, const redisReply *name,
                              const redisReply *value)
{
    size_t prefix = strlen(known_fields[known].name);
    int64_t partition = 0;
    if ((size_t)name->len > prefix &&
        !ratings_parse_int(name->str + prefix, (size_t)name->len - prefix, 0,
                           RATINGS_PARTITIONS_MAX - 1, &partition))
        return "ratings:log has a field of a partition that cannot be";
    return known_fields[known].take(state, value, (int)partition);
}

static bool is_named(const redisReply *name, const char *known)
{
    size_t length = strlen(known);
    bool of_partition = known[length - 1] == ':';
    return (of_partition ? (size_t)name->len > length : (size_t)name->len == length) &&
           memcmp(name->str, known, length) == 0;
}

static const char *take_field(ratings_store_state_t *state, const redisReply *name,
                              const redisReply *value)
{
    if (!store_is_text(name) || !store_is_text(value))
        return "ratings:log is not what this module writes";
    for (size_t i = 0; i < KNOWN_FIELDS; i++)
        if (is_named(name, known_fields[i].name))
            return take_named(state, i, name, value);
    return NULL;
}

/* ---- what the fields say together ---- */

/* The positions of the first partitions, without a gap; else -1. */
static int count_positions(const ratings_store_state_t *state)
{
    int count = 0, all = 0;
    while (count < RATINGS_PARTITIONS_MAX && state->checkpoint[count] >= 0)
        count++;
    for (int p = 0; p < RATINGS_PARTITIONS_MAX; p++)
        all += state->checkpoint[p] >= 0;
    return all == count ? count : -1;
}

static const char *begun_problem(const ratings_store_state_t *state, int p)
{
    const ratings_fingerprint_t *mark = &state->last[p], *first = &state->first[p];
    if (mark->offset != state->checkpoint[p] - 1)
        return "the store does not say which record it applied last";
    if (first->offset < 0 || first->offset > mark->offset)
        return "the store does not say which record it applied first";
    return state->log_time[p] < 0 ? "the store does not say the log's time" : NULL;
}

static const char *partition_problem(const ratings_store_state_t *state, int p)
{
    bool has_marks = state->last[p].offset != RATINGS_FINGERPRINT_NONE || state->log_time[p] >= 0;
    if (state->first[p].offset == RATINGS_FINGERPRINT_EMPTY && !has_marks &&
        state->checkpoint[p] >= 0)
        return NULL; /* the log has no record up to the position */
    if (state->checkpoint[p] > 0)
        return begun_problem(state, p);
    if (has_marks || state->first[p].offset >= 0 ||
        (state->checkpoint[p] < 0 && state->first[p].offset != RATINGS_FINGERPRINT_NONE))
        return "the store has applied records of a partition for which it has no position";
    return NULL;
}

/* Until the log has said it, a store that is behind may not know it. */
static bool is_routed(const ratings_store_state_t *state, int count)
{
    if (state->routed > 0)
        return state->routed <= count;
    for (int p = 0; p < count; p++)
        if (state->last[p].offset >= 0 && !state->is_behind)
            return false;
    return state->routing_offset < 0;
}

/* An older version extends a store without saying how many positions it has then. */
static const char *positions_problem(ratings_store_state_t *state)
{
    const char *problem = NULL;
    int count = count_positions(state);
    if (count <= 0 || state->partitions > count)
        return "the store has not the position of each partition";
    if (!is_routed(state, count))
        return "the store does not say by how many partitions talks are routed";
    state->partitions = count;
    for (int p = 0; p < RATINGS_PARTITIONS_MAX && !problem; p++)
        problem = partition_problem(state, p);
    return problem;
}

static const char *log_problem(ratings_store_state_t *state)
{
    if (!state->generation[0])
        return state->claim[0] ? "a rebuild was not finished"
                               : "the store does not say of which rebuild it is";
    if (state->claim[0])
        return "the store has the claim of a rebuild that is over";
    if (!state->topic[0])
        return "the store does not say of which topic it is";
    return positions_problem(state);
}

/* ---- loading ---- */

#define OVERSIZED "ratings:log is not what this module writes"

static void clear_log(ratings_store_state_t *state)
{
    memset(state, 0, sizeof *state);
    state->routing_offset = -1;
    for (int p = 0; p < RATINGS_PARTITIONS_MAX; p++) {
        state->checkpoint[p] = state->log_time[p] = -1;
        state->last[p].offset = state->first[p].offset = RATINGS_FINGERPRINT_NONE;
    }
}

/* All fields are taken, also after one that is not what it must be: the claim of a rebuild takes
 * what generation and claim are, and a store of another topic is left as it is. */
static void judge_fields(ratings_store_state_t *state, const redisReply *fields)
{
    if (fields->elements == 0)
        state->problem = "the store is empty or was lost";
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const char *problem = take_field(state, fields->element[i], fields->element[i + 1]);
        if (problem && !state->problem)
            state->problem = problem;
    }
    if (!state->problem)
        state->problem = log_problem(state);
    for (int p = 0; p < RATINGS_PARTITIONS_MAX; p++)
        if (state->log_time[p] < 0)
            state->log_time[p] = 0;
}

/* The claim of a rebuild takes these digests, whatever the fields are. */
static bool take_seen(ratings_store_state_t *state, const redisReply *digest, int i)
{
    return store_is_text(digest) && take_text(state->digest[i], sizeof state->digest[i], digest);
}

static apr_status_t take_log(ratings_store_state_t *state, const redisReply *reply,
                             ratings_result_t *why)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return store_error_reply(reply, why);
    if (!store_is_array(reply, 3) || !take_seen(state, reply->element[0], 0) ||
        !take_seen(state, reply->element[1], 1))
        return store_unexpected(why, KEY_LOG);
    const redisReply *all = reply->element[2];
    if (all->type == REDIS_REPLY_ARRAY) {
        judge_fields(state, all);
    } else if (store_is_text(all)) {
        (void)take_text(state->topic, sizeof state->topic, all);
        state->problem = OVERSIZED;
    } else {
        return store_unexpected(why, KEY_LOG);
    }
    return ratings_result_ok(why);
}

apr_status_t ratings_store_load_state(ratings_store_t *store, int64_t deadline,
                                      ratings_store_state_t *state, ratings_result_t *why)
{
    char most[NUMBER_TEXT], size[NUMBER_TEXT];
    redisReply *reply = NULL;
    clear_log(state);
    (void)snprintf(most, sizeof most, "%zu", FIELDS_MAX);
    (void)snprintf(size, sizeof size, "%zu", LOG_SIZE_MAX);
    const char *words[] = {"EVAL", lua_load_state, "1", KEY_LOG, most, size};
    size_t lengths[6];
    for (int i = 0; i < 6; i++)
        lengths[i] = strlen(words[i]);
    const store_command_t command = {6, words, lengths, 2 * LOG_SIZE_MAX};
    apr_status_t status = store_pipeline(store, &command, 1, &reply, deadline, why);
    if (status == APR_SUCCESS) {
        (void)take_log(state, reply, why);
        freeReplyObject(reply);
    }
    if (why->status == APR_EINVAL) /* whatever the store holds, the script answers otherwise */
        why->status = APR_EGENERAL;
    return why->status;
}
