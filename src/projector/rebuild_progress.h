/* How far a rebuild is, for the error log and, by the shared memory, for readiness. For the
 * projector's thread. */
#ifndef RATINGS_PROJECTOR_REBUILD_PROGRESS_H
#define RATINGS_PROJECTOR_REBUILD_PROGRESS_H

#include "projection.h"

typedef struct {
    const projection_t *projection;
    int64_t since;          /* of ratings_monotonic; 0: no rebuild is under way */
    int64_t applied_before; /* records that were applied then */
    int64_t log_at;         /* when a line is due next */
} rebuild_progress_t;

void rebuild_progress_init(rebuild_progress_t *progress, const projection_t *projection);

/* While a rebuild is under way, with each step. */
void rebuild_progress_publish(rebuild_progress_t *progress);

/* There is none, or it is left to somebody else; also when there was none. */
void rebuild_progress_end(rebuild_progress_t *progress);

#endif
