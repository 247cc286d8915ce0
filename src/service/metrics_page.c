#include "metrics_page.h"

#include "../core/clock.h"
#include "build_version.h"
#include "use_cases.h"

#include <apr_strings.h>

#include <stdio.h>
#include <stdlib.h>

/* What a page is made of. */
typedef struct {
    const ratings_service_t *service;
    ratings_exposition_t *page;
    ratings_metric_cells_t cells;
    ratings_metric_use_t use; /* of all children */
    int children;
    int64_t now, wall_now; /* of ratings_monotonic, and of ratings_wall_clock */
} sources_t;

/* ---- values of labels ---- */

_Static_assert(RATINGS_METRIC_ENDPOINTS == RATINGS_ENDPOINTS - 1, "each has its requests counted");
_Static_assert(RATINGS_METRIC_OUTCOMES == RATINGS_OUTCOME_UNKNOWN + 1, "each outcome is counted");

static const char *const endpoint_values[RATINGS_METRIC_ENDPOINTS] = {
    [RATINGS_ENDPOINT_RATINGS - 1] = "ratings",  [RATINGS_ENDPOINT_MINE - 1] = "mine",
    [RATINGS_ENDPOINT_TALKS - 1] = "talks",      [RATINGS_ENDPOINT_METADATA - 1] = "metadata",
    [RATINGS_ENDPOINT_LIVE - 1] = "health_live", [RATINGS_ENDPOINT_READY - 1] = "health_ready",
    [RATINGS_ENDPOINT_METRICS - 1] = "metrics",
};
static const char *const method_values[RATINGS_METRIC_METHODS] = {
    [RATINGS_METRIC_GET] = "GET",         [RATINGS_METRIC_HEAD] = "HEAD",
    [RATINGS_METRIC_POST] = "POST",       [RATINGS_METRIC_DELETE] = "DELETE",
    [RATINGS_METRIC_OPTIONS] = "OPTIONS", [RATINGS_METRIC_OTHER_METHOD] = "other",
};
static const char *const outcome_values[RATINGS_METRIC_OUTCOMES] = {
    RATINGS_OUTCOMES_OF_RATINGS, /* NULL: none of a rating */
};
static const char *const cache_values[RATINGS_METRIC_CACHES] = {
    [RATINGS_METRIC_CACHE_RESPONSES] = "responses",
    [RATINGS_METRIC_CACHE_TALKS] = "talks",
    [RATINGS_METRIC_CACHE_COUNTS] = "counts",
    [RATINGS_METRIC_CACHE_STATISTICS] = "statistics",
};
static const char *const lookup_values[] = {"miss", "hit"};
static const char *const bulkhead_values[RATINGS_METRIC_BULKHEADS] = {
    RATINGS_BACKEND_NAMES,
    [RATINGS_METRIC_BULKHEAD_PROJECTOR] = "projector",
    [RATINGS_METRIC_BULKHEAD_POSITION] = "position",
};
static const char *const *const backend_values = bulkhead_values;
static const char *const call_values[RATINGS_METRIC_CALLS] = {
    [RATINGS_METRIC_CALL_ANSWERED] = "answered",
    [RATINGS_METRIC_CALL_TIMED_OUT] = "timed_out",
    [RATINGS_METRIC_CALL_FAILED] = "failed",
    [RATINGS_METRIC_CALL_NOT_ASKED] = "not_asked",
};
static const char *const state_values[] = {
    [RATINGS_BREAKER_CLOSED] = "closed",
    [RATINGS_BREAKER_OPEN] = "open",
    [RATINGS_BREAKER_HALF_OPEN] = "half_open",
};

/* ---- values ---- */

static void give_value(const sources_t *from, const char *one, const char *two, const char *three,
                       int64_t value)
{
    const char *const labels[RATINGS_METRIC_LABELS_MAX] = {one, two, three};
    ratings_exposition_value(from->page, labels, value);
}

static void give(const sources_t *from, int64_t value)
{
    give_value(from, NULL, NULL, NULL, value);
}

/* Of one label; a value that has no text is none. */
static void give_each(const sources_t *from, const char *const *texts, int count,
                      const ratings_counter_t *counters)
{
    for (int i = 0; i < count; i++)
        if (texts[i])
            give_value(from, texts[i], NULL, NULL, (int64_t)counters[i]);
}

static void give_each_use(const sources_t *from, const char *const *texts, int count,
                          const _Atomic uint32_t *numbers)
{
    for (int i = 0; i < count; i++)
        give_value(from, texts[i], NULL, NULL, (int64_t)numbers[i]);
}

static void give_distribution(const sources_t *from, const char *label,
                              const ratings_distribution_t *distribution)
{
    uint64_t buckets[RATINGS_METRIC_BOUNDS + 1];
    for (int i = 0; i <= RATINGS_METRIC_BOUNDS; i++)
        buckets[i] = distribution->bucket[i];
    ratings_exposition_histogram(from->page, (const char *const[]){label, NULL, NULL}, buckets,
                                 distribution->sum);
}

/* ---- requests and ratings ---- */

static void give_build(const sources_t *from)
{
    give_value(from, RATINGS_VERSION, RATINGS_REVISION, NULL, 1);
}

static void give_requests_of(const sources_t *from, int endpoint, int method)
{
    for (int i = 0; i < RATINGS_METRIC_STATUSES; i++) {
        int64_t count = (int64_t)from->cells.requests[endpoint][method][i];
        char status[8] = "other";
        if (i < RATINGS_METRIC_STATUSES - 1)
            (void)snprintf(status, sizeof status, "%d", ratings_metric_statuses[i]);
        if (count > 0) /* of a thousand combinations, most never come */
            give_value(from, endpoint_values[endpoint], method_values[method], status, count);
    }
}

static void give_requests(const sources_t *from)
{
    for (int i = 0; i < RATINGS_METRIC_ENDPOINTS; i++)
        for (int j = 0; j < RATINGS_METRIC_METHODS; j++)
            give_requests_of(from, i, j);
}

static void give_submitted(const sources_t *from)
{
    give_each(from, outcome_values, RATINGS_METRIC_OUTCOMES, from->cells.submitted);
}

static void give_voter_refusals(const sources_t *from)
{
    give(from, (int64_t)from->cells.voter_refusals);
}

static void give_visible(const sources_t *from)
{
    give_distribution(from, NULL, &from->cells.visible);
}

static void give_lookups(const sources_t *from)
{
    for (int i = 0; i < RATINGS_METRIC_CACHES; i++)
        for (int j = 0; j < 2; j++)
            give_value(from, cache_values[i], lookup_values[j], NULL,
                       (int64_t)from->cells.lookups[i][j]);
}

/* ---- backends ---- */

static void give_calls(const sources_t *from)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        for (int j = 0; j < RATINGS_METRIC_CALLS; j++)
            give_value(from, backend_values[i], call_values[j], NULL,
                       (int64_t)from->cells.calls[i][j]);
}

static void give_call_durations(const sources_t *from)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        give_distribution(from, backend_values[i], &from->cells.call[i]);
}

static void give_breaker_states(const sources_t *from)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++) {
        int state = (int)ratings_breaker_state(&from->service->shared->backend[i].breaker);
        for (int j = 0; j <= RATINGS_BREAKER_HALF_OPEN; j++)
            give_value(from, backend_values[i], state_values[j], NULL, j == state);
    }
}

static void give_breaker_openings(const sources_t *from)
{
    give_each(from, backend_values, RATINGS_BACKENDS, from->cells.breaker_openings);
}

static void give_breaker_refusals(const sources_t *from)
{
    give_each(from, backend_values, RATINGS_BACKENDS, from->cells.breaker_refusals);
}

static void give_bulkhead_use(const sources_t *from)
{
    give_each_use(from, bulkhead_values, RATINGS_METRIC_BULKHEADS, from->use.bulkhead);
}

static void give_bulkhead_limits(const sources_t *from)
{
    give_each_use(from, bulkhead_values, RATINGS_METRIC_BULKHEADS, from->use.bulkhead_max);
}

static void give_bulkhead_refusals(const sources_t *from)
{
    give_each(from, bulkhead_values, RATINGS_METRIC_BULKHEADS, from->cells.bulkhead_refusals);
}

/* The stream has one handle, and no pool. */
static bool has_pool(int backend)
{
    return backend != RATINGS_BACKEND_STREAM;
}

static void give_pool_use(const sources_t *from)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++) {
        const ratings_pool_usage_t *pool = &from->use.pool[i];
        if (!has_pool(i))
            continue;
        give_value(from, backend_values[i], "in_use", NULL, pool->in_use);
        give_value(from, backend_values[i], "idle", NULL, pool->idle);
        give_value(from, backend_values[i], "opening", NULL, pool->opening);
    }
}

static void give_pool_limits(const sources_t *from)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        if (has_pool(i))
            give_value(from, backend_values[i], NULL, NULL, (int64_t)from->use.pool_max[i]);
}

static void give_pool_waits(const sources_t *from)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        if (has_pool(i))
            give_value(from, backend_values[i], NULL, NULL, from->use.pool[i].waiting);
}

static void give_children(const sources_t *from)
{
    give(from, from->children);
}

/* ---- from the request to the log, and from the log to the store ---- */

static void give_append_slots(const sources_t *from)
{
    for (int i = 0; i < RATINGS_APPEND_RINGS; i++) {
        char ring[16];
        (void)snprintf(ring, sizeof ring, "%d", i);
        give_value(from, ring, NULL, NULL, ratings_append_in_use(from->service->rings, i));
    }
}

static void give_batches(const sources_t *from)
{
    give_distribution(from, NULL, &from->cells.batch);
}

static void give_exchanges(const sources_t *from)
{
    give_distribution(from, NULL, &from->cells.apply);
}

typedef enum { LAG_CHECKPOINT, LAG_RECORDS, LAG_AGE } lag_e;

/* Of what nobody can tell there is no value. */
static void give_lag(const sources_t *from, lag_e which)
{
    int partitions = atomic_load(&from->service->shared->routing_partitions);
    for (int i = 0; i < partitions; i++) {
        ratings_metric_lag_t lag;
        char partition[16];
        if (!ratings_metrics_lag(from->service->metrics, i, from->wall_now, &lag))
            continue;
        const int64_t values[] = {lag.checkpoint, lag.records, lag.age};
        (void)snprintf(partition, sizeof partition, "%d", i);
        if (values[which] >= 0)
            give_value(from, partition, NULL, NULL, values[which]);
    }
}

static void give_checkpoints(const sources_t *from)
{
    give_lag(from, LAG_CHECKPOINT);
}

static void give_lag_records(const sources_t *from)
{
    give_lag(from, LAG_RECORDS);
}

static void give_lag_ages(const sources_t *from)
{
    give_lag(from, LAG_AGE);
}

static void give_step_age(const sources_t *from)
{
    int64_t at = atomic_load(&from->service->shared->projected_at);
    if (at > 0)
        give(from, from->now > at ? from->now - at : 0);
}

static void give_duplicates(const sources_t *from)
{
    give(from, (int64_t)from->cells.duplicates);
}

static void give_undecodable(const sources_t *from)
{
    give(from, (int64_t)from->cells.undecodable);
}

static void give_rebuilds(const sources_t *from)
{
    give(from, (int64_t)from->cells.rebuilds);
}

static void give_rebuild_records(const sources_t *from)
{
    ratings_progress_t progress = ratings_shm_progress(from->service->shared);
    give_value(from, "read", NULL, NULL, progress.applied);
    give_value(from, "all", NULL, NULL, progress.total);
}

static void give_rebuild_left(const sources_t *from)
{
    ratings_progress_t progress = ratings_shm_progress(from->service->shared);
    if (progress.total > 0 && progress.seconds_left >= 0)
        give(from, progress.seconds_left);
}

/* ---- the table: docs/metrics.md has the same, which t/metrics.t compares ---- */

/* clang-format off */
#define COUNTER(name_) .name = "ratings_" name_, .type = RATINGS_METRIC_COUNTER
#define GAUGE(name_)   .name = "ratings_" name_, .type = RATINGS_METRIC_GAUGE
#define SECONDS        .unit = "seconds", .is_micro = true
#define HISTOGRAM(name_, unit_, is_micro_, bounds_) \
    .name = "ratings_" name_ "_" unit_, .type = RATINGS_METRIC_HISTOGRAM, .unit = unit_, .is_micro = is_micro_, \
    .bounds = bounds_, .bound_count = RATINGS_METRIC_BOUNDS
#define DURATIONS(name_) HISTOGRAM(name_, "seconds", true, ratings_metric_durations)

static const struct {
    ratings_metric_t metric;
    void (*give)(const sources_t *from);
} rows[] = {
    {{.name = "ratings_build", .type = RATINGS_METRIC_INFO, .labels = {"version", "revision"},
      .help = "The module's version, and the revision it was built from"}, give_build},
    {{COUNTER("requests"), .labels = {"endpoint", "method", "status"},
      .help = "Requests for an endpoint that were answered, httpd's own refusals among them"}, give_requests},
    {{COUNTER("submitted"), .labels = {"outcome"},
      .help = "Ratings and withdrawals that were well-formed, by what became of them"}, give_submitted},
    {{COUNTER("voter_refusals"),
      .help = "Requests of voters that were refused, as the log says that another electorate votes"}, give_voter_refusals},
    {{DURATIONS("post_to_visible"),
      .help = "From when a rating's request was read until every GET on this host counts it"}, give_visible},
    {{COUNTER("cache_lookups"), .labels = {"cache", "result"},
      .help = "Look-ups in the caches that the children of the host share"}, give_lookups},

    {{COUNTER("backend_calls"), .labels = {"backend", "result"},
      .help = "Calls of a backend by requests"}, give_calls},
    {{DURATIONS("backend_call"), .labels = {"backend"},
      .help = "How long calls of the backend by requests took; of the stream, from the sending of an event to Kafka's report of it"}, give_call_durations},
    {{GAUGE("breaker_state"), .labels = {"backend", "state"},
      .help = "1 for the state that the circuit breaker of the backend is in, 0 for the others"}, give_breaker_states},
    {{COUNTER("breaker_openings"), .labels = {"backend"},
      .help = "How often the circuit breaker of the backend opened"}, give_breaker_openings},
    {{COUNTER("breaker_refusals"), .labels = {"backend"},
      .help = "Calls that were not made, as the circuit breaker of the backend was open"}, give_breaker_refusals},
    {{GAUGE("bulkhead_in_use"), .labels = {"bulkhead"},
      .help = "Threads of all children that wait for a backend, the projector or a position"}, give_bulkhead_use},
    {{GAUGE("bulkhead_limit"), .labels = {"bulkhead"},
      .help = "How many threads may wait, all children together"}, give_bulkhead_limits},
    {{COUNTER("bulkhead_refusals"), .labels = {"bulkhead"},
      .help = "Waits that were refused, as too many of the child waited already"}, give_bulkhead_refusals},
    {{GAUGE("pool_connections"), .labels = {"backend", "state"},
      .help = "Connections of all children to the backend, those of the projector left out"}, give_pool_use},
    {{GAUGE("pool_limit"), .labels = {"backend"},
      .help = "How many connections to the backend there may be, all children together"}, give_pool_limits},
    {{GAUGE("pool_waiting"), .labels = {"backend"},
      .help = "Calls that wait for a connection to the backend to come free, or to be opened"}, give_pool_waits},
    {{GAUGE("children"),
      .help = "Children of httpd that have the service, those that are being drained among them"}, give_children},

    {{GAUGE("append_slots_in_use"), .labels = {"ring"},
      .help = "Slots of an append ring that hold an event, of 1024"}, give_append_slots},
    {{HISTOGRAM("batch", "records", false, ratings_metric_sizes),
      .help = "Records of a batch that this host has applied to the store"}, give_batches},
    {{DURATIONS("apply"),
      .help = "How long the store took to apply batches that were sent together"}, give_exchanges},
    {{GAUGE("checkpoint_offset"), .labels = {"partition"}, .unit = NULL,
      .help = "The next offset of the log that the store has not applied, as this host last saw"}, give_checkpoints},
    {{GAUGE("lag_records"), .labels = {"partition"}, .unit = "records",
      .help = "Records that this host knows to be in the log, and the store has not applied"}, give_lag_records},
    {{GAUGE("lag_seconds"), .labels = {"partition"}, SECONDS,
      .help = "Age of the oldest record that is not applied, at most; no value where nobody can tell"}, give_lag_ages},
    {{GAUGE("projector_step_age_seconds"), SECONDS,
      .help = "Time since this host's projector last made a step, or learnt from the store"}, give_step_age},
    {{COUNTER("duplicate_events"),
      .help = "Events that this host has read in the log a second time, and not counted"}, give_duplicates},
    {{COUNTER("undecodable_records"),
      .help = "Records that this host has read in the log, and that are no events"}, give_undecodable},
    {{COUNTER("rebuilds"),
      .help = "Rebuilds of the store that this host has begun"}, give_rebuilds},
    {{GAUGE("rebuild_records"), .labels = {"which"}, .unit = "records",
      .help = "Of the rebuild that this host makes, how many records are read, and of how many; 0: it makes none"}, give_rebuild_records},
    {{GAUGE("rebuild_remaining_seconds"), .unit = "seconds",
      .help = "How long the rebuild will take, as far as that can be estimated; no value: it cannot, or there is none"}, give_rebuild_left},
};
/* clang-format on */

/* ---- the page ---- */

static void read_sources(sources_t *from)
{
    ratings_metrics_t *metrics = from->service->metrics;
    ratings_metrics_read(metrics, &from->cells);
    from->children = ratings_metrics_read_use(metrics, &from->use);
    from->now = ratings_monotonic();
    from->wall_now = ratings_wall_clock();
}

const char *ratings_metrics_page(const ratings_service_t *service,
                                 ratings_exposition_format_e format, apr_pool_t *pool,
                                 size_t *length)
{
    sources_t from = {.service = service, .page = ratings_exposition_begin(format)};
    if (!from.page)
        return NULL;
    read_sources(&from);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ratings_exposition_metric(from.page, &rows[i].metric);
        rows[i].give(&from);
    }
    char *text = ratings_exposition_end(from.page, length);
    const char *copy = text ? apr_pstrmemdup(pool, text, *length) : NULL;
    free(text);
    return copy;
}
