/* What requests ask of the store, and the lease. */
#include "store.h"

#include "../../core/number.h"
#include "store_refusal.h"
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

static apr_status_t read_place(const redisReply *place, ratings_snapshot_t *view,
                               ratings_result_t *why)
{
    ratings_fingerprint_t first = {.offset = RATINGS_FINGERPRINT_NONE};
    if (!store_is_array(place, 3))
        return store_not_read(place, why, KEY_LOG);
    if (!store_read_number(place->element[0], -1, POSITION_MAX, &view->checkpoint) ||
        (place->element[1]->type != REDIS_REPLY_NIL && !store_read_mark(place->element[1], &first)))
        return store_unexpected(why, KEY_LOG);
    view->log_id = ratings_log_id(&first);
    view->is_behind = place->element[2]->type != REDIS_REPLY_NIL;
    return ratings_result_ok(why);
}

apr_status_t ratings_store_read(ratings_store_t *store, const char *talk_id, int partition,
                                int64_t deadline, ratings_snapshot_t *view, ratings_result_t *why)
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

static ratings_store_fault_e memory_fault(const redisReply *info)
{
    char policy[INFO_VALUE];
    int64_t most = info_number(info, "\nmaxmemory:");
    info_value(info, "\nmaxmemory_policy:", policy);
    if (policy[0] && strcmp(policy, "noeviction") != 0)
        return RATINGS_STORE_EVICTS;
    return most > 0 && info_number(info, "\nused_memory:") > most ? RATINGS_STORE_FULL
                                                                  : RATINGS_STORE_HEALTHY;
}

static ratings_store_fault_e replication_fault(const redisReply *info)
{
    char role[INFO_VALUE];
    info_value(info, "\nrole:", role);
    return strcmp(role, "slave") == 0 ? RATINGS_STORE_REPLICA : RATINGS_STORE_HEALTHY;
}

static ratings_store_fault_e cluster_fault(const redisReply *info)
{
    return info_number(info, "\ncluster_enabled:") ? RATINGS_STORE_CLUSTER : RATINGS_STORE_HEALTHY;
}

/* https://redis.io/docs/latest/commands/info/: before Redis 7 it tells one section at a time. */
static const struct {
    const char *section;
    ratings_store_fault_e (*fault)(const redisReply *info);
} checks[] = {
    {"cluster", cluster_fault}, {"memory", memory_fault}, {"replication", replication_fault}};

#define CHECKS (sizeof checks / sizeof checks[0])

static apr_status_t take_infos(redisReply *const *infos, ratings_store_fault_e *fault,
                               ratings_result_t *why)
{
    ratings_result_ok(why);
    for (size_t i = 0; i < CHECKS && why->status == APR_SUCCESS && !*fault; i++) {
        const redisReply *refusal = store_refusal_in(infos[i]);
        if (refusal)
            (void)store_error_reply(refusal, why);
        else
            *fault = checks[i].fault(infos[i]);
    }
    return why->status;
}

static apr_status_t check_once(ratings_store_t *store, int64_t deadline,
                               ratings_store_fault_e *fault, ratings_result_t *why)
{
    const char *words[CHECKS][2];
    size_t lengths[CHECKS][2];
    store_command_t commands[CHECKS];
    redisReply *infos[CHECKS];
    *fault = RATINGS_STORE_HEALTHY;
    for (size_t i = 0; i < CHECKS; i++) {
        words[i][0] = "INFO";
        words[i][1] = checks[i].section;
        lengths[i][0] = strlen(words[i][0]);
        lengths[i][1] = strlen(words[i][1]);
        commands[i] = (store_command_t){.argc = 2, .argv = words[i], .argvlen = lengths[i]};
    }
    if (store_pipeline(store, commands, CHECKS, infos, deadline, why) != APR_SUCCESS)
        return why->status;
    (void)take_infos(infos, fault, why);
    store_free_replies(infos, CHECKS);
    return why->status;
}

/* A replica may have been the primary when it was connected to: the address is asked anew. */
apr_status_t ratings_store_check(ratings_store_t *store, int64_t deadline,
                                 ratings_store_fault_e *fault, ratings_result_t *why)
{
    apr_status_t status = check_once(store, deadline, fault, why);
    if (status != APR_SUCCESS || *fault != RATINGS_STORE_REPLICA)
        return status;
    ratings_store_retire(store, ratings_monotonic());
    return check_once(store, deadline, fault, why);
}

/* ---- the lease ---- */

apr_status_t ratings_store_acquire_lease(ratings_store_t *store, const char *token,
                                         apr_interval_time_t lease, bool *held, char *holder,
                                         ratings_result_t *why)
{
    char ms[NUMBER_TEXT], most[NUMBER_TEXT];
    redisReply *reply = NULL;
    (void)snprintf(ms, sizeof ms, "%" APR_INT64_T_FMT, apr_time_as_msec(lease));
    (void)snprintf(most, sizeof most, "%d", RATINGS_LEASE_MAX_S * 1000);
    apr_status_t status = store_command(store, &reply, store_deadline(store), why, "EVAL",
                                        lua_acquire_lease, "1", KEY_LEASE, token, ms, most, NULL);
    if (status != APR_SUCCESS)
        return status;
    (void)snprintf(holder, RATINGS_TOKEN_MAX + 1, "%s", store_is_text(reply) ? reply->str : "");
    *held = strcmp(holder, token) == 0;
    freeReplyObject(reply);
    return APR_SUCCESS;
}

apr_status_t ratings_store_release_lease(ratings_store_t *store, const char *token,
                                         int64_t deadline, ratings_result_t *why)
{
    redisReply *reply = NULL;
    apr_status_t status = store_command(store, &reply, deadline, why, "EVAL", lua_release_lease, "1",
                                        KEY_LEASE, token, NULL);
    if (status == APR_SUCCESS)
        freeReplyObject(reply);
    return status;
}
