#include "statistics.h"

#include "../core/clock.h"
#include "../module.h"
#include "backend_call.h"

#include <apr_hash.h>

#include <string.h>

/* Each restart, also a graceful one, has another generation of the configuration: a function that
 * was corrected is asked anew. */
typedef struct {
    ratings_histogram_t histogram;
    int64_t generation;
} entry_key_t;

typedef struct {
    entry_key_t key;
    ratings_statistics_t statistics;
} entry_t;

RATINGS_SHM_STRUCT(entry_t, 64, 9);

const ratings_shm_cache_geometry_t ratings_statistics_cache_geometry = {32768, sizeof(entry_key_t),
                                                                        sizeof(entry_t)};

static uint32_t key_hash(const entry_key_t *key)
{
    apr_ssize_t length = sizeof *key;
    return apr_hashfunc_default((const char *)key, &length);
}

static bool get_statistics(const ratings_service_t *service, const ratings_histogram_t *histogram,
                           ratings_statistics_t *statistics)
{
    entry_t entry;
    const entry_key_t key = {*histogram, service->generation};
    if (!ratings_shm_cache_get(ratings_shm_cache_of(service->shared, RATINGS_CACHE_STATISTICS),
                               key_hash(&key), &key, &entry))
        return false;
    *statistics = entry.statistics;
    return true;
}

static void put_statistics(const ratings_service_t *service, const ratings_histogram_t *histogram,
                           const ratings_statistics_t *statistics)
{
    const entry_t entry = {{*histogram, service->generation}, *statistics};
    ratings_shm_cache_put(ratings_shm_cache_of(service->shared, RATINGS_CACHE_STATISTICS),
                          key_hash(&entry.key), &entry);
}

/* Makes the call that was let in. */
static bool call_function(ratings_call_t *call, const ratings_histogram_t *histogram,
                          ratings_call_token_t *token, ratings_statistics_t *statistics)
{
    ratings_result_t *why = &call->failure.why;
    (void)ratings_stats_compute(call->child->stats, histogram, call->trace, call->deadline,
                                statistics, why);
    return ratings_call_policy_end(token, why) == APR_SUCCESS;
}

/* Makes the call, for all requests that need the same statistics by now, as part of this one's
 * trace; or waits for the one that does. What another got is for the other to report. */
static bool share_call(ratings_call_t *call, const ratings_histogram_t *histogram,
                       ratings_call_token_t *token, ratings_statistics_t *statistics)
{
    ratings_child_t *child = call->child;
    ratings_singleflight_call_t own_call;
    ratings_singleflight_result_t result = {.has_statistics = false};
    int64_t timeout = child->service->config->stats_timeout;
    int64_t until = ratings_earlier(ratings_monotonic() + timeout, call->deadline);
    if (ratings_singleflight_begin(&child->stats_calls, &own_call, histogram, until, &result)) {
        result.has_statistics = call_function(call, histogram, token, &result.statistics);
        if (result.has_statistics)
            put_statistics(child->service, histogram, &result.statistics);
        ratings_singleflight_finish(&child->stats_calls, &own_call, &result);
    } else {
        ratings_call_policy_abandon(token, result.has_statistics);
        ratings_result_set(&call->failure.why, APR_TIMEUP,
                           "the call of another request, for the same counts, failed");
    }
    *statistics = result.statistics;
    return result.has_statistics;
}

/* A request that waits for another's call takes a place of the bulkhead, too: it holds a thread. */
static bool compute_statistics(ratings_call_t *call, const ratings_histogram_t *histogram,
                               ratings_statistics_t *statistics)
{
    ratings_call_token_t token;
    if (!ratings_backend_call_begin(call, RATINGS_BACKEND_STATS, call->deadline, &token))
        return false;
    return call->child->service->config->stats_memo
               ? share_call(call, histogram, &token, statistics)
               : call_function(call, histogram, &token, statistics);
}

/* One line in ten seconds is a warning; none while the circuit breaker is open, which RT0204 says.
 */
static void log_without_statistics(const ratings_call_t *call)
{
    const ratings_child_t *child = call->child;
    bool is_shown =
        !ratings_call_policy_is_open(&child->policy[RATINGS_BACKEND_STATS]) &&
        ratings_shm_may_log(child->service->shared, RATINGS_LINE_NO_STATS, ratings_monotonic());
    ap_log_error(APLOG_MARK, is_shown ? APLOG_WARNING : APLOG_DEBUG, 0, child->service->server,
                 "RT0209: an answer goes without stats: %s", call->failure.why.detail);
}

bool ratings_statistics_of(ratings_call_t *call, const ratings_histogram_t *histogram,
                           ratings_statistics_t *statistics)
{
    const ratings_service_t *service = call->child->service;
    bool found = service->config->stats_memo && get_statistics(service, histogram, statistics);
    ratings_metrics_lookup(service->metrics, RATINGS_METRIC_CACHE_STATISTICS, found);
    if (!found)
        found = compute_statistics(call, histogram, statistics);
    if (!found)
        log_without_statistics(call);
    return found;
}
