#include "refobj.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define GRACE (APR_USEC_PER_SEC / 2)
#define GRACE_OF_LOCK (APR_USEC_PER_SEC / 10)

void *ratings_refobj_create(size_t size, void (*release)(void *self), ratings_result_t *why)
{
    apr_pool_t *home;
    int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop < 0) {
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "eventfd: %s", strerror(errno));
        return NULL;
    }
    if (apr_pool_create_unmanaged(&home) != APR_SUCCESS) {
        (void)close(stop);
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
        return NULL;
    }
    ratings_refobj_t *life = apr_pcalloc(home, size);
    life->home = home;
    life->release = release;
    life->stop = stop;
    life->references = 1;
    ratings_lock_init(&life->lock, &life->changed);
    return life;
}

void ratings_refobj_ref(ratings_refobj_t *life)
{
    pthread_mutex_lock(&life->lock);
    life->references++;
    pthread_mutex_unlock(&life->lock);
}

void ratings_refobj_unref(ratings_refobj_t *life)
{
    pthread_mutex_lock(&life->lock);
    bool last = --life->references == 0;
    if (life->closing)
        pthread_cond_broadcast(&life->changed);
    pthread_mutex_unlock(&life->lock);
    if (!last)
        return;
    if (life->release)
        life->release(life);
    (void)close(life->stop);
    ratings_lock_destroy(&life->lock, &life->changed);
    apr_pool_destroy(life->home);
}

/* True: the lock is held. */
static bool tell_to_leave(ratings_refobj_t *life)
{
    if (!ratings_lock_within(&life->lock, GRACE_OF_LOCK))
        return false;
    life->closing = true;
    (void)eventfd_write(life->stop, 1);
    pthread_cond_broadcast(&life->changed);
    return true;
}

void ratings_refobj_interrupt(ratings_refobj_t *life)
{
    if (tell_to_leave(life))
        pthread_mutex_unlock(&life->lock);
}

bool ratings_refobj_shutdown(ratings_refobj_t *life)
{
    int64_t deadline = ratings_monotonic() + GRACE;
    if (!tell_to_leave(life))
        return false;
    while (life->references > 1 && ratings_wait_until(&life->changed, &life->lock, deadline))
        ;
    pthread_mutex_unlock(&life->lock);
    return true;
}
