/* For how long what was made of the store is true: until its talk may have changed.
 *
 * It is while epoch and change counter of its talk are what they were before the store was read,
 * and while the applied watermark is confirmed (checkpoints.h): nothing that this host knows of has
 * changed the talk's counts since. It also ends with time, so that edits of the store by hand are
 * noticed.
 *
 * Any thread of any child. Times are microseconds, points in time those of ratings_monotonic. */
#ifndef RATINGS_SHM_VALIDATOR_H
#define RATINGS_SHM_VALIDATOR_H

#include "checkpoints.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool is_cacheable; /* false: it may be sent once */
    int partition;     /* of the talk */
    ratings_changes_t changes;
    int64_t read_at; /* when the store was read, or before */
    int64_t until;   /* of ratings_wall_clock: when it hides what is to be shown; RATINGS_NEVER */
} ratings_validator_t;

/* Whether what is of the talk in `slot` (ratings_shm_slot) is true at `now`, if it may be no older
 * than `ttl`: as good as what is read of the store then, but for what other hosts apply, which it
 * may miss for a second, and for edits by hand. `until` is the caller's to look at. */
bool ratings_validator_holds(const ratings_shm_t *shared, const ratings_validator_t *validator,
                             uint32_t slot, int64_t now, int64_t ttl);

#endif
