#include "backend_call.h"

bool ratings_backend_call_begin(ratings_call_t *call, ratings_backend_e backend, int64_t until,
                                ratings_call_token_t *token)
{
    call->failure.backend = backend;
    bool is_begun =
        ratings_call_policy_begin(&call->child->policy[backend], until, token, &call->failure.why);
    if (is_begun)
        token->spent = &call->spent[backend];
    return is_begun;
}
