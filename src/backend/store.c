/* What requests ask of the store, and the lease. */
#include "store.h"

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
        return store_unexpected(why, "the key of the talk");
    for (size_t i = 0; i < RATINGS_VALUES; i++)
        if (!store_read_number(counts->element[i], 0, COUNT_MAX, &histogram->count[i]))
            return store_unexpected(why, "a count of the talk");
    return ratings_result_ok(why);
}

static apr_status_t read_place(const redisReply *place, ratings_view_t *view, ratings_result_t *why)
{
    ratings_mark_t first = {.offset = RATINGS_MARK_NONE};
    if (!store_is_array(place, 2) ||
        !store_read_number(place->element[0], -1, INT64_MAX, &view->position) ||
        (place->element[1]->type != REDIS_REPLY_NIL && !store_read_mark(place->element[1], &first)))
        return store_unexpected(why, KEY_LOG);
    view->tag = ratings_mark_tag(&first);
    return ratings_result_ok(why);
}

apr_status_t ratings_store_read(ratings_store_t *store, const char *talk_id, int partition,
                                int64_t deadline, ratings_view_t *view, ratings_result_t *why)
{
    char key[KEY_TALK_MAX + 1], position[FIELD_TEXT_SIZE], first[FIELD_TEXT_SIZE];
    const char *where[] = {"HMGET", KEY_LOG, position, first};
    const char *counts[] = {"HMGET", key, "1", "2", "3", "4", "5"};
    redisReply *exec;

    store_talk_key(key, talk_id);
    store_field(position, "position", partition);
    store_field(first, "first", partition);
    size_t where_lengths[] = {5, sizeof KEY_LOG - 1, strlen(position), strlen(first)};
    size_t counts_lengths[] = {5, strlen(key), 1, 1, 1, 1, 1};
    const store_command_t place = {4, where, where_lengths}, talk = {7, counts, counts_lengths};
    apr_status_t status = store_transaction(store, &place, &talk, deadline, &exec, why);
    if (status != APR_SUCCESS)
        return status;
    status = read_place(exec->element[0], view, why);
    if (status == APR_SUCCESS)
        status = read_histogram(exec->element[1], &view->histogram, why);
    freeReplyObject(exec);
    return status;
}

/* ---- an idempotency key ---- */

apr_status_t ratings_store_read_use(ratings_store_t *store, const char *talk_id, const char *key,
                                    int partition, int64_t deadline, ratings_use_t *use,
                                    int64_t *position, ratings_result_t *why)
{
    char field[USE_FIELD_SIZE], keys[FIELD_TEXT_SIZE], where[FIELD_TEXT_SIZE];
    const char *get_position[] = {"HGET", KEY_LOG, where}, *get_use[] = {"HGET", keys, field};
    redisReply *exec;

    store_use_field(field, talk_id, key);
    store_field(keys, KEY_KEYS, partition);
    store_field(where, "position", partition);
    size_t lengths[2][3] = {{4, sizeof KEY_LOG - 1, strlen(where)},
                            {4, strlen(keys), strlen(field)}};
    const store_command_t first = {3, get_position, lengths[0]}, second = {3, get_use, lengths[1]};
    apr_status_t status = store_transaction(store, &first, &second, deadline, &exec, why);
    if (status != APR_SUCCESS)
        return status;
    if (!store_read_number(exec->element[0], -1, INT64_MAX, position) ||
        !store_read_use(exec->element[1], use))
        status = store_unexpected(why, "the use of an idempotency key");
    freeReplyObject(exec);
    return status;
}

/* ---- fitness ---- */

/* The value of "name:value\r\n" in an answer of INFO; "" if it is not there. */
static void info_value(const redisReply *info, const char *name, char *value, size_t size)
{
    const char *at = store_is_text(info) ? strstr(info->str, name) : NULL;
    size_t length = at ? strcspn(at + strlen(name), "\r\n") : 0;
    (void)snprintf(value, size, "%.*s", (int)length, at ? at + strlen(name) : "");
}

static apr_status_t info(ratings_store_t *store, const char *section, const char *name, char *value,
                         size_t size, int64_t deadline, ratings_result_t *why)
{
    redisReply *reply = NULL;
    apr_status_t status = store_command(store, &reply, deadline, why, "INFO", section, NULL);
    if (status == APR_SUCCESS) {
        info_value(reply, name, value, size);
        freeReplyObject(reply);
    }
    return status;
}

apr_status_t ratings_store_check(ratings_store_t *store, int64_t deadline, const char **fault,
                                 ratings_result_t *why)
{
    char policy[32], role[32];
    apr_status_t status =
        info(store, "memory", "maxmemory_policy:", policy, sizeof policy, deadline, why);
    if (status == APR_SUCCESS)
        status = info(store, "replication", "role:", role, sizeof role, deadline, why);
    if (status != APR_SUCCESS)
        return status;
    *fault = policy[0] && strcmp(policy, "noeviction") != 0
                 ? "the store evicts keys: set maxmemory-policy to noeviction"
             : strcmp(role, "slave") == 0 ? "the store is a read-only replica: name its primary"
                                          : NULL;
    return APR_SUCCESS;
}

/* ---- the lease ---- */

apr_status_t ratings_store_lease(ratings_store_t *store, const char *token,
                                 apr_interval_time_t lease, bool *held, char *holder,
                                 ratings_result_t *why)
{
    char ms[NUMBER_TEXT];
    redisReply *reply = NULL;
    (void)snprintf(ms, sizeof ms, "%" APR_INT64_T_FMT, apr_time_as_msec(lease));
    apr_status_t status = store_command(store, &reply, store_deadline(store), why, "EVAL",
                                        SCRIPT_LEASE, "1", KEY_LEASE, token, ms, NULL);
    if (status != APR_SUCCESS)
        return status;
    (void)snprintf(holder, RATINGS_TOKEN_MAX + 1, "%s", store_is_text(reply) ? reply->str : "");
    *held = strcmp(holder, token) == 0;
    freeReplyObject(reply);
    return APR_SUCCESS;
}

apr_status_t ratings_store_release(ratings_store_t *store, const char *token, ratings_result_t *why)
{
    redisReply *reply = NULL;
    apr_status_t status = store_command(store, &reply, store_deadline(store), why, "EVAL",
                                        SCRIPT_RELEASE, "1", KEY_LEASE, token, NULL);
    if (status == APR_SUCCESS)
        freeReplyObject(reply);
    return status;
}
