/* A bounded pool of connections, each used by one call at a time: those of the talks, the store and
 * the statistics.
 *
 * A call acquires a connection and gives it back. The one used last is reused first: its server
 * answered a moment ago, and those of a busy hour stay idle at the other end, where the pool closes
 * them after RATINGS_POOL_IDLE_MAX_US. The newest idle one stays, so that a service that is asked
 * once in a while does not connect each time. While all are in use, a call waits for one, within
 * its deadline.
 *
 * Where the library connects within a deadline (store, stats), the calling thread opens. Where it
 * cannot (libpq bounds connecting in whole seconds, and nothing interrupts it), a thread of the
 * pool's does, and the call waits for it no longer than its own deadline; a connection that comes
 * too late for the call that wanted it serves the next one.
 *
 * Not apr_reslist: it has no deadline for one call (its timeout is the pool's) and cannot be
 * cancelled; its constructor, which connects, runs with its lock held, so that a server that does
 * not answer holds every thread; and what is idle for too long is closed when a call takes it, also
 * the connection that a service uses once in a while.
 *
 * Any thread. The pool is part of a reference-counted object (refobj.h), whose lock guards it and
 * is never held while a connection is opened, tried or closed. The caller of each function below
 * holds a reference, or knows that no call is under way when the owner shuts down (the store).
 * Nothing is logged: `why` carries the reason. */
#ifndef RATINGS_COMMON_POOL_H
#define RATINGS_COMMON_POOL_H

#include "deadline.h"
#include "refobj.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define RATINGS_POOL_IDLE_MAX_US INT64_C(60000000)

typedef struct ratings_pool_t ratings_pool_t;

/* The pool's part of a connection: the backend makes it a member of its own. */
typedef struct ratings_pooled_t {
    TAILQ_ENTRY(ratings_pooled_t) link; /* while it is idle */
    int64_t opened_at;                  /* when opening began, of ratings_monotonic */
    int64_t idle_since;
    bool was_idle; /* in use: it was idle before, or replaces one that was */
} ratings_pooled_t;

/* What a backend does. The pool calls each without the lock. */
typedef struct {
    /* A connection, or NULL and `why`. In the calling thread it keeps to `deadline`; in the
     * background that is the cancellation alone. `pool` is a member of the backend's object. */
    ratings_pooled_t *(*open)(ratings_pool_t *pool, const ratings_deadline_t *deadline,
                              ratings_result_t *why);
    bool opens_in_background;
    void (*close)(ratings_pooled_t *connection);
    /* Whether an idle connection can be used: the server has neither closed it nor said anything.
     * Without waiting. NULL: each can. */
    bool (*is_usable)(ratings_pooled_t *connection);
} ratings_pool_ops_t;

/* How a pool is used, for whoever watches: written with the lock held, until the owner shuts down,
 * and read by anybody. What the calling thread opens for itself is in use. */
typedef struct {
    _Atomic int32_t in_use, idle, opening; /* connections */
    _Atomic int32_t waiting;               /* calls that have none yet */
} ratings_pool_usage_t;

struct ratings_pool_t {
    const ratings_pool_ops_t *ops;
    ratings_refobj_t *owner;
    int size;                    /* connections, at most */
    _Atomic int64_t *retired_at; /* connections opened before are not used again */
    _Atomic int64_t own_retired_at;
    ratings_pool_usage_t *usage; /* until the owner shuts down; NULL, as after init: nobody
                                  * watches */

    /* with the owner's lock held */
    TAILQ_HEAD(ratings_pooled_list_t, ratings_pooled_t) idle; /* the one used last comes first */
    int idle_count;
    int taken;              /* of `size`: idle, in use, being opened */
    int opening;            /* those that threads of the pool are opening */
    int waiting;            /* calls that need one and find none idle */
    _Atomic uint64_t tries; /* openings begun by threads of the pool, each known by its number */
    uint64_t last_failed;   /* the highest number of those that failed, and why */
    ratings_result_t failure;
};

/* An empty pool of at most `size` connections (>= 1) in `owner`, zeroed memory, without connecting.
 * `retired_at` makes several pools retire together, and outlives them; NULL: the pool's own. */
void ratings_pool_init(ratings_pool_t *pool, ratings_refobj_t *owner, const ratings_pool_ops_t *ops,
                       int size, _Atomic int64_t *retired_at);

/* A connection for the caller alone, by `deadline` at the latest. RATINGS_NOT_ASKED: none came free
 * in time, as the calls of others had them all, or the call was cancelled. APR_TIMEUP: none could
 * be opened in time. Else why the backend could not open one. */
apr_status_t ratings_pool_acquire(ratings_pool_t *pool, const ratings_deadline_t *deadline,
                                  ratings_pooled_t **connection, ratings_result_t *why);

/* Ends of its use: it can serve the next call / it is closed / it is the caller's from now on, who
 * closes it later, while another may be opened in its place. */
void ratings_pool_release(ratings_pool_t *pool, ratings_pooled_t *connection);
void ratings_pool_discard(ratings_pool_t *pool, ratings_pooled_t *connection);
void ratings_pool_detach(ratings_pool_t *pool);

/* Closes it and opens another in its place, in the calling thread; on a failure `*connection` is
 * NULL, and its place another call's. Only where the calling thread opens. */
apr_status_t ratings_pool_replace(ratings_pool_t *pool, const ratings_deadline_t *deadline,
                                  ratings_pooled_t **connection, ratings_result_t *why);

/* Connections that were opened before `before` (of ratings_monotonic) are closed rather than used
 * again, in all pools that share `retired_at`. Those in use end their call. */
void ratings_pool_retire(ratings_pool_t *pool, int64_t before);

/* Closes all that are idle now: when one was found dead, as the others are of the same server, and
 * by the owner after ratings_refobj_shutdown. From then on the pool closes what is given back. */
void ratings_pool_close_idle(ratings_pool_t *pool);

#endif
