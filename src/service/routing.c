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

/* After a child's first moments it is the store or the topic that is missing, and nobody is kept
 * waiting. Who learns of it (routing_publish) wakes nobody, so it is polled. A publication, which
 * may have brought it, ends the pause. */
bool ratings_routing_await(const ratings_call_t *call,
                           bool (*is_known)(const ratings_shm_t *shared))
{
    ratings_shm_t *shared = call->child->service->shared;
    int64_t until = ratings_earlier(
        call->child->started_at + call->child->service->config->store_timeout, call->deadline);
    for (;;) {
        uint32_t seen = atomic_load(&shared->published); /* before looking */
        if (is_known(shared))
            return true;
        int64_t left = until - ratings_monotonic();
        if (left <= 0)
            return false;
        ratings_shm_wait(&shared->published, seen, left < ROUTED_POLL_US ? left : ROUTED_POLL_US);
    }
}

static bool routing_is_known(const ratings_shm_t *shared)
{
    return atomic_load(&shared->routing_partitions) > 0;
}

int ratings_routing_partition(ratings_call_t *call, const char *talk_id)
{
    ratings_shm_t *shared = call->child->service->shared;
    if (ratings_routing_await(call, routing_is_known))
        return ratings_stream_partition(talk_id, atomic_load(&shared->routing_partitions));
    const char *fault = ratings_store_fault_text((int)atomic_load(&shared->store_fault));
    ratings_result_set(&call->failure.why, APR_ECONNREFUSED,
                       "it is not known yet by how many partitions talks are routed: %s%s",
                       fault ? "the store: " : "the topic has not been reached, or is being read",
                       fault ? fault : "");
    call->failure.part =
        fault ? "the store of ratings" : "the event log"; /* it stalls the projector */
    return -1;
}
