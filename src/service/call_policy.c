#include "call_policy.h"

#include "../core/assertion.h"
#include "../core/clock.h"
#include "../module.h"
#include "../shm/futex.h"

#define LEFT_TO_REQUESTS_US INT64_C(500000) /* in which a probe is theirs */

/* ---- tokens ---- */

/* Of a token that has to be finished `now`. */
static ratings_call_policy_t *take_policy(ratings_call_token_t *token, int64_t now)
{
    ratings_call_policy_t *policy = token->policy;
    RATINGS_ASSERT(policy != NULL);
    token->policy = NULL;
    if (token->spent)
        *token->spent += now - token->since;
    return policy;
}

/* The wait for the bulkhead says nothing of the backend: the call begins after it. */
bool ratings_call_policy_begin(ratings_call_policy_t *policy, int64_t deadline,
                               ratings_call_token_t *token, ratings_result_t *why)
{
    if (!policy->is_usable) {
        ratings_result_set(why, RATINGS_NOT_ASKED, "%s cannot be used in this child", policy->name);
        return false;
    }
    if (!ratings_bulkhead_acquire(&policy->bulkhead, ratings_monotonic(), deadline)) {
        ratings_metrics_bulkhead_refused(policy->metrics, (int)policy->which);
        ratings_result_set(why, RATINGS_NOT_ASKED, "%u threads wait for %s already",
                           policy->bulkhead.max, policy->name);
        return false;
    }
    *token = (ratings_call_token_t){policy, ratings_monotonic(), NULL};
    if (ratings_breaker_allow(&policy->backend->breaker, &policy->limits, token->since))
        return true;
    (void)ratings_bulkhead_release(&policy->bulkhead, token->since, token->since, false);
    token->policy = NULL;
    ratings_metrics_breaker_refused(policy->metrics, policy->which);
    ratings_result_set(why, RATINGS_NOT_ASKED, "the circuit breaker of %s is open", policy->name);
    return false;
}

void ratings_call_policy_abandon(ratings_call_token_t *token, bool got)
{
    int64_t now = ratings_monotonic();
    ratings_call_policy_t *policy = take_policy(token, now);
    (void)ratings_bulkhead_release(&policy->bulkhead, token->since, now, got);
}

/* ---- what a call says of its backend ---- */

static bool is_answer(apr_status_t status)
{
    return status == APR_SUCCESS || status == APR_NOTFOUND || status == APR_EAGAIN ||
           status == RATINGS_REBUILD_NEEDED;
}

/* A call that was not made, or that may have begun with little time left, says nothing of the
 * backend. `unanswered_us`: for how long nobody has got an answer. */
static bool says_nothing(const ratings_call_policy_t *policy, apr_status_t status,
                         int64_t unanswered_us)
{
    return status == RATINGS_NOT_ASKED || (status == APR_TIMEUP && unanswered_us < policy->fair_us);
}

static void log_closed(const ratings_call_policy_t *policy)
{
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, policy->server,
                 "%s: circuit breaker closed: %s answers again", policy->tag, policy->name);
}

static void log_opened(const ratings_call_policy_t *policy, const ratings_result_t *why)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, policy->server,
                 "%s: circuit breaker opened: %s failed %u times in a row, last: %s; until it "
                 "answers again, %s",
                 policy->tag, policy->name, policy->limits.threshold, why->detail, policy->effect);
}

static void report_result(const ratings_call_policy_t *policy, const ratings_result_t *why,
                          int64_t unanswered_us, int64_t now)
{
    ratings_breaker_t *breaker = &policy->backend->breaker;
    if (why->status == RATINGS_REBUILD_NEEDED)
        ratings_shm_request_rebuild(policy->shared, RATINGS_REBUILD_REQUEST_STORE);
    if (is_answer(why->status)) {
        if (ratings_breaker_success(breaker))
            log_closed(policy);
    } else if (!says_nothing(policy, why->status, unanswered_us) &&
               ratings_breaker_failure(breaker, &policy->limits, now)) {
        atomic_store(&policy->backend->opened_at, now);
        ratings_shm_wake(&policy->shared->breakers_opened); /* the probers of all children */
        ratings_metrics_breaker_opened(policy->metrics, policy->which);
        log_opened(policy, why);
    }
}

static ratings_metric_call_e call_result(apr_status_t status)
{
    if (is_answer(status))
        return RATINGS_METRIC_CALL_ANSWERED;
    if (status == RATINGS_NOT_ASKED)
        return RATINGS_METRIC_CALL_NOT_ASKED;
    return status == APR_TIMEUP ? RATINGS_METRIC_CALL_TIMED_OUT : RATINGS_METRIC_CALL_FAILED;
}

apr_status_t ratings_call_policy_end(ratings_call_token_t *token, const ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    ratings_call_policy_t *policy = take_policy(token, now);
    int64_t unanswered_us =
        ratings_bulkhead_release(&policy->bulkhead, token->since, now, is_answer(why->status));
    ratings_metrics_call(policy->metrics, policy->which, call_result(why->status),
                         now - token->since);
    report_result(policy, why, unanswered_us, now);
    return why->status;
}

/* ---- probes for nobody's request ---- */

bool ratings_call_policy_is_open(const ratings_call_policy_t *policy)
{
    return ratings_breaker_state(&policy->backend->breaker) != RATINGS_BREAKER_CLOSED;
}

bool ratings_call_policy_claim_probe(ratings_call_policy_t *policy, int64_t pause)
{
    ratings_backend_state_t *backend = policy->backend;
    int64_t now = ratings_monotonic();
    if (!policy->is_usable || !ratings_breaker_due(&backend->breaker, now - LEFT_TO_REQUESTS_US) ||
        now - atomic_load(&backend->probed_at) < pause ||
        !ratings_breaker_allow(&backend->breaker, &policy->limits, now))
        return false;
    atomic_store(&backend->probed_at, now);
    return true;
}

/* Nobody waits for the answer, so that one which comes too late is a failure: the breaker stays
 * open. */
void ratings_call_policy_probed(ratings_call_policy_t *policy, const ratings_result_t *why)
{
    report_result(policy, why, INT64_MAX, ratings_monotonic());
}
