/* The visibility barrier of a child: requests that wait until the store has applied their event.
 *
 * Each waits for an offset of a partition. `ratings_visibility_enter` inserts a waiter into its
 * partition's queue, which is ordered by offset; `ratings_visibility_notify` removes those whose
 * offset the applied watermark has passed, and calls the function of each.
 *
 * The child's projector notifies after each of its publications while it is the leader. In every
 * other child a watcher thread does, which sleeps on the word that publications wake, and only
 * while somebody waits: children without waiters are not woken.
 *
 * A thread of its own, not mod_watchdog: that calls back at intervals of a tenth of a second at
 * best, where a waiter is to be told within microseconds, and the pool cleanup of the child does
 * not join its threads. */
#ifndef RATINGS_SHM_VISIBILITY_H
#define RATINGS_SHM_VISIBILITY_H

#include "../core/bulkhead.h"
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
    int64_t entered_at;                             /* of ratings_monotonic */
    STAILQ_ENTRY(ratings_visibility_waiter_t) link; /* of those that one notification removes */
};

typedef enum {
    RATINGS_VISIBILITY_REACHED, /* the event is visible; the waiter was not queued */
    RATINGS_VISIBILITY_REFUSED, /* too many wait already; not queued either */
    RATINGS_VISIBILITY_QUEUED   /* it will be called, unless it leaves before */
} ratings_visibility_entry_e;

/* Starts the watcher. `shared` and `bulkhead` live longer; the bulkhead bounds how many wait while
 * visibility takes long, here and elsewhere. APR_SUCCESS, or why there is no thread. */
apr_status_t ratings_visibility_create(ratings_visibility_t **visibility, ratings_shm_t *shared,
                                       ratings_bulkhead_t *bulkhead, apr_pool_t *pool);

/* Ends the watcher and waits for its end. No waiter may be queued any more. */
void ratings_visibility_destroy(ratings_visibility_t *visibility);

/* ---- by whoever applies, or watches who does; any thread ---- */

/* Whether the caller will notify after each publication from now on, so that the watcher need not.
 * Publications of others are then noticed with the next notification only. */
void ratings_visibility_serve(ratings_visibility_t *visibility, bool serves);

/* Removes and calls all whose event has become visible. */
void ratings_visibility_notify(ratings_visibility_t *visibility);

/* Whether anybody waits: a standby that learns from the store asks it more often then. */
bool ratings_visibility_has_waiters(ratings_visibility_t *visibility);

/* ---- by who waits; any thread ---- */

/* Queues a waiter for the event at `offset` of its partition. `*until`: when it has to leave, since
 * it was let in beyond the bound, in the hope that others are visible soon; else INT64_MAX. No
 * publication falls between this look at the watermark and the queue. */
ratings_visibility_entry_e ratings_visibility_enter(ratings_visibility_t *visibility,
                                                    ratings_visibility_waiter_t *waiter,
                                                    int64_t offset, int64_t now, int64_t *until);

/* Removes a waiter that has waited long enough. True: it was queued, and will not be called; then
 * `*is_now_visible` tells whether its event has become visible after all. False: it was removed
 * before, since its event is visible, and is or will be called. */
bool ratings_visibility_leave(ratings_visibility_t *visibility, ratings_visibility_waiter_t *waiter,
                              bool *is_now_visible);

#endif
