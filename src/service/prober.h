/* The prober: a thread of each child that calls backends whose circuit breaker is open, so that a
 * backend which recovers is found, and its line logged, though no request needs it. One child of
 * the host probes a backend at a time; while no breaker is open, all probers sleep, and cost
 * nothing.
 *
 * A thread of its own, not a callback of mod_watchdog: a call may take as long as its backend's
 * timeout, and one that every module shares must not wait for that. */
#ifndef RATINGS_SERVICE_PROBER_H
#define RATINGS_SERVICE_PROBER_H

#include "child.h"

/* Starts the thread. APR_SUCCESS, or why there is none. `child` and `pool` live longer. */
apr_status_t ratings_prober_create(ratings_prober_t **prober, ratings_child_t *child,
                                   apr_pool_t *pool);

/* Asks it to end; any thread, returns at once. */
void ratings_prober_stop(ratings_prober_t *prober);

/* The same, and waits until it has ended: half a second at most for a call of Kafka; calls of the
 * other backends are to be cancelled before. Once. */
void ratings_prober_destroy(ratings_prober_t *prober);

#endif
