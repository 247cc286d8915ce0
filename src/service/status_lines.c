#include "status_lines.h"

#include "../core/clock.h"
#include "use_cases.h"

#include <apr_strings.h>

#include <stdbool.h>
#include <string.h>

/* What the lines are made of. */
typedef struct {
    const ratings_service_t *service;
    ratings_metric_cells_t cells; /* all zero without metrics; and so is */
    ratings_metric_lag_t lag;     /* over all partitions: the sum, and the highest age; -1: nobody
                                   * can tell */
    ratings_progress_t rebuild;
} numbers_t;

/* Of two numbers, each known or -1. */
static int64_t known_sum(int64_t a, int64_t b)
{
    return a < 0 || b < 0 ? -1 : a + b;
}

static int64_t known_max(int64_t a, int64_t b)
{
    if (a < 0 || b < 0)
        return -1;
    return a > b ? a : b;
}

static void add_lags(numbers_t *numbers)
{
    const ratings_service_t *service = numbers->service;
    int partitions = atomic_load(&service->shared->routing_partitions);
    int64_t now = ratings_wall_clock();
    numbers->lag.records = numbers->lag.age = partitions > 0 ? 0 : -1;
    for (int i = 0; i < partitions; i++) {
        ratings_metric_lag_t lag = {0, -1, -1};
        (void)ratings_metrics_lag(service->metrics, i, now, &lag);
        numbers->lag.records = known_sum(numbers->lag.records, lag.records);
        numbers->lag.age = known_max(numbers->lag.age, lag.age);
    }
}

static void read_numbers(numbers_t *numbers, const ratings_service_t *service)
{
    memset((void *)numbers, 0, sizeof *numbers);
    numbers->service = service;
    numbers->rebuild = ratings_shm_progress(service->shared);
    if (!service->metrics)
        return;
    ratings_metrics_read(service->metrics, &numbers->cells);
    add_lags(numbers);
}

/* ---- values ---- */

static const char *count_text(apr_pool_t *pool, int64_t number)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT, number);
}

/* Negative: nobody can tell. */
static const char *known_text(apr_pool_t *pool, int64_t number)
{
    return number < 0 ? "unknown" : count_text(pool, number);
}

/* `which`: of ratings_backend_e. */
static const char *breaker_text(const numbers_t *numbers, int which, apr_pool_t *pool)
{
    (void)pool;
    switch (ratings_breaker_state(&numbers->service->shared->backend[which].breaker)) {
    case RATINGS_BREAKER_CLOSED:
        return "closed";
    case RATINGS_BREAKER_HALF_OPEN:
        return "half open";
    case RATINGS_BREAKER_OPEN:
        break;
    }
    return "open";
}

static const char *requests_text(const numbers_t *numbers, int which, apr_pool_t *pool)
{
    int64_t sum = 0;
    (void)which;
    for (int i = 0; i < RATINGS_METRIC_ENDPOINTS; i++)
        for (int j = 0; j < RATINGS_METRIC_METHODS; j++)
            for (int k = 0; k < RATINGS_METRIC_STATUSES; k++)
                sum += (int64_t)numbers->cells.requests[i][j][k];
    return count_text(pool, sum);
}

/* `which`: of ratings_outcome_e. */
static const char *outcome_text(const numbers_t *numbers, int which, apr_pool_t *pool)
{
    return count_text(pool, (int64_t)numbers->cells.submitted[which]);
}

/* `which`: whether hits are counted. */
static const char *lookups_text(const numbers_t *numbers, int which, apr_pool_t *pool)
{
    return count_text(pool, (int64_t)numbers->cells.lookups[RATINGS_METRIC_CACHE_RESPONSES][which]);
}

static const char *lag_text(const numbers_t *numbers, int which, apr_pool_t *pool)
{
    (void)which;
    return known_text(pool, numbers->lag.records);
}

static const char *lag_age_text(const numbers_t *numbers, int which, apr_pool_t *pool)
{
    (void)which;
    int64_t age = numbers->lag.age;
    return known_text(pool, age < 0 ? age : age / APR_USEC_PER_SEC);
}

static const char *rebuild_text(const numbers_t *numbers, int which, apr_pool_t *pool)
{
    const ratings_progress_t *rebuild = &numbers->rebuild;
    (void)which;
    return rebuild->total == 0 ? "none"
                               : apr_psprintf(pool, "%" APR_INT64_T_FMT "/%" APR_INT64_T_FMT,
                                              rebuild->applied, rebuild->total);
}

static const char *step_age_text(const numbers_t *numbers, int which, apr_pool_t *pool)
{
    int64_t at = atomic_load(&numbers->service->shared->projected_at);
    (void)which;
    return at > 0 ? count_text(pool, (ratings_monotonic() - at) / APR_USEC_PER_SEC) : "unknown";
}

/* ---- the lines ---- */

static const struct {
    const char *key, *title;
    const char *(*text)(const numbers_t *numbers, int which, apr_pool_t *pool);
    int which;
    bool is_counted; /* only where there are metrics */
} rows[] = {
    {"ModRatingsBreakerTalks", "Circuit breaker of PostgreSQL", breaker_text, RATINGS_BACKEND_TALKS,
     false},
    {"ModRatingsBreakerStore", "Circuit breaker of Redis", breaker_text, RATINGS_BACKEND_STORE,
     false},
    {"ModRatingsBreakerStream", "Circuit breaker of Kafka", breaker_text, RATINGS_BACKEND_STREAM,
     false},
    {"ModRatingsBreakerStats", "Circuit breaker of the Lambda", breaker_text, RATINGS_BACKEND_STATS,
     false},
    {"ModRatingsProjectorStepAge", "Seconds since the projector's last step", step_age_text, 0,
     false},
    {"ModRatingsRebuild", "Records of a rebuild that are read", rebuild_text, 0, false},
    {"ModRatingsLagRecords", "Records that are not applied", lag_text, 0, true},
    {"ModRatingsLagSeconds", "Age of the oldest of them, seconds", lag_age_text, 0, true},
    {"ModRatingsRequests", "Requests", requests_text, 0, true},
    {"ModRatingsVisible", "Ratings, visible at once", outcome_text, RATINGS_OUTCOME_DONE, true},
    {"ModRatingsAccepted", "Ratings, visible later", outcome_text, RATINGS_OUTCOME_ACCEPTED, true},
    {"ModRatingsUnavailable", "Ratings refused, a backend was unavailable", outcome_text,
     RATINGS_OUTCOME_UNAVAILABLE, true},
    {"ModRatingsUnknown", "Ratings of which nobody knows", outcome_text, RATINGS_OUTCOME_UNKNOWN,
     true},
    {"ModRatingsCacheHits", "Responses found in the cache", lookups_text, 1, true},
    {"ModRatingsCacheMisses", "Responses made anew", lookups_text, 0, true},
};

_Static_assert(sizeof rows / sizeof *rows <= RATINGS_STATUS_LINES_MAX, "each has its place");

int ratings_status_lines(const ratings_service_t *service, apr_pool_t *pool,
                         ratings_status_line_t lines[RATINGS_STATUS_LINES_MAX])
{
    numbers_t numbers;
    int count = 0;
    read_numbers(&numbers, service);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!rows[i].is_counted || service->metrics)
            lines[count++] = (ratings_status_line_t){rows[i].key, rows[i].title,
                                                     rows[i].text(&numbers, rows[i].which, pool)};
    return count;
}
