/* A store is claimed and emptied, for a rebuild. */
#include "store_keys.h"
#include "store_script.h"
#include "store_scripts.h"
#include "store_value.h"

#include <stdio.h>
#include <string.h>

/* Beside ratings:log, a key of each kind that is nobody's, to try commands with: a talk without an
 * id, and partitions without a number. */
apr_status_t ratings_store_claim(ratings_store_t *store, const ratings_store_state_t *seen,
                                 const ratings_sweep_t *sweep, ratings_cas_e *result,
                                 ratings_result_t *why)
{
    store_words_t words;
    (void)store_words_script(&words, &lua_claim, 7, 7 + 3);
    store_word(&words, STORE_KEY_LOG);
    store_word(&words, STORE_KEY_TALK);
    store_word(&words, STORE_KEY_VOTERS);
    store_word(&words, STORE_KEY_USES ":");
    store_word(&words, STORE_KEY_EXPIRY ":");
    store_word(&words, STORE_KEY_BARRED ":");
    store_word(&words, STORE_KEY_TICKETS ":");
    store_word(&words, seen->digest[0]);
    store_word(&words, seen->digest[1]);
    store_word(&words, sweep->token);
    apr_status_t status = store_cas(store, &words, result, why);
    store_words_free(&words);
    return status;
}

/* ---- sweeping ---- */

#define SCAN_COUNT 1000 /* keys looked at: about as many come, or fewer */
#define SCAN_FACTOR 16  /* more than that many times as many never do */
#define SCAN_ANSWER_MAX ((size_t)SCAN_COUNT * SCAN_FACTOR * STORE_KEY_VOTERS_MAX)
#define SCAN_PATTERN "ratings[/:]*" /* both kinds of keys that are swept, and a few more */

/* {cursor, keys}: https://redis.io/docs/latest/commands/scan/ */
static bool is_scan(const redisReply *reply)
{
    return store_is_array(reply, 2) && store_is_text(reply->element[0]) &&
           reply->element[0]->len < 32 && reply->element[1]->type == REDIS_REPLY_ARRAY;
}

static apr_status_t scan_keys(ratings_store_t *store, const char *cursor, redisReply **scan,
                              ratings_result_t *why)
{
    store_words_t words;
    (void)store_words_init(&words, 6);
    store_word(&words, "SCAN");
    store_word(&words, cursor);
    store_word(&words, "MATCH");
    store_word(&words, SCAN_PATTERN);
    store_word(&words, "COUNT");
    store_word_number(&words, SCAN_COUNT);
    apr_status_t status =
        store_ask(store, &words, SCAN_ANSWER_MAX, store_deadline(store), scan, why);
    store_words_free(&words);
    if (status != APR_SUCCESS)
        return store_says_nothing_of_data(why);
    if (is_scan(*scan))
        return status;
    freeReplyObject(*scan);
    return store_foreign(why, "the answer of SCAN");
}

static bool key_begins_with(const redisReply *key, const char *prefix)
{
    size_t length = strlen(prefix);
    return store_is_text(key) && (size_t)key->len >= length &&
           memcmp(key->str, prefix, length) == 0;
}

static bool is_of_talk(const redisReply *key)
{
    return key_begins_with(key, STORE_KEY_TALK);
}

static bool is_swept(const redisReply *key)
{
    return is_of_talk(key) || key_begins_with(key, STORE_KEY_VOTERS);
}

static int count_keys(const redisReply *keys, bool (*is_counted)(const redisReply *key))
{
    int count = 0;
    for (size_t i = 0; i < keys->elements; i++)
        count += is_counted(keys->element[i]);
    return count;
}

/* SCAN may answer any number of keys; those of one answer go into one script. */
static apr_status_t delete_keys(ratings_store_t *store, const ratings_sweep_t *sweep,
                                const redisReply *keys, ratings_cas_e *result,
                                ratings_result_t *why)
{
    int count = count_keys(keys, is_swept);
    store_words_t words;
    (void)store_words_script(&words, &lua_sweep, 1 + count, 1 + count + 2);
    store_word(&words, STORE_KEY_LOG);
    for (size_t i = 0; i < keys->elements; i++)
        if (is_swept(keys->element[i]))
            store_word_bytes(&words, keys->element[i]->str, (size_t)keys->element[i]->len);
    store_word(&words, sweep->token);
    store_word_number(&words, sweep->steps);
    apr_status_t status = store_cas(store, &words, result, why);
    store_words_free(&words);
    return status;
}

static void count_step(ratings_sweep_t *sweep, const redisReply *scan)
{
    sweep->steps++;
    sweep->deleted += count_keys(scan->element[1], is_of_talk);
    (void)snprintf(sweep->cursor, sizeof sweep->cursor, "%s", scan->element[0]->str);
}

apr_status_t ratings_store_sweep(ratings_store_t *store, ratings_sweep_t *sweep,
                                 ratings_cas_e *result, ratings_result_t *why)
{
    redisReply *scan;
    apr_status_t status = scan_keys(store, sweep->cursor, &scan, why);
    if (status != APR_SUCCESS)
        return status;
    status = delete_keys(store, sweep, scan->element[1], result, why);
    if (status == APR_SUCCESS && *result == RATINGS_CAS_APPLIED)
        count_step(sweep, scan);
    freeReplyObject(scan);
    return status;
}
