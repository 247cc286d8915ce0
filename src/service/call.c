#include "call.h"

#include "../core/clock.h"

int64_t ratings_call_until(const ratings_call_t *call, int64_t timeout)
{
    int64_t until = ratings_monotonic() + timeout;
    return until < call->deadline ? until : call->deadline;
}

ratings_outcome_e ratings_call_unavailable(ratings_call_t *call, const char *part)
{
    call->failure.part = part;
    return RATINGS_OUTCOME_UNAVAILABLE;
}

bool ratings_request_rebuild_if_corrupt(ratings_child_t *child, const ratings_result_t *why)
{
    bool is_corrupt = why->status == RATINGS_REBUILD_NEEDED;
    if (is_corrupt)
        ratings_shm_request_rebuild(child->service->shared, RATINGS_REBUILD_REQUEST_STORE);
    return is_corrupt;
}

apr_status_t ratings_call_end_store(ratings_child_t *child, ratings_call_token_t *token,
                                    const ratings_result_t *why)
{
    (void)ratings_request_rebuild_if_corrupt(child, why);
    return ratings_call_policy_end(token, why);
}
