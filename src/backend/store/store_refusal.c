/* Redis begins a refusal with a word. Up to Redis 6.2, one that a script meets comes inside of a
 * text of its own: "ERR Error running script (call to f_...): @user_script:7: -READONLY You ..." */
#include "store_refusal.h"

#include "store_denial.h"

#include <string.h>

#define IN_SCRIPT "ERR Error running script"

/* https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors: no list is kept
 * there. The words and texts are those of Redis 6.2 and 7.0, and Redis Cluster's. */
static const struct {
    const char *word; /* at the beginning, or after a "-" within a script's error */
    const char *text; /* or this, anywhere */
    ratings_store_fault_e fault;
    bool is_of_server;
} refusals[] = {
    {"READONLY", NULL, RATINGS_STORE_REPLICA, true},
    {"MASTERDOWN", NULL, RATINGS_STORE_ORPHAN, true},
    {"LOADING", NULL, RATINGS_STORE_LOADING, true},
    {"NOAUTH", NULL, RATINGS_STORE_LOGIN, true},
    {"WRONGPASS", "invalid password", RATINGS_STORE_LOGIN, false},
    {"NOPERM", "can't run this command", RATINGS_STORE_DENIED, false}, /* it does not say which */
    {"MOVED", "non local key in a cluster node", RATINGS_STORE_CLUSTER, false},
    {"ASK", NULL, RATINGS_STORE_CLUSTER, false},
    {"CROSSSLOT", "keys that do not hash to the same slot", RATINGS_STORE_CLUSTER, false},
    {"CLUSTERDOWN", NULL, RATINGS_STORE_CLUSTER, false},
    {"TRYAGAIN", NULL, RATINGS_STORE_CLUSTER, false},
    {"OOM", NULL, RATINGS_STORE_FULL, false},
    {"MISCONF", NULL, RATINGS_STORE_NOT_SAVING, false},
    {"NOREPLICAS", NULL, RATINGS_STORE_LACKS_REPLICAS, false},
    {"BUSY", NULL, RATINGS_STORE_BUSY, false},
    {"ERR max number of clients reached", NULL, RATINGS_STORE_CROWDED, false},
    {"ERR unknown command", "ERR unsupported command", RATINGS_STORE_LACKS_COMMANDS, false},
};

#define REFUSALS (sizeof refusals / sizeof refusals[0])

static bool begins_with(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

/* "-WORD ", in the text that a script's error is told with. */
static bool has_word_within(const char *text, const char *word)
{
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        if (at > text && at[-1] == '-' && at[strlen(word)] == ' ')
            return true;
    return false;
}

static bool is_refusal(const char *text, size_t i)
{
    return begins_with(text, refusals[i].word) ||
           (begins_with(text, IN_SCRIPT) && has_word_within(text, refusals[i].word)) ||
           (refusals[i].text && strstr(text, refusals[i].text));
}

/* REFUSALS: another one. */
static size_t find_refusal(const redisReply *refusal)
{
    size_t i = 0;
    while (i < REFUSALS && !is_refusal(refusal->str, i))
        i++;
    return i;
}

static bool refuses(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR && !begins_with(reply->str, "WRONGTYPE");
}

const redisReply *store_refusal_in(const redisReply *reply)
{
    if (refuses(reply))
        return reply;
    if (reply->type != REDIS_REPLY_ARRAY)
        return NULL;
    for (size_t i = 0; i < reply->elements; i++)
        if (refuses(reply->element[i]))
            return reply->element[i];
    return NULL;
}

bool store_refusal_is_of_server(const redisReply *refusal)
{
    size_t i = find_refusal(refusal);
    return i < REFUSALS && refusals[i].is_of_server;
}

static int fault_of(const redisReply *refusal)
{
    size_t i = find_refusal(refusal);
    int denied = store_denied(refusal->str);
    if (denied)
        return RATINGS_STORE_DENIED + denied;
    return i < REFUSALS ? (int)refusals[i].fault : RATINGS_STORE_UNREACHABLE;
}

apr_status_t store_error_reply(const redisReply *refusal, ratings_result_t *why)
{
    int fault = fault_of(refusal);
    ratings_result_set(why, APR_EGENERAL, "Redis refused: %.*s", (int)refusal->len, refusal->str);
    if (fault > RATINGS_STORE_DENIED)
        why->fault = fault; /* Redis' own words name the command */
    else
        store_blame(why, fault);
    return why->status;
}

/* of an error code */
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

apr_status_t store_login_reply(const redisReply *refusal, ratings_result_t *why)
{
    int fault = fault_of(refusal);
    ratings_result_set(why, APR_EGENERAL, "Redis refused the login: %.*s",
                       (int)strspn(refusal->str, CAPITALS), refusal->str);
    store_blame(why, fault == RATINGS_STORE_UNREACHABLE ? RATINGS_STORE_LOGIN : fault);
    return why->status;
}

void store_blame(ratings_result_t *why, int fault)
{
    char detail[RATINGS_DETAIL_MAX];
    memcpy(detail, why->detail, sizeof detail);
    if (fault != RATINGS_STORE_UNREACHABLE)
        ratings_result_set(why, why->status, "%s (%s)", ratings_store_fault_text(fault), detail);
    why->fault = fault;
}

/* ---- for people ---- */

/* In one piece: clang-tidy takes two in a table for a forgotten comma. */
#define FULL "the store is out of memory: ratings are recorded and not counted until it has more"

const char *ratings_store_fault_text(int fault)
{
    static const char *const texts[] = {
        [RATINGS_STORE_UNREACHABLE] = "it cannot be reached",
        [RATINGS_STORE_REPLICA] = "the store is a read-only replica: name its primary",
        [RATINGS_STORE_ORPHAN] = "the store is a replica that has lost its primary: name one",
        [RATINGS_STORE_LOADING] = "the store is still loading its data: wait",
        [RATINGS_STORE_LOGIN] =
            "the store refuses the login: correct user and password of RatingsStore",
        [RATINGS_STORE_CLUSTER] =
            "the store is a node of a Redis Cluster: name a Redis with cluster-enabled no",
        [RATINGS_STORE_EVICTS] = "the store evicts keys: set maxmemory-policy to noeviction",
        [RATINGS_STORE_FULL] = FULL,
        [RATINGS_STORE_NOT_SAVING] =
            "the store takes no writes, as it cannot save them: see its own log",
        [RATINGS_STORE_LACKS_REPLICAS] =
            "the store takes no writes, as it has too few replicas (min-replicas-to-write)",
        [RATINGS_STORE_BUSY] = "the store runs a script of somebody else: wait, or end it",
        [RATINGS_STORE_CROWDED] = "the store takes no more connections: raise its maxclients",
        [RATINGS_STORE_LACKS_COMMANDS] =
            "the store does not know a command: name a Redis, and no proxy that lacks commands",
        [RATINGS_STORE_HANGS_UP] =
            "the store hangs up when it is asked: name a Redis, and no proxy that lacks commands",
        [RATINGS_STORE_DENIED] =
            "it refuses a command or a key to the service's user: see the error log",
        [RATINGS_STORE_NOT_REDIS] = "what answers is no Redis: correct RatingsStore",
    };
    if (fault > RATINGS_STORE_DENIED)
        return store_denial_text(fault - RATINGS_STORE_DENIED);
    return fault >= 0 && fault < (int)(sizeof texts / sizeof texts[0]) ? texts[fault] : NULL;
}
