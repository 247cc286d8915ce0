/* The life of what many threads call and one owner ends, while a call may be stuck in a library:
 * whoever is last to leave it frees it. */
#ifndef RATINGS_COMMON_REFOBJ_H
#define RATINGS_COMMON_REFOBJ_H

#include "deadline.h"

#include <apr_pools.h>

/* The first member of what lives. */
typedef struct {
    apr_pool_t *home;            /* holds it all; nobody else's, as it may outlive its owner */
    void (*release)(void *self); /* closes what is no memory of `home`; or NULL */
    int stop;                    /* readable once it ends */
    pthread_mutex_t lock;        /* of what follows, and of its like in what lives */
    pthread_cond_t changed;      /* what somebody may wait for, or everything ends */
    int references;              /* the owner, and who has entered since */
    bool closing;
} ratings_refobj_t;

/* `size` zeroed bytes that begin with a ratings_refobj_t, for one owner. NULL and why not. */
void *ratings_refobj_create(size_t size, void (*release)(void *self), ratings_result_t *why);

/* Around whatever uses it. With the lock held, `references++` does instead of entering. */
void ratings_refobj_ref(ratings_refobj_t *life);
void ratings_refobj_unref(ratings_refobj_t *life);

/* Tells who is inside to leave, and who enters from now on, and waits for nobody. */
void ratings_refobj_interrupt(ratings_refobj_t *life);

/* The owner's end, in two steps, between which it closes what it does not leave to the last. The
 * first one tells who is inside to leave, and waits for it half a second at most; false when the
 * lock cannot be had, as the process ends: what it leaves open is closed for it. The second one is
 * ratings_refobj_unref. */
bool ratings_refobj_shutdown(ratings_refobj_t *life);

#endif
