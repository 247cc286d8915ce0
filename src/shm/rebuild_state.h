/* The rebuild of the store, as the children of this host know it: whether somebody has requested
 * one, and how far the one is that a projector of this host makes. Any thread of any child. */
#ifndef RATINGS_SHM_REBUILD_STATE_H
#define RATINGS_SHM_REBUILD_STATE_H

#include "layout.h"

#include <stdint.h>

/* Why the store may be no read model of the log, as anybody may notice. */
typedef enum {
    RATINGS_REBUILD_REQUEST_NONE,
    RATINGS_REBUILD_REQUEST_STORE,   /* it holds what the module never writes */
    RATINGS_REBUILD_REQUEST_LOG,     /* an event was appended below what was applied */
    RATINGS_REBUILD_REQUEST_OPERATOR /* somebody wants it: ratingsctl rebuild writes this number */
    /* what another version adds is a reason as well */
} ratings_rebuild_request_e;

/* Requests a rebuild, which the leader makes with its next step, or a standby asks the leader of
 * another host for. */
void ratings_shm_request_rebuild(ratings_shm_t *shared, ratings_rebuild_request_e request);

/* The three are stored one after the other: who reads them may see a little of the step before. */
typedef struct {
    int64_t applied, total; /* records, of how many; `total` 0: no rebuild is under way */
    int64_t seconds_left;   /* RATINGS_SECONDS_UNKNOWN: not known yet */
} ratings_progress_t;

void ratings_shm_set_progress(ratings_shm_t *shared, const ratings_progress_t *progress);
ratings_progress_t ratings_shm_progress(const ratings_shm_t *shared);

#endif
