/* A thread of each child that probes backends whose circuit breaker is open, so that a backend that
 * recovers is found, and told to the error log, though no request needs it. One child of the host
 * probes a backend at a time; while no breaker is open, all sleep. */
#ifndef RATINGS_SERVICE_PROBER_H
#define RATINGS_SERVICE_PROBER_H

#include "child.h"

/* Starts the thread. */
apr_status_t ratings_prober_create(ratings_prober_t **prober, ratings_child_t *child,
                                   apr_pool_t *pool);

/* Asks it to end; any thread, returns at once. */
void ratings_prober_stop(ratings_prober_t *prober);

/* The same, and waits until it has ended: a question to Kafka that is under way is waited for, half
 * a second at most; calls of the other backends are to be interrupted before. Once. */
void ratings_prober_destroy(ratings_prober_t *prober);

#endif
