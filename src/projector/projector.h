/* The projector: applies the log to the store, in order, while it holds the lease. Each child has
 * one thread for it; one of all, over all hosts, works at a time. */
#ifndef RATINGS_PROJECTOR_H
#define RATINGS_PROJECTOR_H

#include "../service/service.h"

/* A hold-up that passes by itself has passed by then. */
#define RATINGS_PASSING_US INT64_C(3000000)

/* Starts the thread; `child` has its stream and waiters. The thread's memory comes from pools of
 * its own. */
apr_status_t ratings_projector_create(ratings_projector_t **projector, ratings_child_t *child,
                                      apr_pool_t *pool, ratings_result_t *why);

/* Asks it to end; any thread, returns at once. */
void ratings_projector_stop(ratings_projector_t *projector);

/* The same, and waits until it has ended: the lease is given up, or runs out if the store hangs. A
 * question to Kafka that is under way, and a store that is being connected to, are waited for, up
 * to their timeouts. Once; nothing is left then but its reader of the log. */
void ratings_projector_end(ratings_projector_t *projector);

/* Once it has ended, and before the pool of create is destroyed: frees the reader. After all else,
 * since librdkafka may take seconds for it while Kafka does not answer. */
void ratings_projector_destroy(ratings_projector_t *projector);

#endif
