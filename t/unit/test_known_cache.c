#include "../../src/core/clock.h"
#include "../../src/service/known_cache.h"
#include "unit.h"

#include <apr_general.h>

#include <stdatomic.h>

#define THREADS 8
#define ROUNDS 2000
#define HOUR INT64_C(3600000000)

static ratings_known_cache_t cache;
static atomic_int alive; /* of what was read and is not freed */

static int set_up(void **state)
{
    (void)state;
    ratings_known_cache_init(&cache);
    atomic_store(&alive, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ratings_known_cache_destroy(&cache);
    cache.newest = NULL;
    assert_int_equal(atomic_load(&alive), 0);
    return 0;
}

static apr_status_t on_freed(void *data)
{
    (void)data;
    atomic_fetch_sub(&alive, 1);
    return APR_SUCCESS;
}

static ratings_known_t *make(int64_t read_at)
{
    apr_pool_t *pool;
    assert_int_equal(apr_pool_create_unmanaged(&pool), APR_SUCCESS);
    ratings_known_t *known = apr_pcalloc(pool, sizeof *known);
    known->pool = pool;
    known->read_at = read_at;
    atomic_fetch_add(&alive, 1);
    apr_pool_cleanup_register(pool, NULL, on_freed, apr_pool_cleanup_null);
    return known;
}

/* Without waiting. */
static ratings_known_t *get(int64_t ttl, bool *must_read)
{
    int64_t now = ratings_monotonic();
    return ratings_known_cache_get(&cache, ttl, now, now, must_read);
}

static void put(int64_t age)
{
    ratings_known_t *known = make(ratings_monotonic() - age);
    ratings_known_cache_put(&cache, known);
    ratings_known_cache_release(&cache, known);
}

/* ---- who reads ---- */

static void one_reads_and_others_wait(void **state)
{
    bool must_read;
    (void)state;
    assert_null(get(HOUR, &must_read));
    assert_true(must_read);
    for (int i = 0; i < 3; i++) {
        assert_null(get(HOUR, &must_read)); /* it was waited for, and did not come */
        assert_false(must_read);
    }
    put(0);
    ratings_known_t *known = get(HOUR, &must_read);
    assert_non_null(known);
    assert_false(must_read);
    ratings_known_cache_release(&cache, known);
}

static void who_cannot_read_leaves_it_to_the_next(void **state)
{
    bool must_read;
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_null(get(HOUR, &must_read));
        assert_true(must_read);
        ratings_known_cache_put(&cache, NULL);
    }
}

static void half_its_time_over_one_reads_the_next(void **state)
{
    bool must_read;
    (void)state;
    assert_null(get(HOUR, &must_read));
    put(HOUR / 2 + 1000);
    for (int i = 0; i < 3; i++) {
        ratings_known_t *known = get(HOUR, &must_read);
        assert_non_null(known);
        assert_int_equal(must_read, i == 0);
        ratings_known_cache_release(&cache, known);
    }
    ratings_known_cache_put(&cache, NULL); /* which fails: the one before is known on */
    ratings_known_t *known = get(HOUR, &must_read);
    assert_non_null(known);
    assert_true(must_read);
    ratings_known_cache_put(&cache, NULL);
    ratings_known_cache_release(&cache, known);
}

static void what_is_too_old_is_not_used(void **state)
{
    bool must_read;
    (void)state;
    assert_null(get(HOUR, &must_read));
    put(HOUR + 1);
    assert_null(get(HOUR, &must_read));
    assert_true(must_read);
    ratings_known_cache_put(&cache, NULL);
}

/* Without a time that anything is known for, what was begun to be read since is as new as can be.
 */
static void what_was_read_since_is_used(void **state)
{
    bool must_read;
    (void)state;
    assert_null(get(0, &must_read));
    int64_t before = ratings_monotonic();
    ratings_known_t *read = make(ratings_monotonic());
    ratings_known_cache_put(&cache, read);
    ratings_known_cache_release(&cache, read);
    ratings_known_t *known = ratings_known_cache_get(&cache, 0, before, before, &must_read);
    assert_ptr_equal(known, read);
    assert_false(must_read);
    ratings_known_cache_release(&cache, known);
    assert_null(ratings_known_cache_get(&cache, 0, read->read_at + 1, before, &must_read));
    assert_true(must_read);
    ratings_known_cache_put(&cache, NULL);
}

/* ---- for how long it lives ---- */

static void what_is_used_outlives_the_next(void **state)
{
    bool must_read;
    (void)state;
    assert_null(get(HOUR, &must_read));
    put(HOUR - HOUR / 4);
    ratings_known_t *before = get(HOUR, &must_read);
    assert_true(must_read);
    put(0);
    assert_int_equal(atomic_load(&alive), 2);
    ratings_known_cache_release(&cache, before);
    assert_int_equal(atomic_load(&alive), 1);
    ratings_known_cache_release(&cache, NULL);
}

static void what_is_shared_is_released_by_each(void **state)
{
    bool must_read;
    (void)state;
    assert_null(get(HOUR, &must_read));
    put(0);
    ratings_known_t *known = get(HOUR, &must_read);
    ratings_known_cache_share(&cache, known);
    assert_null(ratings_known_cache_get(&cache, 0, INT64_MAX, 0, &must_read));
    put(0);
    ratings_known_cache_release(&cache, known);
    assert_int_equal(atomic_load(&alive), 2);
    ratings_known_cache_release(&cache, known);
    assert_int_equal(atomic_load(&alive), 1);
}

/* ---- threads ---- */

static void *use(void *data)
{
    atomic_int *readers = data;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t now = ratings_monotonic();
        bool must_read;
        ratings_known_t *known =
            ratings_known_cache_get(&cache, i % 7 == 0 ? 0 : 50, now, now + HOUR, &must_read);
        if (must_read) {
            if (atomic_fetch_add(readers, 1) != 0)
                abort(); /* two read at the same time */
            ratings_known_t *newer = i % 5 == 0 ? NULL : make(now);
            atomic_fetch_sub(readers, 1);
            ratings_known_cache_put(&cache, newer);
            ratings_known_cache_release(&cache, newer);
        }
        ratings_known_cache_release(&cache, known);
    }
    return NULL;
}

static void many_threads_have_one_that_reads(void **state)
{
    pthread_t threads[THREADS];
    atomic_int readers = 0;
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, &readers), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(atomic_load(&alive) <= 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_reads_and_others_wait),
        TEST(who_cannot_read_leaves_it_to_the_next),
        TEST(half_its_time_over_one_reads_the_next),
        TEST(what_is_too_old_is_not_used),
        TEST(what_was_read_since_is_used),
        TEST(what_is_used_outlives_the_next),
        TEST(what_is_shared_is_released_by_each),
        TEST(many_threads_have_one_that_reads),
    };
    apr_initialize();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    apr_terminate();
    return failed;
}
