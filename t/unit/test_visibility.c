#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/shm/visibility.h"

#include <apr_general.h>
#include <apr_pools.h>

#include <pthread.h>
#include <sched.h>
#include <stddef.h>

#define P 0
#define LOG 100

typedef struct {
    apr_pool_t *pool;
    ratings_shm_t *shared;
    ratings_visibility_t *visibility;
} barrier_t;

static void barrier_open(barrier_t *barrier)
{
    assert_int_equal(apr_pool_create(&barrier->pool, NULL), APR_SUCCESS);
    barrier->shared = aligned_alloc(RATINGS_CACHE_LINE, sizeof *barrier->shared);
    assert_non_null(barrier->shared);
    memset(barrier->shared, 0, sizeof *barrier->shared);
    barrier->visibility = ratings_visibility_create(barrier->shared, barrier->pool);
}

static void barrier_close(barrier_t *barrier)
{
    ratings_visibility_destroy(barrier->visibility);
    free(barrier->shared);
    apr_pool_destroy(barrier->pool);
}

/* The store has applied all offsets below `next`. */
static void publish(barrier_t *barrier, int64_t next)
{
    ratings_shm_publish_watermark(barrier->shared, P, (ratings_checkpoint_t){LOG, next});
    ratings_visibility_notify(barrier->visibility);
}

typedef struct {
    atomic_int calls;
    ratings_visibility_waiter_t waiter;
} counted_t;

static void count_call(ratings_visibility_waiter_t *waiter)
{
    counted_t *counted = (counted_t *)(void *)((char *)waiter - offsetof(counted_t, waiter));
    atomic_fetch_add(&counted->calls, 1);
}

static bool enter(barrier_t *barrier, counted_t *counted, int64_t offset)
{
    counted->waiter = (ratings_visibility_waiter_t){.reached = count_call, .partition = P};
    return ratings_visibility_enter(barrier->visibility, &counted->waiter, offset);
}

static void await_calls(counted_t *counted, int calls)
{
    int64_t deadline = ratings_monotonic() + INT64_C(10000000);
    while (atomic_load(&counted->calls) < calls && ratings_monotonic() < deadline)
        sched_yield();
    assert_int_equal(atomic_load(&counted->calls), calls);
}

static void who_waits_is_called_once_the_watermark_has_passed(void **state)
{
    barrier_t barrier;
    counted_t first = {0}, second = {0};
    (void)state;
    barrier_open(&barrier);
    publish(&barrier, 5);
    assert_true(enter(&barrier, &second, 6));
    assert_true(enter(&barrier, &first, 5));
    assert_true(ratings_visibility_has_waiters(barrier.visibility));
    publish(&barrier, 6); /* the offset 5 is applied, and 6 is not */
    await_calls(&first, 1);
    ratings_visibility_notify(barrier.visibility);
    assert_int_equal(atomic_load(&second.calls), 0);
    publish(&barrier, 7);
    await_calls(&second, 1);
    assert_false(ratings_visibility_has_waiters(barrier.visibility));
    barrier_close(&barrier);
}

static void who_is_visible_already_is_not_queued(void **state)
{
    barrier_t barrier;
    counted_t counted = {0};
    (void)state;
    barrier_open(&barrier);
    publish(&barrier, 5);
    assert_false(enter(&barrier, &counted, 4));
    assert_false(ratings_visibility_has_waiters(barrier.visibility));
    barrier_close(&barrier);
    assert_int_equal(counted.calls, 0);
}

static void who_leaves_is_not_called(void **state)
{
    barrier_t barrier;
    counted_t counted = {0};
    (void)state;
    barrier_open(&barrier);
    assert_true(enter(&barrier, &counted, 0));
    assert_true(ratings_visibility_leave(barrier.visibility, &counted.waiter));
    publish(&barrier, 1);
    ratings_visibility_notify(barrier.visibility);
    assert_false(ratings_visibility_leave(barrier.visibility, &counted.waiter));
    barrier_close(&barrier);
    assert_int_equal(counted.calls, 0);
}

/* ---- many at once, while others publish ---- */

#define THREADS INT64_C(4)
#define ROUNDS INT64_C(500)

typedef struct {
    barrier_t *barrier;
    atomic_llong *next; /* offsets that were appended */
    bool leaves_early;
    int reached, called, left;
} poster_t;

static void post_once(poster_t *poster)
{
    counted_t counted = {0};
    int64_t offset = atomic_fetch_add(poster->next, 1);
    if (!enter(poster->barrier, &counted, offset)) {
        poster->reached++;
        return;
    }
    if (poster->leaves_early &&
        ratings_visibility_leave(poster->barrier->visibility, &counted.waiter)) {
        poster->left++;
        return;
    }
    await_calls(&counted, 1);
    poster->called++;
}

static void *post_all(void *data)
{
    for (int i = 0; i < ROUNDS; i++)
        post_once(data);
    return NULL;
}

static void each_of_many_is_called_once_or_leaves(void **state)
{
    barrier_t barrier;
    atomic_llong next = 0;
    pthread_t thread[THREADS];
    poster_t poster[THREADS];
    int ended = 0;
    (void)state;
    barrier_open(&barrier);
    for (int i = 0; i < THREADS; i++) {
        poster[i] = (poster_t){&barrier, &next, i % 2 == 1, 0, 0, 0};
        assert_int_equal(pthread_create(&thread[i], NULL, post_all, &poster[i]), 0);
    }
    while (atomic_load(&next) < THREADS * ROUNDS) {
        publish(&barrier, atomic_load(&next));
        sched_yield();
    }
    publish(&barrier, THREADS * ROUNDS);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        ended += poster[i].reached + poster[i].called + poster[i].left;
    }
    assert_int_equal(ended, THREADS * ROUNDS);
    assert_false(ratings_visibility_has_waiters(barrier.visibility));
    barrier_close(&barrier);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    if (apr_initialize() != APR_SUCCESS)
        return 1;
    unit_add(&suite, "who waits is called once the watermark has passed",
             who_waits_is_called_once_the_watermark_has_passed, NULL);
    unit_add(&suite, "who is visible already is not queued", who_is_visible_already_is_not_queued,
             NULL);
    unit_add(&suite, "who leaves is not called", who_leaves_is_not_called, NULL);
    unit_add(&suite, "each of many is called once or leaves", each_of_many_is_called_once_or_leaves,
             NULL);
    return unit_run("visibility", &suite);
}
