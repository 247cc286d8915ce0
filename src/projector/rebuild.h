/* A rebuild: a store that is no read model of the log is claimed, emptied, and opened with all
 * checkpoints 0, to be read anew from the log's beginning.
 *
 * Not by FLUSHDB: the database may hold other keys, and a user of Redis rarely may. Not beside the
 * old counts, under names of another generation, to be swapped at the end: readers of `ratings/ID`
 * would have to know which, and Redis would need memory for both. */
#ifndef RATINGS_PROJECTOR_REBUILD_H
#define RATINGS_PROJECTOR_REBUILD_H

#include "projection.h"

/* Empties the store and opens it, for `reason`, which is logged. The topic's ends were read. On
 * APR_SUCCESS the state is loaded again. Renews the lease meanwhile; APR_EAGAIN also when the
 * thread is to stop: whoever leads next begins again. For the projector's thread. */
apr_status_t rebuild_store(projection_t *p, const char *reason, ratings_result_t *why);

#endif
