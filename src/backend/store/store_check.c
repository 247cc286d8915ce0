/* Whether a Redis that answers can be the store, by what it says of itself (INFO). */
#include "store_connection.h"
#include "store_refusal.h"
#include "store_value.h"

#include "../../core/number.h"

#include <stdio.h>
#include <string.h>

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

/* https://redis.io/docs/latest/commands/info/: before Redis 7 a command asks for one section. */
static const struct {
    const char *section;
    ratings_store_fault_e (*fault)(const redisReply *info);
} checks[] = {
    {"cluster", cluster_fault}, {"memory", memory_fault}, {"replication", replication_fault}};

#define CHECKS (sizeof checks / sizeof checks[0])

static apr_status_t first_fault(redisReply *const *infos, ratings_store_fault_e *fault,
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
    (void)first_fault(infos, fault, why);
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
