#include "audit_store.h"

#include "../core/number.h"
#include "../core/redis_url.h"
#include "audit_scripts.h"

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
#define KEY_TALK_ALL "ratings/*"
#define FIELD_MAX 32

struct audit_store_t {
    ratings_redis_url_t url;
    char *shown; /* that without its password */
    int timeout_ms;
    redisContext *context; /* NULL: not connected */
};

audit_store_t *audit_store_new(const char *url, int timeout_ms)
{
    audit_store_t *store = calloc(1, sizeof *store);
    if (!store)
        return NULL;
    store->timeout_ms = timeout_ms;
    store->shown = ratings_redis_url_redact(url);
    if (store->shown && !ratings_redis_url_parse(url, &store->url))
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
    const ratings_redis_url_t *url = &store->url;
    const char *with_user[] = {"AUTH", url->user, url->password};
    const char *without[] = {"AUTH", url->password};
    if (!url->has_password)
        return true;
    return url->user[0] ? greet(store, 3, with_user, why) : greet(store, 2, without, why);
}

static bool select_database(audit_store_t *store, audit_why_t *why)
{
    char number[16];
    const char *words[] = {"SELECT", number};
    (void)snprintf(number, sizeof number, "%d", store->url.database);
    return store->url.database == 0 || greet(store, 2, words, why);
}

static bool connect_store(audit_store_t *store, audit_why_t *why)
{
    const struct timeval timeout = {store->timeout_ms / 1000, store->timeout_ms % 1000 * 1000L};
    if (store->context)
        return true;
    store->context = redisConnectWithTimeout(store->url.host, store->url.port, timeout);
    if (!store->context || store->context->err ||
        redisSetTimeout(store->context, timeout) != REDIS_OK)
        return lost(store, why);
    if (authenticate(store, why) && select_database(store, why))
        return true;
    audit_store_rest(store);
    return false;
}

/* ---- commands ---- */

/* The words of a command, each a copy of its own. */
typedef struct {
    char **argv;
    size_t *argvlen;
    size_t argc, room;
    bool good; /* memory has not run out */
} words_t;

static void make_word_room(words_t *words)
{
    size_t room = words->room ? 2 * words->room : 32;
    if (words->argc < words->room)
        return;
    char **argv = realloc(words->argv, room * sizeof(char *));
    if (argv)
        words->argv = argv;
    size_t *argvlen = realloc(words->argvlen, room * sizeof *argvlen);
    if (argvlen)
        words->argvlen = argvlen;
    words->good &= argv && argvlen;
    if (words->good)
        words->room = room;
}

/* Of two parts: a key is a prefix and a name of any bytes. */
static void append_word(words_t *words, const char *prefix, const char *bytes, size_t len)
{
    size_t before = strlen(prefix);
    make_word_room(words);
    char *copy = words->good ? malloc(before + len + 1) : NULL;
    words->good &= copy != NULL;
    if (!copy)
        return;
    memcpy(stpcpy(copy, prefix), bytes, len);
    words->argv[words->argc] = copy;
    words->argvlen[words->argc++] = before + len;
}

static void word(words_t *words, const char *text)
{
    append_word(words, text, "", 0);
}

static void number_word(words_t *words, int64_t number)
{
    char text[FIELD_MAX];
    (void)snprintf(text, sizeof text, "%" PRId64, number);
    word(words, text);
}

static void talk_word(words_t *words, const audit_talk_t *talk)
{
    append_word(words, KEY_TALK, talk->id, talk->len);
}

static words_t command_words(const char *const *texts, size_t count)
{
    words_t words = {.good = true};
    for (size_t i = 0; i < count; i++)
        word(&words, texts[i]);
    return words;
}

#define WORDS(...)                                                                                 \
    command_words((const char *const[]){__VA_ARGS__},                                              \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void words_free(words_t *words)
{
    for (size_t i = 0; i < words->argc; i++)
        free(words->argv[i]);
    free(words->argv);
    free(words->argvlen);
}

static redisReply *exchange(audit_store_t *store, const words_t *words, audit_why_t *why)
{
    redisReply *reply =
        redisCommandArgv(store->context, (int)words->argc, (void *)words->argv, words->argvlen);
    if (!reply) {
        lost(store, why);
        return NULL;
    }
    if (reply->type != REDIS_REPLY_ERROR)
        return reply;
    refused(store, reply, why);
    freeReplyObject(reply);
    return NULL;
}

/* The answer, to be freed; NULL, and the reason, for none or an error. The words are used up. */
static redisReply *ask(audit_store_t *store, words_t words, audit_why_t *why)
{
    redisReply *reply = NULL;
    if (!words.good)
        audit_no_memory(why);
    else if (connect_store(store, why))
        reply = exchange(store, &words, why);
    words_free(&words);
    return reply;
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

static void field_word(words_t *words, const char *field, int partition)
{
    char text[FIELD_MAX];
    (void)snprintf(text, sizeof text, "%s:%d", field, partition);
    word(words, text);
}

/* In the order of FIELD_..., then for each partition that of EACH_... */
static void log_words(words_t *words, int partitions)
{
    word(words, "topic");
    word(words, "generation");
    word(words, "claim");
    word(words, "partitions");
    field_word(words, each_field[EACH_POSITION], partitions);
    for (int p = 0; p < partitions; p++)
        for (int field = 0; field < EACH; field++)
            field_word(words, each_field[field], p);
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

static bool read_all(const audit_store_t *store, const redisReply *answer, audit_log_t *log,
                     audit_talk_t *const *talks, size_t count, audit_why_t *why)
{
    if (!is_array(answer, 1 + 2 * count))
        return unexpected(store, "the answer of a script", why);
    if (!read_log(store, answer->element[0], log, why))
        return false;
    for (size_t i = 0; i < count; i++)
        talks[i]->found.what = read_talk(answer->element[1 + 2 * i], answer->element[2 + 2 * i],
                                         &talks[i]->found.counts);
    return true;
}

bool audit_store_read(audit_store_t *store, audit_log_t *log, audit_talk_t *const *talks,
                      size_t count, audit_why_t *why)
{
    words_t words = WORDS("EVAL", lua_audit_read);
    number_word(&words, 1 + (int64_t)count);
    word(&words, KEY_LOG);
    for (size_t i = 0; i < count; i++)
        talk_word(&words, talks[i]);
    log_words(&words, log->partitions);
    redisReply *answer = ask(store, words, why);
    bool good = answer && read_all(store, answer, log, talks, count, why);
    freeReplyObject(answer);
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
        redisReply *reply =
            ask(store, WORDS("SCAN", cursor, "MATCH", KEY_TALK_ALL, "COUNT", "1000"), why);
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
    } ends[] = {{"applied", AUDIT_STORE_DONE},
                {"conflict", AUDIT_STORE_MOVED},
                {"rebuilt", AUDIT_STORE_REBUILT}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (reply->type == REDIS_REPLY_STRING && strcmp(reply->str, ends[i].text) == 0) {
            *end = ends[i].end;
            return true;
        }
    return unexpected(store, "the answer of a script", why);
}

bool audit_store_mend(audit_store_t *store, const audit_stand_t *stand, const audit_talk_t *talk,
                      const ratings_histogram_t *counts, audit_store_end_e *end, audit_why_t *why)
{
    words_t words = WORDS("EVAL", lua_audit_repair, "3", KEY_LOG);
    talk_word(&words, talk);
    word(&words, KEY_TALK);
    word(&words, stand->generation);
    number_word(&words, stand->count);
    for (int i = 0; i < stand->count; i++) {
        number_word(&words, stand->partitions[i]);
        number_word(&words, stand->positions[i]);
    }
    for (int v = 0; v < RATINGS_VALUES; v++)
        number_word(&words, counts->count[v]);
    redisReply *reply = ask(store, words, why);
    bool good = reply && read_end(store, reply, end, why);
    freeReplyObject(reply);
    return good;
}

bool audit_store_forget(audit_store_t *store, bool *deleted, audit_why_t *why)
{
    redisReply *reply = ask(store, WORDS("UNLINK", KEY_LOG), why);
    *deleted = reply && reply->type == REDIS_REPLY_INTEGER && reply->integer > 0;
    freeReplyObject(reply);
    return reply != NULL;
}
