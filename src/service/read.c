/* Reading a talk's ratings: the talk exists, the histogram is no older than what was shown, the
 * statistics if the function answers. */
#include "known.h"

#define RETRY_US INT64_C(50000)

/* One read. A store that answers nonsense is well as a server: the projector is told instead. */
static apr_status_t read_store(ratings_child_t *child, const char *talk_id, int partition,
                               ratings_histogram_t *histogram, int64_t *position,
                               ratings_result_t *why)
{
    if (!ratings_guard_enter(&child->store_guard, why))
        return why->status;
    apr_status_t status =
        ratings_store_read(child->store, talk_id, partition, histogram, position, why);
    if (status == APR_EINVAL) {
        ratings_result_t well;
        atomic_store(&child->service->shared->suspect, RATINGS_SUSPECT_STORE);
        ratings_result_ok(&well);
        (void)ratings_guard_leave(&child->store_guard, &well);
        return status;
    }
    return ratings_guard_leave(&child->store_guard, why);
}

/* A store behind what this host has seen of the log was lost or restored: it is being brought up to
 * date, and is waited for. What was seen is looked up before the store is read. */
static apr_status_t read_fresh(ratings_child_t *child, const char *talk_id, int partition,
                               int64_t until, ratings_histogram_t *histogram, ratings_result_t *why)
{
    ratings_shared_t *shared = child->service->shared;
    for (;;) {
        uint32_t seen = atomic_load(&shared->published);
        int64_t high = atomic_load(&shared->partition[partition].high), position = -1;
        apr_status_t status = read_store(child, talk_id, partition, histogram, &position, why);
        if (status != APR_SUCCESS && status != APR_EINVAL)
            return status;
        if (status == APR_SUCCESS && position >= 0 && position >= high)
            return APR_SUCCESS;
        int64_t left = until - ratings_monotonic();
        if (left <= 0)
            return ratings_result_set(why, APR_EAGAIN, "the store is being brought up to date");
        ratings_shared_wait(&shared->published, seen, left < RETRY_US ? left : RETRY_US);
    }
}

static bool compute(ratings_child_t *child, const ratings_histogram_t *histogram,
                    ratings_statistics_t *statistics, ratings_result_t *why)
{
    if (!child->stats || !ratings_guard_enter(&child->stats_guard, why))
        return false;
    (void)ratings_stats_compute(child->stats, histogram, statistics, why);
    return ratings_guard_leave(&child->stats_guard, why) == APR_SUCCESS;
}

ratings_outcome_e ratings_read(ratings_child_t *child, const char *talk_id, apr_pool_t *pool,
                               ratings_summary_t *summary, ratings_failure_t *failure)
{
    ratings_outcome_e outcome = ratings_talk_known(child, talk_id, pool, failure);
    if (outcome != RATINGS_DONE)
        return outcome;
    int64_t until = ratings_monotonic() + child->service->config->store_timeout;
    int partition = ratings_partition_of(child, talk_id, until, failure);
    if (partition < 0 || !child->store ||
        read_fresh(child, talk_id, partition, until, &summary->histogram, &failure->why) !=
            APR_SUCCESS)
        return ratings_unavailable(failure, "the store of ratings");
    summary->has_statistics =
        compute(child, &summary->histogram, &summary->statistics, &failure->why);
    return RATINGS_DONE;
}
