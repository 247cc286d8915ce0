/* What both use cases begin with. */
#ifndef RATINGS_SERVICE_KNOWN_H
#define RATINGS_SERVICE_KNOWN_H

#include "ratings.h"

/* RATINGS_DONE if the talk exists. */
ratings_outcome_e ratings_talk_known(ratings_child_t *child, const char *talk_id, apr_pool_t *pool,
                                     ratings_failure_t *failure);

/* The partition of a talk, or -1 while no projector has told how talks are routed: the store has
 * not been reached since httpd was started. Waits until `until` (ratings_monotonic) for it. */
int ratings_partition_of(ratings_child_t *child, const char *talk_id, int64_t until,
                         ratings_failure_t *failure);

/* Ends a use case: the failure's part, and RATINGS_UNAVAILABLE. */
ratings_outcome_e ratings_unavailable(ratings_failure_t *failure, const char *part);

#endif
