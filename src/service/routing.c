#include "routing.h"

#include "../backend/stream/stream_topic.h"
#include "../core/clock.h"
#include "../shm/futex.h"

#define ROUTED_POLL_US INT64_C(20000)

/* A topic by which talks are routed is there: it has records. */
apr_status_t ratings_routing_check(ratings_child_t *child, int64_t timeout, ratings_result_t *why)
{
    const ratings_shm_t *shared = child->service->shared;
    return ratings_stream_check(child->stream, atomic_load(&shared->routing_partitions),
                                atomic_load(&shared->min_insync), timeout, why);
}

/* By how many partitions talks are routed; 0 if that is not known. A child that is new waits for
 * it; after its first moments it is the store or the topic that is missing, and nobody is kept
 * waiting. Who learns of it (routing_publish) wakes nobody, so it is polled. A publication, which
 * may have brought it, ends the pause. */
static int await_routing_partitions(const ratings_call_t *call)
{
    ratings_shm_t *shared = call->child->service->shared;
    int64_t until = ratings_earlier(
        call->child->started_at + call->child->service->config->store_timeout, call->deadline);
    for (;;) {
        uint32_t seen = atomic_load(&shared->published); /* before looking */
        int count = atomic_load(&shared->routing_partitions);
        int64_t left = count > 0 ? 0 : until - ratings_monotonic();
        if (left <= 0)
            return count;
        ratings_shm_wait(&shared->published, seen, left < ROUTED_POLL_US ? left : ROUTED_POLL_US);
    }
}

int ratings_routing_partition(ratings_call_t *call, const char *talk_id)
{
    ratings_shm_t *shared = call->child->service->shared;
    int count = await_routing_partitions(call);
    if (count > 0)
        return ratings_stream_partition(talk_id, count);
    const char *fault = ratings_store_fault_text((int)atomic_load(&shared->store_fault));
    ratings_result_set(&call->failure.why, APR_ECONNREFUSED,
                       "it is not known yet by how many partitions talks are routed: %s%s",
                       fault ? "the store: " : "the topic has not been reached, or is being read",
                       fault ? fault : "");
    call->failure.part =
        fault ? "the store of ratings" : "the event log"; /* it stalls the projector */
    return -1;
}
