#include "store_script.h"

#include "store_refusal.h"
#include "store_scripts.h"
#include "store_value.h"

#include <string.h>

/* ---- sending ---- */

static apr_status_t out_of_memory(ratings_result_t *why)
{
    return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
}

apr_status_t store_ask(ratings_store_t *store, const store_words_t *words, size_t answer_max,
                       int64_t deadline, redisReply **reply, ratings_result_t *why)
{
    store_command_t command = store_command_of(words);
    redisReply *answer = NULL;
    command.answer_max = answer_max;
    if (words->out_of_memory)
        return out_of_memory(why);
    if (store_pipeline(store, &command, 1, &answer, deadline, why) != APR_SUCCESS)
        return why->status;
    if (answer->type != REDIS_REPLY_ERROR) {
        *reply = answer;
        return APR_SUCCESS;
    }
    store_error_reply(answer, why);
    freeReplyObject(answer);
    return why->status;
}

/* ---- compare-and-set ---- */

static const store_more_t nothing_more = {NULL, 0};

/* A word, and so many bytes after it. */
static bool is_word_and(const redisReply *reply, const char *word, size_t size)
{
    size_t length = strlen(word);
    return store_is_text(reply) && (size_t)reply->len == length + size &&
           memcmp(reply->str, word, length) == 0;
}

static apr_status_t read_cas_and(const redisReply *reply, const store_more_t *more,
                                 ratings_cas_e *result, ratings_result_t *why)
{
    static const char applied[] = "applied";
    if (reply->type == REDIS_REPLY_ERROR)
        return store_error_reply(reply, why);
    if (is_word_and(reply, applied, more->size)) {
        if (more->size > 0)
            memcpy(more->bytes, reply->str + sizeof applied - 1, more->size);
        *result = RATINGS_CAS_APPLIED;
    } else if (is_word_and(reply, "conflict", 0)) {
        *result = RATINGS_CAS_CONFLICT;
    } else if (is_word_and(reply, "corrupt", 0)) {
        *result = RATINGS_CAS_CORRUPT;
    } else {
        return store_foreign(why, "the answer of a script");
    }
    return ratings_result_ok(why);
}

apr_status_t store_read_cas(const redisReply *reply, ratings_cas_e *result, ratings_result_t *why)
{
    return read_cas_and(reply, &nothing_more, result, why);
}

apr_status_t store_cas_all(ratings_store_t *store, const store_words_t *words,
                           const store_more_t *more, int count, ratings_cas_e *results,
                           ratings_result_t *why)
{
    store_command_t commands[RATINGS_APPLY_MAX];
    redisReply *replies[RATINGS_APPLY_MAX];
    ratings_result_t one;
    bool is_complete = true;
    for (int i = 0; i < count; i++) {
        results[i] = RATINGS_CAS_CONFLICT; /* unless it is known to be applied */
        commands[i] = store_command_of(&words[i]);
        is_complete &= !words[i].out_of_memory;
    }
    if (!is_complete)
        return out_of_memory(why);
    if (store_pipeline(store, commands, count, replies, store_deadline(store), why) != APR_SUCCESS)
        return store_says_nothing_of_data(why);
    for (int i = 0; i < count; i++) {
        if (read_cas_and(replies[i], more ? &more[i] : &nothing_more, &results[i], &one) !=
                APR_SUCCESS &&
            why->status == APR_SUCCESS)
            *why = one;
        freeReplyObject(replies[i]);
    }
    return why->status;
}

apr_status_t store_cas(ratings_store_t *store, const store_words_t *words, ratings_cas_e *result,
                       ratings_result_t *why)
{
    return store_cas_all(store, words, NULL, 1, result, why);
}

/* ---- reading ---- */

static void add_fields(store_words_t *words, const store_fields_t *fields)
{
    for (int i = 0; i < fields->count; i++)
        store_word(words, fields->fields[i]);
}

apr_status_t store_read_both(ratings_store_t *store, const store_fields_t *first,
                             const store_fields_t *second, int64_t deadline, redisReply **answer,
                             ratings_result_t *why)
{
    int count = first->count + second->count;
    store_words_t words;
    (void)store_words_script(&words, &lua_read, 2, 3 + count);
    store_word(&words, first->key);
    store_word(&words, second->key);
    store_word_number(&words, first->count);
    add_fields(&words, first);
    add_fields(&words, second);
    size_t answer_max = STORE_ANSWER_MAX + (size_t)count * STORE_FIELD_ANSWER_MAX;
    apr_status_t status = store_ask(store, &words, answer_max, deadline, answer, why);
    store_words_free(&words);
    if (status != APR_SUCCESS || store_is_array(*answer, 2))
        return status;
    freeReplyObject(*answer);
    return store_unexpected(why, "the answer of a script");
}

apr_status_t store_unexpected(ratings_result_t *why, const char *what)
{
    return ratings_result_set(why, RATINGS_REBUILD_NEEDED, "%s is not what this module writes",
                              what);
}

apr_status_t store_foreign(ratings_result_t *why, const char *what)
{
    return ratings_result_set(why, APR_EINVAL, "%s is none that Redis gives", what);
}

apr_status_t store_says_nothing_of_data(ratings_result_t *why)
{
    if (why->status == RATINGS_REBUILD_NEEDED)
        why->status = APR_EINVAL;
    return why->status;
}

apr_status_t store_not_read(const redisReply *answer, ratings_result_t *why, const char *what)
{
    return answer->type == REDIS_REPLY_ERROR && !strstr(answer->str, "WRONGTYPE")
               ? store_error_reply(answer, why)
               : store_unexpected(why, what);
}
