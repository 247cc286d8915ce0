/* What the calls of all use cases need: deadlines, failures, and calls of the store, whose answers
 * may say that it has to be rebuilt. Any thread. */
#ifndef RATINGS_SERVICE_CALL_H
#define RATINGS_SERVICE_CALL_H

#include "use_cases.h"

/* The earlier of the call's deadline, and `timeout` microseconds from now; of ratings_monotonic. */
int64_t ratings_call_until(const ratings_call_t *call, int64_t timeout);

/* Ends a use case: sets the failure's part, and returns RATINGS_OUTCOME_UNAVAILABLE. `part` is
 * static. */
ratings_outcome_e ratings_call_unavailable(ratings_call_t *call, const char *part);

/* A malformed value of the store is data corruption, no outage. If the result of a call of the
 * store says so, requests a rebuild, and returns true. */
bool ratings_request_rebuild_if_corrupt(ratings_child_t *child, const ratings_result_t *why);

/* Finishes a call of the store, and requests a rebuild if its result says that one is needed.
 * Returns the status. */
apr_status_t ratings_call_end_store(ratings_child_t *child, ratings_call_token_t *token,
                                    const ratings_result_t *why);

#endif
