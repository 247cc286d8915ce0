#include "store_reply.h"

#include "../../core/number.h"
#include "store_refusal.h"
#include "store_scripts.h"

#include <apr_base64.h>
#include <apr_sha1.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- keys ---- */

void store_talk_key(char key[KEY_TALK_MAX + 1], const char *talk_id)
{
    (void)snprintf(key, KEY_TALK_MAX + 1, KEY_TALK "%s", talk_id);
}

void store_field(char field[FIELD_TEXT_SIZE], const char *name, int partition)
{
    (void)snprintf(field, FIELD_TEXT_SIZE, "%s:%d", name, partition);
}

#define DIGEST_BYTES 15 /* 120 bits: no two keys have the same, and no padding in base64 */

/* A digest, so that a key takes the same little memory however long it is. */
void store_use_field(char field[USE_FIELD_SIZE], const char *talk_id, const char *key)
{
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    apr_sha1_ctx_t context;
    apr_sha1_init(&context);
    apr_sha1_update(&context, talk_id, (unsigned)strlen(talk_id) + 1); /* with its end */
    apr_sha1_update(&context, key, (unsigned)strlen(key));
    apr_sha1_final(digest, &context);
    (void)apr_base64_encode_binary(field, digest, DIGEST_BYTES);
}

/* ---- commands ---- */

bool store_words_init(store_words_t *words, int room)
{
    words->argc = 0;
    words->room = room;
    words->argv = malloc((size_t)room * sizeof *words->argv);
    words->argvlen = malloc((size_t)room * sizeof *words->argvlen);
    return words->argv && words->argvlen;
}

void store_words_free(store_words_t *words)
{
    free(words->argv);
    free(words->argvlen);
}

void store_word_bytes(store_words_t *words, const char *bytes, size_t len)
{
    if (words->argc == words->room)
        abort(); /* the room is counted by the callers: a bug, not an input */
    words->argv[words->argc] = bytes;
    words->argvlen[words->argc++] = len;
}

void store_word(store_words_t *words, const char *text)
{
    store_word_bytes(words, text, strlen(text));
}

void store_add_words(store_words_t *words, const char *const *texts, int count)
{
    for (int i = 0; i < count; i++)
        store_word(words, texts[i]);
}

store_command_t store_command_of(const store_words_t *words)
{
    return (store_command_t){.argc = words->argc, .argv = words->argv, .argvlen = words->argvlen};
}

static apr_status_t read_end(const redisReply *reply, ratings_cas_e *end, ratings_result_t *why)
{
    static const struct {
        const char *text;
        ratings_cas_e end;
    } ends[] = {{"applied", RATINGS_CAS_APPLIED},
                {"conflict", RATINGS_CAS_CONFLICT},
                {"corrupt", RATINGS_CAS_CORRUPT}};
    if (reply->type == REDIS_REPLY_ERROR)
        return store_error_reply(reply, why);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (store_is_text(reply) && strcmp(reply->str, ends[i].text) == 0) {
            *end = ends[i].end;
            return ratings_result_ok(why);
        }
    return store_unexpected(why, "the answer of a script");
}

apr_status_t store_run_all(ratings_store_t *store, const store_command_t *scripts, int count,
                           ratings_cas_e *ends, ratings_result_t *why)
{
    redisReply *replies[RATINGS_APPLY_MAX];
    ratings_result_t one;
    for (int i = 0; i < count; i++)
        ends[i] = RATINGS_CAS_CONFLICT; /* unless it is known to be done */
    if (store_pipeline(store, scripts, count, replies, store_deadline(store), why) != APR_SUCCESS)
        return why->status;
    for (int i = 0; i < count; i++) {
        if (read_end(replies[i], &ends[i], &one) != APR_SUCCESS && why->status == APR_SUCCESS)
            *why = one;
        freeReplyObject(replies[i]);
    }
    return why->status;
}

apr_status_t store_run(ratings_store_t *store, const store_words_t *words, ratings_cas_e *end,
                       ratings_result_t *why)
{
    const store_command_t script = store_command_of(words);
    return store_run_all(store, &script, 1, end, why);
}

static apr_status_t take_both(redisReply *reply, redisReply **answer, ratings_result_t *why)
{
    *answer = reply;
    if (store_is_array(reply, 2))
        return ratings_result_ok(why);
    apr_status_t status = reply->type == REDIS_REPLY_ERROR
                              ? store_error_reply(reply, why)
                              : store_unexpected(why, "the answer of a script");
    freeReplyObject(reply);
    return status;
}

apr_status_t store_read_both(ratings_store_t *store, const store_fields_t *first,
                             const store_fields_t *second, int64_t deadline, redisReply **answer,
                             ratings_result_t *why)
{
    char count[NUMBER_TEXT];
    const char *const head[] = {"EVAL", lua_read, "2", first->key, second->key, count};
    const int head_count = sizeof head / sizeof head[0];
    store_words_t words;
    redisReply *reply = NULL; /* stays so unless there is one */
    apr_status_t status;
    (void)snprintf(count, sizeof count, "%d", first->count);
    if (store_words_init(&words, head_count + first->count + second->count)) {
        store_add_words(&words, head, head_count);
        store_add_words(&words, first->fields, first->count);
        store_add_words(&words, second->fields, second->count);
        store_command_t command = store_command_of(&words);
        command.answer_max =
            STORE_ANSWER_MAX + (size_t)(first->count + second->count) * FIELD_ANSWER_MAX;
        status = store_pipeline(store, &command, 1, &reply, deadline, why);
    } else {
        status = ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    }
    store_words_free(&words);
    return reply ? take_both(reply, answer, why) : status;
}

/* ---- answers ---- */

bool store_is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

bool store_is_array(const redisReply *reply, size_t elements)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements;
}

bool store_read_number(const redisReply *reply, int64_t absent, int64_t max, int64_t *out)
{
    *out = absent;
    return reply->type == REDIS_REPLY_NIL ||
           (store_is_text(reply) && ratings_parse_int(reply->str, (size_t)reply->len, 0, max, out));
}

/* Three numbers with colons between them; `min` of each. */
static bool read_triple(const redisReply *reply, const int64_t min[3], int64_t out[3])
{
    const char *text = reply->str;
    if (memchr(text, '\0', (size_t)reply->len))
        return false;
    for (int i = 0; i < 3; i++) {
        size_t length = i < 2 ? strcspn(text, ":") : strlen(text);
        if ((i < 2 && text[length] != ':') ||
            !ratings_parse_int(text, length, min[i], INT64_MAX, &out[i]))
            return false;
        text += length + 1;
    }
    return true;
}

bool store_read_mark(const redisReply *reply, ratings_fingerprint_t *mark)
{
    static const int64_t min[] = {0, -1, 0};
    int64_t numbers[3];
    *mark = (ratings_fingerprint_t){.offset = RATINGS_FINGERPRINT_EMPTY};
    if (!store_is_text(reply))
        return false;
    if (strcmp(reply->str, "empty") == 0)
        return true;
    if (!read_triple(reply, min, numbers) || numbers[2] > UINT32_MAX)
        return false;
    *mark = (ratings_fingerprint_t){numbers[0], numbers[1], (uint32_t)numbers[2]};
    return true;
}

bool store_read_use(const redisReply *reply, ratings_use_t *use)
{
    static const int64_t min[] = {RATINGS_VALUE_MIN, 0, 0};
    int64_t numbers[3];
    *use = (ratings_use_t){.offset = -1};
    if (reply->type == REDIS_REPLY_NIL)
        return true;
    if (!store_is_text(reply) || !read_triple(reply, min, numbers) ||
        numbers[0] > RATINGS_VALUE_MAX)
        return false;
    *use =
        (ratings_use_t){.offset = numbers[2], .expires_ms = numbers[1], .value = (int)numbers[0]};
    return true;
}

apr_status_t store_unexpected(ratings_result_t *why, const char *what)
{
    return ratings_result_set(why, APR_EINVAL, "%s is not what this module writes", what);
}

apr_status_t store_not_read(const redisReply *answer, ratings_result_t *why, const char *what)
{
    return answer->type == REDIS_REPLY_ERROR && !strstr(answer->str, "WRONGTYPE")
               ? store_error_reply(answer, why)
               : store_unexpected(why, what);
}

/* ---- marks ---- */

uint16_t ratings_log_id(const ratings_fingerprint_t *first)
{
    if (first->offset == RATINGS_FINGERPRINT_NONE)
        return 0;
    if (first->offset == RATINGS_FINGERPRINT_EMPTY)
        return RATINGS_LOG_ID_EMPTY;
    uint64_t mixed = ((uint64_t)first->timestamp << 20) ^ (uint64_t)first->offset ^ first->checksum;
    return (uint16_t)(2 + mixed % 65521); /* a prime: each bit takes part */
}
