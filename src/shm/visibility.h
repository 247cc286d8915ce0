/* The visibility barrier of the writer: events that are durable and wait until the store has
 * applied them.
 *
 * Each waits for an offset of a partition. `ratings_visibility_enter` inserts a waiter into its
 * partition's queue, which is ordered by offset; `ratings_visibility_notify` removes those whose
 * offset the applied watermark has passed, and calls the function of each.
 *
 * The projector of the same child notifies after each of its publications: as the leader of what it
 * has applied itself, as the standby of a host of what it has learnt from the store. */
#ifndef RATINGS_SHM_VISIBILITY_H
#define RATINGS_SHM_VISIBILITY_H

#include "../core/offset_queue.h"
#include "segment.h"

#include <apr_pools.h>

#include <sys/queue.h>

typedef struct ratings_visibility_t ratings_visibility_t;
typedef struct ratings_visibility_waiter_t ratings_visibility_waiter_t;

/* Called once for a waiter whose event has become visible, by the thread that notifies, which holds
 * no lock of the barrier. The waiter is the caller's again from then on. */
typedef void ratings_visibility_reached_fn(ratings_visibility_waiter_t *waiter);

/* Part of what waits, and of its memory. The caller sets the first two members and zeroes the rest,
 * which are the barrier's. */
struct ratings_visibility_waiter_t {
    ratings_visibility_reached_fn *reached;
    int partition;
    ratings_offset_queue_item_t item; /* while it is queued */
    bool is_queued;
    STAILQ_ENTRY(ratings_visibility_waiter_t) link; /* of those that one notification removes */
};

/* In `pool`; `shared` lives longer. */
ratings_visibility_t *ratings_visibility_create(ratings_shm_t *shared, apr_pool_t *pool);

/* No waiter may be queued any more but those that nobody waits for. */
void ratings_visibility_destroy(ratings_visibility_t *visibility);

/* ---- by whoever publishes; any thread ---- */

/* Removes and calls all whose event has become visible. */
void ratings_visibility_notify(ratings_visibility_t *visibility);

/* Whether anybody waits: a standby that learns from the store asks it more often then. */
bool ratings_visibility_has_waiters(ratings_visibility_t *visibility);

/* ---- by who waits; any thread ---- */

/* Queues a waiter for the event at `offset` of its partition. True: it will be called, unless it
 * leaves before. False: the event is visible already, and the waiter was not queued. No publication
 * falls between this look at the watermark and the queue. */
bool ratings_visibility_enter(ratings_visibility_t *visibility, ratings_visibility_waiter_t *waiter,
                              int64_t offset);

/* Removes a waiter that nobody waits for any more. False: it was not queued, and is or will be
 * called if it was. */
bool ratings_visibility_leave(ratings_visibility_t *visibility,
                              ratings_visibility_waiter_t *waiter);

#endif
