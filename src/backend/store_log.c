/* The store's account of the log: loading it, extending it, and rebuilding under a claim. */
#include "store_reply.h"
#include "store_scripts.h"

#include "../core/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- loading ---- */

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

static bool load_int(const redisReply *value, int max, int *out)
{
    int64_t number;
    if (!store_read_number(value, 0, max, &number))
        return false;
    *out = (int)number;
    return true;
}

static bool load_partition_field(ratings_log_t *log, const redisReply *name,
                                 const redisReply *value)
{
    int p;
    if ((p = partition_of(name, "position:")) >= 0)
        return store_read_number(value, -1, INT64_MAX, &log->position[p]);
    if ((p = partition_of(name, "time:")) >= 0)
        return store_read_number(value, 0, INT64_MAX, &log->time[p]);
    if ((p = partition_of(name, "mark:")) >= 0)
        return store_read_mark(value, &log->mark[p]);
    if ((p = partition_of(name, "first:")) >= 0)
        return store_read_mark(value, &log->first[p]);
    return true;
}

static bool load_field(ratings_log_t *log, const redisReply *name, const redisReply *value)
{
    if (strcmp(name->str, "topic") == 0)
        copy_text(log->topic, sizeof log->topic, value);
    else if (strcmp(name->str, "generation") == 0)
        copy_text(log->generation, sizeof log->generation, value);
    else if (strcmp(name->str, "claim") == 0)
        copy_text(log->claim, sizeof log->claim, value);
    else if (strcmp(name->str, "behind") == 0)
        log->behind = true;
    else if (strcmp(name->str, "partitions") == 0)
        return load_int(value, RATINGS_PARTITIONS_MAX, &log->routed);
    else if (strcmp(name->str, "suspect") == 0)
        return load_int(value, INT32_MAX, &log->suspect);
    else
        return load_partition_field(log, name, value);
    return true;
}

/* A field that cannot be read makes the whole as good as absent: it leads to a rebuild. */
static void load_fields(ratings_log_t *log, const redisReply *fields)
{
    log->present = fields->elements > 0;
    for (size_t i = 0; i + 1 < fields->elements; i += 2)
        if (!store_is_text(fields->element[i]) || !store_is_text(fields->element[i + 1]) ||
            !load_field(log, fields->element[i], fields->element[i + 1]))
            log->present = false;
}

static void clear_log(ratings_log_t *log)
{
    memset(log, 0, sizeof *log);
    for (int p = 0; p < RATINGS_PARTITIONS_MAX; p++)
        log->position[p] = log->mark[p].offset = log->first[p].offset = RATINGS_MARK_NONE;
}

apr_status_t ratings_store_load(ratings_store_t *store, int64_t deadline, ratings_log_t *log,
                                ratings_result_t *why)
{
    const char *argv[] = {"HGETALL", KEY_LOG};
    size_t lengths[] = {7, sizeof KEY_LOG - 1};
    const store_command_t command = {2, argv, lengths};
    redisReply *reply = NULL;
    clear_log(log);
    apr_status_t status = store_pipeline(store, &command, 1, &reply, deadline, why);
    if (status != APR_SUCCESS)
        return status;
    if (reply->type == REDIS_REPLY_ARRAY)
        load_fields(log, reply);
    else if (reply->type != REDIS_REPLY_ERROR)
        status = store_unexpected(why, KEY_LOG);
    else if (strncmp(reply->str, "WRONGTYPE", 9) != 0) /* overwritten by hand: absent */
        status = store_error_reply(reply, why);
    freeReplyObject(reply);
    return status;
}

/* ---- scripts over ratings:log ---- */

static void start_words(store_words_t *words, const char *script)
{
    store_word(words, "EVAL");
    store_word(words, script);
    store_word(words, "1");
    store_word(words, KEY_LOG);
}

static apr_status_t run_on_log(ratings_store_t *store, const char *script, const char *const *args,
                               int count, ratings_store_end_e *end, ratings_result_t *why)
{
    store_words_t words = {0};
    apr_status_t status;
    if (store_words_init(&words, 4 + count)) {
        start_words(&words, script);
        store_add_words(&words, args, count);
        status = store_run(store, &words, end, why);
    } else {
        status = ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    }
    store_words_free(&words);
    return status;
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
                                 const ratings_sweep_t *sweep, ratings_store_end_e *end,
                                 ratings_result_t *why)
{
    const char *args[] = {seen->generation, seen->claim, sweep->token};
    return run_on_log(store, SCRIPT_CLAIM, args, 3, end, why);
}

apr_status_t ratings_store_caught_up(ratings_store_t *store, const char *generation,
                                     ratings_store_end_e *end, ratings_result_t *why)
{
    return run_on_log(store, SCRIPT_CAUGHT_UP, &generation, 1, end, why);
}

apr_status_t ratings_store_accuse(ratings_store_t *store, const char *generation, int reason,
                                  ratings_store_end_e *end, ratings_result_t *why)
{
    char number[NUMBER_TEXT];
    const char *args[] = {generation, number};
    (void)snprintf(number, sizeof number, "%d", reason);
    return run_on_log(store, SCRIPT_SUSPECT, args, 2, end, why);
}

#define OPEN_ARGS 7

apr_status_t ratings_store_open(ratings_store_t *store, const ratings_sweep_t *sweep,
                                const char *topic, int partitions, int routed, const bool *empty,
                                ratings_store_end_e *end, ratings_result_t *why)
{
    char numbers[RATINGS_PARTITIONS_MAX][NUMBER_TEXT];
    char all[NUMBER_TEXT], routing[NUMBER_TEXT], most[NUMBER_TEXT], steps[NUMBER_TEXT];
    const char *args[OPEN_ARGS + RATINGS_PARTITIONS_MAX] = {sweep->token, topic, routing, all,
                                                            most,         steps, ""};
    int count = OPEN_ARGS;
    (void)snprintf(all, NUMBER_TEXT, "%d", partitions);
    (void)snprintf(routing, NUMBER_TEXT, "%d", routed);
    (void)snprintf(most, NUMBER_TEXT, "%d", RATINGS_PARTITIONS_MAX);
    (void)snprintf(steps, NUMBER_TEXT, "%" PRId64, sweep->steps);
    for (int p = 0; p < partitions; p++)
        if (empty[p]) {
            (void)snprintf(numbers[p], NUMBER_TEXT, "%d", p);
            args[count++] = numbers[p];
        } else {
            args[OPEN_ARGS - 1] = "1";
        }
    return run_on_log(store, SCRIPT_OPEN, args, count, end, why);
}

/* ---- sweeping ---- */

/* SCAN may answer any number of keys; those of one answer go into one script. */
static apr_status_t delete_keys(ratings_store_t *store, const ratings_sweep_t *sweep,
                                const redisReply *keys, ratings_store_end_e *end,
                                ratings_result_t *why)
{
    store_words_t words = {0};
    char count[NUMBER_TEXT], steps[NUMBER_TEXT];
    apr_status_t status;
    (void)snprintf(steps, sizeof steps, "%" PRId64, sweep->steps);
    (void)snprintf(count, sizeof count, "%zu", keys->elements + 1);
    if (store_words_init(&words, (int)keys->elements + 6)) {
        start_words(&words, SCRIPT_SWEEP);
        words.argv[2] = count;
        words.argvlen[2] = strlen(count);
        for (size_t i = 0; i < keys->elements; i++)
            store_word_bytes(&words, keys->element[i]->str, (size_t)keys->element[i]->len);
        store_word(&words, sweep->token);
        store_word(&words, steps);
        status = store_run(store, &words, end, why);
    } else {
        status = ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    }
    store_words_free(&words);
    return status;
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
                                 ratings_store_end_e *end, ratings_result_t *why)
{
    redisReply *scan = NULL;
    apr_status_t status =
        store_command(store, &scan, store_deadline(store), why, "SCAN", sweep->cursor, "MATCH",
                      KEY_TALK "*", "COUNT", "1000", NULL);
    if (status != APR_SUCCESS)
        return status;
    if (is_scan(scan))
        status = delete_keys(store, sweep, scan->element[1], end, why);
    else
        status = store_unexpected(why, "the answer of SCAN");
    if (status == APR_SUCCESS && *end == RATINGS_STORE_DONE)
        count_step(sweep, scan);
    freeReplyObject(scan);
    return status;
}
