#include "guard.h"

#include "../module.h"
#include "waiters.h"

bool ratings_guard_enter(ratings_guard_t *guard, int64_t deadline, int64_t *since,
                         ratings_result_t *why)
{
    if (!ratings_gate_enter(&guard->gate, ratings_monotonic(), deadline)) {
        ratings_result_set(why, APR_ECONNREFUSED, "%u threads wait for %s already", guard->gate.max,
                           guard->name);
        return false;
    }
    *since = ratings_monotonic(); /* the wait for others says nothing of the backend */
    if (ratings_breaker_allow(&guard->breaker, *since))
        return true;
    (void)ratings_gate_leave(&guard->gate, *since, *since, false);
    ratings_result_set(why, APR_ECONNREFUSED, "%s is left alone after failures in a row",
                       guard->name);
    return false;
}

void ratings_guard_pass(ratings_guard_t *guard, int64_t since, bool got)
{
    (void)ratings_gate_leave(&guard->gate, since, ratings_monotonic(), got);
}

/* What a call says of its backend. */
typedef enum { IT_ANSWERS, IT_FAILED, NOTHING } word_e;

static bool is_well(apr_status_t status)
{
    return status == APR_SUCCESS || status == APR_NOTFOUND || status == APR_EAGAIN;
}

/* A call that ran out of time may have come with little of it left: that tells of the backend only
 * if nobody got an answer for `in_vain` microseconds, a fair time. */
static word_e word_of(const ratings_guard_t *guard, apr_status_t status, int64_t in_vain)
{
    if (is_well(status))
        return IT_ANSWERS;
    if (status == RATINGS_NOT_ASKED || (status == APR_TIMEUP && in_vain < guard->fair_us))
        return NOTHING;
    return IT_FAILED;
}

apr_status_t ratings_guard_leave(ratings_guard_t *guard, int64_t since, const ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    int64_t in_vain = ratings_gate_leave(&guard->gate, since, now, is_well(why->status));
    word_e word = word_of(guard, why->status, in_vain);
    if (word == IT_ANSWERS && ratings_breaker_success(&guard->breaker))
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, guard->server, "%s: %s is back", guard->tag,
                     guard->name);
    else if (word == IT_FAILED && ratings_breaker_failure(&guard->breaker, now))
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, guard->server,
                     "%s: %s is away, %s; last failure: %s", guard->tag, guard->name, guard->effect,
                     why->detail);
    return why->status;
}
