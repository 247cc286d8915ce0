/* The projector: applies the log to the store, in order. Each child has a thread for it. The child
 * that holds its host's lease (../shm/host_lease.h) appends the events of all children, and asks
 * for the lease of all hosts (lease.h): it leads, or is the standby of its host. The other threads
 * sleep until the host's lease is to be had.
 *
 * From top to bottom, each file knowing those below it alone (build/lint/dependencies):
 *
 *   projector            the thread: asks for the leases; writes, and leads or is standby
 *   writer               a thread beside it: appends the events of the host's children
 *   standby              learns from the store what the leader of another host applies
 *   leader               reads and applies, step by step, until the lease is lost
 *   projection_open      do store and log belong together; where reading begins
 *   direct               what this child has appended itself is not read back
 *   event_fold           records into batches
 *   applier              batches into the store, and to this host
 *   rebuild, rebuild_progress, projection_routing, topic_watch, stall
 *   projection           what store and log say
 *   partition, lease, batch, own_records, projector_options */
#ifndef RATINGS_PROJECTOR_PROJECTOR_H
#define RATINGS_PROJECTOR_PROJECTOR_H

#include "projector_options.h"

typedef struct ratings_projector_t ratings_projector_t;

/* Starts the thread. The handle comes from `pool`; the thread's memory from pools of its own.
 * Errors: those of ratings_store_create, and of pthread_create. */
apr_status_t ratings_projector_create(ratings_projector_t **projector,
                                      const ratings_projector_options_t *options, apr_pool_t *pool,
                                      ratings_result_t *why);

/* Asks the thread to end; any thread, returns at once. */
void ratings_projector_stop(ratings_projector_t *projector);

/* The same, and waits until it has ended: the lease is given up, or runs out if the store hangs. A
 * question to Kafka that is under way, and a store that is being connected to, are waited for, up
 * to their timeouts. Once; nothing is left then but its reader of the log. */
void ratings_projector_join(ratings_projector_t *projector);

/* Once it was joined, and before the pool of create is destroyed: frees the reader. After all else,
 * since librdkafka may take seconds for it while Kafka does not answer. */
void ratings_projector_destroy(ratings_projector_t *projector);

#endif
