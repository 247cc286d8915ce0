#include "backend_call.h"

bool ratings_backend_call_begin(ratings_call_t *call, ratings_backend_e backend, int64_t until,
                                ratings_call_token_t *token)
{
    return ratings_call_policy_begin(&call->child->policy[backend], until, token,
                                     &call->failure.why);
}
