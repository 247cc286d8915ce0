#include "known.h"

#define GLANCE_US INT64_C(20000)

ratings_outcome_e ratings_unavailable(ratings_failure_t *failure, const char *part)
{
    failure->part = part;
    return RATINGS_UNAVAILABLE;
}

static apr_status_t look_up(ratings_child_t *child, const char *talk_id, apr_pool_t *pool,
                            ratings_result_t *why)
{
    if (!child->talks)
        return ratings_result_set(why, APR_ECONNREFUSED, "%s cannot be used in this child",
                                  child->talks_guard.name);
    if (!ratings_guard_enter(&child->talks_guard, why))
        return why->status;
    (void)ratings_talks_exists(child->talks, talk_id, pool, why);
    return ratings_guard_leave(&child->talks_guard, why);
}

ratings_outcome_e ratings_talk_known(ratings_child_t *child, const char *talk_id, apr_pool_t *pool,
                                     ratings_failure_t *failure)
{
    apr_status_t status = look_up(child, talk_id, pool, &failure->why);
    if (status == APR_NOTFOUND)
        return RATINGS_NO_TALK;
    return status == APR_SUCCESS ? RATINGS_DONE : ratings_unavailable(failure, "the list of talks");
}

int ratings_partition_of(ratings_child_t *child, const char *talk_id, int64_t until,
                         ratings_failure_t *failure)
{
    ratings_shared_t *shared = child->service->shared;
    for (;;) {
        uint32_t seen = atomic_load(&shared->published);
        int routed = atomic_load(&shared->routed);
        if (routed > 0)
            return ratings_stream_partition(talk_id, routed);
        int64_t left = until - ratings_monotonic();
        if (left <= 0)
            break;
        ratings_shared_wait(&shared->published, seen, left < GLANCE_US ? left : GLANCE_US);
    }
    ratings_result_set(&failure->why, APR_ECONNREFUSED,
                       "the store or the topic has not been reached since httpd was started");
    return -1;
}
