#include "store.h"

#include "../core/number.h"
#include "../core/redact.h"

#include <hiredis/hiredis.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define KEY_LOG "ratings:log"
#define KEY_TALK "ratings/"
#define KEY_TALK_LEN (sizeof KEY_TALK - 1)
#define FIELD_MAX 32

/* KEYS: log, talk; ARGV: generation, count, then partition and position of each, then five counts.
 * A position that is absent is 0: the partition was given to the topic later. */
static const char script_mend[] =
    "local log, key = KEYS[1], KEYS[2]\n"
    "if redis.call('TYPE', log).ok ~= 'hash' then return 'rebuilt' end\n"
    "local seen = redis.call('HMGET', log, 'generation', 'claim')\n"
    "if (seen[1] or '') ~= ARGV[1] or seen[2] then return 'rebuilt' end\n"
    "local count = tonumber(ARGV[2])\n"
    "for i = 1, count do\n"
    "  local at = redis.call('HGET', log, 'position:' .. ARGV[1 + 2 * i])\n"
    "  if (at or '0') ~= ARGV[2 + 2 * i] then return 'moved' end\n"
    "end\n"
    "redis.call('DEL', key)\n"
    "for v = 1, 5 do\n"
    "  local n = ARGV[2 + 2 * count + v]\n"
    "  if n ~= '0' then redis.call('HSET', key, v, n) end\n"
    "end\n"
    "return 'done'\n";

struct audit_store_t {
    audit_address_t address;
    char *shown; /* the URL without its password */
    int timeout_ms;
    redisContext *context; /* NULL: not connected */
};

audit_store_t *audit_store_new(const char *url, int timeout_ms)
{
    audit_store_t *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    store->timeout_ms = timeout_ms;
    store->shown = ratings_redact(url);
    if (store->shown && !audit_address_parse(url, &store->address))
        return store;
    audit_store_free(store);
    return NULL;
}

void audit_store_rest(audit_store_t *store)
{
    if (store->context)
        redisFree(store->context);
    store->context = NULL;
}

void audit_store_free(audit_store_t *store)
{
    if (!store)
        return;
    audit_store_rest(store);
    free(store->shown);
    free(store);
}

/* ---- what went wrong ---- */

/* hiredis tells a timeout by errno alone: EAGAIN of a read with SO_RCVTIMEO, ETIMEDOUT of connect.
 * After any error a context is dead. */
static bool lost(audit_store_t *store, audit_why_t *why)
{
    int code = errno;
    const redisContext *context = store->context;
    if (!context)
        return audit_no_memory(why);
    if (context->err == REDIS_ERR_IO &&
        (code == EAGAIN || code == ETIMEDOUT || code == EINPROGRESS))
        audit_fail(why, "Redis at %s: no answer for %d s", store->shown, store->timeout_ms / 1000);
    else
        audit_fail(why, "Redis at %s: %s", store->shown, context->errstr);
    audit_store_rest(store);
    return false;
}

static bool refused(const audit_store_t *store, const redisReply *reply, audit_why_t *why)
{
    return audit_fail(why, "Redis at %s refuses: %.*s", store->shown, (int)reply->len, reply->str);
}

static bool unexpected(const audit_store_t *store, const char *what, audit_why_t *why)
{
    return audit_fail(why, "Redis at %s: %s is not what the service writes", store->shown, what);
}

/* ---- the connection ---- */

/* The words of a refusal may hold the password (an unknown command is repeated with its arguments):
 * only the first is told. */
static bool greet(audit_store_t *store, int argc, const char **argv, audit_why_t *why)
{
    redisReply *reply = redisCommandArgv(store->context, argc, argv, NULL);
    if (!reply)
        return lost(store, why);
    bool good = reply->type != REDIS_REPLY_ERROR;
    if (!good)
        audit_fail(why, "Redis at %s refuses %s: %.*s", store->shown, argv[0],
                   (int)strcspn(reply->str, " "), reply->str);
    freeReplyObject(reply);
    return good;
}

static bool authenticate(audit_store_t *store, audit_why_t *why)
{
    const audit_address_t *address = &store->address;
    const char *with_user[] = {"AUTH", address->user, address->password};
    const char *without[] = {"AUTH", address->password};
    if (!address->has_password)
        return true;
    return address->user[0] ? greet(store, 3, with_user, why) : greet(store, 2, without, why);
}

static bool select_database(audit_store_t *store, audit_why_t *why)
{
    char number[16];
    const char *words[] = {"SELECT", number};
    (void)snprintf(number, sizeof number, "%d", store->address.database);
    return store->address.database == 0 || greet(store, 2, words, why);
}

static bool connect_store(audit_store_t *store, audit_why_t *why)
{
    const struct timeval timeout = {store->timeout_ms / 1000, store->timeout_ms % 1000 * 1000};
    if (store->context)
        return true;
    store->context = redisConnectWithTimeout(store->address.host, store->address.port, timeout);
    if (!store->context || store->context->err ||
        redisSetTimeout(store->context, timeout) != REDIS_OK)
        return lost(store, why);
    if (authenticate(store, why) && select_database(store, why))
        return true;
    audit_store_rest(store);
    return false;
}

/* ---- commands ---- */

/* Words are copied when the command is appended: they need to live no longer. */
typedef struct {
    const char **argv;
    size_t *argvlen;
    int argc, room;
} words_t;

static bool words_init(words_t *words, int room, audit_why_t *why)
{
    words->argc = 0;
    words->room = room;
    words->argv = malloc((size_t)room * sizeof *words->argv);
    words->argvlen = malloc((size_t)room * sizeof *words->argvlen);
    return (words->argv && words->argvlen) || audit_no_memory(why);
}

static void words_free(words_t *words)
{
    free(words->argv);
    free(words->argvlen);
}

static void word_of(words_t *words, const char *text, size_t len)
{
    if (words->argc == words->room)
        abort(); /* the room is counted by the callers below: a bug, not an input */
    words->argv[words->argc] = text;
    words->argvlen[words->argc++] = len;
}

static void word(words_t *words, const char *text)
{
    word_of(words, text, strlen(text));
}

static bool append(audit_store_t *store, const words_t *words, audit_why_t *why)
{
    return redisAppendCommandArgv(store->context, words->argc, words->argv, words->argvlen) ==
               REDIS_OK ||
           lost(store, why);
}

static bool append_words(audit_store_t *store, const char *const *texts, int count,
                         audit_why_t *why)
{
    const char *argv[8];
    size_t argvlen[8];
    words_t words = {argv, argvlen, 0, 8};
    for (int i = 0; i < count; i++)
        word(&words, texts[i]);
    return append(store, &words, why);
}

#define APPEND(store, why, ...)                                                                    \
    append_words((store), (const char *const[]){__VA_ARGS__},                                      \
                 (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)), (why))

/* The next reply; NULL, with the reason, for an error. */
static redisReply *reply_of(audit_store_t *store, audit_why_t *why)
{
    void *reply = NULL;
    redisReply *answer;
    if (redisGetReply(store->context, &reply) != REDIS_OK) {
        lost(store, why);
        return NULL;
    }
    answer = reply;
    if (answer->type != REDIS_REPLY_ERROR)
        return answer;
    refused(store, answer, why);
    freeReplyObject(answer);
    audit_store_rest(store); /* there may be more replies to come, which nobody will read */
    return NULL;
}

/* ---- what ratings:log says ---- */

enum { FIELD_TOPIC, FIELD_GENERATION, FIELD_CLAIM, FIELD_ROUTED, FIELD_BEYOND, FIELDS };

static const char *const each_field[] = {"position", "mark", "first", "time"};
enum { EACH_POSITION, EACH_MARK, EACH_FIRST, EACH_TIME, EACH };

bool audit_log_init(audit_log_t *log, int partitions)
{
    size_t count = (size_t)partitions;
    memset(log, 0, sizeof *log);
    log->partitions = partitions;
    log->position = calloc(count, sizeof *log->position);
    log->mark = calloc(count, sizeof *log->mark);
    log->first = calloc(count, sizeof *log->first);
    log->time = calloc(count, sizeof *log->time);
    return log->position && log->mark && log->first && log->time;
}

void audit_log_free(audit_log_t *log)
{
    free(log->position);
    free(log->mark);
    free(log->first);
    free(log->time);
}

static bool append_log(audit_store_t *store, int partitions, audit_why_t *why)
{
    const char *const fixed[] = {"HMGET", KEY_LOG, "topic", "generation", "claim", "partitions"};
    size_t fields = (size_t)partitions * EACH + 1;
    char(*name)[FIELD_MAX] = calloc(fields, sizeof *name);
    words_t words;
    bool good = words_init(&words, (int)fields + (int)(sizeof fixed / sizeof *fixed), why) &&
                (name || audit_no_memory(why));
    for (size_t i = 0; good && i < sizeof fixed / sizeof *fixed; i++)
        word(&words, fixed[i]);
    for (size_t i = 0; good && i < fields; i++) {
        int p = i == 0 ? partitions : (int)((i - 1) / EACH); /* the first is the one beyond */
        const char *field = each_field[i == 0 ? EACH_POSITION : (i - 1) % EACH];
        (void)snprintf(name[i], sizeof name[i], "%s:%d", field, p);
        word(&words, name[i]);
    }
    good = good && append(store, &words, why);
    words_free(&words);
    free(name);
    return good;
}

static bool is_array(const redisReply *reply, size_t elements)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements;
}

static void copy_text(char *out, size_t size, const redisReply *reply)
{
    (void)snprintf(out, size, "%s", reply->type == REDIS_REPLY_STRING ? reply->str : "");
}

/* A number, or `absent` for a nil. */
static bool read_number(const redisReply *reply, int64_t absent, int64_t *out)
{
    *out = absent;
    return reply->type == REDIS_REPLY_NIL ||
           (reply->type == REDIS_REPLY_STRING &&
            ratings_parse_int(reply->str, reply->len, 0, INT64_MAX, out));
}

static bool read_partition(redisReply *const *field, int p, audit_log_t *log)
{
    copy_text(log->mark[p], sizeof log->mark[p], field[EACH_MARK]);
    copy_text(log->first[p], sizeof log->first[p], field[EACH_FIRST]);
    copy_text(log->time[p], sizeof log->time[p], field[EACH_TIME]);
    return read_number(field[EACH_POSITION], 0, &log->position[p]);
}

static bool read_log(const audit_store_t *store, const redisReply *reply, audit_log_t *log,
                     audit_why_t *why)
{
    if (!is_array(reply, (size_t)log->partitions * EACH + FIELDS))
        return unexpected(store, "the key " KEY_LOG, why);
    redisReply *const *field = reply->element;
    log->present = false;
    for (size_t i = 0; i < reply->elements; i++)
        log->present |= field[i]->type != REDIS_REPLY_NIL;
    copy_text(log->topic, sizeof log->topic, field[FIELD_TOPIC]);
    copy_text(log->generation, sizeof log->generation, field[FIELD_GENERATION]);
    copy_text(log->claim, sizeof log->claim, field[FIELD_CLAIM]);
    if (!read_number(field[FIELD_ROUTED], -1, &log->routed))
        log->routed = -1;
    log->beyond = field[FIELD_BEYOND]->type != REDIS_REPLY_NIL;
    for (int p = 0; p < log->partitions; p++)
        if (!read_partition(field + FIELDS + (ptrdiff_t)p * EACH, p, log))
            return unexpected(store, "a position in " KEY_LOG, why);
    return true;
}

/* ---- talks ---- */

/* malloc()ed; a talk of the store may have any bytes in its name. */
static char *talk_key(const audit_talk_t *talk)
{
    char *key = malloc(KEY_TALK_LEN + talk->len + 1);
    if (!key)
        return NULL;
    memcpy(key, KEY_TALK, KEY_TALK_LEN);
    memcpy(key + KEY_TALK_LEN, talk->id, talk->len + 1);
    return key;
}

static bool append_talk(audit_store_t *store, const audit_talk_t *talk, audit_why_t *why)
{
    static const char *const commands[] = {"HLEN", "HMGET"};
    static const char *const fields[] = {"1", "2", "3", "4", "5"};
    const char *argv[2 + RATINGS_VALUES];
    size_t argvlen[2 + RATINGS_VALUES];
    char *key = talk_key(talk);
    bool good = key || audit_no_memory(why);
    for (int c = 0; c < 2 && good; c++) {
        words_t words = {argv, argvlen, 0, 2 + RATINGS_VALUES};
        word(&words, commands[c]);
        word_of(&words, key, KEY_TALK_LEN + talk->len);
        for (int v = 0; c == 1 && v < RATINGS_VALUES; v++)
            word(&words, fields[v]);
        good = append(store, &words, why);
    }
    free(key);
    return good;
}

static audit_found_e read_talk(const redisReply *length, const redisReply *counts,
                               ratings_histogram_t *out)
{
    long long fields = 0;
    *out = (ratings_histogram_t){{0}};
    if (length->type != REDIS_REPLY_INTEGER || !is_array(counts, RATINGS_VALUES))
        return AUDIT_FOUND_OTHER_TYPE;
    if (length->integer == 0)
        return AUDIT_FOUND_NOTHING;
    for (size_t v = 0; v < RATINGS_VALUES; v++) {
        fields += counts->element[v]->type != REDIS_REPLY_NIL;
        if (!read_number(counts->element[v], 0, &out->count[v]))
            return AUDIT_FOUND_NO_COUNT;
    }
    return fields == length->integer ? AUDIT_FOUND_COUNTS : AUDIT_FOUND_OTHER_FIELDS;
}

static bool read_all(const audit_store_t *store, const redisReply *exec, audit_log_t *log,
                     audit_talk_t *const *talks, size_t count, audit_why_t *why)
{
    if (!is_array(exec, 1 + 2 * count))
        return unexpected(store, "the answer of a transaction", why);
    if (!read_log(store, exec->element[0], log, why))
        return false;
    for (size_t i = 0; i < count; i++)
        talks[i]->found.what =
            read_talk(exec->element[1 + 2 * i], exec->element[2 + 2 * i], &talks[i]->found.counts);
    return true;
}

bool audit_store_read(audit_store_t *store, audit_log_t *log, audit_talk_t *const *talks,
                      size_t count, audit_why_t *why)
{
    bool good = connect_store(store, why) && APPEND(store, why, "MULTI") &&
                append_log(store, log->partitions, why);
    for (size_t i = 0; i < count && good; i++)
        good = append_talk(store, talks[i], why);
    good = good && APPEND(store, why, "EXEC");
    for (size_t i = 0; i < 2 + 2 * count && good; i++) { /* those of MULTI and what is queued */
        redisReply *reply = reply_of(store, why);
        good = reply != NULL;
        freeReplyObject(reply);
    }
    redisReply *exec = good ? reply_of(store, why) : NULL;
    good = exec && read_all(store, exec, log, talks, count, why);
    freeReplyObject(exec);
    return good;
}

/* ---- the keys that there are ---- */

static bool is_scan(const redisReply *reply)
{
    return is_array(reply, 2) && reply->element[0]->type == REDIS_REPLY_STRING &&
           reply->element[0]->len < FIELD_MAX && reply->element[1]->type == REDIS_REPLY_ARRAY;
}

static bool add_keys(audit_fold_t *fold, const redisReply *keys, audit_why_t *why)
{
    for (size_t i = 0; i < keys->elements; i++) {
        const redisReply *key = keys->element[i];
        if (key->type == REDIS_REPLY_STRING && key->len >= KEY_TALK_LEN &&
            !audit_fold_talk(fold, key->str + KEY_TALK_LEN, key->len - KEY_TALK_LEN))
            return audit_no_memory(why);
    }
    return true;
}

bool audit_store_scan(audit_store_t *store, audit_fold_t *fold, audit_why_t *why)
{
    char cursor[FIELD_MAX] = "0";
    bool good;
    do {
        good = connect_store(store, why) &&
               APPEND(store, why, "SCAN", cursor, "MATCH", KEY_TALK "*", "COUNT", "1000");
        redisReply *reply = good ? reply_of(store, why) : NULL;
        good = reply && (is_scan(reply) || unexpected(store, "the answer of SCAN", why)) &&
               add_keys(fold, reply->element[1], why);
        if (good)
            copy_text(cursor, sizeof cursor, reply->element[0]);
        freeReplyObject(reply);
    } while (good && strcmp(cursor, "0") != 0);
    return good;
}

/* ---- writing ---- */

static bool read_end(const audit_store_t *store, const redisReply *reply, audit_store_end_e *end,
                     audit_why_t *why)
{
    static const struct {
        const char *text;
        audit_store_end_e end;
    } ends[] = {
        {"done", AUDIT_STORE_DONE}, {"moved", AUDIT_STORE_MOVED}, {"rebuilt", AUDIT_STORE_REBUILT}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (reply->type == REDIS_REPLY_STRING && strcmp(reply->str, ends[i].text) == 0) {
            *end = ends[i].end;
            return true;
        }
    return unexpected(store, "the answer of a script", why);
}

static bool send_mend(audit_store_t *store, const words_t *words, audit_store_end_e *end,
                      audit_why_t *why)
{
    redisReply *reply =
        connect_store(store, why) && append(store, words, why) ? reply_of(store, why) : NULL;
    bool good = reply && read_end(store, reply, end, why);
    freeReplyObject(reply);
    return good;
}

static void number_word(words_t *words, char (*text)[FIELD_MAX], int64_t number)
{
    (void)snprintf(*text, sizeof *text, "%" PRId64, number);
    word(words, *text);
}

bool audit_store_mend(audit_store_t *store, const char *generation, const int *partitions,
                      const int64_t *positions, int count, const audit_talk_t *talk,
                      const ratings_histogram_t *counts, audit_store_end_e *end, audit_why_t *why)
{
    const char *const fixed[] = {"EVAL", script_mend, "2", KEY_LOG};
    size_t numbers = 1 + 2 * (size_t)count + RATINGS_VALUES;
    char(*text)[FIELD_MAX] = calloc(numbers, sizeof *text), (*at)[FIELD_MAX] = text;
    char *key = talk_key(talk);
    words_t words;
    bool good =
        words_init(&words, 6 + (int)numbers, why) && ((text && key) || audit_no_memory(why));
    if (good) {
        for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
            word(&words, fixed[i]);
        word_of(&words, key, KEY_TALK_LEN + talk->len);
        word(&words, generation);
        number_word(&words, at++, count);
        for (int i = 0; i < count; i++) {
            number_word(&words, at++, partitions[i]);
            number_word(&words, at++, positions[i]);
        }
        for (int v = 0; v < RATINGS_VALUES; v++)
            number_word(&words, at++, counts->count[v]);
        good = send_mend(store, &words, end, why);
    }
    words_free(&words);
    free(key);
    free(text);
    return good;
}

bool audit_store_forget(audit_store_t *store, bool *deleted, audit_why_t *why)
{
    redisReply *reply = connect_store(store, why) && APPEND(store, why, "DEL", KEY_LOG)
                            ? reply_of(store, why)
                            : NULL;
    *deleted = reply && reply->type == REDIS_REPLY_INTEGER && reply->integer > 0;
    freeReplyObject(reply);
    return reply != NULL;
}
