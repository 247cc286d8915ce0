#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/service/status_lines.h"
#include "../../src/service/use_cases.h"

#include <apr_general.h>

#define LOG 7 /* a log_id */

static const ratings_shm_cache_geometry_t small = {16, 8, 16};
static const ratings_shm_cache_geometry_t *const geometry[RATINGS_CACHES] = {&small, &small, &small,
                                                                             &small, &small};

static apr_pool_t *process;

/* Another one for each test, of two partitions. */
static ratings_service_t fresh(const char *key)
{
    ratings_service_t service = {0};
    assert_int_equal(ratings_shm_attach(&service.shared, key, geometry, process, process),
                     APR_SUCCESS);
    assert_int_equal(ratings_shm_attach_metrics(&service.metrics, key, process, process),
                     APR_SUCCESS);
    atomic_store(&service.shared->routing_partitions, 2);
    return service;
}

/* The value of a line; NULL: there is no such line. */
static const char *value_of(const ratings_service_t *service, const char *key)
{
    ratings_status_line_t lines[RATINGS_STATUS_LINES_MAX];
    int count = ratings_status_lines(service, process, lines);
    for (int i = 0; i < count; i++)
        if (strcmp(lines[i].key, key) == 0)
            return lines[i].value;
    return NULL;
}

static void expect_lag(const ratings_service_t *service, const char *records, const char *age)
{
    assert_string_equal(value_of(service, "ModRatingsLagRecords"), records);
    assert_string_equal(value_of(service, "ModRatingsLagSeconds"), age);
}

static void applied(const ratings_service_t *service, int partition, int64_t checkpoint,
                    int64_t age_ms)
{
    ratings_metrics_note_checkpoint(service->metrics, partition,
                                    (ratings_checkpoint_t){LOG, checkpoint},
                                    ratings_wall_clock() / 1000 - age_ms);
}

static void the_lag_is_that_of_all_partitions(void **state)
{
    ratings_service_t service = fresh("all");
    (void)state;
    ratings_metrics_raise_end(service.metrics, 0, 5);
    ratings_metrics_raise_end(service.metrics, 1, 10);
    applied(&service, 0, 3, 20500);
    applied(&service, 1, 7, 40500);
    expect_lag(&service, "5", "40");
    applied(&service, 0, 5, 20500);
    applied(&service, 1, 10, 40500);
    expect_lag(&service, "0", "0");
}

static void it_is_unknown_where_nothing_is_known(void **state)
{
    ratings_service_t service = fresh("nothing");
    (void)state;
    expect_lag(&service, "unknown", "unknown");
    applied(&service, 0, 3, 0);
    expect_lag(&service, "unknown", "unknown");
    applied(&service, 1, 3, 0);
    expect_lag(&service, "0", "0");
    atomic_store(&service.shared->routing_partitions, 0);
    expect_lag(&service, "unknown", "unknown");
}

static void its_age_is_the_highest_of_whichever_partition(void **state)
{
    (void)state;
    for (int oldest = 0; oldest < 2; oldest++) {
        ratings_service_t service = fresh(oldest == 0 ? "the first" : "the second");
        ratings_metrics_raise_end(service.metrics, 0, 5);
        ratings_metrics_raise_end(service.metrics, 1, 5);
        applied(&service, oldest, 3, 40500);
        applied(&service, 1 - oldest, 4, 20500);
        expect_lag(&service, "3", "40");
    }
}

/* As while the store is rebuilt. */
static void its_age_is_unknown_where_nobody_can_tell_that_of_one(void **state)
{
    (void)state;
    for (int unknown = 0; unknown < 2; unknown++) {
        ratings_service_t service = fresh(unknown == 0 ? "rebuild of 0" : "rebuild of 1");
        ratings_metrics_raise_end(service.metrics, 1 - unknown, 5);
        ratings_metrics_raise_end(service.metrics, unknown, 10);
        applied(&service, 1 - unknown, 3, 20500);
        applied(&service, unknown, 10, 0);
        ratings_metrics_note_checkpoint(service.metrics, unknown, (ratings_checkpoint_t){0, 0}, -1);
        expect_lag(&service, "12", "unknown");
    }
}

/* ---- the others ---- */

static void count(const ratings_service_t *service, int outcome, int times)
{
    for (int i = 0; i < times; i++)
        ratings_metrics_submitted(service->metrics, outcome);
}

static void look_up(const ratings_service_t *service, ratings_metric_cache_e cache, bool is_hit,
                    int times)
{
    for (int i = 0; i < times; i++)
        ratings_metrics_lookup(service->metrics, cache, is_hit);
}

static void each_line_has_what_it_counts(void **state)
{
    ratings_service_t service = fresh("counts");
    (void)state;
    count(&service, RATINGS_OUTCOME_DONE, 1);
    count(&service, RATINGS_OUTCOME_ACCEPTED, 2);
    count(&service, RATINGS_OUTCOME_UNAVAILABLE, 3);
    count(&service, RATINGS_OUTCOME_UNKNOWN, 4);
    count(&service, RATINGS_OUTCOME_NO_TALK, 50);
    look_up(&service, RATINGS_METRIC_CACHE_RESPONSES, true, 6);
    look_up(&service, RATINGS_METRIC_CACHE_RESPONSES, false, 7);
    look_up(&service, RATINGS_METRIC_CACHE_COUNTS, false, 80);
    look_up(&service, RATINGS_METRIC_CACHE_TALKS, true, 80);
    ratings_metrics_request(service.metrics, 0, RATINGS_METRIC_GET, 200);
    ratings_metrics_request(service.metrics, 1, RATINGS_METRIC_OTHER_METHOD, 599);
    assert_string_equal(value_of(&service, "ModRatingsVisible"), "1");
    assert_string_equal(value_of(&service, "ModRatingsAccepted"), "2");
    assert_string_equal(value_of(&service, "ModRatingsUnavailable"), "3");
    assert_string_equal(value_of(&service, "ModRatingsUnknown"), "4");
    assert_string_equal(value_of(&service, "ModRatingsCacheHits"), "6");
    assert_string_equal(value_of(&service, "ModRatingsCacheMisses"), "7");
    assert_string_equal(value_of(&service, "ModRatingsRequests"), "2");
}

static void each_circuit_breaker_is_of_its_backend(void **state)
{
    static const char *const key[RATINGS_BACKENDS] = {
        [RATINGS_BACKEND_TALKS] = "ModRatingsBreakerTalks",
        [RATINGS_BACKEND_STORE] = "ModRatingsBreakerStore",
        [RATINGS_BACKEND_STREAM] = "ModRatingsBreakerStream",
        [RATINGS_BACKEND_STATS] = "ModRatingsBreakerStats",
    };
    const ratings_breaker_limits_t one_failure = {.threshold = 1, .cooldown_us = 1000000};
    ratings_service_t service = fresh("breakers");
    (void)state;
    for (int i = 0; i < RATINGS_BACKENDS; i++) {
        for (int j = 0; j < RATINGS_BACKENDS; j++)
            assert_string_equal(value_of(&service, key[j]), j < i ? "open" : "closed");
        (void)ratings_breaker_failure(&service.shared->backend[i].breaker, &one_failure,
                                      ratings_monotonic());
    }
}

static void there_is_no_lag_without_metrics(void **state)
{
    ratings_service_t service = fresh("none");
    (void)state;
    service.metrics = NULL;
    assert_null(value_of(&service, "ModRatingsLagRecords"));
    assert_string_equal(value_of(&service, "ModRatingsRebuild"), "none");
    assert_string_equal(value_of(&service, "ModRatingsProjectorStepAge"), "unknown");
}

#define ADD(test) unit_add(&suite, #test, test, NULL)

int main(void)
{
    unit_suite_t suite = {.count = 0};
    apr_initialize();
    apr_pool_create(&process, NULL);
    ADD(the_lag_is_that_of_all_partitions);
    ADD(its_age_is_the_highest_of_whichever_partition);
    ADD(it_is_unknown_where_nothing_is_known);
    ADD(its_age_is_unknown_where_nobody_can_tell_that_of_one);
    ADD(each_line_has_what_it_counts);
    ADD(each_circuit_breaker_is_of_its_backend);
    ADD(there_is_no_lag_without_metrics);
    return unit_run("status_lines", &suite);
}
