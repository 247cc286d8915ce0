/* The lease of the projector, against a store of this file's. */
#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/projector/lease.h"

#include <apr_general.h>

#define LEASE_US INT64_C(60000000) /* so long that none is due by itself */

/* ---- the store ---- */

static struct {
    char holder[RATINGS_TOKEN_MAX + 1]; /* "": nobody */
    apr_status_t status;                /* of each call */
    int64_t duration;                   /* that was asked for last */
    int asked, released;
} the_store;

apr_status_t ratings_store_acquire_lease(ratings_store_t *store, const char *token,
                                         const char *host, apr_interval_time_t lease, bool *held,
                                         char *holder, ratings_result_t *why)
{
    (void)store;
    the_store.asked++;
    the_store.duration = lease;
    if (the_store.status != APR_SUCCESS)
        return ratings_result_set(why, the_store.status, "it does not answer");
    if (!the_store.holder[0] || (*host && strncmp(the_store.holder, host, strlen(host)) == 0))
        strcpy(the_store.holder, token);
    strcpy(holder, the_store.holder);
    *held = strcmp(holder, token) == 0;
    return ratings_result_ok(why);
}

apr_status_t ratings_store_release_lease(ratings_store_t *store, const char *token,
                                         int64_t deadline, ratings_result_t *why)
{
    (void)store, (void)deadline;
    the_store.released++;
    if (strcmp(the_store.holder, token) == 0)
        the_store.holder[0] = '\0';
    return ratings_result_ok(why);
}

/* ---- a host with a projector ---- */

static bool draining;

static bool is_draining(void)
{
    return draining;
}

typedef struct {
    ratings_projector_options_t options;
    lease_t lease;
} projector_t;

static ratings_shm_t *new_segment(uint64_t id)
{
    ratings_shm_t *shared = aligned_alloc(RATINGS_CACHE_LINE, sizeof *shared);
    assert_non_null(shared);
    memset(shared, 0, sizeof *shared);
    shared->id = id;
    return shared;
}

static atomic_bool holds_host = true;

static void start(projector_t *projector, ratings_shm_t *shared)
{
    memset(projector, 0, sizeof *projector);
    projector->options.shared = shared;
    projector->options.lease = LEASE_US;
    projector->options.is_draining = is_draining;
    lease_init(&projector->lease, &projector->options, NULL, &holds_host);
}

static bool acquire(projector_t *projector)
{
    char holder[RATINGS_TOKEN_MAX + 1];
    bool held;
    ratings_result_t why;
    assert_int_equal(lease_acquire(&projector->lease, &held, holder, &why), APR_SUCCESS);
    assert_string_equal(holder, the_store.holder);
    return held;
}

static apr_status_t check(projector_t *projector)
{
    ratings_result_t why;
    return lease_check(&projector->lease, &why);
}

static int reset_store(void **state)
{
    (void)state;
    memset(&the_store, 0, sizeof the_store);
    draining = false;
    return 0;
}

/* Does not sleep: a thread that is to stop does not. */
static void stand_by(projector_t *projector)
{
    atomic_store(&projector->lease.stop, true);
    lease_stand_by(&projector->lease, LEASE_US);
    atomic_store(&projector->lease.stop, false);
}

/* ---- tests ---- */

static void the_host_that_asks_first_leads(void **state)
{
    ratings_shm_t *here = new_segment(1), *there = new_segment(2);
    projector_t first, elsewhere;
    (void)state;
    start(&first, here);
    start(&elsewhere, there);
    assert_true(acquire(&first));
    assert_false(acquire(&elsewhere));
    lease_release(&first.lease);
    assert_true(acquire(&elsewhere));
    free(here);
    free(there);
}

/* The one that had it does not get it back by renewing it. */
static void a_lease_of_the_same_host_is_taken_over(void **state)
{
    ratings_shm_t *shared = new_segment(1);
    projector_t first, second;
    (void)state;
    start(&first, shared);
    start(&second, shared);
    assert_true(acquire(&first));
    assert_true(acquire(&second));
    first.lease.renew_at = 0;
    assert_int_equal(check(&first), APR_EAGAIN);
    assert_string_equal(the_store.holder, second.lease.token);
    free(shared);
}

static void leader_asks_the_store_only_when_the_lease_is_due(void **state)
{
    ratings_shm_t *shared = new_segment(1);
    projector_t projector;
    (void)state;
    start(&projector, shared);
    (void)acquire(&projector);
    assert_int_equal(check(&projector), APR_SUCCESS);
    assert_int_equal(the_store.asked, 1);
    assert_in_range(projector.lease.renew_at - ratings_monotonic(), 1, LEASE_US / 3);
    lease_set_duration(&projector.lease, 2 * LEASE_US);
    assert_int_equal(check(&projector), APR_SUCCESS);
    assert_int_equal(the_store.asked, 2);
    assert_int_equal(the_store.duration, 2 * LEASE_US);
    free(shared);
}

static void leader_that_finds_another_holder_or_no_store_stops(void **state)
{
    ratings_shm_t *shared = new_segment(1);
    projector_t projector;
    (void)state;
    start(&projector, shared);
    (void)acquire(&projector);
    projector.lease.renew_at = 0;
    the_store.status = APR_ECONNREFUSED;
    assert_int_equal(check(&projector), APR_ECONNREFUSED);
    the_store.status = APR_SUCCESS;
    strcpy(the_store.holder, "another");
    projector.lease.renew_at = 0;
    assert_int_equal(check(&projector), APR_EAGAIN);
    lease_release(&projector.lease);
    assert_string_equal(the_store.holder, "another");
    free(shared);
}

static void what_was_read_is_applied_although_the_thread_is_to_stop(void **state)
{
    ratings_shm_t *shared = new_segment(1);
    ratings_result_t why;
    projector_t projector;
    (void)state;
    start(&projector, shared);
    (void)acquire(&projector);
    lease_stop(&projector.lease);
    assert_int_equal(check(&projector), APR_EAGAIN);
    assert_int_equal(lease_renew(&projector.lease, &why), APR_SUCCESS);
    free(shared);
}

static void drained_child_leads_until_another_child_would(void **state)
{
    ratings_shm_t *shared = new_segment(1);
    projector_t old, new;
    (void)state;
    start(&old, shared);
    start(&new, shared);
    (void)acquire(&old);
    stand_by(&new);
    draining = true;
    assert_int_equal(check(&old), APR_SUCCESS); /* that was before it was drained */
    draining = false;
    while (ratings_monotonic() <= old.lease.draining_since)
        ;
    stand_by(&new); /* another one, as it seems, has just looked */
    assert_int_equal(check(&old), APR_SUCCESS);
    atomic_fetch_sub(&shared->standby_at, LEASE_US);
    stand_by(&new);
    assert_int_equal(check(&old), APR_EAGAIN);
    assert_true(lease_must_stop(&old.lease));
    assert_false(lease_is_stopped(&old.lease));
    free(shared);
}

static void drained_child_is_no_candidate(void **state)
{
    ratings_shm_t *shared = new_segment(1);
    projector_t projector;
    (void)state;
    start(&projector, shared);
    draining = true;
    assert_false(lease_must_stop(&projector.lease));
    stand_by(&projector);
    assert_int_equal(atomic_load(&shared->standby_at), 0);
    free(shared);
}

static void giving_up_the_lease_wakes_who_waits_for_it(void **state)
{
    ratings_shm_t *shared = new_segment(1);
    projector_t projector;
    (void)state;
    start(&projector, shared);
    (void)acquire(&projector);
    lease_release(&projector.lease);
    assert_int_equal(atomic_load(&shared->handover), 1);
    assert_int_equal(the_store.released, 1);
    lease_stop(&projector.lease);
    assert_int_equal(atomic_load(&shared->handover), 2);
    int64_t before = ratings_monotonic();
    lease_wait_for_handover(&projector.lease,
                            LEASE_US); /* a thread that is to end does not sleep */
    assert_in_range(ratings_monotonic() - before, 0, LEASE_US / 2);
    free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_host_that_asks_first_leads, reset_store),
        cmocka_unit_test_setup(a_lease_of_the_same_host_is_taken_over, reset_store),
        cmocka_unit_test_setup(leader_asks_the_store_only_when_the_lease_is_due, reset_store),
        cmocka_unit_test_setup(leader_that_finds_another_holder_or_no_store_stops, reset_store),
        cmocka_unit_test_setup(what_was_read_is_applied_although_the_thread_is_to_stop,
                               reset_store),
        cmocka_unit_test_setup(drained_child_leads_until_another_child_would, reset_store),
        cmocka_unit_test_setup(drained_child_is_no_candidate, reset_store),
        cmocka_unit_test_setup(giving_up_the_lease_wakes_who_waits_for_it, reset_store),
    };
    apr_initialize();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
