#include "store_state_fields.h"

#include "store_value.h"

#include "../../core/number.h"

#include <string.h>

/* Reads a value into the state; false: this module would not write it. */
typedef bool read_field_f(ratings_store_state_t *state, const redisReply *value, int partition);

bool store_read_text(char *out, size_t size, const redisReply *value)
{
    if (value->len == 0 || (size_t)value->len >= size ||
        memchr(value->str, '\0', (size_t)value->len))
        return false;
    memcpy(out, value->str, (size_t)value->len + 1);
    return true;
}

static bool read_int(int *out, const redisReply *value, int min, int max)
{
    int64_t number;
    if (!ratings_parse_int(value->str, (size_t)value->len, min, max, &number))
        return false;
    *out = (int)number;
    return true;
}

/* ---- of the store as a whole ---- */

static bool set_topic(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return store_read_text(state->topic, sizeof state->topic, value);
}

static bool set_generation(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return store_read_text(state->generation, sizeof state->generation, value);
}

static bool set_claim(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return store_read_text(state->claim, sizeof state->claim, value);
}

static bool set_is_behind(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    state->is_behind = true;
    return value->len == 1 && value->str[0] == '1';
}

static bool set_rebuild_request(ratings_store_state_t *state, const redisReply *value,
                                int partition)
{
    (void)partition;
    return read_int(&state->rebuild_request, value, 1, INT32_MAX);
}

static bool set_routing_partitions(ratings_store_state_t *state, const redisReply *value,
                                   int partition)
{
    (void)partition;
    return read_int(&state->routing_partitions, value, 0, RATINGS_PARTITIONS_MAX);
}

static bool set_routing_offset(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return store_read_number(value, -1, STORE_CHECKPOINT_MAX, &state->routing_offset);
}

static bool set_checkpoint_count(ratings_store_state_t *state, const redisReply *value,
                                 int partition)
{
    (void)partition;
    return read_int(&state->checkpoint_count, value, 1, RATINGS_PARTITIONS_MAX);
}

static bool set_standing(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    return store_read_standing(value, &state->standing) &&
           state->standing.offset <= STORE_CHECKPOINT_MAX;
}

/* ---- of each partition ---- */

static bool set_checkpoint(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_number(value, -1, STORE_CHECKPOINT_MAX, &state->checkpoint[partition]);
}

static bool set_log_time(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_number(value, -1, INT64_MAX, &state->log_time[partition]);
}

static bool set_last(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_fingerprint(value, &state->last[partition]);
}

static bool set_first(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_fingerprint(value, &state->first[partition]);
}

/* "checkpoint:count", or a count alone, which says nothing: then `*checkpoint` stays. */
static bool read_count(const redisReply *value, int64_t max, int64_t *checkpoint, int64_t *count)
{
    const char *colon = memchr(value->str, ':', (size_t)value->len);
    const char *from = colon ? colon + 1 : value->str, *end = value->str + value->len;
    if (colon && !ratings_parse_int(value->str, (size_t)(colon - value->str), 0,
                                    STORE_CHECKPOINT_MAX, checkpoint))
        return false;
    return ratings_parse_int(from, (size_t)(end - from), 0, max, count);
}

/* What it must be, apply.lua knows. */
static bool set_uses(ratings_store_state_t *state, const redisReply *value, int partition)
{
    int64_t checkpoint, count;
    (void)state;
    (void)partition;
    return read_count(value, STORE_COUNT_MAX, &checkpoint, &count);
}

/* Which it must be for a vote, apply.lua knows. */
static bool set_voters_to(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_number(value, -1, STORE_CHECKPOINT_MAX, &state->voters_to[partition]);
}

static bool set_barred(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return store_read_number(value, -1, STORE_COUNT_MAX, &state->barred[partition]);
}

static bool set_tickets(ratings_store_state_t *state, const redisReply *value, int partition)
{
    return read_count(value, RATINGS_LIVES_MAX, &state->tickets_to[partition],
                      &state->lives[partition]) &&
           state->tickets_to[partition] >= 0;
}

/* ---- of the ranking, which no count depends on: whatever is not as it is written, it is made anew
 * ---- */

static bool set_ranking(ratings_store_state_t *state, const redisReply *value, int partition)
{
    ratings_prior_t prior;
    (void)partition;
    if (ratings_prior_parse(value->str, (size_t)value->len, &prior))
        (void)store_read_text(state->ranking, sizeof state->ranking, value);
    return true;
}

static bool set_ranked(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)partition;
    (void)store_read_number(value, -1, STORE_COUNT_MAX, &state->ranked);
    return true;
}

static bool set_reranks(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)value;
    (void)partition;
    state->reranks = true;
    return true;
}

static bool set_ranked_to(ratings_store_state_t *state, const redisReply *value, int partition)
{
    (void)store_read_number(value, -1, STORE_CHECKPOINT_MAX, &state->ranked_to[partition]);
    return true;
}

/* ---- all of them ---- */

typedef struct {
    const char *name;
    bool of_partition; /* there is one for each, whose number follows */
    read_field_f *read;
    const char *problem;
} known_field_t;

/* Names of Redis, which stay: other versions of the module read and write them. The functions have
 * the names of the state's members. */
#define PROBLEM(name) "the field " name " of ratings:log is not what this module writes"
#define OF_STORE(name, read)                                                                       \
    {                                                                                              \
        name, false, read, PROBLEM(name)                                                           \
    }
#define OF_PARTITION(name, read)                                                                   \
    {                                                                                              \
        name ":", true, read, PROBLEM(name)                                                        \
    }

static const known_field_t known_fields[] = {
    OF_STORE("topic", set_topic),
    OF_STORE("generation", set_generation),
    OF_STORE("claim", set_claim),
    OF_STORE("behind", set_is_behind),
    OF_STORE("suspect", set_rebuild_request),
    OF_STORE("partitions", set_routing_partitions),
    OF_STORE("routing", set_routing_offset),
    OF_STORE("positions", set_checkpoint_count),
    OF_STORE("electorate", set_standing),
    OF_PARTITION("position", set_checkpoint),
    OF_PARTITION("time", set_log_time),
    OF_PARTITION("mark", set_last),
    OF_PARTITION("first", set_first),
    OF_PARTITION("uses", set_uses),
    OF_PARTITION("voters", set_voters_to),
    OF_PARTITION("barred", set_barred),
    OF_PARTITION("tickets", set_tickets),
    OF_STORE("ranking", set_ranking),
    OF_STORE("ranked", set_ranked),
    OF_STORE("rerank", set_reranks),
    OF_PARTITION("ranked", set_ranked_to),
};

#define KNOWN_FIELDS (sizeof known_fields / sizeof known_fields[0])
_Static_assert(STORE_STATE_FIELDS_MAX == 2 * (KNOWN_FIELDS + 9 * (size_t)RATINGS_PARTITIONS_MAX),
               "STORE_STATE_FIELDS_MAX counts the fields");

/* What apply.lua writes in the place of a checkpoint while it applies a batch: no reader takes it
 * for one, whichever version of this module it is of. */
static bool is_applying(const known_field_t *known, const redisReply *value)
{
    return known->read == set_checkpoint && strcmp(value->str, "applying") == 0;
}

static const char *read_known(ratings_store_state_t *state, const known_field_t *known,
                              const redisReply *name, const redisReply *value)
{
    size_t prefix = strlen(known->name);
    int64_t partition = 0;
    if (known->of_partition && !ratings_parse_int(name->str + prefix, (size_t)name->len - prefix, 0,
                                                  RATINGS_PARTITIONS_MAX - 1, &partition))
        return "ratings:log has a field of a partition that cannot be";
    if (is_applying(known, value))
        return "a write to the store was stopped in its middle";
    return known->read(state, value, (int)partition) ? NULL : known->problem;
}

static bool has_name(const redisReply *field, const known_field_t *known)
{
    size_t length = strlen(known->name);
    return (known->of_partition ? (size_t)field->len > length : (size_t)field->len == length) &&
           memcmp(field->str, known->name, length) == 0;
}

const char *store_read_state_field(ratings_store_state_t *state, const redisReply *name,
                                   const redisReply *value)
{
    if (!store_is_text(name) || !store_is_text(value))
        return "ratings:log is not what this module writes";
    for (size_t i = 0; i < KNOWN_FIELDS; i++)
        if (has_name(name, &known_fields[i]))
            return read_known(state, &known_fields[i], name, value);
    return NULL;
}
