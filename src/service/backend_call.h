/* Private to service: the right of a request to ask a backend, see call_policy.h. */
#ifndef RATINGS_SERVICE_BACKEND_CALL_H
#define RATINGS_SERVICE_BACKEND_CALL_H

#include "child.h"
#include "use_cases.h"

#include <stdbool.h>
#include <stdint.h>

/* As ratings_call_policy_begin, by the policy of `backend`, at the latest at `until`. False:
 * call->failure.why says why not. */
bool ratings_backend_call_begin(ratings_call_t *call, ratings_backend_e backend, int64_t until,
                                ratings_call_token_t *token);

#endif
