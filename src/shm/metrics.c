#include "metrics.h"

#include "../backend/common/log_record.h"
#include "../backend/store/store.h"
#include "../core/clock.h"
#include "process.h"

#include <sched.h>
#include <string.h>
#include <unistd.h>

#define STRIPES_MAX 64
#define CHILDREN_MAX 512 /* the others are not seen, which use as much */

_Static_assert(sizeof(ratings_metric_cells_t) == 9408 && sizeof(ratings_metric_use_t) == 192,
               "they lie in shared memory and have changed: raise RATINGS_METRICS_LAYOUT");

/* A partition. */
typedef struct {
    _Atomic int64_t noted_at; /* of ratings_wall_clock, as are all times; 0: nothing is known */
    _Atomic int64_t checkpoint, end;
    _Atomic uint32_t log_id;      /* of the log that `end` is of; 0: that of the next checkpoint */
    _Atomic int64_t record_at;    /* that of the last record that is applied; 0: nobody knows */
    _Atomic int64_t caught_up_at; /* when all that was known of was applied; 0: nobody knows */
} lag_t;

struct ratings_metrics_t {
    _Alignas(RATINGS_CACHE_LINE) _Atomic uint32_t stripe_mask; /* stripes, less one */
    ratings_metric_use_t child[CHILDREN_MAX];
    _Alignas(RATINGS_CACHE_LINE) lag_t partition[RATINGS_PARTITIONS_MAX];
    ratings_metric_cells_t stripe[]; /* one for each processor, or for some of them */
};

/* Those of common answers come first. */
const short ratings_metric_statuses[RATINGS_METRIC_STATUSES - 1] = {
    200, 304, 202, 204, 206, 303, 400, 401, 403, 404, 405, 406,
    408, 412, 413, 415, 416, 422, 429, 500, 501, 503, 504};

const int64_t ratings_metric_durations[RATINGS_METRIC_BOUNDS] = {
    500,    1000,   2500,   5000,    10000,   25000,   50000,
    100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000};

const int64_t ratings_metric_sizes[RATINGS_METRIC_BOUNDS] = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20000, 100000, 1000000};

/* ---- memory ---- */

/* A power of two. */
static uint32_t stripe_count(void)
{
    long processors = sysconf(_SC_NPROCESSORS_CONF);
    uint32_t count = 1;
    while (count < processors && count < STRIPES_MAX)
        count *= 2;
    return count;
}

size_t ratings_metrics_size(void)
{
    return sizeof(ratings_metrics_t) + stripe_count() * sizeof(ratings_metric_cells_t);
}

void ratings_metrics_init(ratings_metrics_t *metrics)
{
    atomic_store(&metrics->stripe_mask, stripe_count() - 1);
}

/* ---- counting ---- */

/* The thread may be on another processor by then: it counts all the same. */
static ratings_metric_cells_t *cells_of(ratings_metrics_t *metrics)
{
    uint32_t processor = (uint32_t)sched_getcpu();
    uint32_t mask = atomic_load_explicit(&metrics->stripe_mask, memory_order_relaxed);
    return &metrics->stripe[processor & mask];
}

static void add_to(ratings_counter_t *counter, uint64_t count)
{
    (void)atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static void add_value(ratings_distribution_t *distribution, const int64_t *bounds, int64_t value)
{
    int i = 0;
    while (i < RATINGS_METRIC_BOUNDS && value > bounds[i])
        i++;
    add_to(&distribution->bucket[i], 1);
    add_to(&distribution->sum, value > 0 ? (uint64_t)value : 0);
}

static int status_index(int status)
{
    int i = 0;
    while (i < RATINGS_METRIC_STATUSES - 1 && ratings_metric_statuses[i] != status)
        i++;
    return i;
}

void ratings_metrics_request(ratings_metrics_t *metrics, int endpoint,
                             ratings_metric_method_e method, int status)
{
    if (metrics)
        add_to(&cells_of(metrics)->requests[endpoint][method][status_index(status)], 1);
}

void ratings_metrics_lookup(ratings_metrics_t *metrics, ratings_metric_cache_e cache, bool is_hit)
{
    if (metrics)
        add_to(&cells_of(metrics)->lookups[cache][is_hit], 1);
}

void ratings_metrics_submitted(ratings_metrics_t *metrics, int outcome)
{
    if (metrics)
        add_to(&cells_of(metrics)->submitted[outcome], 1);
}

void ratings_metrics_visible(ratings_metrics_t *metrics, int64_t duration)
{
    if (metrics)
        add_value(&cells_of(metrics)->visible, ratings_metric_durations, duration);
}

void ratings_metrics_call(ratings_metrics_t *metrics, ratings_backend_e backend,
                          ratings_metric_call_e result, int64_t duration)
{
    if (!metrics)
        return;
    ratings_metric_cells_t *cells = cells_of(metrics);
    add_to(&cells->calls[backend][result], 1);
    if (backend != RATINGS_BACKEND_STREAM)
        add_value(&cells->call[backend], ratings_metric_durations, duration);
}

void ratings_metrics_voter_refused(ratings_metrics_t *metrics)
{
    if (metrics)
        add_to(&cells_of(metrics)->voter_refusals, 1);
}

void ratings_metrics_bulkhead_refused(ratings_metrics_t *metrics, int bulkhead)
{
    if (metrics)
        add_to(&cells_of(metrics)->bulkhead_refusals[bulkhead], 1);
}

void ratings_metrics_breaker_refused(ratings_metrics_t *metrics, ratings_backend_e backend)
{
    if (metrics)
        add_to(&cells_of(metrics)->breaker_refusals[backend], 1);
}

void ratings_metrics_breaker_opened(ratings_metrics_t *metrics, ratings_backend_e backend)
{
    if (metrics)
        add_to(&cells_of(metrics)->breaker_openings[backend], 1);
}

void ratings_metrics_appended(ratings_metrics_t *metrics, int64_t duration)
{
    if (metrics)
        add_value(&cells_of(metrics)->call[RATINGS_BACKEND_STREAM], ratings_metric_durations,
                  duration);
}

void ratings_metrics_applied(ratings_metrics_t *metrics, int64_t records)
{
    if (metrics)
        add_value(&cells_of(metrics)->batch, ratings_metric_sizes, records);
}

void ratings_metrics_exchanged(ratings_metrics_t *metrics, int64_t duration)
{
    if (metrics)
        add_value(&cells_of(metrics)->apply, ratings_metric_durations, duration);
}

void ratings_metrics_rebuilt(ratings_metrics_t *metrics)
{
    if (metrics)
        add_to(&cells_of(metrics)->rebuilds, 1);
}

void ratings_metrics_duplicate(ratings_metrics_t *metrics)
{
    if (metrics)
        add_to(&cells_of(metrics)->duplicates, 1);
}

void ratings_metrics_undecodable(ratings_metrics_t *metrics)
{
    if (metrics)
        add_to(&cells_of(metrics)->undecodable, 1);
}

/* Cells hold counters and nothing else. */
void ratings_metrics_read(const ratings_metrics_t *metrics, ratings_metric_cells_t *sum)
{
    uint32_t stripes = atomic_load(&metrics->stripe_mask) + 1;
    ratings_counter_t *to = (ratings_counter_t *)(void *)sum;
    memset((void *)sum, 0, sizeof *sum);
    for (uint32_t i = 0; i < stripes; i++) {
        const ratings_counter_t *from =
            (const ratings_counter_t *)(const void *)&metrics->stripe[i];
        for (size_t j = 0; j < sizeof *sum / sizeof *to; j++)
            add_to(&to[j], atomic_load_explicit(&from[j], memory_order_relaxed));
    }
}

/* ---- children ---- */

static void clear_use(ratings_metric_use_t *use)
{
    for (int i = 0; i < RATINGS_METRIC_BULKHEADS; i++) {
        atomic_store(&use->bulkhead[i], 0);
        atomic_store(&use->bulkhead_max[i], 0);
    }
    for (int i = 0; i < RATINGS_BACKENDS; i++) {
        atomic_store(&use->pool[i].in_use, 0);
        atomic_store(&use->pool[i].idle, 0);
        atomic_store(&use->pool[i].opening, 0);
        atomic_store(&use->pool[i].waiting, 0);
        atomic_store(&use->pool_max[i], 0);
    }
}

static void free_if_dead(ratings_metric_use_t *use)
{
    uint64_t process = atomic_load(&use->process);
    if (process && ratings_process_is_dead(process))
        (void)atomic_compare_exchange_strong(&use->process, &process, 0);
}

ratings_metric_use_t *ratings_metrics_join(ratings_metrics_t *metrics)
{
    for (int i = 0; metrics && i < 2 * CHILDREN_MAX; i++) { /* twice: dead ones may hold all */
        ratings_metric_use_t *use = &metrics->child[i % CHILDREN_MAX];
        uint64_t nobody = 0;
        if (i >= CHILDREN_MAX)
            free_if_dead(use);
        if (!atomic_compare_exchange_strong(&use->process, &nobody, ratings_process_self()))
            continue;
        clear_use(use);
        return use;
    }
    return NULL;
}

void ratings_metrics_leave(ratings_metric_use_t *use)
{
    if (use)
        atomic_store(&use->process, 0);
}

static void add_child_use(ratings_metric_use_t *sum, const ratings_metric_use_t *use)
{
    for (int i = 0; i < RATINGS_METRIC_BULKHEADS; i++) {
        sum->bulkhead[i] += use->bulkhead[i];
        sum->bulkhead_max[i] += use->bulkhead_max[i];
    }
    for (int i = 0; i < RATINGS_BACKENDS; i++) {
        sum->pool[i].in_use += use->pool[i].in_use;
        sum->pool[i].idle += use->pool[i].idle;
        sum->pool[i].opening += use->pool[i].opening;
        sum->pool[i].waiting += use->pool[i].waiting;
        sum->pool_max[i] += use->pool_max[i];
    }
}

int ratings_metrics_read_use(ratings_metrics_t *metrics, ratings_metric_use_t *sum)
{
    int children = 0;
    clear_use(sum);
    for (int i = 0; i < CHILDREN_MAX; i++) {
        free_if_dead(&metrics->child[i]);
        if (!atomic_load(&metrics->child[i].process))
            continue;
        add_child_use(sum, &metrics->child[i]);
        children++;
    }
    return children;
}

/* ---- the lag ---- */

static void note_if_caught_up(lag_t *lag, int64_t now)
{
    if (atomic_load(&lag->noted_at) && atomic_load(&lag->checkpoint) >= atomic_load(&lag->end))
        atomic_store(&lag->caught_up_at, now);
}

/* An empty log becomes one with records; the other way round it may be another. */
static bool is_another_log(uint32_t now, uint32_t then)
{
    return now != then && now != 0 && then != 0 && then != RATINGS_LOG_ID_EMPTY;
}

static void note_log(lag_t *lag, ratings_checkpoint_t checkpoint)
{
    if (is_another_log(checkpoint.log_id, atomic_load(&lag->log_id)))
        atomic_store(&lag->end, checkpoint.offset);
    if (checkpoint.log_id != 0)
        atomic_store(&lag->log_id, checkpoint.log_id);
}

void ratings_metrics_note_checkpoint(ratings_metrics_t *metrics, int partition,
                                     ratings_checkpoint_t checkpoint, int64_t record_time)
{
    if (!metrics)
        return;
    lag_t *lag = &metrics->partition[partition];
    int64_t now = ratings_wall_clock();
    note_log(lag, checkpoint);
    if (checkpoint.offset < atomic_load(&lag->checkpoint))
        atomic_store(&lag->caught_up_at, 0);
    atomic_store(&lag->checkpoint, checkpoint.offset);
    atomic_store(&lag->record_at, record_time > 0 ? record_time * 1000 : 0);
    atomic_store(&lag->noted_at, now);
    note_if_caught_up(lag, now);
}

static void raise_end(lag_t *lag, int64_t end)
{
    int64_t before = atomic_load(&lag->end);
    while (end > before && !atomic_compare_exchange_weak(&lag->end, &before, end))
        ;
}

int64_t ratings_metrics_end(const ratings_metrics_t *metrics, int partition)
{
    return metrics ? atomic_load(&metrics->partition[partition].end) : 0;
}

void ratings_metrics_set_end(ratings_metrics_t *metrics, int partition, int64_t before, int64_t end)
{
    if (!metrics)
        return;
    lag_t *lag = &metrics->partition[partition];
    if (!atomic_compare_exchange_strong(&lag->end, &before, end))
        raise_end(lag, end);
    atomic_store(&lag->log_id, 0);
    note_if_caught_up(lag, ratings_wall_clock());
}

/* All before it may have been applied, up to this moment. */
void ratings_metrics_raise_end(ratings_metrics_t *metrics, int partition, int64_t end)
{
    if (!metrics)
        return;
    note_if_caught_up(&metrics->partition[partition], ratings_wall_clock());
    raise_end(&metrics->partition[partition], end);
}

bool ratings_metrics_lag(const ratings_metrics_t *metrics, int partition, int64_t now,
                         ratings_metric_lag_t *out)
{
    const lag_t *lag = &metrics->partition[partition];
    int64_t record_at = atomic_load(&lag->record_at);
    int64_t since = atomic_load(&lag->caught_up_at);
    if (!atomic_load(&lag->noted_at))
        return false;
    out->checkpoint = atomic_load(&lag->checkpoint);
    out->records = atomic_load(&lag->end) - out->checkpoint;
    since = since > record_at ? since : record_at;
    if (out->records <= 0)
        out->records = out->age = 0;
    else if (since == 0)
        out->age = -1;
    else
        out->age = now > since ? now - since : 0;
    return true;
}
