#include "statistics.h"

#include "known.h"

#include <apr_hash.h>

#include <string.h>

typedef struct {
    ratings_histogram_t histogram;
    ratings_statistics_t statistics;
} remembered_t;

_Static_assert(sizeof(remembered_t) == RATINGS_STATISTICS_SIZE, "it is a record of a memo");

static ratings_memo_t *memo_of(const ratings_child_t *child)
{
    return ratings_shared_memo(child->service->shared, RATINGS_MEMO_STATISTICS);
}

static bool is_of(const void *record, const void *key)
{
    const remembered_t *remembered = record;
    return memcmp(&remembered->histogram, key, sizeof remembered->histogram) == 0;
}

static uint32_t hash_of(const ratings_histogram_t *histogram)
{
    apr_ssize_t length = sizeof *histogram;
    return apr_hashfunc_default((const char *)histogram, &length);
}

static bool recall(const ratings_child_t *child, const ratings_histogram_t *histogram,
                   ratings_statistics_t *statistics)
{
    remembered_t remembered;
    if (!ratings_memo_find(memo_of(child), hash_of(histogram), is_of, histogram, &remembered))
        return false;
    *statistics = remembered.statistics;
    return true;
}

static void remember(const ratings_child_t *child, const ratings_histogram_t *histogram,
                     const ratings_statistics_t *statistics)
{
    const remembered_t remembered = {*histogram, *statistics};
    ratings_memo_put(memo_of(child), hash_of(histogram), is_of, histogram, &remembered);
}

static void ask(ratings_call_t *call, const ratings_histogram_t *histogram,
                ratings_landing_t *landing)
{
    ratings_child_t *child = call->child;
    landing->has_statistics =
        ratings_stats_compute(child->stats, histogram, call->deadline, &landing->statistics,
                              &call->failure.why) == APR_SUCCESS;
    if (landing->has_statistics)
        remember(child, histogram, &landing->statistics);
}

/* By the call of this request, or by one that is under way. */
static void ask_once(ratings_call_t *call, const ratings_histogram_t *histogram,
                     ratings_landing_t *landing)
{
    ratings_child_t *child = call->child;
    ratings_result_t *why = &call->failure.why;
    ratings_flight_t flight;
    if (ratings_flight_lead(&child->flights, &flight, histogram,
                            ratings_until(call, child->service->config->stats_timeout), landing)) {
        ask(call, histogram, landing);
        ratings_flight_land(&child->flights, &flight, landing);
    } else if (landing->has_statistics) {
        ratings_result_ok(why);
    } else {
        ratings_result_set(why, APR_TIMEUP, "the call of another request, for the same, failed");
    }
}

bool ratings_statistics_of(ratings_call_t *call, const ratings_histogram_t *histogram,
                           ratings_statistics_t *statistics)
{
    ratings_child_t *child = call->child;
    ratings_result_t *why = &call->failure.why;
    ratings_landing_t landing;
    int64_t since;
    bool memo = child->service->config->stats_memo != 0;
    if (memo && recall(child, histogram, statistics))
        return true;
    if (!child->stats || !ratings_guard_enter(&child->stats_guard, call->deadline, &since, why))
        return false;
    if (memo)
        ask_once(call, histogram, &landing);
    else
        ask(call, histogram, &landing);
    *statistics = landing.statistics;
    return ratings_guard_leave(&child->stats_guard, since, why) == APR_SUCCESS;
}
