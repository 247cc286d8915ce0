/* Redis begins an error reply with a word in capitals. Up to Redis 6.2, one that a script meets
 * comes inside of a text of its own:
 *
 *     ERR Error running script (call to f_...): @user_script:7: -READONLY You can't write ...
 *
 * https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors keeps no list of the
 * words. Those below are Redis's 6.0 to 7.2 and Valkey's, as their sources have them: server.c
 * (createSharedObjects, processCommand), script.c and scripting.c (of a script's commands), acl.c
 * (getAclErrorMessage) and cluster.c. */
#include "store_refusal.h"

#include "store_fault.h"

#include <string.h>

#define IN_SCRIPT "ERR Error running script"

typedef struct {
    const char *word;     /* at the beginning, or after a "-" within a script's error */
    const char *texts[3]; /* or one of these, anywhere */
    ratings_store_fault_e fault;
    bool names_command; /* or a key, at times */
    bool is_of_server;  /* see store_refusal_is_of_server */
} refusal_t;

/* The first that matches decides. */
static const refusal_t refusals[] = {
    {"NOPERM", {"permission", "can't run this command"}, RATINGS_STORE_DENIED, true, false},
    {"ERR unknown command",
     {"ERR unsupported command", "nknown command", "nknown Redis command"},
     RATINGS_STORE_LACKS_COMMANDS,
     true,
     false},
    {"READONLY", {NULL}, RATINGS_STORE_REPLICA, false, true},
    {"MASTERDOWN", {NULL}, RATINGS_STORE_ORPHAN, false, true},
    {"LOADING", {NULL}, RATINGS_STORE_LOADING, false, true},
    {"NOAUTH", {NULL}, RATINGS_STORE_LOGIN, false, true},
    {"WRONGPASS", {"invalid password"}, RATINGS_STORE_LOGIN, false, false},
    {"MOVED", {"non local key in a cluster node"}, RATINGS_STORE_CLUSTER, false, false},
    {"ASK", {NULL}, RATINGS_STORE_CLUSTER, false, false},
    {"CROSSSLOT", {"keys that do not hash to the same slot"}, RATINGS_STORE_CLUSTER, false, false},
    {"CLUSTERDOWN", {NULL}, RATINGS_STORE_CLUSTER, false, false},
    {"TRYAGAIN", {NULL}, RATINGS_STORE_CLUSTER, false, false},
    {"OOM", {NULL}, RATINGS_STORE_FULL, false, false},
    {"MISCONF", {NULL}, RATINGS_STORE_NOT_SAVING, false, false},
    {"NOREPLICAS", {NULL}, RATINGS_STORE_LACKS_REPLICAS, false, false},
    {"BUSY", {NULL}, RATINGS_STORE_BUSY, false, false},
    {"ERR max number of clients reached", {NULL}, RATINGS_STORE_CROWDED, false, false},
};

#define REFUSALS (sizeof refusals / sizeof refusals[0])

static bool begins_with(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

/* "-WORD ", in the text of a script's error. */
static bool has_word_within(const char *text, const char *word)
{
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        if (at > text && at[-1] == '-' && at[strlen(word)] == ' ')
            return true;
    return false;
}

static bool is_refusal(const char *text, const refusal_t *refusal)
{
    bool is_it = begins_with(text, refusal->word) ||
                 (begins_with(text, IN_SCRIPT) && has_word_within(text, refusal->word));
    for (int i = 0; i < 3 && refusal->texts[i] && !is_it; i++)
        is_it = strstr(text, refusal->texts[i]) != NULL;
    return is_it;
}

/* NULL: another one. */
static const refusal_t *find_refusal(const char *text)
{
    for (size_t i = 0; i < REFUSALS; i++)
        if (is_refusal(text, &refusals[i]))
            return &refusals[i];
    return NULL;
}

/* ---- in a reply ---- */

static bool is_refused(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR && !begins_with(reply->str, "WRONGTYPE");
}

const redisReply *store_refusal_in(const redisReply *reply)
{
    if (is_refused(reply))
        return reply;
    if (reply->type != REDIS_REPLY_ARRAY)
        return NULL;
    for (size_t i = 0; i < reply->elements; i++)
        if (is_refused(reply->element[i]))
            return reply->element[i];
    return NULL;
}

bool store_refusal_is_of_server(const redisReply *refusal)
{
    const refusal_t *known = find_refusal(refusal->str);
    return known && known->is_of_server;
}

/* Redis quotes the command as it was sent, or in small letters; no script calls it. */
bool store_refusal_is_of_digest(const redisReply *refusal, bool *always)
{
    const refusal_t *known = find_refusal(refusal->str);
    *always = known && known->names_command && strcasestr(refusal->str, "evalsha");
    return *always || begins_with(refusal->str, "NOSCRIPT");
}

/* ---- as failure ---- */

/* What is denied, 0 if the text does not say: the command in parentheses at the end, as
 * prelude.lua puts it, or in quotes, as Redis does; or a key, which Redis does not name. */
static int denied_fault(const char *text)
{
    const char *name = strrchr(text, '('), *quote = strpbrk(text, "'`");
    int fault = 0;
    if (name && name[strcspn(name, ")")] == ')')
        return store_fault_command_denied(name + 1, strcspn(name + 1, ")"));
    if (quote)
        fault = store_fault_command_denied(quote + 1, strcspn(quote + 1, "'`"));
    return !fault && begins_with(text, "NOPERM") ? STORE_FAULT_KEY_DENIED : fault;
}

int store_refusal_fault(const char *text)
{
    const refusal_t *known = find_refusal(text);
    int denied = known && known->names_command ? denied_fault(text) : 0;
    if (denied)
        return denied;
    return known ? (int)known->fault : RATINGS_STORE_UNREACHABLE;
}

apr_status_t store_error_reply(const redisReply *refusal, ratings_result_t *why)
{
    int fault = store_refusal_fault(refusal->str);
    ratings_result_set(why, APR_EGENERAL, "Redis refused: %.*s", (int)refusal->len, refusal->str);
    if (fault > RATINGS_STORE_DENIED)
        why->fault = fault; /* Redis's own words name the command */
    else
        store_blame(why, fault);
    return why->status;
}

/* of an error code */
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

apr_status_t store_login_reply(const redisReply *refusal, ratings_result_t *why)
{
    int fault = store_refusal_fault(refusal->str);
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
