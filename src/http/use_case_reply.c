#include "use_case_reply.h"

#include "../core/clock.h"
#include "../module.h"
#include "../service/pool_json.h"
#include "reply.h"
#include "request_trace.h"

#include <apr_strings.h>

#include <stdbool.h>

#define LOG_INTERVAL_US 1000000 /* of a child: one line for each kind of failure */

/* What the outcome of a use case is in HTTP. build/lint/endpoints compares the statuses with those
 * that endpoint.c and docs/api.md list. */
typedef struct {
    int status;
    const char *detail; /* of the problem document; NULL: the reply is made from more than this */
    int log_level;      /* 0: a request that ends so is not logged */
    ratings_failure_e failure_kind; /* of those that are logged */
} outcome_reply_t;

static const outcome_reply_t outcome_replies[] = {
    [RATINGS_OUTCOME_DONE] = {HTTP_OK, NULL, 0, 0},
    [RATINGS_OUTCOME_ACCEPTED] = {HTTP_ACCEPTED, NULL, APLOG_WARNING, RATINGS_FAILURE_INVISIBLE},
    [RATINGS_OUTCOME_NO_TALK] = {HTTP_NOT_FOUND, "There is no such talk.", 0, 0},
    [RATINGS_OUTCOME_NOT_NOW] = {HTTP_FORBIDDEN, NULL, 0, 0},
    [RATINGS_OUTCOME_CONFLICTING] =
        {HTTP_UNPROCESSABLE_ENTITY,
         "Another rating of this talk was sent with the same Idempotency-Key: "
         "this one does not count.",
         0, 0},
    [RATINGS_OUTCOME_BARRED] = {HTTP_FORBIDDEN, "Ratings of this voter do not count.", 0, 0},
    [RATINGS_OUTCOME_NO_KEYS] =
        {HTTP_NOT_IMPLEMENTED,
         "This service cannot tell ratings apart by Idempotency-Key: please send "
         "it without.",
         0, 0},
    [RATINGS_OUTCOME_NO_RANKING] = {HTTP_NOT_IMPLEMENTED,
                                    "This service does not sort talks by their scores.", 0, 0},
    /* the projector logs why, once for the host */
    [RATINGS_OUTCOME_OTHER_VOTERS] = {HTTP_SERVICE_UNAVAILABLE, NULL, APLOG_DEBUG,
                                      RATINGS_FAILURE_UNAVAILABLE},
    /* not logged: a client may have invented the position */
    [RATINGS_OUTCOME_NOT_REACHED] =
        {HTTP_SERVICE_UNAVAILABLE,
         "The ratings are not known to count what Ratings-Position names yet. Please try again.", 0,
         0},
    [RATINGS_OUTCOME_UNAVAILABLE] = {HTTP_SERVICE_UNAVAILABLE, NULL, APLOG_ERR,
                                     RATINGS_FAILURE_UNAVAILABLE},
    [RATINGS_OUTCOME_UNKNOWN] =
        {HTTP_GATEWAY_TIME_OUT,
         "The event log did not answer in time: the rating may or may not have "
         "been recorded.",
         APLOG_ERR, RATINGS_FAILURE_UNKNOWN},
};

/* A request whose kind of failure was logged within the interval, by another of this child, is
 * there at LogLevel debug. Not by RATINGS_LINE_*: a line is about a request here, and each child
 * has requests of its own. */
int ratings_claim_log_level(ratings_child_t *child, ratings_failure_e kind, int level)
{
    _Atomic int64_t *logged_at = &child->logged_at[kind];
    int64_t now = ratings_monotonic(), last = atomic_load(logged_at);
    if (now - last < LOG_INTERVAL_US || !atomic_compare_exchange_strong(logged_at, &last, now))
        return APLOG_DEBUG;
    return level;
}

/* The line of an open circuit breaker stands for those of the requests that it refuses. */
int ratings_failure_log_level(const ratings_call_t *call, ratings_failure_e kind, int level)
{
    const ratings_failure_t *failure = &call->failure;
    return failure->why.status == RATINGS_NOT_ASKED &&
                   ratings_call_policy_is_open(&call->child->policy[failure->backend])
               ? APLOG_DEBUG
               : ratings_claim_log_level(call->child, kind, level);
}

static void log_outcome(request_rec *r, const ratings_call_t *call, const outcome_reply_t *reply)
{
    if (reply->log_level == 0)
        return;
    /* httpd's macro evaluates it twice */
    int level = ratings_failure_log_level(call, reply->failure_kind, reply->log_level);
    ap_log_rerror(APLOG_MARK, level, 0, r, "RT0501: request %s answered with %d: %s",
                  ratings_request_id(r), reply->status, call->failure.why.detail);
}

static int reply_unavailable(request_rec *r, const ratings_call_t *call)
{
    return ratings_reply_unavailable(r, apr_pstrcat(r->pool, "The service cannot use ",
                                                    call->failure.part,
                                                    " at the moment. Please try again.", NULL));
}

/* A bound of the window as a member of the problem, if it is a time. False: memory ran out. */
static bool add_bound(json_t *members, const char *name, int64_t bound)
{
    char text[RATINGS_TIME_TEXT_SIZE];
    return !ratings_time_print(bound, text) ||
           json_object_set_new(members, name, json_string(text)) == 0;
}

static json_t *window_members(const ratings_window_t *window)
{
    json_t *members = json_object();
    if (members && add_bound(members, "opensAt", window->opens_at) &&
        add_bound(members, "closesAt", window->closes_at))
        return members;
    json_decref(members);
    return NULL;
}

static int reply_not_now(request_rec *r, const ratings_call_t *call)
{
    const ratings_window_t *window = &call->window;
    bool is_to_come = ratings_window_phase(window, call->came_at) == RATINGS_WINDOW_TO_COME;
    if (is_to_come)
        apr_table_setn(r->headers_out, "Retry-After",
                       apr_psprintf(r->pool, "%" APR_INT64_T_FMT,
                                    ratings_window_seconds_left(window, call->came_at)));
    return ratings_reply_problem_with(r, outcome_replies[RATINGS_OUTCOME_NOT_NOW].status,
                                      is_to_come ? "This talk cannot be rated yet."
                                                 : "This talk cannot be rated any more.",
                                      window_members(window));
}

int ratings_use_case_status(request_rec *r, const ratings_call_t *call, ratings_outcome_e outcome)
{
    log_outcome(r, call, &outcome_replies[outcome]);
    return outcome_replies[outcome].status;
}

int ratings_use_case_refuse(request_rec *r, const ratings_call_t *call, ratings_outcome_e outcome)
{
    const outcome_reply_t *reply = &outcome_replies[outcome];
    log_outcome(r, call, reply);
    if (outcome == RATINGS_OUTCOME_UNAVAILABLE || outcome == RATINGS_OUTCOME_OTHER_VOTERS)
        return reply_unavailable(r, call);
    if (outcome == RATINGS_OUTCOME_NOT_REACHED)
        return ratings_reply_unavailable(r, reply->detail);
    if (outcome == RATINGS_OUTCOME_NOT_NOW)
        return reply_not_now(r, call);
    return ratings_reply_problem(r, reply->status, reply->detail);
}

ratings_call_t ratings_use_case_call(const request_rec *r, const ratings_server_t *server)
{
    return (ratings_call_t){.child = server->service->child,
                            .pool = r->pool,
                            .deadline = ratings_monotonic() + server->config.deadline,
                            .hide = ratings_location_hide(ratings_location_of_request(r)),
                            .trace = ratings_request_trace(r, &server->config),
                            .came_at = ratings_wall_clock()};
}

int ratings_reply_rating(request_rec *r, int status, const ratings_rating_t *rating)
{
    return ratings_reply_json(
        r, status,
        ratings_pool_json(r->pool, json_pack("{s:{s:s,s:i}}", "rating", "talk_uuid",
                                             rating->talk_id, "value", rating->value)));
}
