/* What requests ask of the store, and the lease. */
#include "store.h"

#include "../core/number.h"
#include "store_reply.h"
#include "store_scripts.h"

#include <apr_general.h>

#include <stdio.h>
#include <string.h>

/* ---- a talk ---- */

static apr_status_t read_histogram(const redisReply *counts, ratings_histogram_t *histogram,
                                   ratings_result_t *why)
{
    if (!store_is_array(counts, RATINGS_VALUES))
        return store_not_read(counts, why, "the key of the talk");
    for (size_t i = 0; i < RATINGS_VALUES; i++)
        if (!store_read_number(counts->element[i], 0, COUNT_MAX, &histogram->count[i]))
            return store_unexpected(why, "a count of the talk");
    return ratings_result_ok(why);
}

static apr_status_t read_place(const redisReply *place, ratings_view_t *view, ratings_result_t *why)
{
    ratings_mark_t first = {.offset = RATINGS_MARK_NONE};
    if (!store_is_array(place, 3))
        return store_not_read(place, why, KEY_LOG);
    if (!store_read_number(place->element[0], -1, POSITION_MAX, &view->position) ||
        (place->element[1]->type != REDIS_REPLY_NIL && !store_read_mark(place->element[1], &first)))
        return store_unexpected(why, KEY_LOG);
    view->tag = ratings_mark_tag(&first);
    view->is_behind = place->element[2]->type != REDIS_REPLY_NIL;
    return ratings_result_ok(why);
}

apr_status_t ratings_store_read(ratings_store_t *store, const char *talk_id, int partition,
                                int64_t deadline, ratings_view_t *view, ratings_result_t *why)
{
    char key[KEY_TALK_MAX + 1], position[FIELD_TEXT_SIZE], first[FIELD_TEXT_SIZE];
    const char *const where[] = {position, first, "behind"};
    const char *const values[] = {"1", "2", "3", "4", "5"};
    const store_fields_t place = {KEY_LOG, where, 3}, counts = {key, values, RATINGS_VALUES};
    redisReply *answer;

    store_talk_key(key, talk_id);
    store_field(position, "position", partition);
    store_field(first, "first", partition);
    apr_status_t status = store_read_both(store, &place, &counts, deadline, &answer, why);
    if (status != APR_SUCCESS)
        return status;
    status = read_place(answer->element[0], view, why);
    if (status == APR_SUCCESS)
        status = read_histogram(answer->element[1], &view->histogram, why);
    freeReplyObject(answer);
    return status;
}

/* ---- an idempotency key ---- */

static apr_status_t read_position_and_use(const redisReply *answer, int64_t *position,
                                          ratings_use_t *use, ratings_result_t *why)
{
    const redisReply *place = answer->element[0], *uses = answer->element[1];
    if (!store_is_array(place, 1))
        return store_not_read(place, why, KEY_LOG);
    if (!store_is_array(uses, 1))
        return store_not_read(uses, why, KEY_KEYS);
    if (!store_read_number(place->element[0], -1, POSITION_MAX, position) ||
        !store_read_use(uses->element[0], use))
        return store_unexpected(why, "the use of an idempotency key");
    return ratings_result_ok(why);
}

apr_status_t ratings_store_read_use(ratings_store_t *store, const char *talk_id, const char *key,
                                    int partition, int64_t deadline, ratings_use_t *use,
                                    int64_t *position, ratings_result_t *why)
{
    char field[USE_FIELD_SIZE], keys[FIELD_TEXT_SIZE], where[FIELD_TEXT_SIZE];
    const char *const at[] = {where}, *const of[] = {field};
    const store_fields_t place = {KEY_LOG, at, 1}, uses = {keys, of, 1};
    redisReply *answer;

    store_use_field(field, talk_id, key);
    store_field(keys, KEY_KEYS, partition);
    store_field(where, "position", partition);
    apr_status_t status = store_read_both(store, &place, &uses, deadline, &answer, why);
    if (status != APR_SUCCESS)
        return status;
    status = read_position_and_use(answer, position, use, why);
    freeReplyObject(answer);
    return status;
}

/* ---- fitness ---- */

#define INFO_VALUE 32

/* The value of "name:value\r\n" in an answer of INFO; "" if it is not there. */
static void info_value(const redisReply *info, const char *name, char value[INFO_VALUE])
{
    const char *at = store_is_text(info) ? strstr(info->str, name) : NULL;
    size_t length = at ? strcspn(at + strlen(name), "\r\n") : 0;
    (void)snprintf(value, INFO_VALUE, "%.*s", (int)length, at ? at + strlen(name) : "");
}

static int64_t info_number(const redisReply *info, const char *name)
{
    char value[INFO_VALUE];
    int64_t number = 0;
    info_value(info, name, value);
    (void)ratings_parse_int(value, strlen(value), 0, INT64_MAX, &number);
    return number;
}

static const char *memory_fault(const redisReply *info)
{
    char policy[INFO_VALUE];
    int64_t most = info_number(info, "\nmaxmemory:");
    info_value(info, "\nmaxmemory_policy:", policy);
    if (policy[0] && strcmp(policy, "noeviction") != 0)
        return "the store evicts keys: set maxmemory-policy to noeviction";
    if (most > 0 && info_number(info, "\nused_memory:") > most)
        return "the store is out of memory: ratings are recorded and not counted until it has more";
    return NULL;
}

static const char *replication_fault(const redisReply *info)
{
    char role[INFO_VALUE];
    info_value(info, "\nrole:", role);
    return strcmp(role, "slave") == 0 ? "the store is a read-only replica: name its primary" : NULL;
}

/* https://redis.io/docs/latest/commands/info/ */
static const struct {
    const char *section;
    const char *(*fault)(const redisReply *info);
} checks[] = {{"memory", memory_fault}, {"replication", replication_fault}};

apr_status_t ratings_store_check(ratings_store_t *store, int64_t deadline, const char **fault,
                                 ratings_result_t *why)
{
    *fault = NULL;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && !*fault; i++) {
        redisReply *reply = NULL;
        apr_status_t status =
            store_command(store, &reply, deadline, why, "INFO", checks[i].section, NULL);
        if (status != APR_SUCCESS)
            return status;
        *fault = checks[i].fault(reply);
        freeReplyObject(reply);
    }
    return ratings_result_ok(why);
}

/* ---- the lease ---- */

apr_status_t ratings_store_lease(ratings_store_t *store, const char *token,
                                 apr_interval_time_t lease, bool *held, char *holder,
                                 ratings_result_t *why)
{
    char ms[NUMBER_TEXT], most[NUMBER_TEXT];
    redisReply *reply = NULL;
    (void)snprintf(ms, sizeof ms, "%" APR_INT64_T_FMT, apr_time_as_msec(lease));
    (void)snprintf(most, sizeof most, "%d", RATINGS_LEASE_MAX_S * 1000);
    apr_status_t status = store_command(store, &reply, store_deadline(store), why, "EVAL",
                                        SCRIPT_LEASE, "1", KEY_LEASE, token, ms, most, NULL);
    if (status != APR_SUCCESS)
        return status;
    (void)snprintf(holder, RATINGS_TOKEN_MAX + 1, "%s", store_is_text(reply) ? reply->str : "");
    *held = strcmp(holder, token) == 0;
    freeReplyObject(reply);
    return APR_SUCCESS;
}

apr_status_t ratings_store_release(ratings_store_t *store, const char *token, int64_t deadline,
                                   ratings_result_t *why)
{
    redisReply *reply = NULL;
    apr_status_t status = store_command(store, &reply, deadline, why, "EVAL", SCRIPT_RELEASE, "1",
                                        KEY_LEASE, token, NULL);
    if (status == APR_SUCCESS)
        freeReplyObject(reply);
    return status;
}
