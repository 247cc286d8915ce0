#include "statistics.h"

#include "../core/clock.h"
#include "../module.h"
#include "call.h"

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

static ratings_shm_cache_t *statistics_cache(const ratings_child_t *child)
{
    return ratings_shm_cache_of(child->service->shared, RATINGS_CACHE_STATISTICS);
}

static entry_key_t key_of(const ratings_child_t *child, const ratings_histogram_t *histogram)
{
    return (entry_key_t){*histogram, child->service->generation};
}

static uint32_t key_hash(const entry_key_t *key)
{
    apr_ssize_t length = sizeof *key;
    return apr_hashfunc_default((const char *)key, &length);
}

static bool get_statistics(const ratings_child_t *child, const ratings_histogram_t *histogram,
                           ratings_statistics_t *statistics)
{
    entry_t entry;
    const entry_key_t key = key_of(child, histogram);
    if (!ratings_shm_cache_get(statistics_cache(child), key_hash(&key), &key, &entry))
        return false;
    *statistics = entry.statistics;
    return true;
}

static void put_statistics(const ratings_child_t *child, const ratings_histogram_t *histogram,
                           const ratings_statistics_t *statistics)
{
    const entry_t entry = {key_of(child, histogram), *statistics};
    ratings_shm_cache_put(statistics_cache(child), key_hash(&entry.key), &entry);
}

/* Calls the function for this request. True: the call was this request's own. */
static bool call_function(ratings_call_t *call, const ratings_histogram_t *histogram,
                          ratings_singleflight_result_t *result)
{
    result->has_statistics =
        ratings_stats_compute(call->child->stats, histogram, call->deadline, &result->statistics,
                              &call->failure.why) == APR_SUCCESS;
    return true;
}

/* Calls the function, or waits for the call of another request. Returns whether the call was this
 * request's own: another's is for the other to report. */
static bool call_as_singleflight(ratings_call_t *call, const ratings_histogram_t *histogram,
                                 ratings_singleflight_result_t *result)
{
    ratings_child_t *child = call->child;
    ratings_singleflight_call_t own_call;
    int64_t until = ratings_call_until(call, child->service->config->stats_timeout);
    if (!ratings_singleflight_begin(&child->stats_calls, &own_call, histogram, until, result)) {
        ratings_result_set(&call->failure.why, APR_TIMEUP,
                           "the call of another request, for the same counts, failed");
        return false;
    }
    (void)call_function(call, histogram, result);
    if (result->has_statistics)
        put_statistics(child, histogram, &result->statistics);
    ratings_singleflight_finish(&child->stats_calls, &own_call, result);
    return true;
}

static bool refuse_unusable(ratings_call_t *call)
{
    ratings_result_set(&call->failure.why, RATINGS_NOT_ASKED, "%s cannot be used in this child",
                       call->child->policy[RATINGS_BACKEND_STATS].name);
    return false;
}

/* A request that waits for another's call takes a place of the bulkhead, too: it holds a thread. */
static bool compute_statistics(ratings_call_t *call, const ratings_histogram_t *histogram,
                               ratings_statistics_t *statistics)
{
    ratings_child_t *child = call->child;
    ratings_singleflight_result_t result = {.has_statistics = false};
    ratings_call_token_t token;
    if (!child->stats)
        return refuse_unusable(call);
    if (!ratings_call_policy_begin(&child->policy[RATINGS_BACKEND_STATS], call->deadline, &token,
                                   &call->failure.why))
        return false;
    if (child->service->config->stats_memo ? call_as_singleflight(call, histogram, &result)
                                           : call_function(call, histogram, &result))
        (void)ratings_call_policy_end(&token, &call->failure.why);
    else
        ratings_call_policy_abandon(&token, result.has_statistics);
    *statistics = result.statistics;
    return result.has_statistics;
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
    bool is_cached = call->child->service->config->stats_memo != 0;
    bool found = (is_cached && get_statistics(call->child, histogram, statistics)) ||
                 compute_statistics(call, histogram, statistics);
    if (!found)
        log_without_statistics(call);
    return found;
}
