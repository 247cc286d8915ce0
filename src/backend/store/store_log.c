/* The store's account of the log: extending it, and rebuilding under a claim. */
#include "store_refusal.h"
#include "store_reply.h"
#include "store_scripts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- scripts over ratings:log ---- */

static void start_words(store_words_t *words, const char *script)
{
    store_word(words, "EVAL");
    store_word(words, script);
    store_word(words, "1");
    store_word(words, KEY_LOG);
}

static apr_status_t run_on_log(ratings_store_t *store, const char *script, const char *const *args,
                               int count, ratings_cas_e *result, ratings_result_t *why)
{
    store_words_t words = {0};
    apr_status_t status;
    if (store_words_init(&words, 4 + count)) {
        start_words(&words, script);
        store_add_words(&words, args, count);
        status = store_run(store, &words, result, why);
    } else {
        status = ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    }
    store_words_free(&words);
    return status;
}

/* Nobody's keys, of each kind one: a talk without an id, and partitions without a number. */
apr_status_t ratings_store_claim(ratings_store_t *store, const ratings_store_state_t *seen,
                                 const ratings_sweep_t *sweep, ratings_cas_e *result,
                                 ratings_result_t *why)
{
    const char *words[] = {"EVAL",         lua_claim,    "4",
                           KEY_LOG,        KEY_TALK,        KEY_KEYS ":",
                           KEY_EXPIRY ":", seen->digest[0], seen->digest[1],
                           sweep->token};
    const int count = sizeof words / sizeof words[0];
    size_t lengths[sizeof words / sizeof words[0]];
    const store_command_t command = {count, words, lengths, 0};
    for (int i = 0; i < count; i++)
        lengths[i] = strlen(words[i]);
    return store_run_all(store, &command, 1, result, why);
}

apr_status_t ratings_store_caught_up(ratings_store_t *store, const char *generation,
                                     ratings_cas_e *result, ratings_result_t *why)
{
    return run_on_log(store, lua_caught_up, &generation, 1, result, why);
}

apr_status_t ratings_store_request_rebuild(ratings_store_t *store, const char *generation,
                                           int reason, ratings_cas_e *result, ratings_result_t *why)
{
    char number[NUMBER_TEXT];
    const char *args[] = {generation, number};
    (void)snprintf(number, sizeof number, "%d", reason);
    return run_on_log(store, lua_request_rebuild, args, 2, result, why);
}

apr_status_t ratings_store_set_routing(ratings_store_t *store, const ratings_store_state_t *state,
                                       int partitions, int64_t offset, ratings_cas_e *result,
                                       ratings_result_t *why)
{
    char number[NUMBER_TEXT], routing[NUMBER_TEXT], before[NUMBER_TEXT] = "";
    const char *args[] = {state->generation, number, routing, before};
    (void)snprintf(number, sizeof number, "%d", partitions);
    (void)snprintf(routing, sizeof routing, "%" PRId64, offset);
    if (state->routing_offset >= 0)
        (void)snprintf(before, sizeof before, "%" PRId64, state->routing_offset);
    return run_on_log(store, lua_set_routing, args, 4, result, why);
}

apr_status_t ratings_store_advance(ratings_store_t *store, const ratings_store_state_t *state,
                                   int partition, int64_t next, ratings_cas_e *result,
                                   ratings_result_t *why)
{
    char number[NUMBER_TEXT], from[NUMBER_TEXT], to[NUMBER_TEXT];
    const char *args[] = {state->generation, number, from, to};
    (void)snprintf(number, sizeof number, "%d", partition);
    (void)snprintf(from, sizeof from, "%" PRId64, state->checkpoint[partition]);
    (void)snprintf(to, sizeof to, "%" PRId64, next);
    return run_on_log(store, lua_advance, args, 4, result, why);
}

/* ---- fields of a new account ---- */

#define EACH_FIELDS 2 /* of a partition: position and first */

/* Words for a script, with the texts of those that are numbers or names of fields. */
typedef struct {
    char text[2 * EACH_FIELDS * RATINGS_PARTITIONS_MAX][FIELD_TEXT_SIZE];
    const char *word[16 + 2 * EACH_FIELDS * RATINGS_PARTITIONS_MAX];
    int texts, words;
} account_t;

static void add_word(account_t *account, const char *word)
{
    account->word[account->words++] = word;
}

static void add_number(account_t *account, int64_t number)
{
    char *text = account->text[account->texts++];
    (void)snprintf(text, FIELD_TEXT_SIZE, "%" PRId64, number);
    add_word(account, text);
}

static void add_of_partition(account_t *account, const char *name, int partition, const char *value)
{
    char *text = account->text[account->texts++];
    store_field(text, name, partition);
    add_word(account, text);
    add_word(account, value);
}

static void add_positions(account_t *account, int from, int to)
{
    add_word(account, "positions");
    add_number(account, to);
    for (int p = from; p < to; p++)
        add_of_partition(account, "position", p, "0");
}

static apr_status_t run_account(ratings_store_t *store, const char *script, account_t *account,
                                ratings_cas_e *result, ratings_result_t *why)
{
    apr_status_t status = run_on_log(store, script, account->word, account->words, result, why);
    free(account);
    return status;
}

apr_status_t ratings_store_add_partitions(ratings_store_t *store,
                                          const ratings_store_state_t *state, int to,
                                          ratings_cas_e *result, ratings_result_t *why)
{
    account_t *account = calloc(1, sizeof *account);
    if (!account)
        return ratings_result_set(why, APR_ENOMEM, "out of memory");
    add_word(account, state->generation);
    add_number(account, state->partitions);
    add_positions(account, state->partitions, to);
    return run_account(store, lua_add_partitions, account, result, why);
}

apr_status_t ratings_store_open(ratings_store_t *store, const ratings_sweep_t *sweep,
                                const char *topic, int partitions, int routed, const bool *empty,
                                ratings_cas_e *result, ratings_result_t *why)
{
    const char *const names[] = {"generation", sweep->token, "topic", topic, "partitions"};
    account_t *account = calloc(1, sizeof *account);
    bool behind = false;
    if (!account)
        return ratings_result_set(why, APR_ENOMEM, "out of memory");
    add_word(account, sweep->token);
    add_number(account, sweep->steps);
    add_number(account, RATINGS_PARTITIONS_MAX);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add_word(account, names[i]);
    add_number(account, routed);
    add_positions(account, 0, partitions);
    for (int p = 0; p < partitions; p++) {
        behind |= !empty[p];
        if (empty[p])
            add_of_partition(account, "first", p, "empty");
    }
    if (behind) {
        add_word(account, "behind");
        add_word(account, "1");
    }
    return run_account(store, lua_open, account, result, why);
}

/* ---- sweeping ---- */

/* SCAN may answer any number of keys; those of one answer go into one script. */
static apr_status_t delete_keys(ratings_store_t *store, const ratings_sweep_t *sweep,
                                const redisReply *keys, ratings_cas_e *result,
                                ratings_result_t *why)
{
    store_words_t words = {0};
    char count[NUMBER_TEXT], steps[NUMBER_TEXT];
    apr_status_t status;
    (void)snprintf(steps, sizeof steps, "%" PRId64, sweep->steps);
    (void)snprintf(count, sizeof count, "%zu", keys->elements + 1);
    if (store_words_init(&words, (int)keys->elements + 6)) {
        start_words(&words, lua_sweep);
        words.argv[2] = count;
        words.argvlen[2] = strlen(count);
        for (size_t i = 0; i < keys->elements; i++)
            store_word_bytes(&words, keys->element[i]->str, (size_t)keys->element[i]->len);
        store_word(&words, sweep->token);
        store_word(&words, steps);
        status = store_run(store, &words, result, why);
    } else {
        status = ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    }
    store_words_free(&words);
    return status;
}

#define SCAN_COUNT 1000 /* keys looked at: about as many come, or fewer */
#define SCAN_FACTOR 16  /* more than that many times as many never do */

static apr_status_t scan_keys(ratings_store_t *store, const char *cursor, redisReply **scan,
                              ratings_result_t *why)
{
    static const char pattern[] = KEY_TALK "*";
    char count[NUMBER_TEXT];
    const char *texts[] = {"SCAN", cursor, "MATCH", pattern, "COUNT", count};
    size_t lengths[6];
    const store_command_t command = {6, texts, lengths,
                                     (size_t)SCAN_COUNT * SCAN_FACTOR * KEY_TALK_MAX};
    (void)snprintf(count, sizeof count, "%d", SCAN_COUNT);
    for (int i = 0; i < 6; i++)
        lengths[i] = strlen(texts[i]);
    return store_pipeline(store, &command, 1, scan, store_deadline(store), why);
}

static bool is_scan(const redisReply *reply)
{
    return store_is_array(reply, 2) && store_is_text(reply->element[0]) &&
           reply->element[0]->len < 32 && reply->element[1]->type == REDIS_REPLY_ARRAY;
}

static void count_step(ratings_sweep_t *sweep, const redisReply *scan)
{
    sweep->steps++;
    sweep->deleted += (int64_t)scan->element[1]->elements;
    (void)snprintf(sweep->cursor, sizeof sweep->cursor, "%s", scan->element[0]->str);
}

apr_status_t ratings_store_sweep(ratings_store_t *store, ratings_sweep_t *sweep,
                                 ratings_cas_e *result, ratings_result_t *why)
{
    redisReply *scan = NULL;
    apr_status_t status = scan_keys(store, sweep->cursor, &scan, why);
    if (status != APR_SUCCESS)
        return status;
    if (is_scan(scan))
        status = delete_keys(store, sweep, scan->element[1], result, why);
    else if (scan->type == REDIS_REPLY_ERROR)
        status = store_error_reply(scan, why);
    else
        status = store_unexpected(why, "the answer of SCAN");
    if (status == APR_SUCCESS && *result == RATINGS_CAS_APPLIED)
        count_step(sweep, scan);
    freeReplyObject(scan);
    return status;
}
