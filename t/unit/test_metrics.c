#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/shm/segment.h"

#include <apr_general.h>
#include <apr_pools.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 4
#define TIMES 20000
#define P 3
#define LOG 7 /* a log_id */

static apr_pool_t *process;

static ratings_metrics_t *attach(const char *key)
{
    ratings_metrics_t *metrics = NULL;
    assert_int_equal(ratings_shm_attach_metrics(&metrics, key, process, process), APR_SUCCESS);
    return metrics;
}

/* Another one for each test. */
static ratings_metrics_t *fresh(void)
{
    static int count;
    char key[16];
    (void)snprintf(key, sizeof key, "fresh %d", count++);
    return attach(key);
}

static ratings_metric_cells_t sum_of(const ratings_metrics_t *metrics)
{
    ratings_metric_cells_t sum;
    ratings_metrics_read(metrics, &sum);
    return sum;
}

/* ---- counters ---- */

static void each_goes_to_its_place(void **state)
{
    ratings_metrics_t *metrics = fresh();
    (void)state;
    ratings_metrics_request(metrics, 6, RATINGS_METRIC_HEAD, 200);
    ratings_metrics_request(metrics, 6, RATINGS_METRIC_HEAD, 504);
    ratings_metrics_request(metrics, 0, RATINGS_METRIC_OTHER_METHOD, 418);
    ratings_metrics_lookup(metrics, RATINGS_METRIC_CACHE_TALKS, true);
    ratings_metrics_lookup(metrics, RATINGS_METRIC_CACHE_TALKS, false);
    ratings_metrics_lookup(metrics, RATINGS_METRIC_CACHE_TALKS, false);
    ratings_metrics_submitted(metrics, RATINGS_METRIC_OUTCOMES - 1);
    ratings_metrics_bulkhead_refused(metrics, RATINGS_METRIC_BULKHEAD_POSITION);
    ratings_metrics_breaker_refused(metrics, RATINGS_BACKEND_STATS);
    ratings_metrics_breaker_opened(metrics, RATINGS_BACKEND_STORE);
    ratings_metrics_voter_refused(metrics);
    ratings_metrics_rebuilt(metrics);
    ratings_metrics_duplicate(metrics);
    ratings_metrics_duplicate(metrics);
    for (int i = 0; i < 3; i++)
        ratings_metrics_undecodable(metrics);
    const ratings_metric_cells_t sum = sum_of(metrics);
    assert_int_equal(sum.requests[6][RATINGS_METRIC_HEAD][0], 1);
    assert_int_equal(sum.requests[6][RATINGS_METRIC_HEAD][RATINGS_METRIC_STATUSES - 2], 1);
    assert_int_equal(sum.requests[0][RATINGS_METRIC_OTHER_METHOD][RATINGS_METRIC_STATUSES - 1], 1);
    assert_int_equal(sum.lookups[RATINGS_METRIC_CACHE_TALKS][true], 1);
    assert_int_equal(sum.lookups[RATINGS_METRIC_CACHE_TALKS][false], 2);
    assert_int_equal(sum.lookups[RATINGS_METRIC_CACHE_RESPONSES][true], 0);
    assert_int_equal(sum.submitted[RATINGS_METRIC_OUTCOMES - 1], 1);
    assert_int_equal(sum.bulkhead_refusals[RATINGS_METRIC_BULKHEAD_POSITION], 1);
    assert_int_equal(sum.breaker_refusals[RATINGS_BACKEND_STATS], 1);
    assert_int_equal(sum.breaker_openings[RATINGS_BACKEND_STORE], 1);
    assert_int_equal(sum.voter_refusals, 1);
    assert_int_equal(sum.rebuilds, 1);
    assert_int_equal(sum.duplicates, 2);
    assert_int_equal(sum.undecodable, 3);
}

/* The bound belongs to its bucket. */
static void a_value_is_in_one_bucket(void **state)
{
    ratings_metrics_t *metrics = fresh();
    (void)state;
    ratings_metrics_visible(metrics, 0);
    ratings_metrics_visible(metrics, 500);
    ratings_metrics_visible(metrics, 501);
    ratings_metrics_visible(metrics, 10000000);
    ratings_metrics_visible(metrics, 10000001);
    ratings_metrics_visible(metrics, -5); /* of a clock that does not do that */
    ratings_metrics_applied(metrics, 1);
    ratings_metrics_applied(metrics, 3);
    ratings_metrics_exchanged(metrics, 1000);
    const ratings_metric_cells_t sum = sum_of(metrics);
    assert_int_equal(sum.visible.bucket[0], 3);
    assert_int_equal(sum.visible.bucket[1], 1);
    assert_int_equal(sum.visible.bucket[RATINGS_METRIC_BOUNDS - 1], 1);
    assert_int_equal(sum.visible.bucket[RATINGS_METRIC_BOUNDS], 1);
    assert_int_equal(sum.visible.sum, 500 + 501 + 10000000 + 10000001);
    assert_int_equal(sum.batch.bucket[0], 1);
    assert_int_equal(sum.batch.bucket[2], 1);
    assert_int_equal(sum.batch.sum, 4);
    assert_int_equal(sum.apply.bucket[1], 1);
}

static void calls_have_a_result_and_a_duration(void **state)
{
    ratings_metrics_t *metrics = fresh();
    (void)state;
    ratings_metrics_call(metrics, RATINGS_BACKEND_TALKS, RATINGS_METRIC_CALL_FAILED, 600);
    ratings_metrics_call(metrics, RATINGS_BACKEND_STREAM, RATINGS_METRIC_CALL_ANSWERED, 600);
    ratings_metrics_appended(metrics, 400);
    const ratings_metric_cells_t sum = sum_of(metrics);
    assert_int_equal(sum.calls[RATINGS_BACKEND_TALKS][RATINGS_METRIC_CALL_FAILED], 1);
    assert_int_equal(sum.call[RATINGS_BACKEND_TALKS].bucket[1], 1);
    assert_int_equal(sum.calls[RATINGS_BACKEND_STREAM][RATINGS_METRIC_CALL_ANSWERED], 1);
    assert_int_equal(sum.call[RATINGS_BACKEND_STREAM].bucket[0], 1);
    assert_int_equal(sum.call[RATINGS_BACKEND_STREAM].bucket[1], 0);
}

static void without_metrics_nothing_happens(void **state)
{
    (void)state;
    ratings_metrics_request(NULL, 0, RATINGS_METRIC_GET, 200);
    ratings_metrics_lookup(NULL, RATINGS_METRIC_CACHE_TALKS, true);
    ratings_metrics_submitted(NULL, 0);
    ratings_metrics_visible(NULL, 1);
    ratings_metrics_call(NULL, RATINGS_BACKEND_TALKS, RATINGS_METRIC_CALL_FAILED, 1);
    ratings_metrics_bulkhead_refused(NULL, 0);
    ratings_metrics_breaker_refused(NULL, RATINGS_BACKEND_TALKS);
    ratings_metrics_breaker_opened(NULL, RATINGS_BACKEND_TALKS);
    ratings_metrics_appended(NULL, 1);
    ratings_metrics_applied(NULL, 1);
    ratings_metrics_exchanged(NULL, 1);
    ratings_metrics_rebuilt(NULL);
    ratings_metrics_duplicate(NULL);
    ratings_metrics_undecodable(NULL);
    ratings_metrics_voter_refused(NULL);
    ratings_metrics_note_checkpoint(NULL, 0, (ratings_checkpoint_t){LOG, 1}, 1);
    ratings_metrics_set_end(NULL, 0, 0, 1);
    ratings_metrics_raise_end(NULL, 0, 1);
    assert_int_equal(ratings_metrics_end(NULL, 0), 0);
    assert_null(ratings_metrics_join(NULL));
    ratings_metrics_leave(NULL);
}

typedef struct {
    ratings_metrics_t *metrics;
    atomic_int running;
} crowd_t;

static void *count_often(void *data)
{
    crowd_t *crowd = data;
    for (int i = 0; i < TIMES; i++) {
        ratings_metrics_request(crowd->metrics, 0, RATINGS_METRIC_GET, 200);
        ratings_metrics_visible(crowd->metrics, i);
    }
    atomic_fetch_sub(&crowd->running, 1);
    return NULL;
}

static uint64_t values_of(const ratings_distribution_t *distribution)
{
    uint64_t values = 0;
    for (int i = 0; i <= RATINGS_METRIC_BOUNDS; i++)
        values += distribution->bucket[i];
    return values;
}

static void none_is_lost_and_none_goes_back(void **state)
{
    crowd_t crowd = {fresh(), THREADS};
    pthread_t thread[THREADS];
    uint64_t requests = 0, values = 0;
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, count_often, &crowd), 0);
    while (atomic_load(&crowd.running) > 0) {
        const ratings_metric_cells_t sum = sum_of(crowd.metrics);
        assert_true(sum.requests[0][RATINGS_METRIC_GET][0] >= requests);
        assert_true(values_of(&sum.visible) >= values);
        requests = sum.requests[0][RATINGS_METRIC_GET][0];
        values = values_of(&sum.visible);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    const ratings_metric_cells_t sum = sum_of(crowd.metrics);
    assert_int_equal(sum.requests[0][RATINGS_METRIC_GET][0], THREADS * TIMES);
    assert_int_equal(values_of(&sum.visible), THREADS * TIMES);
}

static int rebuilds_of(const ratings_metrics_t *metrics)
{
    const ratings_metric_cells_t sum = sum_of(metrics);
    return (int)sum.rebuilds;
}

/* As at a graceful restart. */
static void counters_are_found_again_by_their_key(void **state)
{
    ratings_metrics_t *metrics = attach("kept");
    (void)state;
    ratings_metrics_rebuilt(metrics);
    ratings_shm_release_all(process);
    assert_ptr_equal(attach("kept"), metrics);
    ratings_shm_destroy_released(process);
    assert_int_equal(rebuilds_of(attach("kept")), 1);
    assert_int_equal(rebuilds_of(attach("another")), 0);
    assert_int_equal((uintptr_t)metrics % RATINGS_CACHE_LINE, 0);
}

/* ---- children ---- */

static void what_a_child_uses_goes_with_it(void **state)
{
    ratings_metrics_t *metrics = fresh();
    ratings_metric_use_t *one = ratings_metrics_join(metrics), *two = ratings_metrics_join(metrics);
    ratings_metric_use_t sum;
    (void)state;
    assert_non_null(one);
    assert_ptr_not_equal(one, two);
    one->bulkhead[RATINGS_METRIC_BULKHEAD_PROJECTOR] = 2;
    two->bulkhead[RATINGS_METRIC_BULKHEAD_PROJECTOR] = 3;
    two->pool[RATINGS_BACKEND_STORE].in_use = 4;
    two->pool_max[RATINGS_BACKEND_STORE] = 8;
    assert_int_equal(ratings_metrics_read_use(metrics, &sum), 2);
    assert_int_equal(sum.bulkhead[RATINGS_METRIC_BULKHEAD_PROJECTOR], 5);
    assert_int_equal(sum.pool[RATINGS_BACKEND_STORE].in_use, 4);
    assert_int_equal(sum.pool_max[RATINGS_BACKEND_STORE], 8);
    ratings_metrics_leave(two);
    assert_int_equal(ratings_metrics_read_use(metrics, &sum), 1);
    assert_int_equal(sum.bulkhead[RATINGS_METRIC_BULKHEAD_PROJECTOR], 2);
    assert_ptr_equal(ratings_metrics_join(metrics), two);
    assert_int_equal(two->bulkhead[RATINGS_METRIC_BULKHEAD_PROJECTOR], 0);
}

/* All numbers of what a child uses follow each other, 32 bits each. */
#define NUMBERS                                                                                    \
    ((offsetof(ratings_metric_use_t, pool_max) - offsetof(ratings_metric_use_t, bulkhead)) /       \
         sizeof(uint32_t) +                                                                        \
     RATINGS_BACKENDS)

static _Atomic uint32_t *number_of(ratings_metric_use_t *use, size_t i)
{
    void *first = (char *)use + offsetof(ratings_metric_use_t, bulkhead);
    return (_Atomic uint32_t *)first + i;
}

static void each_number_is_added_and_begins_at_0(void **state)
{
    ratings_metrics_t *metrics = fresh();
    ratings_metric_use_t *one = ratings_metrics_join(metrics), *two = ratings_metrics_join(metrics);
    ratings_metric_use_t sum;
    (void)state;
    for (uint32_t i = 0; i < NUMBERS; i++) {
        atomic_store(number_of(one, i), i + 1);
        atomic_store(number_of(two, i), 1000);
    }
    assert_int_equal(ratings_metrics_read_use(metrics, &sum), 2);
    for (uint32_t i = 0; i < NUMBERS; i++)
        assert_int_equal(*number_of(&sum, i), 1000 + i + 1);
    ratings_metrics_leave(two);
    assert_int_equal(ratings_metrics_read_use(metrics, &sum), 1);
    for (uint32_t i = 0; i < NUMBERS; i++)
        assert_int_equal(*number_of(&sum, i), i + 1);
    assert_ptr_equal(ratings_metrics_join(metrics), two);
    for (uint32_t i = 0; i < NUMBERS; i++)
        assert_int_equal(*number_of(two, i), 0);
}

static void what_a_killed_child_uses_goes_as_well(void **state)
{
    ratings_metrics_t *metrics = fresh();
    ratings_metric_use_t sum;
    int status;
    pid_t child = fork();
    (void)state;
    if (child == 0) {
        ratings_metric_use_t *use = ratings_metrics_join(metrics);
        use->bulkhead[0] = 7;
        ratings_metrics_rebuilt(metrics);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(ratings_metrics_read_use(metrics, &sum), 0);
    assert_int_equal(sum.bulkhead[0], 0);
    assert_int_equal(rebuilds_of(metrics), 1);
}

static void more_children_than_there_are_slots_are_not_seen(void **state)
{
    ratings_metrics_t *metrics = fresh();
    ratings_metric_use_t sum, *use;
    int children = 0;
    (void)state;
    while ((use = ratings_metrics_join(metrics)) != NULL)
        children++;
    assert_true(children >= 256);
    assert_int_equal(ratings_metrics_read_use(metrics, &sum), children);
}

/* ---- the lag ---- */

static ratings_metric_lag_t lag_of(const ratings_metrics_t *metrics, int64_t now)
{
    ratings_metric_lag_t lag = {-1, -1, -2};
    assert_true(ratings_metrics_lag(metrics, P, now, &lag));
    return lag;
}

static void applied(ratings_metrics_t *metrics, uint16_t log_id, int64_t checkpoint,
                    int64_t record_time)
{
    ratings_metrics_note_checkpoint(metrics, P, (ratings_checkpoint_t){log_id, checkpoint},
                                    record_time);
}

/* Nobody has raised it meanwhile. */
static void set_end(ratings_metrics_t *metrics, int64_t end)
{
    ratings_metrics_set_end(metrics, P, ratings_metrics_end(metrics, P), end);
}

static void nothing_is_known_at_first(void **state)
{
    ratings_metrics_t *metrics = fresh();
    ratings_metric_lag_t lag;
    (void)state;
    assert_false(ratings_metrics_lag(metrics, P, ratings_wall_clock(), &lag));
    ratings_metrics_raise_end(metrics, P, 10);
    assert_false(ratings_metrics_lag(metrics, P, ratings_wall_clock(), &lag));
}

static void there_is_none_where_all_is_applied(void **state)
{
    ratings_metrics_t *metrics = fresh();
    (void)state;
    set_end(metrics, 10);
    applied(metrics, LOG, 10, 1000);
    ratings_metric_lag_t lag = lag_of(metrics, ratings_wall_clock());
    assert_int_equal(lag.checkpoint, 10);
    assert_int_equal(lag.records, 0);
    assert_int_equal(lag.age, 0);
    applied(metrics, LOG, 12, 1000); /* the end is not known yet */
    assert_int_equal(lag_of(metrics, ratings_wall_clock()).records, 0);
}

/* From when all was applied, as that is later than the last record. */
static void a_record_after_a_pause_is_not_as_old_as_the_pause(void **state)
{
    ratings_metrics_t *metrics = fresh();
    (void)state;
    set_end(metrics, 10);
    applied(metrics, LOG, 10, 1000);
    int64_t before = ratings_wall_clock();
    ratings_metrics_raise_end(metrics, P, 11);
    ratings_metrics_raise_end(metrics, P, 9);
    int64_t after = ratings_wall_clock();
    ratings_metric_lag_t lag = lag_of(metrics, after + 5000000);
    assert_int_equal(lag.records, 1);
    assert_true(lag.age >= 5000000 && lag.age <= 5000000 + after - before);
}

/* From the last record that is applied, as all never is. */
static void a_long_backlog_is_as_old_as_its_beginning(void **state)
{
    ratings_metrics_t *metrics = fresh();
    int64_t now = ratings_wall_clock();
    (void)state;
    set_end(metrics, 1000);
    applied(metrics, LOG, 400, now / 1000 - 60000);
    ratings_metric_lag_t lag = lag_of(metrics, now);
    assert_int_equal(lag.records, 600);
    assert_true(lag.age >= 60000000 && lag.age <= 60001000);
    assert_int_equal(lag_of(metrics, 0).age, 0); /* by a clock that was set back */
}

static void a_rebuild_forgets_what_was_applied(void **state)
{
    ratings_metrics_t *metrics = fresh();
    int64_t now = ratings_wall_clock();
    (void)state;
    set_end(metrics, 10);
    applied(metrics, LOG, 10, now / 1000);
    applied(metrics, LOG, 0, -1);
    ratings_metric_lag_t lag = lag_of(metrics, now);
    assert_int_equal(lag.checkpoint, 0);
    assert_int_equal(lag.records, 10);
    assert_int_equal(lag.age, -1);
    set_end(metrics, 0); /* the topic was recreated */
    assert_int_equal(lag_of(metrics, now).records, 0);
}

static void an_older_answer_does_not_lower_the_end(void **state)
{
    ratings_metrics_t *metrics = fresh();
    (void)state;
    applied(metrics, LOG, 10, 1000);
    set_end(metrics, 10);
    int64_t before = ratings_metrics_end(metrics, P); /* and the brokers are asked */
    ratings_metrics_raise_end(metrics, P, 11);
    ratings_metrics_set_end(metrics, P, before, 10);
    assert_int_equal(lag_of(metrics, ratings_wall_clock()).records, 1);
    ratings_metrics_set_end(metrics, P, before, 13);
    assert_int_equal(lag_of(metrics, ratings_wall_clock()).records, 3);
    set_end(metrics, 10);
    assert_int_equal(ratings_metrics_end(metrics, P), 10);
}

/* On a host that only follows, to which no broker says where a log ends. */
static void of_another_log_only_the_checkpoint_is_known(void **state)
{
    ratings_metrics_t *metrics = fresh();
    (void)state;
    applied(metrics, LOG, 10, 1000);
    ratings_metrics_raise_end(metrics, P, 1000);
    applied(metrics, 0, 0, -1);
    applied(metrics, LOG, 5, 1000); /* an ordinary rebuild */
    assert_int_equal(lag_of(metrics, ratings_wall_clock()).records, 995);
    applied(metrics, 0, 0, -1);
    applied(metrics, LOG + 1, 2, 1000); /* the topic was recreated */
    assert_int_equal(lag_of(metrics, ratings_wall_clock()).records, 0);
    ratings_metrics_raise_end(metrics, P, 4);
    assert_int_equal(lag_of(metrics, ratings_wall_clock()).records, 2);
    applied(metrics, RATINGS_LOG_ID_EMPTY, 0, -1); /* and again, without a record so far */
    assert_int_equal(lag_of(metrics, ratings_wall_clock()).records, 0);
    ratings_metrics_raise_end(metrics, P, 3);
    applied(metrics, LOG + 2, 1, 1000);
    assert_int_equal(lag_of(metrics, ratings_wall_clock()).records, 2);
}

/* On the leader's host: the brokers were asked before the first record of that log was applied. */
static void the_end_of_another_log_is_the_one_that_brokers_told(void **state)
{
    ratings_metrics_t *metrics = fresh();
    (void)state;
    applied(metrics, LOG, 1000, 1000);
    set_end(metrics, 1000);
    set_end(metrics, 20);
    applied(metrics, 0, 0, -1);
    applied(metrics, LOG + 1, 1, 1000);
    assert_int_equal(lag_of(metrics, ratings_wall_clock()).records, 19);
}

#define ADD(test) unit_add(&suite, #test, test, NULL)

int main(void)
{
    unit_suite_t suite = {.count = 0};
    apr_initialize();
    apr_pool_create(&process, NULL);
    ADD(each_goes_to_its_place);
    ADD(a_value_is_in_one_bucket);
    ADD(calls_have_a_result_and_a_duration);
    ADD(without_metrics_nothing_happens);
    ADD(none_is_lost_and_none_goes_back);
    ADD(counters_are_found_again_by_their_key);
    ADD(what_a_child_uses_goes_with_it);
    ADD(each_number_is_added_and_begins_at_0);
    ADD(what_a_killed_child_uses_goes_as_well);
    ADD(more_children_than_there_are_slots_are_not_seen);
    ADD(nothing_is_known_at_first);
    ADD(there_is_none_where_all_is_applied);
    ADD(a_record_after_a_pause_is_not_as_old_as_the_pause);
    ADD(a_long_backlog_is_as_old_as_its_beginning);
    ADD(a_rebuild_forgets_what_was_applied);
    ADD(an_older_answer_does_not_lower_the_end);
    ADD(of_another_log_only_the_checkpoint_is_known);
    ADD(the_end_of_another_log_is_the_one_that_brokers_told);
    return unit_run("metrics", &suite);
}
