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
    ratings_gate_leave(&guard->gate, *since, false);
    ratings_result_set(why, APR_ECONNREFUSED, "%s is left alone after failures in a row",
                       guard->name);
    return false;
}

void ratings_guard_pass(ratings_guard_t *guard, int64_t since, bool prompt)
{
    int64_t now = ratings_monotonic();
    ratings_gate_leave(&guard->gate, now, prompt && now - since <= RATINGS_GATE_PATIENCE_US);
}

static bool is_well(apr_status_t status)
{
    return status == APR_SUCCESS || status == APR_NOTFOUND || status == APR_EAGAIN;
}

apr_status_t ratings_guard_leave(ratings_guard_t *guard, int64_t since, const ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    ratings_guard_pass(guard, since, is_well(why->status));
    if (is_well(why->status)) {
        if (ratings_breaker_success(&guard->breaker))
            ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, guard->server, "%s: %s is back", guard->tag,
                         guard->name);
    } else if (ratings_breaker_failure(&guard->breaker, now)) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, guard->server,
                     "%s: %s is away, %s; last failure: %s", guard->tag, guard->name, guard->effect,
                     why->detail);
    }
    return why->status;
}
