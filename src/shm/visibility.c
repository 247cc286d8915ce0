#include "visibility.h"

#include "../core/assertion.h"
#include "../core/container_of.h"

#include <pthread.h>

struct ratings_visibility_t {
    ratings_shm_t *shared;
    pthread_mutex_t lock; /* of all below, and of what is queued; not held while anything waits */
    ratings_offset_queue_t queue[RATINGS_PARTITIONS_MAX];
    int partitions; /* the queues of partitions beyond them were never used */
    unsigned waiting;
};

static bool is_visible(const ratings_visibility_t *visibility, int partition, int64_t offset)
{
    return ratings_shm_watermark(visibility->shared, partition).offset > offset;
}

/* ---- the queues, under the lock ---- */

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
static void count_out(ratings_visibility_t *visibility, ratings_visibility_waiter_t *waiter)
{
    RATINGS_ASSERT(waiter->is_queued && visibility->waiting > 0);
    waiter->is_queued = false;
    visibility->waiting--;
}

static void remove_waiter(ratings_visibility_t *visibility, ratings_visibility_waiter_t *waiter)
{
    ratings_offset_queue_remove(&visibility->queue[waiter->partition], &waiter->item);
    count_out(visibility, waiter);
}

/* ---- waiting ---- */

/* Queued first and looked at after, so that no publication falls between the two. */
bool ratings_visibility_enter(ratings_visibility_t *visibility, ratings_visibility_waiter_t *waiter,
                              int64_t offset)
{
    if (is_visible(visibility, waiter->partition, offset))
        return false;
    pthread_mutex_lock(&visibility->lock);
    add_waiter(visibility, waiter, offset);
    bool reached = is_visible(visibility, waiter->partition, offset);
    if (reached)
        remove_waiter(visibility, waiter);
    pthread_mutex_unlock(&visibility->lock);
    return !reached;
}

bool ratings_visibility_leave(ratings_visibility_t *visibility, ratings_visibility_waiter_t *waiter)
{
    pthread_mutex_lock(&visibility->lock);
    bool was_queued = waiter->is_queued;
    if (was_queued)
        remove_waiter(visibility, waiter);
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
    int64_t watermark = ratings_shm_watermark(visibility->shared, partition).offset;
    ratings_offset_queue_item_t *item;
    while ((item = ratings_offset_queue_pop_below(&visibility->queue[partition], watermark))) {
        ratings_visibility_waiter_t *waiter =
            RATINGS_CONTAINER_OF(item, ratings_visibility_waiter_t, item);
        count_out(visibility, waiter);
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

ratings_visibility_t *ratings_visibility_create(ratings_shm_t *shared, apr_pool_t *pool)
{
    ratings_visibility_t *visibility = apr_pcalloc(pool, sizeof *visibility);
    visibility->shared = shared;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++)
        ratings_offset_queue_init(&visibility->queue[i]);
    pthread_mutex_init(&visibility->lock, NULL);
    return visibility;
}

void ratings_visibility_destroy(ratings_visibility_t *visibility)
{
    pthread_mutex_destroy(&visibility->lock);
}
