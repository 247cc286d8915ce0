/* The store's steps, each one script or one transaction, and how their answers are read. */
#include "store.h"

#include "../core/number.h"
#include "store_connection.h"
#include "store_scripts.h"

#include <apr_general.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LOG "ratings:log"
#define KEY_LEASE "ratings:projector"
#define KEY_TALK "ratings/"
#define KEY_TALK_MAX (sizeof KEY_TALK - 1 + RATINGS_TALK_ID_MAX)
#define COUNT_MAX INT64_C(999999999999999) /* what the script takes: 15 digits */
#define NUMBER_TEXT 24

/* ---- reading replies ---- */

static bool is_text(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS;
}

static bool is_array(const redisReply *reply, size_t elements)
{
    return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements;
}

/* A number, or `absent` for a nil. */
static bool read_number(const redisReply *reply, int64_t absent, int64_t max, int64_t *out)
{
    *out = absent;
    return reply->type == REDIS_REPLY_NIL ||
           (is_text(reply) && ratings_parse_int(reply->str, (size_t)reply->len, 0, max, out));
}

static apr_status_t unexpected(ratings_result_t *why, const char *what)
{
    return ratings_result_set(why, APR_EINVAL, "%s is not what this module writes", what);
}

/* ---- running scripts ---- */

/* A command is built in place: words of fixed number before those of the chunk. */
typedef struct {
    const char **argv;
    size_t *argvlen;
    int argc, room;
} words_t;

static bool words_init(words_t *words, int room)
{
    words->argc = 0;
    words->room = room;
    words->argv = malloc((size_t)room * sizeof *words->argv);
    words->argvlen = malloc((size_t)room * sizeof *words->argvlen);
    return words->argv && words->argvlen;
}

static void words_free(words_t *words)
{
    free(words->argv);
    free(words->argvlen);
}

static void word(words_t *words, const char *text)
{
    if (words->argc == words->room)
        abort(); /* the room is counted by the callers below: a bug, not an input */
    words->argv[words->argc] = text;
    words->argvlen[words->argc++] = strlen(text);
}

static apr_status_t read_end(const redisReply *reply, ratings_store_end_e *end,
                             ratings_result_t *why)
{
    static const struct {
        const char *text;
        ratings_store_end_e end;
    } ends[] = {{"done", RATINGS_STORE_DONE},
                {"moved", RATINGS_STORE_MOVED},
                {"corrupt", RATINGS_STORE_CORRUPT}};
    if (reply->type == REDIS_REPLY_ERROR)
        return store_error_reply(reply, why);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (is_text(reply) && strcmp(reply->str, ends[i].text) == 0) {
            *end = ends[i].end;
            return ratings_result_ok(why);
        }
    return unexpected(why, "the answer of a script");
}

/* Runs EVAL with the words and reads how it ended. Redis keeps a script by its text, so sending it
 * again costs its bytes alone, once a chunk, and survives SCRIPT FLUSH and restarts. */
static apr_status_t run_words(ratings_store_t *store, words_t *words, ratings_store_end_e *end,
                              ratings_result_t *why)
{
    store_command_t command = {words->argc, words->argv, words->argvlen};
    redisReply *reply = NULL;
    apr_status_t status = store_pipeline(store, &command, 1, &reply, why);
    if (status == APR_SUCCESS) {
        status = read_end(reply, end, why);
        freeReplyObject(reply);
    }
    return status;
}

/* ---- for requests ---- */

static void talk_key(char key[KEY_TALK_MAX + 1], const char *talk_id)
{
    (void)snprintf(key, KEY_TALK_MAX + 1, KEY_TALK "%s", talk_id);
}

static apr_status_t read_histogram(const redisReply *counts, ratings_histogram_t *histogram,
                                   ratings_result_t *why)
{
    if (!is_array(counts, RATINGS_VALUES))
        return unexpected(why, "the key of the talk");
    for (size_t i = 0; i < RATINGS_VALUES; i++)
        if (!read_number(counts->element[i], 0, COUNT_MAX, &histogram->count[i]))
            return unexpected(why, "a count of the talk");
    return ratings_result_ok(why);
}

static apr_status_t read_position(const redisReply *reply, int64_t *position, ratings_result_t *why)
{
    return read_number(reply, -1, INT64_MAX, position) ? APR_SUCCESS : unexpected(why, KEY_LOG);
}

static apr_status_t read_transaction(const redisReply *exec, ratings_histogram_t *histogram,
                                     int64_t *position, ratings_result_t *why)
{
    if (exec->type == REDIS_REPLY_ERROR)
        return store_error_reply(exec, why);
    if (!is_array(exec, 2))
        return unexpected(why, "the answer of a transaction");
    apr_status_t status = read_position(exec->element[0], position, why);
    return status == APR_SUCCESS ? read_histogram(exec->element[1], histogram, why) : status;
}

apr_status_t ratings_store_read(ratings_store_t *store, const char *talk_id, int partition,
                                ratings_histogram_t *histogram, int64_t *position,
                                ratings_result_t *why)
{
    char key[KEY_TALK_MAX + 1], field[NUMBER_TEXT + 16];
    const char *multi[] = {"MULTI"}, *exec[] = {"EXEC"};
    const char *where[] = {"HGET", KEY_LOG, field};
    const char *counts[] = {"HMGET", key, "1", "2", "3", "4", "5"};
    size_t lengths[4][7] = {{5}, {4, sizeof KEY_LOG - 1, 0}, {5, 0, 1, 1, 1, 1, 1}, {4}};
    const store_command_t commands[] = {{1, multi, lengths[0]},
                                        {3, where, lengths[1]},
                                        {7, counts, lengths[2]},
                                        {1, exec, lengths[3]}};
    redisReply *replies[4];

    talk_key(key, talk_id);
    (void)snprintf(field, sizeof field, "position:%d", partition);
    lengths[1][2] = strlen(field);
    lengths[2][1] = strlen(key);
    apr_status_t status = store_pipeline(store, commands, 4, replies, why);
    if (status != APR_SUCCESS)
        return status;
    status = read_transaction(replies[3], histogram, position, why);
    for (int i = 0; i < 4; i++)
        freeReplyObject(replies[i]);
    return status;
}

/* The value of "name:value\r\n" in an answer of INFO; "" if it is not there. */
static void info_value(const redisReply *info, const char *name, char *value, size_t size)
{
    const char *at = is_text(info) ? strstr(info->str, name) : NULL;
    size_t length = at ? strcspn(at + strlen(name), "\r\n") : 0;
    (void)snprintf(value, size, "%.*s", (int)length, at ? at + strlen(name) : "");
}

static apr_status_t info(ratings_store_t *store, const char *section, const char *name, char *value,
                         size_t size, ratings_result_t *why)
{
    redisReply *reply = NULL;
    apr_status_t status = store_command(store, &reply, why, "INFO", section, NULL);
    if (status == APR_SUCCESS) {
        info_value(reply, name, value, size);
        freeReplyObject(reply);
    }
    return status;
}

apr_status_t ratings_store_check(ratings_store_t *store, const char **fault, ratings_result_t *why)
{
    char policy[32], role[32];
    apr_status_t status = info(store, "memory", "maxmemory_policy:", policy, sizeof policy, why);
    if (status == APR_SUCCESS)
        status = info(store, "replication", "role:", role, sizeof role, why);
    if (status != APR_SUCCESS)
        return status;
    *fault = policy[0] && strcmp(policy, "noeviction") != 0
                 ? "the store evicts keys: set maxmemory-policy to noeviction"
             : strcmp(role, "slave") == 0 ? "the store is a read-only replica: name its primary"
                                          : NULL;
    return APR_SUCCESS;
}

/* ---- for the projector: the log's state ---- */

static void copy_text(char *to, size_t size, const redisReply *value)
{
    (void)snprintf(to, size, "%s", value->str);
}

/* "position:7" -> 7, if the name is `prefix` and a partition; else -1 */
static int partition_of(const redisReply *name, const char *prefix)
{
    size_t length = strlen(prefix);
    int64_t partition;
    if (strncmp(name->str, prefix, length) != 0 ||
        !ratings_parse_int(name->str + length, (size_t)name->len - length, 0,
                           RATINGS_PARTITIONS_MAX - 1, &partition))
        return -1;
    return (int)partition;
}

static bool parse_mark(const char *text, ratings_mark_t *mark)
{
    const char *timestamp = strchr(text, ':'),
               *checksum = timestamp ? strchr(timestamp + 1, ':') : NULL;
    int64_t sum = 0;
    if (!checksum ||
        !ratings_parse_int(text, (size_t)(timestamp - text), 0, INT64_MAX, &mark->offset) ||
        !ratings_parse_int(timestamp + 1, (size_t)(checksum - timestamp - 1), -1, INT64_MAX,
                           &mark->timestamp) ||
        !ratings_parse_int(checksum + 1, strlen(checksum + 1), 0, UINT32_MAX, &sum))
        return false;
    mark->checksum = (uint32_t)sum;
    return true;
}

static bool load_field(ratings_log_t *log, const redisReply *name, const redisReply *value)
{
    int64_t number;
    int partition;
    if (strcmp(name->str, "topic") == 0)
        copy_text(log->topic, sizeof log->topic, value);
    else if (strcmp(name->str, "generation") == 0)
        copy_text(log->generation, sizeof log->generation, value);
    else if (strcmp(name->str, "claim") == 0)
        copy_text(log->claim, sizeof log->claim, value);
    else if (strcmp(name->str, "partitions") == 0) {
        if (!read_number(value, 0, RATINGS_PARTITIONS_MAX, &number))
            return false;
        log->routed = (int)number;
    } else if ((partition = partition_of(name, "position:")) >= 0)
        return read_number(value, -1, INT64_MAX, &log->position[partition]);
    else if ((partition = partition_of(name, "mark:")) >= 0)
        return parse_mark(value->str, &log->mark[partition]);
    return true;
}

/* A field that cannot be read makes the whole as good as absent: it leads to a rebuild. */
static void load_fields(ratings_log_t *log, const redisReply *fields)
{
    log->present = fields->elements > 0;
    for (size_t i = 0; i + 1 < fields->elements; i += 2)
        if (!is_text(fields->element[i]) || !is_text(fields->element[i + 1]) ||
            !load_field(log, fields->element[i], fields->element[i + 1]))
            log->present = false;
}

static void clear_log(ratings_log_t *log)
{
    memset(log, 0, sizeof *log);
    for (int p = 0; p < RATINGS_PARTITIONS_MAX; p++)
        log->position[p] = log->mark[p].offset = -1;
}

apr_status_t ratings_store_load(ratings_store_t *store, ratings_log_t *log, ratings_result_t *why)
{
    const char *argv[] = {"HGETALL", KEY_LOG};
    size_t lengths[] = {7, sizeof KEY_LOG - 1};
    const store_command_t command = {2, argv, lengths};
    redisReply *reply = NULL;
    clear_log(log);
    apr_status_t status = store_pipeline(store, &command, 1, &reply, why);
    if (status != APR_SUCCESS)
        return status;
    if (reply->type == REDIS_REPLY_ARRAY)
        load_fields(log, reply);
    else if (strncmp(reply->str, "WRONGTYPE", 9) != 0) /* overwritten by hand: absent */
        status = store_error_reply(reply, why);
    freeReplyObject(reply);
    return status;
}

/* ---- for the projector: writing ---- */

#define CHUNK_WORDS                                                                                \
    9 /* EVAL, script, numkeys, log; partition, position, next, mark, generation                   \
       */

/* The texts of a chunk's keys and numbers, which must outlive its command. */
typedef struct {
    char partition[NUMBER_TEXT], position[NUMBER_TEXT], next[NUMBER_TEXT], keys[NUMBER_TEXT];
    char mark[3 * NUMBER_TEXT];
    char (*talks)[KEY_TALK_MAX + 1];
    char (*added)[RATINGS_VALUES][NUMBER_TEXT];
} chunk_text_t;

static bool chunk_text(chunk_text_t *text, const ratings_chunk_t *chunk)
{
    size_t count = (size_t)chunk->count;
    (void)snprintf(text->partition, NUMBER_TEXT, "%d", chunk->partition);
    (void)snprintf(text->position, NUMBER_TEXT, "%" PRId64, chunk->position);
    (void)snprintf(text->next, NUMBER_TEXT, "%" PRId64, chunk->next);
    (void)snprintf(text->keys, NUMBER_TEXT, "%d", chunk->count + 1);
    (void)snprintf(text->mark, sizeof text->mark, "%" PRId64 ":%" PRId64 ":%" PRIu32,
                   chunk->mark.offset, chunk->mark.timestamp, chunk->mark.checksum);
    text->talks = malloc((count + 1) * sizeof *text->talks);
    text->added = malloc((count + 1) * sizeof *text->added);
    if (!text->talks || !text->added)
        return false;
    for (size_t i = 0; i < count; i++) {
        talk_key(text->talks[i], chunk->increments[i].talk_id);
        for (int v = 0; v < RATINGS_VALUES; v++)
            (void)snprintf(text->added[i][v], NUMBER_TEXT, "%" PRId64,
                           chunk->increments[i].added[v]);
    }
    return true;
}

static void chunk_words(words_t *words, const chunk_text_t *text, const char *generation, int count)
{
    const char *head[] = {"EVAL", SCRIPT_APPLY, text->keys, KEY_LOG};
    const char *args[] = {text->partition, text->position, text->next, text->mark, generation};
    for (int i = 0; i < 4; i++)
        word(words, head[i]);
    for (int i = 0; i < count; i++)
        word(words, text->talks[i]);
    for (int i = 0; i < 5; i++)
        word(words, args[i]);
    for (int i = 0; i < count; i++)
        for (int v = 0; v < RATINGS_VALUES; v++)
            word(words, text->added[i][v]);
}

apr_status_t ratings_store_apply(ratings_store_t *store, const ratings_chunk_t *chunk,
                                 ratings_store_end_e *end, ratings_result_t *why)
{
    chunk_text_t text = {0};
    words_t words = {0};
    apr_status_t status;
    if (chunk_text(&text, chunk) &&
        words_init(&words, CHUNK_WORDS + chunk->count * (RATINGS_VALUES + 1))) {
        chunk_words(&words, &text, chunk->generation, chunk->count);
        status = run_words(store, &words, end, why);
    } else {
        status = ratings_result_set(why, APR_ENOMEM, "out of memory");
    }
    words_free(&words);
    free(text.talks);
    free(text.added);
    return status;
}

/* A script over ratings:log alone. */
static apr_status_t run_on_log(ratings_store_t *store, const char *script, const char *const *args,
                               int count, ratings_store_end_e *end, ratings_result_t *why)
{
    const char *argv[8] = {"EVAL", script, "1", KEY_LOG};
    size_t lengths[8];
    words_t words = {argv, lengths, 4 + count, 8};
    for (int i = 0; i < count; i++)
        argv[4 + i] = args[i];
    for (int i = 0; i < words.argc; i++)
        lengths[i] = strlen(argv[i]);
    return run_words(store, &words, end, why);
}

apr_status_t ratings_store_extend(ratings_store_t *store, const ratings_log_t *log, int from,
                                  int to, ratings_store_end_e *end, ratings_result_t *why)
{
    char first[NUMBER_TEXT], last[NUMBER_TEXT];
    const char *args[] = {log->generation, first, last};
    (void)snprintf(first, sizeof first, "%d", from);
    (void)snprintf(last, sizeof last, "%d", to - 1);
    return run_on_log(store, SCRIPT_EXTEND, args, 3, end, why);
}

apr_status_t ratings_store_claim(ratings_store_t *store, const ratings_log_t *seen,
                                 const char *token, ratings_store_end_e *end, ratings_result_t *why)
{
    const char *args[] = {seen->generation, seen->claim, token};
    return run_on_log(store, SCRIPT_CLAIM, args, 3, end, why);
}

apr_status_t ratings_store_open(ratings_store_t *store, const char *token, const char *topic,
                                int partitions, int routed, ratings_store_end_e *end,
                                ratings_result_t *why)
{
    char all[NUMBER_TEXT], routing[NUMBER_TEXT];
    const char *args[] = {token, topic, routing, all};
    (void)snprintf(all, sizeof all, "%d", partitions);
    (void)snprintf(routing, sizeof routing, "%d", routed);
    return run_on_log(store, SCRIPT_OPEN, args, 4, end, why);
}

/* SCAN may answer any number of keys; those of one answer go into one script. */
static apr_status_t delete_keys(ratings_store_t *store, const char *token, const redisReply *keys,
                                ratings_store_end_e *end, ratings_result_t *why)
{
    words_t words = {0};
    char count[NUMBER_TEXT];
    apr_status_t status;
    (void)snprintf(count, sizeof count, "%zu", keys->elements + 1);
    if (words_init(&words, (int)keys->elements + 5)) {
        const char *head[] = {"EVAL", SCRIPT_SWEEP, count, KEY_LOG};
        for (int i = 0; i < 4; i++)
            word(&words, head[i]);
        for (size_t i = 0; i < keys->elements; i++) {
            word(&words, keys->element[i]->str);
            words.argvlen[words.argc - 1] = (size_t)keys->element[i]->len;
        }
        word(&words, token);
        status = run_words(store, &words, end, why);
    } else {
        status = ratings_result_set(why, APR_ENOMEM, "out of memory");
    }
    words_free(&words);
    return status;
}

static bool is_scan(const redisReply *reply)
{
    return is_array(reply, 2) && is_text(reply->element[0]) && reply->element[0]->len < 32 &&
           reply->element[1]->type == REDIS_REPLY_ARRAY;
}

apr_status_t ratings_store_sweep(ratings_store_t *store, const char *token, char cursor[32],
                                 int64_t *deleted, ratings_store_end_e *end, ratings_result_t *why)
{
    redisReply *reply = NULL;
    apr_status_t status = store_command(store, &reply, why, "SCAN", cursor, "MATCH", KEY_TALK "*",
                                        "COUNT", "1000", NULL);
    if (status != APR_SUCCESS)
        return status;
    if (is_scan(reply)) {
        status = delete_keys(store, token, reply->element[1], end, why);
        *deleted += (int64_t)reply->element[1]->elements;
        (void)snprintf(cursor, 32, "%s", reply->element[0]->str);
    } else {
        status = unexpected(why, "the answer of SCAN");
    }
    freeReplyObject(reply);
    return status;
}

/* ---- the lease ---- */

apr_status_t ratings_store_lease(ratings_store_t *store, const char *token,
                                 apr_interval_time_t lease, bool *held, char *holder,
                                 ratings_result_t *why)
{
    char ms[NUMBER_TEXT];
    redisReply *reply = NULL;
    (void)snprintf(ms, sizeof ms, "%" APR_INT64_T_FMT, apr_time_as_msec(lease));
    apr_status_t status =
        store_command(store, &reply, why, "EVAL", SCRIPT_LEASE, "1", KEY_LEASE, token, ms, NULL);
    if (status != APR_SUCCESS)
        return status;
    (void)snprintf(holder, RATINGS_TOKEN_MAX + 1, "%s", is_text(reply) ? reply->str : "");
    *held = strcmp(holder, token) == 0;
    freeReplyObject(reply);
    return APR_SUCCESS;
}

apr_status_t ratings_store_release(ratings_store_t *store, const char *token, ratings_result_t *why)
{
    redisReply *reply = NULL;
    apr_status_t status =
        store_command(store, &reply, why, "EVAL", SCRIPT_RELEASE, "1", KEY_LEASE, token, NULL);
    if (status == APR_SUCCESS)
        freeReplyObject(reply);
    return status;
}
