/* A reference-counted object with shutdown: many threads call it, one owner ends it, and a call may
 * be stuck in a library meanwhile (getaddrinfo, libpq's connecting). The last user frees it.
 *
 *     struct ratings_talks_t {
 *         ratings_refobj_t object;
 *         ...
 *     };
 *
 * Not a cleanup of an APR pool: a pool is destroyed when its owner says so, whoever is still using
 * what it holds. So each object has a pool of its own, and that goes with the last reference.
 *
 * Any thread, but for shutdown, which is the owner's. Its lock is also that of the object's other
 * state, and is never held across I/O. */
#ifndef RATINGS_COMMON_REFOBJ_H
#define RATINGS_COMMON_REFOBJ_H

#include "result.h"

#include <apr_pools.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct ratings_refobj_t ratings_refobj_t;

/* Closes what is no memory of the object's pool. Called by the last user, without the lock. */
typedef void ratings_refobj_release_fn(ratings_refobj_t *object);

struct ratings_refobj_t {
    apr_pool_t *pool;                   /* holds the object; nobody else's */
    ratings_refobj_release_fn *release; /* or NULL */
    int cancel_fd;                      /* readable once calls are to end: see deadline.h */
    pthread_mutex_t lock;               /* of what follows, and of the object's other state */
    pthread_cond_t changed;             /* of that state; and of what follows, once shut down */
    int references;                     /* the owner's, and one for each call and thread */
    bool is_shut_down;
};

/* An object of `size` zeroed bytes, with its ratings_refobj_t at `offset`, and one reference: the
 * owner's. NULL and `why` when memory or descriptors ran out. */
void *ratings_refobj_create(size_t size, size_t offset, ratings_refobj_release_fn *release,
                            ratings_result_t *why);

/* Around each use: the object is there until the unref. Who holds the lock may write `references++`
 * in place of ref. */
void ratings_refobj_ref(ratings_refobj_t *object);
void ratings_refobj_unref(ratings_refobj_t *object);

/* Cancels all calls, under way and to come, and waits for none. */
void ratings_refobj_cancel(ratings_refobj_t *object);

/* The owner's end: cancels all calls and waits for them, half a second at most. Then the owner
 * closes what it does not leave to the last user, and drops its own reference by unref. False when
 * the lock cannot be had within a tenth of a second, because the signal that ends the process has
 * interrupted its holder on this very thread: the owner leaves the object to the end of the
 * process, without unref. */
bool ratings_refobj_shutdown(ratings_refobj_t *object);

#endif
