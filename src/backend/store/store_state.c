/* Loading what the store says of itself, and whether that can be. */
#include "store_keys.h"
#include "store_refusal.h"
#include "store_script.h"
#include "store_scripts.h"
#include "store_state_fields.h"
#include "store_value.h"

#include <string.h>

/* ---- what the fields say together ---- */

/* How many partitions have a checkpoint: the first ones, without a gap; else -1. */
static int count_checkpoints(const ratings_store_state_t *state)
{
    int count = 0, all = 0;
    while (count < RATINGS_PARTITIONS_MAX && state->checkpoint[count] >= 0)
        count++;
    for (int p = 0; p < RATINGS_PARTITIONS_MAX; p++)
        all += state->checkpoint[p] >= 0;
    return all == count ? count : -1;
}

static const char *applied_problem(const ratings_store_state_t *state, int p)
{
    const ratings_fingerprint_t *last = &state->last[p], *first = &state->first[p];
    if (last->offset != state->checkpoint[p] - 1)
        return "the store does not say which record it applied last";
    if (first->offset < 0 || first->offset > last->offset)
        return "the store does not say which record it applied first";
    return state->log_time[p] < 0 ? "the store does not say the log's time" : NULL;
}

static const char *partition_state_problem(const ratings_store_state_t *state, int p)
{
    bool has_applied = state->last[p].offset != RATINGS_FINGERPRINT_NONE || state->log_time[p] >= 0;
    if (state->first[p].offset == RATINGS_FINGERPRINT_EMPTY && !has_applied &&
        state->checkpoint[p] >= 0)
        return NULL; /* the log has no record up to the checkpoint */
    if (state->barred[p] > 0 && state->voters_to[p] != state->checkpoint[p])
        return "an older version has counted ratings, maybe of voters who are barred";
    if (state->lives[p] > 0 && state->tickets_to[p] != state->checkpoint[p])
        return "an older version has counted ratings, maybe some of them again";
    if (state->checkpoint[p] > 0)
        return applied_problem(state, p);
    if (has_applied || state->first[p].offset >= 0 ||
        (state->checkpoint[p] < 0 && state->first[p].offset != RATINGS_FINGERPRINT_NONE))
        return "the store has applied records of a partition for which it has no checkpoint";
    return NULL;
}

/* Until the log has said it, a store that is behind may not know it. */
static bool is_routed(const ratings_store_state_t *state, int count)
{
    if (state->routing_partitions > 0)
        return state->routing_partitions <= count;
    for (int p = 0; p < count; p++)
        if (state->last[p].offset >= 0 && !state->is_behind)
            return false;
    return state->routing_offset < 0;
}

/* An older version adds partitions without saying how many there are then. */
static const char *partitions_problem(ratings_store_state_t *state)
{
    const char *problem = NULL;
    int count = count_checkpoints(state);
    if (count <= 0 || state->checkpoint_count > count)
        return "the store has no checkpoint of some partition";
    if (!is_routed(state, count))
        return "the store does not say by how many partitions talks are routed";
    state->checkpoint_count = count;
    for (int p = 0; p < RATINGS_PARTITIONS_MAX && !problem; p++)
        problem = partition_state_problem(state, p);
    return problem;
}

static const char *state_problem(ratings_store_state_t *state)
{
    if (!state->generation[0])
        return state->claim[0] ? "a rebuild was not finished"
                               : "the store does not say of which rebuild it is";
    if (state->claim[0])
        return "the store has the claim of a rebuild that is over";
    if (!state->topic[0])
        return "the store does not say of which topic it is";
    return partitions_problem(state);
}

/* ---- the ranking ---- */

/* Whether each talk has the place that its counts give it. An older version leaves ranked_to
 * behind; a partition without an applied record has no talks. */
static bool has_all_ranked(const ratings_store_state_t *state, int64_t members)
{
    if (!state->ranking[0] || state->reranks || state->ranked != members)
        return false;
    for (int p = 0; p < RATINGS_PARTITIONS_MAX; p++)
        if (state->last[p].offset >= 0 && state->ranked_to[p] != state->checkpoint[p])
            return false;
    return true;
}

/* ---- loading ---- */

#define OVERSIZED "ratings:log is not what this module writes"

static void clear_state(ratings_store_state_t *state)
{
    memset(state, 0, sizeof *state);
    state->routing_offset = state->standing.offset = state->standing.timestamp = -1;
    state->ranked = -1;
    for (int p = 0; p < RATINGS_PARTITIONS_MAX; p++) {
        state->checkpoint[p] = state->log_time[p] = -1;
        state->voters_to[p] = state->ranked_to[p] = state->tickets_to[p] = -1;
        state->last[p].offset = state->first[p].offset = RATINGS_FINGERPRINT_NONE;
    }
}

/* All fields are read, also after one that is not what it must be: the claim of a rebuild takes
 * what generation and claim are, and a store of another topic is left as it is. */
static void read_fields(ratings_store_state_t *state, const redisReply *fields)
{
    if (fields->elements == 0)
        state->problem = "the store is empty or was lost";
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        const char *problem =
            store_read_state_field(state, fields->element[i], fields->element[i + 1]);
        if (problem && !state->problem)
            state->problem = problem;
    }
    if (!state->problem)
        state->problem = state_problem(state);
    for (int p = 0; p < RATINGS_PARTITIONS_MAX; p++)
        if (state->log_time[p] < 0)
            state->log_time[p] = 0;
}

/* The claim of a rebuild takes these digests, whatever the fields are. */
static bool read_digest(ratings_store_state_t *state, const redisReply *digest, int i)
{
    return store_is_text(digest) &&
           store_read_text(state->digest[i], sizeof state->digest[i], digest);
}

/* As load_state.lua replies. */
static apr_status_t read_state(ratings_store_state_t *state, const redisReply *reply,
                               ratings_result_t *why)
{
    if (!store_is_array(reply, 4) || reply->element[3]->type != REDIS_REPLY_INTEGER ||
        !read_digest(state, reply->element[0], 0) || !read_digest(state, reply->element[1], 1))
        return store_unexpected(why, STORE_KEY_LOG);
    const redisReply *fields = reply->element[2];
    if (fields->type == REDIS_REPLY_ARRAY) {
        read_fields(state, fields);
        state->is_ranked = has_all_ranked(state, reply->element[3]->integer);
    } else if (store_is_text(fields)) {
        (void)store_read_text(state->topic, sizeof state->topic, fields);
        state->problem = OVERSIZED;
    } else {
        return store_unexpected(why, STORE_KEY_LOG);
    }
    return ratings_result_ok(why);
}

apr_status_t ratings_store_load_state(ratings_store_t *store, int64_t deadline,
                                      ratings_store_state_t *state, ratings_result_t *why)
{
    redisReply *reply;
    store_words_t words;
    clear_state(state);
    (void)store_words_script(&words, &lua_load_state, 2, 4);
    store_word(&words, STORE_KEY_LOG);
    store_word(&words, STORE_KEY_TOP);
    store_word_number(&words, (int64_t)STORE_STATE_FIELDS_MAX);
    store_word_number(&words, (int64_t)STORE_STATE_SIZE_MAX);
    /* as many bytes again for the protocol */
    apr_status_t status = store_ask(store, &words, 2 * STORE_STATE_SIZE_MAX, deadline, &reply, why);
    store_words_free(&words);
    if (status == APR_SUCCESS) {
        (void)read_state(state, reply, why);
        freeReplyObject(reply);
    }
    if (why->status ==
        RATINGS_REBUILD_NEEDED) /* whatever the store holds, the script answers otherwise */
        why->status = APR_EGENERAL;
    return why->status;
}

/* ---- sets of a partition: who is barred, which tickets have counted ---- */

#define BARRED_SIZE_MAX                                                                            \
    64 /* bytes of an answer: the hash, its value, and the protocol around them */
#define WINDOW_SIZE_MAX 256 /* the same: a life and its window */

/* A key of the partition, all of whose fields go into a set. */
typedef struct {
    const char *key;
    int64_t count; /* of fields, as the state says */
    size_t size_max;
    void *set;
    apr_status_t (*add)(void *set, const redisReply *field, const redisReply *value);
} loading_t;

/* Fields and values in turns, as load_fields.lua replies. */
static apr_status_t add_loaded(const loading_t *loading, const redisReply *pairs,
                               ratings_cas_e *result, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    for (size_t i = 0; i + 1 < pairs->elements && status == APR_SUCCESS; i += 2)
        status = loading->add(loading->set, pairs->element[i], pairs->element[i + 1]);
    if (status == APR_ENOMEM)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    *result = status == APR_SUCCESS ? RATINGS_CAS_APPLIED : RATINGS_CAS_CORRUPT;
    return ratings_result_ok(why);
}

static apr_status_t load_fields(ratings_store_t *store, const ratings_store_state_t *state,
                                int partition, const loading_t *loading, ratings_cas_e *result,
                                ratings_result_t *why)
{
    redisReply *reply;
    store_words_t words;
    (void)store_words_script(&words, &lua_load_fields, 2, 2 + 4);
    store_word(&words, STORE_KEY_LOG);
    store_word_field(&words, loading->key, partition);
    store_word(&words, state->generation);
    store_word_number(&words, partition);
    store_word_number(&words, state->checkpoint[partition]);
    store_word_number(&words, loading->count);
    size_t size_max = STORE_ANSWER_MAX + (size_t)loading->count * loading->size_max;
    apr_status_t status = store_ask(store, &words, size_max, store_deadline(store), &reply, why);
    store_words_free(&words);
    if (status != APR_SUCCESS)
        return store_says_nothing_of_data(why);
    status = reply->type == REDIS_REPLY_ARRAY ? add_loaded(loading, reply, result, why)
                                              : store_read_cas(reply, result, why);
    freeReplyObject(reply);
    return status;
}

static apr_status_t add_barred(void *barred, const redisReply *field, const redisReply *value)
{
    ratings_voter_t voter;
    (void)value;
    if (!store_is_text(field) || !ratings_voter_parse(field->str, (size_t)field->len, &voter))
        return APR_EINVAL;
    return ratings_voter_set_add(barred, &voter) ? APR_SUCCESS : APR_ENOMEM;
}

apr_status_t ratings_store_load_barred(ratings_store_t *store, const ratings_store_state_t *state,
                                       int partition, ratings_voter_set_t *barred,
                                       ratings_cas_e *result, ratings_result_t *why)
{
    const loading_t loading = {STORE_KEY_BARRED, state->barred[partition], BARRED_SIZE_MAX, barred,
                               add_barred};
    return load_fields(store, state, partition, &loading, result, why);
}

static apr_status_t add_window(void *tickets, const redisReply *field, const redisReply *value)
{
    ratings_ticket_window_t window;
    if (!store_is_text(field) || !store_is_text(value) ||
        !ratings_life_parse(field->str, (size_t)field->len, &window.life) ||
        !ratings_ticket_window_unpack(value->str, (size_t)value->len, &window))
        return APR_EINVAL;
    return ratings_ticket_windows_add(tickets, &window) ? APR_SUCCESS : APR_ENOMEM;
}

apr_status_t ratings_store_load_tickets(ratings_store_t *store, const ratings_store_state_t *state,
                                        int partition, ratings_ticket_windows_t *tickets,
                                        ratings_cas_e *result, ratings_result_t *why)
{
    const loading_t loading = {STORE_KEY_TICKETS, state->lives[partition], WINDOW_SIZE_MAX, tickets,
                               add_window};
    return load_fields(store, state, partition, &loading, result, why);
}
