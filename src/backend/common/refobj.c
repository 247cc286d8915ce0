#include "refobj.h"

#include "../../core/assertion.h"
#include "../../core/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define DRAIN_TIMEOUT_US INT64_C(500000)
#define LOCK_TIMEOUT_US INT64_C(100000)

void *ratings_refobj_create(size_t size, size_t offset, ratings_refobj_release_fn *release,
                            ratings_result_t *why)
{
    apr_pool_t *pool;
    int cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (cancel_fd < 0) {
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "eventfd: %s", strerror(errno));
        return NULL;
    }
    if (apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        (void)close(cancel_fd);
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
        return NULL;
    }
    char *container = apr_pcalloc(pool, size);
    ratings_refobj_t *object = (ratings_refobj_t *)(void *)(container + offset);
    object->pool = pool;
    object->release = release;
    object->cancel_fd = cancel_fd;
    object->references = 1;
    ratings_lock_init(&object->lock, &object->changed);
    return container;
}

void ratings_refobj_ref(ratings_refobj_t *object)
{
    pthread_mutex_lock(&object->lock);
    RATINGS_ASSERT(object->references > 0);
    object->references++;
    pthread_mutex_unlock(&object->lock);
}

static void destroy_refobj(ratings_refobj_t *object)
{
    if (object->release)
        object->release(object);
    (void)close(object->cancel_fd);
    ratings_lock_destroy(&object->lock, &object->changed);
    apr_pool_destroy(object->pool);
}

void ratings_refobj_unref(ratings_refobj_t *object)
{
    pthread_mutex_lock(&object->lock);
    RATINGS_ASSERT(object->references > 0);
    bool is_last = --object->references == 0;
    if (object->is_shut_down)
        pthread_cond_broadcast(&object->changed);
    pthread_mutex_unlock(&object->lock);
    if (is_last)
        destroy_refobj(object);
}

/* True: the lock is held. */
static bool lock_and_cancel(ratings_refobj_t *object)
{
    if (!ratings_lock_within(&object->lock, LOCK_TIMEOUT_US))
        return false;
    object->is_shut_down = true;
    (void)eventfd_write(object->cancel_fd, 1);
    pthread_cond_broadcast(&object->changed);
    return true;
}

void ratings_refobj_cancel(ratings_refobj_t *object)
{
    if (lock_and_cancel(object))
        pthread_mutex_unlock(&object->lock);
}

bool ratings_refobj_shutdown(ratings_refobj_t *object)
{
    int64_t deadline = ratings_monotonic() + DRAIN_TIMEOUT_US;
    if (!lock_and_cancel(object))
        return false;
    while (object->references > 1 && ratings_wait_until(&object->changed, &object->lock, deadline))
        ;
    pthread_mutex_unlock(&object->lock);
    return true;
}
