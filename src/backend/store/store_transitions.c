/* What the store says of itself, changed: each is a compare-and-set of ratings:log. */
#include "store_keys.h"
#include "store_script.h"
#include "store_scripts.h"

/* A script over ratings:log alone. */
static void begin_transition(store_words_t *words, const store_script_t *script, int arguments)
{
    (void)store_words_script(words, script, 1, 1 + arguments);
    store_word(words, STORE_KEY_LOG);
}

static apr_status_t end_transition(ratings_store_t *store, store_words_t *words,
                                   ratings_cas_e *result, ratings_result_t *why)
{
    apr_status_t status = store_cas(store, words, result, why);
    store_words_free(words);
    return status;
}

/* One whose arguments are the generation that the store must have, and numbers. */
static apr_status_t transition_by_numbers(ratings_store_t *store, const store_script_t *script,
                                          const char *generation, const int64_t *numbers, int count,
                                          ratings_cas_e *result, ratings_result_t *why)
{
    store_words_t words;
    begin_transition(&words, script, 1 + count);
    store_word(&words, generation);
    for (int i = 0; i < count; i++)
        store_word_number(&words, numbers[i]);
    return end_transition(store, &words, result, why);
}

/* ---- partitions ---- */

#define CHECKPOINT_WORDS(from, to) (2 + 2 * ((to) - (from)))

/* Fields and values: checkpoint 0 for the partitions of from..to-1, and that these are all. */
static void add_checkpoints(store_words_t *words, int from, int to)
{
    store_word(words, "positions");
    store_word_number(words, to);
    for (int p = from; p < to; p++) {
        store_word_field(words, "position", p);
        store_word(words, "0");
    }
}

apr_status_t ratings_store_add_partitions(ratings_store_t *store,
                                          const ratings_store_state_t *state, int to,
                                          ratings_cas_e *result, ratings_result_t *why)
{
    store_words_t words;
    begin_transition(&words, &lua_add_partitions,
                     2 + CHECKPOINT_WORDS(state->checkpoint_count, to));
    store_word(&words, state->generation);
    store_word_number(&words, state->checkpoint_count);
    add_checkpoints(&words, state->checkpoint_count, to);
    return end_transition(store, &words, result, why);
}

apr_status_t ratings_store_set_routing(ratings_store_t *store, const ratings_store_state_t *state,
                                       int partitions, int64_t offset, ratings_cas_e *result,
                                       ratings_result_t *why)
{
    const int64_t numbers[] = {partitions, offset, state->routing_offset};
    return transition_by_numbers(store, &lua_set_routing, state->generation, numbers, 3, result,
                                 why);
}

apr_status_t ratings_store_advance(ratings_store_t *store, const ratings_store_state_t *state,
                                   int partition, int64_t next, ratings_cas_e *result,
                                   ratings_result_t *why)
{
    const int64_t numbers[] = {partition, state->checkpoint[partition], next};
    return transition_by_numbers(store, &lua_advance, state->generation, numbers, 3, result, why);
}

/* ---- the ranking ---- */

/* A script over ratings:log and ratings:top, with the generation that the store must have, and one
 * word more. */
static void begin_ranking_script(store_words_t *words, const store_script_t *script,
                                 const char *generation)
{
    (void)store_words_script(words, script, 2, 2 + 2);
    store_word(words, STORE_KEY_LOG);
    store_word(words, STORE_KEY_TOP);
    store_word(words, generation);
}

apr_status_t ratings_store_set_ranking(ratings_store_t *store, const char *generation,
                                       const char *prior, ratings_cas_e *result,
                                       ratings_result_t *why)
{
    store_words_t words;
    begin_ranking_script(&words, &lua_set_ranking, generation);
    store_word(&words, prior);
    return end_transition(store, &words, result, why);
}

#define RANK_COUNT 500 /* keys looked at: one or two milliseconds of Redis */

apr_status_t ratings_store_rank(ratings_store_t *store, const char *generation,
                                ratings_cas_e *result, ratings_result_t *why)
{
    store_words_t words;
    begin_ranking_script(&words, &lua_rank, generation);
    store_word_number(&words, RANK_COUNT);
    return end_transition(store, &words, result, why);
}

/* ---- rebuilds ---- */

#define OPEN_WORDS 3  /* token, steps, partitions */
#define HEAD_FIELDS 3 /* generation, topic, partitions */
#define OPEN_ROOM(partitions)                                                                      \
    (OPEN_WORDS + 2 * HEAD_FIELDS + CHECKPOINT_WORDS(0, partitions) + 2 * ((partitions) + 1))

/* Fields and values: which partitions' logs are empty, and whether the store is behind the others.
 */
static void add_empty(store_words_t *words, int partitions, const bool *empty)
{
    bool is_behind = false;
    for (int p = 0; p < partitions; p++) {
        is_behind |= !empty[p];
        if (empty[p]) {
            store_word_field(words, "first", p);
            store_word(words, "empty");
        }
    }
    if (is_behind) {
        store_word(words, "behind");
        store_word(words, "1");
    }
}

apr_status_t ratings_store_open(ratings_store_t *store, const ratings_sweep_t *sweep,
                                const char *topic, int partitions, int routing_partitions,
                                const bool *empty, ratings_cas_e *result, ratings_result_t *why)
{
    store_words_t words;
    begin_transition(&words, &lua_open, OPEN_ROOM(partitions));
    store_word(&words, sweep->token);
    store_word_number(&words, sweep->steps);
    store_word_number(&words, RATINGS_PARTITIONS_MAX);

    store_word(&words, "generation");
    store_word(&words, sweep->token);
    store_word(&words, "topic");
    store_word(&words, topic);
    store_word(&words, "partitions");
    store_word_number(&words, routing_partitions);
    add_checkpoints(&words, 0, partitions);
    add_empty(&words, partitions, empty);
    return end_transition(store, &words, result, why);
}

apr_status_t ratings_store_caught_up(ratings_store_t *store, const char *generation,
                                     ratings_cas_e *result, ratings_result_t *why)
{
    return transition_by_numbers(store, &lua_caught_up, generation, NULL, 0, result, why);
}

apr_status_t ratings_store_request_rebuild(ratings_store_t *store, const char *generation,
                                           int reason, ratings_cas_e *result, ratings_result_t *why)
{
    const int64_t numbers[] = {reason};
    return transition_by_numbers(store, &lua_request_rebuild, generation, numbers, 1, result, why);
}
