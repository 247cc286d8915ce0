#include "fresh.h"

#include "../core/clock.h"
#include "../shm/futex.h"

#define FRESH_RETRY_US INT64_C(50000)

/* A store behind what this host has seen of the log was lost or restored: the projector brings it
 * up to date, and the request waits for that. Or it is another server than the one that the
 * projector writes to by now, as after a failover behind a name: in the second half of the wait,
 * connections of before are retired. */
static apr_status_t retry_until_fresh(ratings_call_t *call, ratings_fresh_t *read, int64_t since)
{
    ratings_shm_t *shared = call->child->service->shared;
    int64_t half = (read->until - since) / 2, left = 1;
    apr_status_t status = APR_EAGAIN;
    while (status == APR_EAGAIN && left > 0) {
        uint32_t seen = atomic_load(&shared->published);
        status = read->read_once(call, read);
        left = read->until - ratings_monotonic();
        if (status == APR_EAGAIN && left < half)
            ratings_store_retire(call->child->store, since);
        if (status == APR_EAGAIN && left > 0)
            ratings_shm_wait(&shared->published, seen,
                             left < FRESH_RETRY_US ? left : FRESH_RETRY_US);
    }
    return status;
}

/* Within the bulkhead of those who wait for the projector, so that threads are left for requests
 * that need nothing of it. */
static apr_status_t await_fresh(ratings_call_t *call, ratings_fresh_t *read, int64_t since)
{
    ratings_bulkhead_t *bulkhead = &call->child->projector_bulkhead;
    int64_t until;
    if (!ratings_bulkhead_try_acquire(bulkhead, ratings_monotonic(), &until))
        return APR_EAGAIN;
    read->until = ratings_earlier(until, read->until);
    apr_status_t status = retry_until_fresh(call, read, since);
    (void)ratings_bulkhead_release(bulkhead, since, ratings_monotonic(), status == APR_SUCCESS);
    return status;
}

apr_status_t ratings_fresh_read(ratings_call_t *call, ratings_fresh_t *read)
{
    int64_t since = ratings_monotonic();
    int64_t timeout = call->child->service->config->store_timeout;
    read->until = ratings_earlier(since + timeout, call->deadline);
    apr_status_t status = read->read_once(call, read);
    if (status == APR_EAGAIN)
        status = await_fresh(call, read, since);
    return status == APR_EAGAIN ? ratings_result_set(&call->failure.why, status,
                                                     "the store is being brought up to date")
                                : status;
}
