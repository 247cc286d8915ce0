#include "fresh.h"

#include "../core/clock.h"
#include "../shm/futex.h"

#define FRESH_RETRY_US INT64_C(50000)
/* No read begins with less time left: it would be cut off, and its connection with it. */
#define FRESH_READ_US INT64_C(5000)

bool ratings_fresh_is(const ratings_call_t *call, ratings_fresh_t *read, int partition,
                      const ratings_snapshot_t *snapshot, ratings_checkpoint_t high)
{
    const ratings_position_t *position = &call->position;
    bool is_as_known = !snapshot->is_behind && snapshot->checkpoint >= high.offset &&
                       snapshot->log_id == high.log_id && snapshot->log_id != 0;
    read->lacks_position =
        is_as_known && position->partition == partition &&
        !ratings_position_is_reached(position, snapshot->log_id, snapshot->checkpoint);
    return is_as_known && !read->lacks_position;
}

/* ---- waiting ---- */

/* Until the next read may find more. Nothing that is published below the position is worth one; on
 * a host that only follows, what it knows may be late, so that the store is asked all the same. */
static void await_publication(const ratings_call_t *call, const ratings_fresh_t *read,
                              uint32_t seen)
{
    ratings_shm_t *shared = call->child->service->shared;
    int64_t until = ratings_earlier(read->until, ratings_monotonic() + FRESH_RETRY_US), left;
    while ((left = until - ratings_monotonic()) > 0) {
        ratings_shm_wait(&shared->published, seen, left);
        seen = atomic_load(&shared->published); /* before looking */
        if (!read->lacks_position || ratings_shm_has_reached(shared, &call->position))
            return;
    }
}

/* A store behind what this host has seen of the log was lost or restored: the projector brings it
 * up to date, and the request waits for that. Or it is another server than the one that the
 * projector writes to by now, as after a failover behind a name: in the second half of the wait,
 * connections of before are retired. Not for a position, which a client may have invented. */
static apr_status_t retry_until_fresh(ratings_call_t *call, ratings_fresh_t *read, int64_t since)
{
    ratings_shm_t *shared = call->child->service->shared;
    int64_t half = (read->until - since) / 2, left;
    apr_status_t status = APR_EAGAIN;
    while (status == APR_EAGAIN && read->until - ratings_monotonic() > FRESH_READ_US) {
        uint32_t seen = atomic_load(&shared->published);
        status = read->read_once(call, read);
        left = read->until - ratings_monotonic();
        if (status == APR_EAGAIN && left < half && !read->lacks_position)
            ratings_store_retire(call->child->store, since);
        if (status == APR_EAGAIN)
            await_publication(call, read, seen);
    }
    return status;
}

/* Within the bulkhead of those who wait for the projector, so that threads are left for requests
 * that need nothing of it. Whoever carries a position that this host does not know to be reached
 * has a smaller one, so that invented ones keep nobody else waiting. */
static ratings_bulkhead_t *bulkhead_of(const ratings_call_t *call)
{
    return ratings_shm_has_reached(call->child->service->shared, &call->position)
               ? &call->child->projector_bulkhead
               : &call->child->position_bulkhead;
}

static apr_status_t await_fresh(ratings_call_t *call, ratings_fresh_t *read, int64_t since)
{
    ratings_bulkhead_t *bulkhead = bulkhead_of(call);
    int64_t until;
    if (!ratings_bulkhead_try_acquire(bulkhead, ratings_monotonic(), &until)) {
        ratings_metrics_bulkhead_refused(call->child->service->metrics,
                                         bulkhead == &call->child->position_bulkhead
                                             ? RATINGS_METRIC_BULKHEAD_POSITION
                                             : RATINGS_METRIC_BULKHEAD_PROJECTOR);
        return APR_EAGAIN;
    }
    read->until = ratings_earlier(until, read->until);
    apr_status_t status = retry_until_fresh(call, read, since);
    (void)ratings_bulkhead_release(bulkhead, since, ratings_monotonic(), status == APR_SUCCESS);
    return status;
}

/* ---- the read ---- */

/* Also where the last read was cut off: that the store cannot be read says another status. */
static bool is_only_not_reached(const ratings_fresh_t *read, apr_status_t status)
{
    return read->lacks_position && (status == APR_EAGAIN || status == APR_TIMEUP);
}

ratings_outcome_e ratings_fresh_read(ratings_call_t *call, ratings_fresh_t *read)
{
    int64_t since = ratings_monotonic();
    int64_t timeout = call->child->service->config->store_timeout;
    read->until = ratings_earlier(since + timeout, call->deadline);
    apr_status_t status = read->read_once(call, read);
    if (status == APR_EAGAIN)
        status = await_fresh(call, read, since);
    if (status == APR_SUCCESS)
        return RATINGS_OUTCOME_DONE;
    if (is_only_not_reached(read, status))
        return RATINGS_OUTCOME_NOT_REACHED;
    if (status == APR_EAGAIN)
        ratings_result_set(&call->failure.why, status, "the store is being brought up to date");
    call->failure.part = "the store of ratings";
    return RATINGS_OUTCOME_UNAVAILABLE;
}
