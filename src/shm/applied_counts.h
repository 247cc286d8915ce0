/* The counts that the leader leaves: of the talks that it has changed, as the store replied when it
 * applied the batch, for the GETs of all children of this host. So the first GET after a rating
 * asks the store nothing. They are true for as long as a response that was made of the store at the
 * batch's checkpoint (validator.h).
 *
 * No lock; a read makes no system call and writes nothing to shared memory. */
#ifndef RATINGS_SHM_APPLIED_COUNTS_H
#define RATINGS_SHM_APPLIED_COUNTS_H

#include "../core/histogram.h"
#include "segment.h"
#include "validator.h"

/* By the leader, between ratings_shm_publish_changes and ratings_shm_publish_watermark of the same
 * checkpoint: leaves a talk's counts as they are there. They were asked for no earlier than
 * `read_at`. Does nothing if this host knows of another checkpoint by now. */
void ratings_applied_counts_leave(ratings_shm_t *shared, int partition,
                                  ratings_checkpoint_t checkpoint, int64_t read_at,
                                  const char *talk_id, const ratings_histogram_t *histogram);

/* By a GET, in the place of the store: the counts of a talk of the partition, if they were left and
 * are true, and no older than `ttl` (microseconds); and for how long. False: both are untouched.
 * Any thread of any child. */
bool ratings_applied_counts_get(const ratings_shm_t *shared, int64_t ttl, const char *talk_id,
                                int partition, ratings_validator_t *validator,
                                ratings_histogram_t *histogram);

extern const ratings_shm_cache_geometry_t ratings_applied_counts_geometry; /* of
                                                                            * RATINGS_CACHE_COUNTS
                                                                            */

#endif
