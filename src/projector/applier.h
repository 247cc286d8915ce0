/* The applier: gathers a batch of each partition, sends the batches to the store, and publishes
 * what was applied to this host.
 *
 * Batches of one read go to the store in one exchange, since POSTs wait for it. While the projector
 * is far behind nobody does, and a batch costs the store by its talks, not by its events: then the
 * records of many reads are gathered first, and the next ones while the store applies them. For the
 * projector's thread. */
#ifndef RATINGS_PROJECTOR_APPLIER_H
#define RATINGS_PROJECTOR_APPLIER_H

#include "exchange.h"
#include "projection.h"

typedef struct {
    projection_t *projection;
    apr_pool_t *pool;       /* of the batches that are gathered */
    int64_t gathered_since; /* when the first of them was begun; 0: there are none */
    exchange_t sent;        /* those on their way to the store, if it is under way */
    apr_pool_t *sent_pool;  /* of these */
    bool has_applied;       /* something, since the projection was opened */
    bool is_commit_due;     /* the same, since the checkpoints were committed to Kafka */
} applier_t;

/* Its memory comes from a child of `pool`. */
void applier_init(applier_t *applier, projection_t *projection, apr_pool_t *pool);

/* The projection was opened. */
void applier_reset(applier_t *applier);

/* The batch of a partition, which is begun if there is none. */
batch_t *applier_batch(applier_t *applier, int partition);

/* Whether there is any, gathered or on its way. */
bool applier_has_batches(const applier_t *applier);

/* When what is gathered is due at the latest, of ratings_monotonic; INT64_MAX: nothing is. */
int64_t applier_due_at(const applier_t *applier);

/* Whether to send them now that a read has brought `count` records. */
bool applier_is_due(const applier_t *applier, int count);

/* Sends all batches that are gathered. While far behind the last of them stay on their way; else
 * all are applied. On a failure some may have been applied: opening the projection again tells
 * which. */
apr_status_t applier_flush(applier_t *applier, ratings_result_t *why);

/* Waits until nothing is on its way, and publishes what was applied. */
apr_status_t applier_settle(applier_t *applier, ratings_result_t *why);

/* Forgets what was read and is not applied, once nothing is on its way. */
void applier_drop(applier_t *applier);

#endif
