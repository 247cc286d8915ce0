/* Opening the projection: where do log and store stand, and do they belong together? The store is
 * rebuilt if it is no read model of the log; then reading begins at its checkpoints. */
#ifndef RATINGS_PROJECTOR_PROJECTION_OPEN_H
#define RATINGS_PROJECTOR_PROJECTION_OPEN_H

#include "projection_electorate.h"
#include "projection_routing.h"
#include "topic_watch.h"

typedef struct {
    projection_t *projection;
    routing_t *routing;
    electorate_t *electorate;
    topic_watch_t *topic;
    int64_t in_grace_since; /* since when the log shows less than the store has applied; 0: it does
                               not. Of ratings_monotonic */
    int64_t unread_since;   /* since when the reader has had no answer; 0: it has */
} opening_t;

void opening_init(opening_t *opening, projection_t *projection, routing_t *routing,
                  electorate_t *electorate, topic_watch_t *topic);

/* Under the lease. Asks Kafka up to ten questions, each for PROJECTION_TIMEOUT_US at most, and
 * assigns the reader; projection_close afterwards in any case. APR_EAGAIN, and
 * RATINGS_REBUILD_NEEDED: to be tried again. APR_EINVAL: the store is that of another topic, or no
 * Redis. */
apr_status_t projection_open(opening_t *opening, ratings_result_t *why);

/* Lets go of what was opened, also in part. The batches must be gone. */
void projection_close(projection_t *p);

#endif
