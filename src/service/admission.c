#include "admission.h"

#include "routing.h"

static bool electorate_is_known(const ratings_shm_t *shared)
{
    return atomic_load(&shared->electorate) != 0;
}

static ratings_outcome_e refuse_voters(ratings_call_t *call, ratings_outcome_e outcome,
                                       const char *why)
{
    call->failure.part = "the secret of its voters";
    ratings_result_set(&call->failure.why, APR_ECONNREFUSED, "%s", why);
    return outcome;
}

ratings_outcome_e ratings_admit_voters(ratings_call_t *call, const ratings_electorate_t *electorate)
{
    const ratings_shm_t *shared = call->child->service->shared;
    if (!ratings_routing_await(call, electorate_is_known))
        return refuse_voters(call, RATINGS_OUTCOME_UNAVAILABLE,
                             "it is not known yet which electorate votes: the log has not been "
                             "reached, or is being read");
    return atomic_load(&shared->electorate) == ratings_electorate_number(electorate)
               ? RATINGS_OUTCOME_DONE
               : refuse_voters(call, RATINGS_OUTCOME_OTHER_VOTERS,
                               "RatingsVoterSecret is not that of the electorate that votes");
}
