#include "visibility.h"

#include "../core/assertion.h"
#include "../core/clock.h"
#include "../core/container_of.h"
#include "futex.h"

#include <pthread.h>

#define WATCH_US 100000 /* how late the watcher can notice that it is not needed any more */

struct ratings_visibility_t {
    ratings_shm_t *shared;
    ratings_bulkhead_t *bulkhead;
    pthread_t watcher;
    pthread_mutex_t lock; /* of all below, and of what is queued; not held while anything waits */
    pthread_cond_t watcher_needed;
    ratings_offset_queue_t queue[RATINGS_PARTITIONS_MAX];
    int partitions; /* the queues of partitions beyond them were never used */
    unsigned waiting;
    bool is_served; /* by the projector: the watcher has nothing to do */
    bool stop;
};

static bool is_visible(const ratings_visibility_t *visibility, int partition, int64_t offset)
{
    return ratings_shm_watermark(visibility->shared, partition).offset > offset;
}

/* ---- the queues, under the lock ---- */

static bool is_watcher_needed(const ratings_visibility_t *visibility)
{
    return visibility->waiting > 0 && !visibility->is_served;
}

static void add_waiter(ratings_visibility_t *visibility, ratings_visibility_waiter_t *waiter,
                       int64_t offset)
{
    RATINGS_ASSERT(!waiter->is_queued);
    ratings_offset_queue_insert(&visibility->queue[waiter->partition], &waiter->item, offset);
    waiter->is_queued = true;
    visibility->waiting++;
    if (visibility->partitions <= waiter->partition)
        visibility->partitions = waiter->partition + 1;
}

/* One that is out of its queue already. */
static void count_out(ratings_visibility_t *visibility, ratings_visibility_waiter_t *waiter,
                      int64_t now, bool reached)
{
    RATINGS_ASSERT(waiter->is_queued && visibility->waiting > 0);
    waiter->is_queued = false;
    visibility->waiting--;
    (void)ratings_bulkhead_release(visibility->bulkhead, waiter->entered_at, now, reached);
}

static void remove_waiter(ratings_visibility_t *visibility, ratings_visibility_waiter_t *waiter,
                          int64_t now, bool reached)
{
    ratings_offset_queue_remove(&visibility->queue[waiter->partition], &waiter->item);
    count_out(visibility, waiter, now, reached);
}

/* ---- waiting ---- */

/* Queued first and looked at after, so that no publication falls between the two. */
ratings_visibility_entry_e ratings_visibility_enter(ratings_visibility_t *visibility,
                                                    ratings_visibility_waiter_t *waiter,
                                                    int64_t offset, int64_t now, int64_t *until)
{
    *until = INT64_MAX;
    if (is_visible(visibility, waiter->partition, offset))
        return RATINGS_VISIBILITY_REACHED;
    if (!ratings_bulkhead_try_acquire(visibility->bulkhead, now, until))
        return RATINGS_VISIBILITY_REFUSED;
    waiter->entered_at = now;
    pthread_mutex_lock(&visibility->lock);
    add_waiter(visibility, waiter, offset);
    bool reached = is_visible(visibility, waiter->partition, offset);
    if (reached)
        remove_waiter(visibility, waiter, now, true);
    else if (is_watcher_needed(visibility))
        pthread_cond_signal(&visibility->watcher_needed);
    pthread_mutex_unlock(&visibility->lock);
    return reached ? RATINGS_VISIBILITY_REACHED : RATINGS_VISIBILITY_QUEUED;
}

bool ratings_visibility_leave(ratings_visibility_t *visibility, ratings_visibility_waiter_t *waiter,
                              bool *is_now_visible)
{
    pthread_mutex_lock(&visibility->lock);
    bool was_queued = waiter->is_queued;
    *is_now_visible = is_visible(visibility, waiter->partition, waiter->item.offset);
    if (was_queued)
        remove_waiter(visibility, waiter, ratings_monotonic(), *is_now_visible);
    pthread_mutex_unlock(&visibility->lock);
    return was_queued;
}

bool ratings_visibility_has_waiters(ratings_visibility_t *visibility)
{
    pthread_mutex_lock(&visibility->lock);
    bool any = visibility->waiting > 0;
    pthread_mutex_unlock(&visibility->lock);
    return any;
}

/* ---- notifying ---- */

/* Waiters that were removed and are still to be called, in the order of their offsets. */
typedef STAILQ_HEAD(removed_t, ratings_visibility_waiter_t) removed_t;

static void remove_reached(ratings_visibility_t *visibility, int partition, removed_t *removed)
{
    int64_t now = ratings_monotonic();
    int64_t watermark = ratings_shm_watermark(visibility->shared, partition).offset;
    ratings_offset_queue_item_t *item;
    while ((item = ratings_offset_queue_pop_below(&visibility->queue[partition], watermark))) {
        ratings_visibility_waiter_t *waiter =
            RATINGS_CONTAINER_OF(item, ratings_visibility_waiter_t, item);
        count_out(visibility, waiter, now, true);
        STAILQ_INSERT_TAIL(removed, waiter, link);
    }
}

/* The waiters are called without the lock, which those who wake up may need at once. */
void ratings_visibility_notify(ratings_visibility_t *visibility)
{
    removed_t removed = STAILQ_HEAD_INITIALIZER(removed);
    ratings_visibility_waiter_t *waiter;
    pthread_mutex_lock(&visibility->lock);
    for (int i = 0; i < visibility->partitions && visibility->waiting > 0; i++)
        if (!ratings_offset_queue_is_empty(&visibility->queue[i]))
            remove_reached(visibility, i, &removed);
    pthread_mutex_unlock(&visibility->lock);
    while ((waiter = STAILQ_FIRST(&removed))) {
        STAILQ_REMOVE_HEAD(&removed, link);
        waiter->reached(waiter);
    }
}

void ratings_visibility_serve(ratings_visibility_t *visibility, bool serves)
{
    pthread_mutex_lock(&visibility->lock);
    visibility->is_served = serves;
    pthread_cond_signal(&visibility->watcher_needed);
    pthread_mutex_unlock(&visibility->lock);
}

/* ---- the watcher ---- */

/* Notifies, and sleeps until somebody publishes. */
static void watch_once(ratings_visibility_t *visibility)
{
    uint32_t seen = atomic_load(&visibility->shared->published); /* before looking */
    ratings_visibility_notify(visibility);
    pthread_mutex_lock(&visibility->lock);
    bool needed = is_watcher_needed(visibility);
    pthread_mutex_unlock(&visibility->lock);
    if (needed)
        ratings_shm_wait(&visibility->shared->published, seen, WATCH_US);
}

/* With nothing to do it sleeps on the child's own condition, so that publications do not wake
 * children that have no use for them. */
static void *watch_watermark(void *data)
{
    ratings_visibility_t *visibility = data;
    pthread_mutex_lock(&visibility->lock);
    while (!visibility->stop) {
        if (!is_watcher_needed(visibility)) {
            pthread_cond_wait(&visibility->watcher_needed, &visibility->lock);
            continue;
        }
        pthread_mutex_unlock(&visibility->lock);
        watch_once(visibility);
        pthread_mutex_lock(&visibility->lock);
    }
    pthread_mutex_unlock(&visibility->lock);
    return NULL;
}

apr_status_t ratings_visibility_create(ratings_visibility_t **out, ratings_shm_t *shared,
                                       ratings_bulkhead_t *bulkhead, apr_pool_t *pool)
{
    ratings_visibility_t *visibility = apr_pcalloc(pool, sizeof *visibility);
    visibility->shared = shared;
    visibility->bulkhead = bulkhead;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++)
        ratings_offset_queue_init(&visibility->queue[i]);
    pthread_mutex_init(&visibility->lock, NULL);
    pthread_cond_init(&visibility->watcher_needed, NULL);
    apr_status_t status = pthread_create(&visibility->watcher, NULL, watch_watermark, visibility);
    if (status == APR_SUCCESS)
        *out = visibility;
    return status;
}

void ratings_visibility_destroy(ratings_visibility_t *visibility)
{
    pthread_mutex_lock(&visibility->lock);
    visibility->stop = true;
    pthread_cond_signal(&visibility->watcher_needed);
    pthread_mutex_unlock(&visibility->lock);
    pthread_join(visibility->watcher, NULL);
    pthread_cond_destroy(&visibility->watcher_needed);
    pthread_mutex_destroy(&visibility->lock);
}
