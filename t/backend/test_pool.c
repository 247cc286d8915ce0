/* The pool of connections, with connections that are made up. */
#include "../../src/backend/common/pool.h"

#include "../../src/core/container_of.h"
#include "backend_test.h"

#include <apr_general.h>

#define MS INT64_C(1000)

typedef struct {
    ratings_refobj_t object;
    ratings_pool_t connections;
    atomic_int opened, closed;
    atomic_int open_ms;  /* how long opening takes */
    atomic_bool refuses; /* nothing can be opened */
} backend_t;

typedef struct {
    ratings_pooled_t pooled;
    backend_t *backend;
    int number; /* the first is 1 */
    bool is_broken;
} connection_t;

/* ---- a backend ---- */

static ratings_pooled_t *open_made_up(ratings_pool_t *pool, const ratings_deadline_t *deadline,
                                      ratings_result_t *why)
{
    backend_t *backend = RATINGS_CONTAINER_OF(pool, backend_t, connections);
    (void)deadline;
    pause_ms(atomic_load(&backend->open_ms));
    if (atomic_load(&backend->refuses)) {
        (void)ratings_result_set(why, APR_ECONNREFUSED, "refused");
        return NULL;
    }
    connection_t *connection = calloc(1, sizeof *connection);
    connection->backend = backend;
    connection->number = atomic_fetch_add(&backend->opened, 1) + 1;
    return &connection->pooled;
}

static connection_t *of(ratings_pooled_t *pooled)
{
    return RATINGS_CONTAINER_OF(pooled, connection_t, pooled);
}

static void close_made_up(ratings_pooled_t *pooled)
{
    atomic_fetch_add(&of(pooled)->backend->closed, 1);
    free(of(pooled));
}

static bool is_made_up_usable(ratings_pooled_t *pooled)
{
    return !of(pooled)->is_broken;
}

static const ratings_pool_ops_t by_caller = {
    .open = open_made_up, .close = close_made_up, .is_usable = is_made_up_usable};
static const ratings_pool_ops_t by_thread = {.open = open_made_up,
                                             .opens_in_background = true,
                                             .close = close_made_up,
                                             .is_usable = is_made_up_usable};

static backend_t *backend_of(const ratings_pool_ops_t *ops, int size)
{
    ratings_result_t why;
    backend_t *backend =
        ratings_refobj_create(sizeof *backend, offsetof(backend_t, object), NULL, &why);
    assert_non_null(backend);
    ratings_pool_init(&backend->connections, &backend->object, ops, size, NULL);
    return backend;
}

/* As backends do it. */
static void end(backend_t *backend)
{
    assert_true(ratings_refobj_shutdown(&backend->object));
    ratings_pool_close_idle(&backend->connections);
    assert_int_equal(atomic_load(&backend->opened), atomic_load(&backend->closed));
    ratings_refobj_unref(&backend->object);
}

static apr_status_t acquire_within(backend_t *backend, int64_t ms, ratings_pooled_t **pooled,
                                   ratings_result_t *why)
{
    ratings_deadline_t deadline =
        ratings_deadline_make(INT64_MAX, ms * MS, backend->object.cancel_fd);
    return ratings_pool_acquire(&backend->connections, &deadline, pooled, why);
}

static ratings_pooled_t *acquired(backend_t *backend)
{
    ratings_result_t why;
    ratings_pooled_t *pooled;
    assert_int_equal(acquire_within(backend, 5000, &pooled, &why), APR_SUCCESS);
    return pooled;
}

static void expect_none(backend_t *backend, int64_t ms, apr_status_t status, const char *text)
{
    ratings_result_t why;
    ratings_pooled_t *pooled;
    assert_int_equal(acquire_within(backend, ms, &pooled, &why), status);
    assert_int_equal(why.status, status);
    assert_non_null(strstr(why.detail, text));
}

static void release(backend_t *backend, ratings_pooled_t *pooled)
{
    ratings_pool_release(&backend->connections, pooled);
}

static void discard(backend_t *backend, ratings_pooled_t *pooled)
{
    ratings_pool_discard(&backend->connections, pooled);
}

/* ---- reuse ---- */

static void the_newest_is_reused_first(void **state)
{
    backend_t *backend = backend_of(&by_caller, 3);
    ratings_pooled_t *one = acquired(backend), *two = acquired(backend);
    (void)state;
    assert_false(one->was_idle);
    release(backend, one);
    release(backend, two);
    assert_ptr_equal(acquired(backend), two);
    assert_true(two->was_idle);
    assert_ptr_equal(acquired(backend), one);
    release(backend, one);
    release(backend, two);
    assert_int_equal(backend->opened, 2);
    end(backend);
}

static void what_is_broken_is_replaced(void **state)
{
    backend_t *backend = backend_of(&by_caller, 2);
    ratings_pooled_t *one = acquired(backend), *two = acquired(backend);
    (void)state;
    of(one)->is_broken = of(two)->is_broken = true;
    release(backend, one);
    release(backend, two);
    ratings_pooled_t *three = acquired(backend);
    assert_int_equal(of(three)->number, 3);
    assert_true(three->was_idle); /* it replaces one that was */
    assert_int_equal(backend->closed, 2);
    release(backend, three);
    end(backend);
}

static void a_new_one_is_used_as_it_is(void **state)
{
    backend_t *backend = backend_of(&by_caller, 1);
    (void)state;
    ratings_pool_retire(&backend->connections, ratings_monotonic() + 3600000 * MS);
    ratings_pooled_t *one = acquired(backend);
    assert_int_equal(of(one)->number, 1);
    release(backend, one);
    end(backend);
}

static void what_was_opened_before_is_retired(void **state)
{
    backend_t *backend = backend_of(&by_caller, 3);
    ratings_pooled_t *before = acquired(backend), *used = acquired(backend);
    (void)state;
    release(backend, before);
    pause_ms(2);
    ratings_pool_retire(&backend->connections, ratings_monotonic());
    ratings_pool_retire(&backend->connections, 0); /* never back */
    pause_ms(2);
    ratings_pooled_t *after = acquired(backend);
    assert_int_equal(of(after)->number, 3);
    release(backend, after);
    release(backend, used);
    assert_ptr_equal(acquired(backend), after); /* `used` was the newest, and is retired */
    assert_int_equal(backend->closed, 2);
    release(backend, after);
    end(backend);
}

static void pools_retire_together(void **state)
{
    _Atomic int64_t retired_at = 0;
    backend_t *one = backend_of(&by_caller, 1), *other = backend_of(&by_caller, 1);
    (void)state;
    ratings_pool_init(&one->connections, &one->object, &by_caller, 1, &retired_at);
    ratings_pool_init(&other->connections, &other->object, &by_caller, 1, &retired_at);
    release(other, acquired(other));
    pause_ms(2);
    ratings_pool_retire(&one->connections, ratings_monotonic());
    release(other, acquired(other));
    assert_int_equal(other->opened, 2);
    end(one);
    end(other);
}

static void one_is_opened_in_the_place_of_another(void **state)
{
    backend_t *backend = backend_of(&by_caller, 1);
    ratings_pooled_t *pooled = acquired(backend);
    ratings_deadline_t deadline = ratings_deadline_make(INT64_MAX, 5000 * MS, -1);
    ratings_result_t why;
    (void)state;
    assert_int_equal(ratings_pool_replace(&backend->connections, &deadline, &pooled, &why),
                     APR_SUCCESS);
    assert_int_equal(of(pooled)->number, 2);
    atomic_store(&backend->refuses, true);
    assert_int_equal(ratings_pool_replace(&backend->connections, &deadline, &pooled, &why),
                     APR_ECONNREFUSED);
    assert_null(pooled);
    atomic_store(&backend->refuses, false);
    release(backend, acquired(backend)); /* its place came free */
    end(backend);
}

/* ---- idle for too long ---- */

static void idle_for(ratings_pooled_t *pooled, int64_t us)
{
    pooled->idle_since -= us;
}

static void the_oldest_is_closed_after_a_while(void **state)
{
    backend_t *backend = backend_of(&by_caller, 3);
    ratings_pooled_t *one = acquired(backend), *two = acquired(backend), *three = acquired(backend);
    (void)state;
    release(backend, one);
    release(backend, two);
    idle_for(one, RATINGS_POOL_IDLE_MAX_US);
    idle_for(two, RATINGS_POOL_IDLE_MAX_US);
    release(backend, three);
    assert_int_equal(backend->closed, 1); /* one at a time */
    release(backend, acquired(backend));
    assert_int_equal(backend->closed, 2);
    idle_for(three, 2 * RATINGS_POOL_IDLE_MAX_US);
    assert_ptr_equal(acquired(backend), three); /* the newest stays, however long */
    ratings_pooled_t *four = acquired(backend),
                     *five = acquired(backend); /* their places are free */
    release(backend, three);
    release(backend, four);
    release(backend, five);
    end(backend);
}

static void what_is_not_idle_for_long_stays(void **state)
{
    backend_t *backend = backend_of(&by_caller, 2);
    ratings_pooled_t *one = acquired(backend), *two = acquired(backend);
    (void)state;
    release(backend, one);
    idle_for(one, RATINGS_POOL_IDLE_MAX_US - 30000 * MS);
    release(backend, two);
    assert_int_equal(backend->closed, 0);
    end(backend);
}

/* ---- waiting ---- */

static void all_in_use_is_no_failure_of_the_backend(void **state)
{
    backend_t *backend = backend_of(&by_caller, 2);
    ratings_pooled_t *one = acquired(backend), *two = acquired(backend);
    int64_t begin = now_ms();
    (void)state;
    expect_none(backend, 100, RATINGS_NOT_ASKED, "of 2 allowed, 2 are in use");
    assert_took(now_ms() - begin, 99, 300);
    release(backend, one);
    release(backend, two);
    end(backend);
}

typedef struct {
    pthread_t thread;
    backend_t *backend;
    int64_t ms;
    ratings_pooled_t *pooled;
    ratings_result_t why;
} waiter_t;

static void *wait_for_one(void *data)
{
    waiter_t *waiter = data;
    ratings_refobj_ref(&waiter->backend->object);
    if (acquire_within(waiter->backend, waiter->ms, &waiter->pooled, &waiter->why) == APR_SUCCESS)
        release(waiter->backend, waiter->pooled);
    else
        waiter->pooled = NULL;
    ratings_refobj_unref(&waiter->backend->object);
    return NULL;
}

static void start_waiter(waiter_t *waiter, backend_t *backend, int64_t ms)
{
    *waiter = (waiter_t){.backend = backend, .ms = ms};
    assert_int_equal(pthread_create(&waiter->thread, NULL, wait_for_one, waiter), 0);
    pause_ms(30);
}

static void what_comes_free_serves_who_waits(void **state)
{
    backend_t *backend = backend_of(&by_caller, 1);
    ratings_pooled_t *one = acquired(backend);
    waiter_t first, second;
    (void)state;
    start_waiter(&first, backend, 5000);
    start_waiter(&second, backend, 5000);
    release(backend, one);
    pthread_join(first.thread, NULL);
    pthread_join(second.thread, NULL);
    assert_ptr_equal(first.pooled, one);
    assert_ptr_equal(second.pooled, one);
    end(backend);
}

static void a_place_that_comes_free_serves_who_waits(void **state)
{
    backend_t *backend = backend_of(&by_caller, 1);
    ratings_pooled_t *one = acquired(backend);
    waiter_t waiter;
    (void)state;
    start_waiter(&waiter, backend, 5000);
    discard(backend, one);
    pthread_join(waiter.thread, NULL);
    assert_non_null(waiter.pooled);
    assert_int_equal(backend->opened, 2);
    end(backend);
}

static void what_cannot_be_opened_takes_no_place(void **state)
{
    backend_t *backend = backend_of(&by_caller, 1);
    (void)state;
    atomic_store(&backend->refuses, true);
    for (int i = 0; i < 3; i++)
        expect_none(backend, 5000, APR_ECONNREFUSED, "refused");
    atomic_store(&backend->refuses, false);
    release(backend, acquired(backend));
    end(backend);
}

/* ---- cancelling ---- */

static void who_waits_is_cancelled(void **state)
{
    const ratings_pool_ops_t *const kinds[] = {&by_caller, &by_thread};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        backend_t *backend = backend_of(kinds[i], 1);
        ratings_pooled_t *one = acquired(backend);
        waiter_t waiter;
        start_waiter(&waiter, backend, 5000);
        int64_t begin = now_ms();
        ratings_refobj_cancel(&backend->object);
        pthread_join(waiter.thread, NULL);
        assert_took(now_ms() - begin, 0, 300);
        assert_int_equal(waiter.why.status, RATINGS_NOT_ASKED);
        assert_null(waiter.pooled);
        release(backend, one); /* and is closed */
        assert_int_equal(backend->closed, 1);
        expect_none(backend, 5000, RATINGS_NOT_ASKED, "cancelled");
        end(backend);
    }
}

/* ---- opened by threads of the pool ---- */

static void one_that_comes_late_serves_the_next(void **state)
{
    backend_t *backend = backend_of(&by_thread, 2);
    (void)state;
    atomic_store(&backend->open_ms, 200);
    expect_none(backend, 50, APR_TIMEUP, "of 2 allowed, 0 are in use and 1 are being opened");
    ratings_pooled_t *pooled = acquired(backend);
    assert_int_equal(of(pooled)->number, 1);
    release(backend, pooled);
    assert_int_equal(backend->opened, 1); /* as many as calls wait, and not one more */
    AWAIT(threads() == 0);
    end(backend);
}

static void a_failure_ends_the_call(void **state)
{
    backend_t *backend = backend_of(&by_thread, 4);
    int64_t begin = now_ms();
    (void)state;
    atomic_store(&backend->refuses, true);
    expect_none(backend, 5000, APR_ECONNREFUSED, "refused");
    expect_none(backend, 5000, APR_ECONNREFUSED, "refused"); /* each call tries for itself */
    assert_took(now_ms() - begin, 0, 500);
    AWAIT(threads() == 0);
    end(backend);
}

/* The calls that have the connections tell of the server. */
static void after_a_failure_the_others_are_waited_for(void **state)
{
    backend_t *backend = backend_of(&by_thread, 2);
    ratings_pooled_t *one = acquired(backend);
    (void)state;
    atomic_store(&backend->refuses, true);
    expect_none(backend, 100, RATINGS_NOT_ASKED, "1 are in use");
    waiter_t waiter;
    start_waiter(&waiter, backend, 5000);
    release(backend, one);
    pthread_join(waiter.thread, NULL);
    assert_ptr_equal(waiter.pooled, one);
    AWAIT(threads() == 0);
    end(backend);
}

static void one_in_opening_outlives_its_owner(void **state)
{
    backend_t *backend = backend_of(&by_thread, 1);
    (void)state;
    atomic_store(&backend->open_ms, 1500);
    expect_none(backend, 20, APR_TIMEUP, "being opened");
    int64_t begin = now_ms();
    assert_true(ratings_refobj_shutdown(&backend->object));
    assert_took(now_ms() - begin, 495, 800);
    ratings_pool_close_idle(&backend->connections);
    ratings_refobj_unref(&backend->object);
    AWAIT(threads() == 0); /* under ASan: all is freed by then, and nothing is used after */
}

/* ---- usage ---- */

static void expect_usage(const ratings_pool_usage_t *usage, int in_use, int idle, int opening,
                         int waiting)
{
    const int expected[] = {in_use, idle, opening, waiting};
    const int found[] = {usage->in_use, usage->idle, usage->opening, usage->waiting};
    assert_memory_equal(found, expected, sizeof found);
}

static void usage_is_what_the_pool_does(void **state)
{
    backend_t *backend = backend_of(&by_thread, 2);
    ratings_pool_usage_t usage = {9, 9, 9, 9};
    waiter_t waiter;
    (void)state;
    backend->connections.usage = &usage;
    ratings_pooled_t *one = acquired(backend);
    expect_usage(&usage, 1, 0, 0, 0);
    atomic_store(&backend->open_ms, 1000);
    start_waiter(&waiter, backend, 5000);
    AWAIT(usage.waiting == 1);
    expect_usage(&usage, 1, 0, 1, 1);
    release(backend, one);
    pthread_join(waiter.thread, NULL);
    AWAIT(threads() == 0);
    expect_usage(&usage, 0, 2, 0, 0);
    end(backend);
}

/* It may be somebody else's by then. */
static void one_in_opening_leaves_the_usage_alone_after_shutdown(void **state)
{
    backend_t *backend = backend_of(&by_thread, 1);
    ratings_pool_usage_t usage = {0};
    (void)state;
    backend->connections.usage = &usage;
    atomic_store(&backend->open_ms, 1500);
    expect_none(backend, 20, APR_TIMEUP, "being opened");
    expect_usage(&usage, 0, 0, 1, 0);
    assert_true(ratings_refobj_shutdown(&backend->object));
    usage = (ratings_pool_usage_t){7, 7, 7, 7};
    ratings_pool_close_idle(&backend->connections);
    ratings_refobj_unref(&backend->object);
    AWAIT(threads() == 0);
    expect_usage(&usage, 7, 7, 7, 7);
}

/* ---- many ---- */

#define ROUNDS 2000

static atomic_int in_use;

static void *use_many(void *data)
{
    backend_t *backend = data;
    for (int i = 0; i < ROUNDS; i++) {
        ratings_pooled_t *pooled = acquired(backend);
        assert_in_range(atomic_fetch_add(&in_use, 1), 0, 2);
        atomic_fetch_sub(&in_use, 1);
        of(pooled)->is_broken = i % 7 == 0;
        if (i % 11 == 0)
            discard(backend, pooled);
        else
            release(backend, pooled);
    }
    return NULL;
}

static void many_threads_use_few(void **state)
{
    const ratings_pool_ops_t *const kinds[] = {&by_caller, &by_thread};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        backend_t *backend = backend_of(kinds[i], 3);
        pthread_t users[8];
        for (int n = 0; n < 8; n++)
            assert_int_equal(pthread_create(&users[n], NULL, use_many, backend), 0);
        for (int n = 0; n < 8; n++)
            pthread_join(users[n], NULL);
        AWAIT(threads() == 0);
        assert_in_range(backend->opened - backend->closed, 0, 3);
        end(backend);
    }
}

static int set_up(void **state)
{
    (void)state;
    alarm(TEST_SECONDS);
    count_threads();
    return apr_initialize() == APR_SUCCESS ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_is_reused_first),
        cmocka_unit_test(what_is_broken_is_replaced),
        cmocka_unit_test(a_new_one_is_used_as_it_is),
        cmocka_unit_test(what_was_opened_before_is_retired),
        cmocka_unit_test(pools_retire_together),
        cmocka_unit_test(one_is_opened_in_the_place_of_another),
        cmocka_unit_test(the_oldest_is_closed_after_a_while),
        cmocka_unit_test(what_is_not_idle_for_long_stays),
        cmocka_unit_test(all_in_use_is_no_failure_of_the_backend),
        cmocka_unit_test(what_comes_free_serves_who_waits),
        cmocka_unit_test(a_place_that_comes_free_serves_who_waits),
        cmocka_unit_test(what_cannot_be_opened_takes_no_place),
        cmocka_unit_test(who_waits_is_cancelled),
        cmocka_unit_test(one_that_comes_late_serves_the_next),
        cmocka_unit_test(a_failure_ends_the_call),
        cmocka_unit_test(after_a_failure_the_others_are_waited_for),
        cmocka_unit_test(one_in_opening_outlives_its_owner),
        cmocka_unit_test(usage_is_what_the_pool_does),
        cmocka_unit_test(one_in_opening_leaves_the_usage_alone_after_shutdown),
        cmocka_unit_test(many_threads_use_few),
    };
    return cmocka_run_group_tests_name("pool", tests, set_up, NULL);
}
