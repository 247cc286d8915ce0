/* What both use cases begin with. */
#ifndef RATINGS_SERVICE_KNOWN_H
#define RATINGS_SERVICE_KNOWN_H

#include "ratings.h"

/* RATINGS_DONE if the talk exists, or did when it was looked up last, less than RatingsTalkTTL ago;
 * sets the call's talk_known_at. A talk that does not exist is looked up each time. */
ratings_outcome_e ratings_talk_known(ratings_call_t *call, const char *talk_id);

extern const ratings_shm_cache_geometry_t ratings_talk_cache_geometry; /* of RATINGS_CACHE_TALKS */

/* The partition of a talk, or -1 while no projector has told how talks are routed: the store has
 * not been reached since httpd was started. In a child that is new it waits for that. */
int ratings_partition_of(ratings_call_t *call, const char *talk_id);

/* Whether the caller may wait for the projector; it then calls ratings_waited after. False when so
 * many wait that this would leave no thread for other requests. */
bool ratings_may_wait(ratings_child_t *child, int64_t *until);
void ratings_waited(ratings_child_t *child, int64_t since, bool in_vain);

/* The earlier of the call's deadline, and now and `timeout` (microseconds). */
int64_t ratings_until(const ratings_call_t *call, int64_t timeout);

/* A malformed value of the store is data corruption, no outage: when the result of a call is one, a
 * rebuild is requested, and true returned. */
bool ratings_is_corruption(ratings_child_t *child, const ratings_result_t *why);

/* Finishes a call of the store. A malformed value is data corruption, no outage: the breaker
 * records a success, and a rebuild is requested. Returns the status. */
apr_status_t ratings_store_leave(ratings_child_t *child, ratings_call_token_t *token,
                                 const ratings_result_t *why);

/* Asks Kafka, for `timeout` microseconds, whether it takes events of this log: see
 * ratings_stream_check. */
apr_status_t ratings_stream_probe(ratings_child_t *child, int64_t timeout, ratings_result_t *why);

/* Ends a use case: the failure's part, and RATINGS_UNAVAILABLE. */
ratings_outcome_e ratings_unavailable(ratings_call_t *call, const char *part);

#endif
