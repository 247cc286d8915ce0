#include "call_policy.h"

#include "../core/clock.h"
#include "../module.h"

#define LEFT_TO_REQUESTS_US INT64_C(500000) /* in which a probe is theirs */

bool ratings_call_policy_begin(ratings_call_policy_t *guard, int64_t deadline, int64_t *since,
                               ratings_result_t *why)
{
    if (!ratings_bulkhead_acquire(&guard->gate, ratings_monotonic(), deadline)) {
        ratings_result_set(why, RATINGS_NOT_ASKED, "%u threads wait for %s already",
                           guard->gate.max, guard->name);
        return false;
    }
    *since = ratings_monotonic(); /* the wait for others says nothing of the backend */
    if (ratings_breaker_allow(&guard->backend->breaker, &guard->policy, *since))
        return true;
    (void)ratings_bulkhead_release(&guard->gate, *since, *since, false);
    ratings_result_set(why, RATINGS_NOT_ASKED, "the circuit breaker of %s is open", guard->name);
    return false;
}

void ratings_call_policy_abandon(ratings_call_policy_t *guard, int64_t since, bool got)
{
    (void)ratings_bulkhead_release(&guard->gate, since, ratings_monotonic(), got);
}

/* ---- reports ---- */

/* What a call says of its backend. */
typedef enum { IT_ANSWERS, IT_FAILED, NOTHING } word_e;

static bool is_well(apr_status_t status)
{
    return status == APR_SUCCESS || status == APR_NOTFOUND || status == APR_EAGAIN;
}

/* A call that ran out of time may have come with little of it left: that tells of the backend only
 * if nobody got an answer for `in_vain` microseconds, a fair time. */
static word_e word_of(const ratings_call_policy_t *guard, apr_status_t status, int64_t in_vain)
{
    if (is_well(status))
        return IT_ANSWERS;
    if (status == RATINGS_NOT_ASKED || (status == APR_TIMEUP && in_vain < guard->fair_us))
        return NOTHING;
    return IT_FAILED;
}

static void say_closed(const ratings_call_policy_t *guard)
{
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, guard->server,
                 "%s: circuit breaker closed: %s answers again", guard->tag, guard->name);
}

/* The probers of all children sleep while nothing is open. */
static void say_opened(const ratings_call_policy_t *guard, int64_t now, const ratings_result_t *why)
{
    atomic_store(&guard->backend->opened_at, now);
    ratings_shm_wake(&guard->shared->opened);
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, guard->server,
                 "%s: circuit breaker opened: %s failed %u times in a row, last: %s; until it "
                 "answers again, %s",
                 guard->tag, guard->name, guard->policy.threshold, why->detail, guard->effect);
}

static void report(const ratings_call_policy_t *guard, word_e word, int64_t now,
                   const ratings_result_t *why)
{
    ratings_breaker_t *breaker = &guard->backend->breaker;
    if (word == IT_ANSWERS && ratings_breaker_success(breaker))
        say_closed(guard);
    else if (word == IT_FAILED && ratings_breaker_failure(breaker, &guard->policy, now))
        say_opened(guard, now, why);
}

apr_status_t ratings_call_policy_end(ratings_call_policy_t *guard, int64_t since,
                                     const ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    int64_t in_vain = ratings_bulkhead_release(&guard->gate, since, now, is_well(why->status));
    report(guard, word_of(guard, why->status, in_vain), now, why);
    return why->status;
}

/* ---- probes for nobody's request ---- */

bool ratings_call_policy_is_open(const ratings_call_policy_t *guard)
{
    return ratings_breaker_state(&guard->backend->breaker) != RATINGS_BREAKER_CLOSED;
}

bool ratings_call_policy_claim_probe(ratings_call_policy_t *guard, int64_t pause)
{
    ratings_host_backend_t *backend = guard->backend;
    int64_t now = ratings_monotonic();
    if (!ratings_breaker_due(&backend->breaker, now - LEFT_TO_REQUESTS_US) ||
        now - atomic_load(&backend->probed_at) < pause ||
        !ratings_breaker_allow(&backend->breaker, &guard->policy, now))
        return false;
    atomic_store(&backend->probed_at, now);
    return true;
}

/* Nobody waits for the answer, so that one that comes too late says what a failure does: the
 * breaker stays open. */
void ratings_call_policy_probed(ratings_call_policy_t *guard, const ratings_result_t *why)
{
    report(guard, word_of(guard, why->status, INT64_MAX), ratings_monotonic(), why);
}
