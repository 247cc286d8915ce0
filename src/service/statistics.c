#include "statistics.h"

#include "../core/clock.h"
#include "../module.h"
#include "call.h"

#include <apr_hash.h>

#include <string.h>

/* Another generation of the configuration comes with a restart, also a graceful one: a function
 * that was corrected is asked anew. */
typedef struct {
    ratings_histogram_t histogram;
    int64_t generation;
} question_t;

typedef struct {
    question_t question;
    ratings_statistics_t statistics;
} remembered_t;

const ratings_shm_cache_geometry_t ratings_statistics_cache_geometry = {32768, sizeof(question_t),
                                                                        sizeof(remembered_t)};

static ratings_shm_cache_t *memo_of(const ratings_child_t *child)
{
    return ratings_shm_cache_of(child->service->shared, RATINGS_CACHE_STATISTICS);
}

static question_t question_of(const ratings_child_t *child, const ratings_histogram_t *histogram)
{
    return (question_t){*histogram, child->service->generation};
}

static uint32_t hash_of(const question_t *question)
{
    apr_ssize_t length = sizeof *question;
    return apr_hashfunc_default((const char *)question, &length);
}

static bool recall(const ratings_child_t *child, const ratings_histogram_t *histogram,
                   ratings_statistics_t *statistics)
{
    remembered_t remembered;
    const question_t question = question_of(child, histogram);
    if (!ratings_shm_cache_get(memo_of(child), hash_of(&question), &question, &remembered))
        return false;
    *statistics = remembered.statistics;
    return true;
}

static void remember(const ratings_child_t *child, const ratings_histogram_t *histogram,
                     const ratings_statistics_t *statistics)
{
    const remembered_t remembered = {question_of(child, histogram), *statistics};
    ratings_shm_cache_put(memo_of(child), hash_of(&remembered.question), &remembered);
}

/* By a call of this request: true. */
static bool ask(ratings_call_t *call, const ratings_histogram_t *histogram,
                ratings_singleflight_result_t *landing)
{
    landing->has_statistics =
        ratings_stats_compute(call->child->stats, histogram, call->deadline, &landing->statistics,
                              &call->failure.why) == APR_SUCCESS;
    return true;
}

/* By the call of this request, or by one that is under way; whether it was this request's. What
 * another's call says of the function is for the other to report. */
static bool ask_once(ratings_call_t *call, const ratings_histogram_t *histogram,
                     ratings_singleflight_result_t *landing)
{
    ratings_child_t *child = call->child;
    ratings_singleflight_call_t flight;
    int64_t until = ratings_call_until(call, child->service->config->stats_timeout);
    if (!ratings_singleflight_begin(&child->stats_calls, &flight, histogram, until, landing)) {
        ratings_result_set(&call->failure.why, APR_TIMEUP,
                           "the call of another request, for the same counts, failed");
        return false;
    }
    (void)ask(call, histogram, landing);
    if (landing->has_statistics)
        remember(child, histogram, &landing->statistics);
    ratings_singleflight_finish(&child->stats_calls, &flight, landing);
    return true;
}

static bool cannot_be_used(ratings_call_t *call)
{
    ratings_result_set(&call->failure.why, RATINGS_NOT_ASKED, "%s cannot be used in this child",
                       call->child->policy[RATINGS_BACKEND_STATS].name);
    return false;
}

/* By the call policy: a request that waits for another's call holds a thread as well. */
static bool compute(ratings_call_t *call, const ratings_histogram_t *histogram,
                    ratings_statistics_t *statistics)
{
    ratings_child_t *child = call->child;
    ratings_singleflight_result_t landing = {.has_statistics = false};
    ratings_call_token_t token;
    if (!child->stats)
        return cannot_be_used(call);
    if (!ratings_call_policy_begin(&child->policy[RATINGS_BACKEND_STATS], call->deadline, &token,
                                   &call->failure.why))
        return false;
    if (child->service->config->stats_memo ? ask_once(call, histogram, &landing)
                                           : ask(call, histogram, &landing))
        (void)ratings_call_policy_end(&token, &call->failure.why);
    else
        ratings_call_policy_abandon(&token, landing.has_statistics);
    *statistics = landing.statistics;
    return landing.has_statistics;
}

/* Now and then; not while the circuit breaker is open, of which RT0204 has told. */
static void say_without(const ratings_call_t *call)
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
    bool memo = call->child->service->config->stats_memo != 0;
    bool found = (memo && recall(call->child, histogram, statistics)) ||
                 compute(call, histogram, statistics);
    if (!found)
        say_without(call);
    return found;
}
