#include "pool.h"

#include "../../core/assertion.h"
#include "thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ratings_pool_init(ratings_pool_t *pool, ratings_refobj_t *owner, const ratings_pool_ops_t *ops,
                       int size, _Atomic int64_t *retired_at)
{
    pool->ops = ops;
    pool->owner = owner;
    pool->size = size;
    pool->retired_at = retired_at ? retired_at : &pool->own_retired_at;
    TAILQ_INIT(&pool->idle);
}

/* ---- places, with the lock held ---- */

static void take_place(ratings_pool_t *pool)
{
    RATINGS_ASSERT(pool->taken < pool->size);
    pool->taken++;
}

/* All are woken: who waits may now open a connection, or give up. */
static void free_place(ratings_pool_t *pool)
{
    RATINGS_ASSERT(pool->taken > 0);
    pool->taken--;
    pthread_cond_broadcast(&pool->owner->changed);
}

static void push_idle(ratings_pool_t *pool, ratings_pooled_t *connection)
{
    TAILQ_INSERT_HEAD(&pool->idle, connection, link);
    pool->idle_count++;
    pthread_cond_signal(&pool->owner->changed);
}

/* NULL stays NULL. */
static ratings_pooled_t *unlink_idle(ratings_pool_t *pool, ratings_pooled_t *connection)
{
    if (!connection)
        return NULL;
    TAILQ_REMOVE(&pool->idle, connection, link);
    pool->idle_count--;
    RATINGS_ASSERT(pool->idle_count >= 0);
    return connection;
}

static int count_in_use(const ratings_pool_t *pool)
{
    return pool->taken - pool->opening - pool->idle_count;
}

/* ---- the lock ---- */

/* With the lock held, under which the owner shuts down: from then on it is not written. */
static void note_usage(const ratings_pool_t *pool)
{
    ratings_pool_usage_t *usage = pool->usage;
    if (!usage || pool->owner->is_shut_down)
        return;
    atomic_store_explicit(&usage->in_use, count_in_use(pool), memory_order_relaxed);
    atomic_store_explicit(&usage->idle, pool->idle_count, memory_order_relaxed);
    atomic_store_explicit(&usage->opening, pool->opening, memory_order_relaxed);
    atomic_store_explicit(&usage->waiting, pool->waiting, memory_order_relaxed);
}

static void lock_pool(ratings_pool_t *pool)
{
    pthread_mutex_lock(&pool->owner->lock);
}

static void unlock_pool(ratings_pool_t *pool)
{
    note_usage(pool);
    pthread_mutex_unlock(&pool->owner->lock);
}

static bool wait_unlocked(ratings_pool_t *pool, int64_t until)
{
    note_usage(pool);
    return ratings_wait_until(&pool->owner->changed, &pool->owner->lock, until);
}

/* ---- giving back ---- */

void ratings_pool_detach(ratings_pool_t *pool)
{
    lock_pool(pool);
    free_place(pool);
    unlock_pool(pool);
}

void ratings_pool_discard(ratings_pool_t *pool, ratings_pooled_t *connection)
{
    ratings_pool_detach(pool);
    pool->ops->close(connection);
}

/* With the lock held: the oldest idle connection, once it was idle for too long, out of the pool;
 * or NULL. One at a time, so that no call pays for many. */
static ratings_pooled_t *expire_oldest(ratings_pool_t *pool, int64_t now)
{
    ratings_pooled_t *oldest = TAILQ_LAST(&pool->idle, ratings_pooled_list_t);
    if (pool->idle_count < 2 || oldest->idle_since + RATINGS_POOL_IDLE_MAX_US > now)
        return NULL;
    free_place(pool);
    return unlink_idle(pool, oldest);
}

void ratings_pool_release(ratings_pool_t *pool, ratings_pooled_t *connection)
{
    ratings_pooled_t *closing = connection;
    lock_pool(pool);
    if (pool->owner->is_shut_down) {
        free_place(pool);
    } else {
        connection->idle_since = ratings_monotonic();
        push_idle(pool, connection);
        closing = expire_oldest(pool, connection->idle_since);
    }
    unlock_pool(pool);
    if (closing)
        pool->ops->close(closing);
}

void ratings_pool_close_idle(ratings_pool_t *pool)
{
    ratings_pooled_t *connection;
    do {
        lock_pool(pool);
        connection = unlink_idle(pool, TAILQ_FIRST(&pool->idle));
        if (connection)
            free_place(pool);
        unlock_pool(pool);
        if (connection)
            pool->ops->close(connection);
    } while (connection);
}

/* ---- retiring ---- */

void ratings_pool_retire(ratings_pool_t *pool, int64_t before)
{
    int64_t now = atomic_load(pool->retired_at);
    while (before > now && !atomic_compare_exchange_weak(pool->retired_at, &now, before))
        ;
}

static bool can_be_used(const ratings_pool_t *pool, ratings_pooled_t *connection)
{
    return connection->opened_at >= atomic_load(pool->retired_at) &&
           (!pool->ops->is_usable || pool->ops->is_usable(connection));
}

/* ---- opening by a thread of the pool ---- */

typedef struct {
    ratings_pool_t *pool;
    uint64_t number;
} opener_t;

static ratings_pooled_t *open_connection(ratings_pool_t *pool, const ratings_deadline_t *deadline,
                                         ratings_result_t *why)
{
    int64_t begun_at = ratings_monotonic();
    ratings_pooled_t *connection = pool->ops->open(pool, deadline, why);
    if (connection)
        connection->opened_at = begun_at;
    return connection;
}

/* With the lock held. */
static void opening_failed(ratings_pool_t *pool, uint64_t number, const ratings_result_t *why)
{
    if (number > pool->last_failed) {
        pool->last_failed = number;
        pool->failure = *why;
    }
    free_place(pool);
}

static void *run_opener(void *data)
{
    opener_t opener = *(opener_t *)data;
    ratings_pool_t *pool = opener.pool;
    ratings_deadline_t deadline = {INT64_MAX, pool->owner->cancel_fd};
    ratings_result_t why;
    free(data);
    ratings_pooled_t *connection = open_connection(pool, &deadline, &why);
    lock_pool(pool);
    pool->opening--;
    if (!connection)
        opening_failed(pool, opener.number, &why);
    unlock_pool(pool);
    if (connection)
        ratings_pool_release(pool, connection);
    ratings_refobj_unref(pool->owner);
    return NULL;
}

/* With the lock held. */
static void start_opener(ratings_pool_t *pool)
{
    opener_t *opener = malloc(sizeof *opener);
    ratings_result_t why;
    pool->tries++;
    pool->owner->references++;
    pool->opening++;
    take_place(pool);
    if (opener)
        *opener = (opener_t){pool, pool->tries};
    int error = opener ? ratings_thread_start(run_opener, opener) : ENOMEM;
    if (error == 0)
        return;
    free(opener);
    pool->owner->references--;
    pool->opening--;
    (void)ratings_result_set(&why, RATINGS_NOT_ASKED, "no thread to connect with: %s",
                             strerror(error));
    opening_failed(pool, pool->tries, &why);
}

/* ---- waiting, with the lock held ---- */

/* One call that acquires. */
typedef struct {
    const ratings_deadline_t *deadline;
    uint64_t since; /* an opening that fails counts for this call if its number is higher */
    bool opens;     /* an opening was begun for it */
} claim_t;

/* One failure is enough: what is left then is to wait for a connection that is in use, if there is
 * any. */
static bool has_opening_failed(const ratings_pool_t *pool, const claim_t *claim)
{
    return pool->last_failed > claim->since;
}

static bool is_hopeless(const ratings_pool_t *pool, const claim_t *claim)
{
    return has_opening_failed(pool, claim) && count_in_use(pool) == 0;
}

/* As many are being opened as calls wait, if there is room. */
static void open_if_needed(ratings_pool_t *pool, claim_t *claim)
{
    if (has_opening_failed(pool, claim) || pool->opening >= pool->waiting ||
        pool->taken >= pool->size)
        return;
    claim->since = pool->tries;
    claim->opens = true;
    start_opener(pool);
}

/* A server that lets nobody in was asked. While connections are in use, their calls tell of the
 * server, and those that wait for one do not. */
static apr_status_t none_in_time(const ratings_pool_t *pool, const claim_t *claim,
                                 ratings_result_t *why)
{
    int in_use = count_in_use(pool);
    bool is_asked = pool->opening > 0 && (claim->opens || in_use == 0);
    return ratings_result_set(why, is_asked ? APR_TIMEUP : RATINGS_NOT_ASKED,
                              "no connection came free in time: of %d allowed, %d are in use and "
                              "%d are being opened",
                              pool->size, in_use, pool->opening);
}

/* Whether the calling thread can go on: a connection is idle, or it may open one itself. */
static bool can_go_on(const ratings_pool_t *pool)
{
    return pool->idle_count > 0 || (!pool->ops->opens_in_background && pool->taken < pool->size);
}

static apr_status_t wait_until_ready(ratings_pool_t *pool, claim_t *claim, ratings_result_t *why)
{
    bool in_time = true;
    while (in_time && !pool->owner->is_shut_down && !can_go_on(pool)) {
        if (pool->ops->opens_in_background)
            open_if_needed(pool, claim);
        if (is_hopeless(pool, claim)) {
            *why = pool->failure;
            return why->status;
        }
        in_time = wait_unlocked(pool, claim->deadline->expires_at);
    }
    if (pool->owner->is_shut_down)
        return ratings_deadline_cancelled(why);
    return can_go_on(pool) ? ratings_result_ok(why) : none_in_time(pool, claim, why);
}

/* ---- acquiring ---- */

/* `*connection`: one that was idle; NULL: the calling thread is to open one, in a place that is
 * taken. */
static apr_status_t claim_place(ratings_pool_t *pool, claim_t *claim, ratings_pooled_t **connection,
                                ratings_result_t *why)
{
    *connection = NULL;
    lock_pool(pool);
    pool->waiting++;
    apr_status_t status = wait_until_ready(pool, claim, why);
    if (status == APR_SUCCESS) {
        *connection = unlink_idle(pool, TAILQ_FIRST(&pool->idle));
        if (!*connection)
            take_place(pool);
    }
    pool->waiting--;
    unlock_pool(pool);
    return status;
}

/* In a place that is taken. */
static apr_status_t open_in_place(ratings_pool_t *pool, const ratings_deadline_t *deadline,
                                  bool replaces_idle, ratings_pooled_t **connection,
                                  ratings_result_t *why)
{
    *connection = open_connection(pool, deadline, why);
    if (!*connection) {
        ratings_pool_detach(pool);
        return why->status;
    }
    (*connection)->was_idle = replaces_idle;
    return ratings_result_ok(why);
}

apr_status_t ratings_pool_acquire(ratings_pool_t *pool, const ratings_deadline_t *deadline,
                                  ratings_pooled_t **connection, ratings_result_t *why)
{
    claim_t claim = {deadline, atomic_load(&pool->tries), false};
    for (bool was_idle = false;; was_idle = true) {
        apr_status_t status = claim_place(pool, &claim, connection, why);
        if (status != APR_SUCCESS)
            return status;
        if (!*connection)
            return open_in_place(pool, deadline, was_idle, connection, why);
        if (can_be_used(pool, *connection))
            break;
        ratings_pool_discard(pool, *connection);
    }
    (*connection)->was_idle = true;
    return APR_SUCCESS;
}

apr_status_t ratings_pool_replace(ratings_pool_t *pool, const ratings_deadline_t *deadline,
                                  ratings_pooled_t **connection, ratings_result_t *why)
{
    RATINGS_ASSERT(!pool->ops->opens_in_background);
    pool->ops->close(*connection);
    return open_in_place(pool, deadline, true, connection, why);
}
