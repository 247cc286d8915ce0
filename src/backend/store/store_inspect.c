#include "store_inspect.h"

#include "../../core/redis_url.h"
#include "store_connection.h"
#include "store_fault.h"
#include "store_keys.h"
#include "store_refusal.h"
#include "store_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one exchange ---- */

#define WORDS_MAX 6
#define COMMANDS_MAX 24

typedef const char *words_row_t[WORDS_MAX]; /* NULL after the last word */

/* Sends the commands; `replies` are the caller's on APR_SUCCESS. */
static apr_status_t exchange_words(ratings_store_t *store, const words_row_t *rows, int count,
                                   redisReply **replies, ratings_findings_t *findings,
                                   ratings_result_t *why)
{
    const char *words[COMMANDS_MAX][WORDS_MAX];
    size_t lengths[COMMANDS_MAX][WORDS_MAX];
    store_command_t commands[COMMANDS_MAX];
    memcpy(words, rows, (size_t)count * sizeof rows[0]);
    for (int i = 0; i < count; i++) {
        int argc = 0;
        for (; argc < WORDS_MAX && words[i][argc]; argc++)
            lengths[i][argc] = strlen(words[i][argc]);
        commands[i] = (store_command_t){.argc = argc, .argv = words[i], .argvlen = lengths[i]};
    }
    ratings_findings_ask(findings);
    apr_status_t status =
        store_pipeline(store, commands, count, replies, store_deadline(store), why);
    ratings_findings_answered(findings);
    return status;
}

/* The value of a line of INFO, up to its end; `absent` where there is none. */
static const char *info_text(const redisReply *info, const char *name, const char *absent,
                             char *value, size_t size)
{
    const char *at = store_is_text(info) ? strstr(info->str, name) : NULL;
    (void)snprintf(value, size, "%.*s", at ? (int)strcspn(at + strlen(name), "\r\n") : 0,
                   at ? at + strlen(name) : "");
    return at ? value : absent;
}

/* ---- the connection ---- */

#define INFO_TEXT 64

static const words_row_t info_rows[] = {{"INFO", "server"}, {"INFO", "persistence"}};

/* `place`: the URL without its password. Where INFO is denied, it does not say what it is. */
static void report_version(const redisReply *info, const char *place, ratings_findings_t *findings)
{
    char value[INFO_TEXT];
    const char *name = "Valkey",
               *version = info_text(info, "\nvalkey_version:", NULL, value, sizeof value);
    if (!version) {
        name = "Redis";
        version = info_text(info, "\nredis_version:", "", value, sizeof value);
    }
    ratings_finding(findings, RATINGS_FINDING_GOOD, "connection", "%s: %s %s", place, name,
                    version);
}

/* The store can be rebuilt from the log, so that one that keeps nothing is no fault. */
static void report_persistence(const redisReply *info, ratings_findings_t *findings)
{
    char appends[INFO_TEXT], saved[INFO_TEXT];
    const char *aof = info_text(info, "\naof_enabled:", "", appends, sizeof appends);
    const char *rdb = info_text(info, "\nrdb_last_bgsave_status:", "", saved, sizeof saved);
    if (!store_is_text(info))
        return;
    if (strcmp(rdb, "err") == 0)
        ratings_finding(findings, RATINGS_FINDING_WARNING, "persistence",
                        "the last snapshot failed: see its own log, as it may come to take no "
                        "writes");
    else if (strcmp(aof, "1") == 0)
        ratings_finding(findings, RATINGS_FINDING_GOOD, "persistence", "an append-only file");
    else
        ratings_finding(findings, RATINGS_FINDING_NOTE, "persistence",
                        "no append-only file: what a restart loses is applied again from the log");
}

static bool inspect_connection(ratings_store_t *store, const char *place,
                               ratings_findings_t *findings)
{
    ratings_result_t why;
    redisReply *replies[2];
    if (exchange_words(store, info_rows, 2, replies, findings, &why) != APR_SUCCESS) {
        ratings_finding(findings, RATINGS_FINDING_FAULT, "connection", "%s: %s", place, why.detail);
        return false;
    }
    report_version(replies[0], place, findings);
    report_persistence(replies[1], findings);
    store_free_replies(replies, 2);
    return true;
}

/* ---- its role and its memory ---- */

/* By the check of readiness. */
static bool inspect_settings(ratings_store_t *store, ratings_findings_t *findings)
{
    ratings_result_t why;
    ratings_store_fault_e fault = RATINGS_STORE_HEALTHY;
    ratings_findings_ask(findings);
    apr_status_t status = ratings_store_check(store, store_deadline(store), &fault, &why);
    ratings_findings_answered(findings);
    if (status != APR_SUCCESS)
        ratings_finding(findings, RATINGS_FINDING_FAULT, "settings", "%s", why.detail);
    else if (fault)
        ratings_finding(findings, RATINGS_FINDING_FAULT, "settings", "%s",
                        ratings_store_fault_text((int)fault));
    else
        ratings_finding(findings, RATINGS_FINDING_GOOD, "settings",
                        "a primary, no node of a cluster, evicts nothing");
    return status == APR_SUCCESS && !fault;
}

/* ---- rights ---- */

/* Not ACL DRYRUN, which the service's user may not run itself. Redis looks at the rights before a
 * command looks at its words: so each is tried without effect, on keys that the service does not
 * use, or with words that the command then refuses. No talk has a line end in its id. */
#define KEY_TRIED "ratings:check"
#define TALK_TRIED STORE_KEY_TALK "\n"

static const words_row_t trials[] = {
    {"EVAL", "return 1", "0"},
    {"EVALSHA", "0000000000000000000000000000000000000000", "0"},
    {"TYPE", KEY_TRIED},
    {"HMGET", TALK_TRIED, "1"},
    {"HGETALL", KEY_TRIED},
    {"HLEN", KEY_TRIED},
    {"HSET", KEY_TRIED, "a", "b", "c"},
    {"HDEL", TALK_TRIED, "1"},
    {"ZCARD", KEY_TRIED},
    {"ZRANGEBYSCORE", KEY_TRIED, "0", "0"},
    {"ZADD", KEY_TRIED, "XX", "0", "a"},
    {"ZREM", KEY_TRIED, "a"},
    {"UNLINK", KEY_TRIED},
    {"SCAN", "0", "MATCH", KEY_TRIED, "COUNT", "1"},
    {"GET", KEY_TRIED},
    {"SET", KEY_TRIED, "a", "XX"},
    {"PTTL", KEY_TRIED},
    {"INFO", "memory"},
};

#define TRIALS (int)(sizeof trials / sizeof trials[0])

/* What is wrong, over all trials. */
typedef struct {
    char denied[256]; /* the names of commands, a blank before each */
    bool is_digest_denied;
    int fault; /* another reason to refuse, of store_fault.h; 0: none */
} refused_t;

/* Whether the text refuses the command itself, and no more than the words it was tried with. */
static bool is_denied(const redisReply *reply)
{
    int fault = store_refusal_fault(reply->str);
    return fault >= RATINGS_STORE_DENIED || fault == RATINGS_STORE_LACKS_COMMANDS;
}

static void add_refusal(refused_t *refused, const char *command, const redisReply *reply)
{
    size_t used = strlen(refused->denied);
    bool is_key = store_refusal_fault(reply->str) == STORE_FAULT_KEY_DENIED;
    if (!is_denied(reply))
        refused->fault = store_refusal_fault(reply->str);
    else if (strcmp(command, "EVALSHA") == 0)
        refused->is_digest_denied = true;
    else if (is_key)
        refused->fault = STORE_FAULT_KEY_DENIED;
    else
        (void)snprintf(refused->denied + used, sizeof refused->denied - used, " %s", command);
}

static refused_t read_trials(redisReply *const *replies)
{
    refused_t refused = {.denied = ""};
    for (int i = 0; i < TRIALS; i++) {
        const redisReply *reply = store_refusal_in(replies[i]);
        if (reply && store_refusal_fault(reply->str) > RATINGS_STORE_UNREACHABLE)
            add_refusal(&refused, trials[i][0], reply);
    }
    return refused;
}

static void report_rights(const refused_t *refused, ratings_findings_t *findings)
{
    if (refused->denied[0])
        ratings_finding(findings, RATINGS_FINDING_FAULT, "rights",
                        "the service's user is denied%s: allow it by ACL SETUSER "
                        "(docs/security.md, The user of Redis)",
                        refused->denied);
    else if (refused->fault == STORE_FAULT_KEY_DENIED)
        ratings_finding(findings, RATINGS_FINDING_FAULT, "rights",
                        "the service's user is denied keys: allow ~ratings/* and ~ratings:* by "
                        "ACL SETUSER (docs/security.md, The user of Redis)");
    else if (refused->fault)
        ratings_finding(findings, RATINGS_FINDING_FAULT, "rights", "%s",
                        ratings_store_fault_text(refused->fault));
    else if (refused->is_digest_denied)
        ratings_finding(findings, RATINGS_FINDING_WARNING, "rights",
                        "EVALSHA is denied: each script is sent whole, which costs Redis more");
    else
        ratings_finding(findings, RATINGS_FINDING_GOOD, "rights",
                        "each command that the service runs is allowed");
}

static void inspect_rights(ratings_store_t *store, ratings_findings_t *findings)
{
    ratings_result_t why;
    redisReply *replies[COMMANDS_MAX];
    if (exchange_words(store, trials, TRIALS, replies, findings, &why) != APR_SUCCESS) {
        ratings_finding(findings, RATINGS_FINDING_FAULT, "rights", "%s", why.detail);
        return;
    }
    const refused_t refused = read_trials(replies);
    report_rights(&refused, findings);
    store_free_replies(replies, TRIALS);
}

/* ---- what it holds ---- */

static bool is_empty(const ratings_store_state_t *state)
{
    return !state->topic[0] && !state->generation[0] && !state->claim[0];
}

static void report_state(const ratings_store_state_t *state, const char *topic,
                         ratings_findings_t *findings)
{
    if (is_empty(state))
        ratings_finding(findings, RATINGS_FINDING_NOTE, "contents",
                        "nothing yet: the projector makes it from the log");
    else if (state->topic[0] && strcmp(state->topic, topic) != 0)
        ratings_finding(findings, RATINGS_FINDING_FAULT, "contents",
                        "it holds the ratings of topic '%s', not of '%s': name another database",
                        state->topic, topic);
    else if (state->problem)
        ratings_finding(findings, RATINGS_FINDING_WARNING, "contents",
                        "it is rebuilt from the log, and GET answers 503 meanwhile: %s",
                        state->problem);
    else if (state->is_behind || state->claim[0])
        ratings_finding(findings, RATINGS_FINDING_WARNING, "contents",
                        "it is being rebuilt from the log: GET answers 503 until it is");
    else
        ratings_finding(findings, RATINGS_FINDING_GOOD, "contents",
                        "topic %s, checkpoints of %d partitions, generation %s", state->topic,
                        state->checkpoint_count, state->generation);
}

static void inspect_state(ratings_store_t *store, const char *topic, ratings_findings_t *findings)
{
    ratings_result_t why;
    ratings_store_state_t *state = malloc(sizeof *state);
    if (!state)
        return;
    ratings_findings_ask(findings);
    apr_status_t status = ratings_store_load_state(store, store_deadline(store), state, &why);
    ratings_findings_answered(findings);
    if (status == APR_SUCCESS)
        report_state(state, topic, findings);
    else
        ratings_finding(findings,
                        status == RATINGS_REBUILD_NEEDED ? RATINGS_FINDING_WARNING
                                                         : RATINGS_FINDING_FAULT,
                        "contents", "%s", why.detail);
    free(state);
}

/* ---- who projects ---- */

static const words_row_t lease_rows[] = {{"GET", STORE_KEY_LEASE}, {"PTTL", STORE_KEY_LEASE}};

static void report_lease(redisReply *const *replies, ratings_findings_t *findings)
{
    bool is_held = store_is_text(replies[0]) && replies[1]->type == REDIS_REPLY_INTEGER;
    if (is_held)
        ratings_finding(findings, RATINGS_FINDING_GOOD, "lease",
                        "a projector holds it, for another %lld ms", replies[1]->integer);
    else
        ratings_finding(findings, RATINGS_FINDING_NOTE, "lease",
                        "no projector holds it: none runs");
}

static void inspect_lease(ratings_store_t *store, ratings_findings_t *findings)
{
    ratings_result_t why;
    redisReply *replies[2];
    if (exchange_words(store, lease_rows, 2, replies, findings, &why) != APR_SUCCESS)
        return; /* a right that is missing is reported */
    if (!store_refusal_in(replies[0]) && !store_refusal_in(replies[1]))
        report_lease(replies, findings);
    store_free_replies(replies, 2);
}

/* ---- all of it ---- */

static void inspect_store(ratings_store_t *store, const char *place, const char *topic,
                          ratings_findings_t *findings)
{
    if (!inspect_connection(store, place, findings) || !inspect_settings(store, findings))
        return;
    inspect_rights(store, findings);
    inspect_state(store, topic, findings);
    inspect_lease(store, findings);
}

void ratings_store_inspect(const ratings_store_options_t *options, const char *topic,
                           ratings_findings_t *findings)
{
    ratings_store_t *store;
    ratings_result_t why;
    char *place = ratings_redis_url_redact(options->url);
    if (ratings_store_create(&store, options, &why) == APR_SUCCESS) {
        inspect_store(store, place ? place : "Redis", topic, findings);
        ratings_store_destroy(store);
    } else {
        ratings_finding(findings, RATINGS_FINDING_FAULT, "connection", "%s", why.detail);
    }
    free(place);
}
