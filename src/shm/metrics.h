/* What a host counts, for whoever collects metrics: counters and distributions of all its children,
 * what each child uses at the moment, and how far behind the log the store is. It is there where
 * RatingsEndpoint metrics is configured; all functions take NULL for metrics that are not, and then
 * do nothing.
 *
 * It lies in a segment of its own, so that counters live as long as httpd has the service and the
 * endpoint, whatever children end or are killed, and whatever else of shared memory changes its
 * layout. A counter is a relaxed atomic
 * in a stripe, one for each processor: no two of these write to a cache line of the other. What is
 * read of them is the sum over the stripes, which never goes down.
 *
 * What a child uses at the moment is in a slot of its own, which goes with it: a child that is
 * killed leaves nothing that counts for ever.
 *
 * src/service/metrics_page.c has the names of all these, and CONTRIBUTING.md the recipe for a new
 * one. Any thread of any child. Durations are microseconds. */
#ifndef RATINGS_SHM_METRICS_H
#define RATINGS_SHM_METRICS_H

#include "../backend/common/pool.h"
#include "backend_state.h"
#include "checkpoints.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* To be raised when something of the segment changes its meaning. A change of its size is seen. */
#define RATINGS_METRICS_LAYOUT 2

typedef struct ratings_metrics_t ratings_metrics_t;

size_t ratings_metrics_size(void);

/* In zeroed memory of that size, which begins with a cache line; nothing, where that was done. */
void ratings_metrics_init(ratings_metrics_t *metrics);

/* ---- what is counted ---- */

#define RATINGS_METRIC_ENDPOINTS                                                                   \
    7                              /* all values of ratings_endpoint_e but RATINGS_ENDPOINT_NONE   \
                                    */
#define RATINGS_METRIC_OUTCOMES 12 /* those of ratings_outcome_e */

typedef enum {
    RATINGS_METRIC_GET,
    RATINGS_METRIC_HEAD,
    RATINGS_METRIC_POST,
    RATINGS_METRIC_DELETE,
    RATINGS_METRIC_OPTIONS,
    RATINGS_METRIC_OTHER_METHOD,
    RATINGS_METRIC_METHODS
} ratings_metric_method_e;

/* Of a response, by ratings_metric_statuses: the last one is any other. */
#define RATINGS_METRIC_STATUSES 24
extern const short ratings_metric_statuses[RATINGS_METRIC_STATUSES - 1];

typedef enum {
    RATINGS_METRIC_CACHE_RESPONSES,
    RATINGS_METRIC_CACHE_TALKS,
    RATINGS_METRIC_CACHE_COUNTS,
    RATINGS_METRIC_CACHE_STATISTICS,
    RATINGS_METRIC_CACHES
} ratings_metric_cache_e;

/* What became of a call of a backend. */
typedef enum {
    RATINGS_METRIC_CALL_ANSWERED,
    RATINGS_METRIC_CALL_TIMED_OUT,
    RATINGS_METRIC_CALL_FAILED,
    RATINGS_METRIC_CALL_NOT_ASKED, /* for a reason of this host */
    RATINGS_METRIC_CALLS
} ratings_metric_call_e;

/* One for each backend, in the order of ratings_backend_e, and two of those who wait for the
 * projector. */
typedef enum {
    RATINGS_METRIC_BULKHEAD_PROJECTOR = RATINGS_BACKENDS,
    RATINGS_METRIC_BULKHEAD_POSITION,
    RATINGS_METRIC_BULKHEADS
} ratings_metric_bulkhead_e;

typedef _Atomic uint64_t ratings_counter_t;

/* How many values were in each bucket, by the bounds of its kind; the last is of those beyond. */
#define RATINGS_METRIC_BOUNDS 14
extern const int64_t ratings_metric_durations[RATINGS_METRIC_BOUNDS]; /* microseconds */
extern const int64_t ratings_metric_sizes[RATINGS_METRIC_BOUNDS];     /* records */

typedef struct {
    ratings_counter_t bucket[RATINGS_METRIC_BOUNDS + 1];
    ratings_counter_t sum;
} ratings_distribution_t;

/* All of them, as they are in one stripe. */
typedef struct {
    _Alignas(RATINGS_CACHE_LINE) ratings_counter_t
        requests[RATINGS_METRIC_ENDPOINTS][RATINGS_METRIC_METHODS][RATINGS_METRIC_STATUSES];
    ratings_counter_t lookups[RATINGS_METRIC_CACHES][2]; /* that missed, and that hit */
    ratings_counter_t submitted[RATINGS_METRIC_OUTCOMES];
    ratings_counter_t calls[RATINGS_BACKENDS][RATINGS_METRIC_CALLS];
    ratings_counter_t bulkhead_refusals[RATINGS_METRIC_BULKHEADS];
    ratings_counter_t breaker_refusals[RATINGS_BACKENDS];
    ratings_counter_t breaker_openings[RATINGS_BACKENDS];
    ratings_counter_t rebuilds, duplicates, undecodable, voter_refusals;
    ratings_distribution_t visible, call[RATINGS_BACKENDS], apply, batch;
} ratings_metric_cells_t;

/* A request for an endpoint (0 to RATINGS_METRIC_ENDPOINTS - 1), and its status. */
void ratings_metrics_request(ratings_metrics_t *metrics, int endpoint,
                             ratings_metric_method_e method, int status);

/* A look-up in a cache of shared memory. */
void ratings_metrics_lookup(ratings_metrics_t *metrics, ratings_metric_cache_e cache, bool is_hit);

/* A rating, or a withdrawal: its ratings_outcome_e. */
void ratings_metrics_submitted(ratings_metrics_t *metrics, int outcome);

/* One that is visible: how long after its request was read. */
void ratings_metrics_visible(ratings_metrics_t *metrics, int64_t duration);

/* A call of a backend that a request has made. That of Kafka ends when the request looks, so that
 * its duration is not counted: ratings_metrics_appended is. */
void ratings_metrics_call(ratings_metrics_t *metrics, ratings_backend_e backend,
                          ratings_metric_call_e result, int64_t duration);

/* A request whose voter is refused: the log says that another electorate votes. */
void ratings_metrics_voter_refused(ratings_metrics_t *metrics);

void ratings_metrics_bulkhead_refused(ratings_metrics_t *metrics, int bulkhead);
void ratings_metrics_breaker_refused(ratings_metrics_t *metrics, ratings_backend_e backend);
void ratings_metrics_breaker_opened(ratings_metrics_t *metrics, ratings_backend_e backend);

/* Kafka's report of an event: how long after it was sent. */
void ratings_metrics_appended(ratings_metrics_t *metrics, int64_t duration);

/* A batch that the store has applied, and an exchange of some with it. */
void ratings_metrics_applied(ratings_metrics_t *metrics, int64_t records);
void ratings_metrics_exchanged(ratings_metrics_t *metrics, int64_t duration);

/* The store is rebuilt. */
void ratings_metrics_rebuilt(ratings_metrics_t *metrics);

/* What the leader reads in the log and does not count: an event that was appended twice, and a
 * record that is no event. */
void ratings_metrics_duplicate(ratings_metrics_t *metrics);
void ratings_metrics_undecodable(ratings_metrics_t *metrics);

/* The sum of all stripes, counter by counter. */
void ratings_metrics_read(const ratings_metrics_t *metrics, ratings_metric_cells_t *sum);

/* ---- what a child uses ---- */

/* Of one child; in what is read, of all. */
typedef struct {
    _Alignas(RATINGS_CACHE_LINE) _Atomic uint64_t process; /* ratings_process_self; 0: nobody's */
    _Atomic uint32_t bulkhead[RATINGS_METRIC_BULKHEADS];   /* how many use it */
    _Atomic uint32_t bulkhead_max[RATINGS_METRIC_BULKHEADS];
    ratings_pool_usage_t pool[RATINGS_BACKENDS]; /* that of the stream is not used */
    _Atomic uint32_t pool_max[RATINGS_BACKENDS];
} ratings_metric_use_t;

/* A slot for this child, all zero; NULL: there are no metrics, or too many children. */
ratings_metric_use_t *ratings_metrics_join(ratings_metrics_t *metrics);

/* Nothing may write to the slot any more. NULL: nothing. */
void ratings_metrics_leave(ratings_metric_use_t *use);

/* The sum over all children; returns how many they are. Frees what dead ones have left. */
int ratings_metrics_read_use(ratings_metrics_t *metrics, ratings_metric_use_t *sum);

/* ---- how far behind the log the store is ---- */

/* The store has applied all below the checkpoint, and the last of it has the time `record_time`
 * (milliseconds since 1970; not positive: there is none). After a checkpoint that goes down, as in
 * a rebuild, it is not known when all was applied. A checkpoint of another log than before, as of a
 * topic that was recreated, is also all that is known of where that log ends; one whose log_id is 0
 * tells of no other log. */
void ratings_metrics_note_checkpoint(ratings_metrics_t *metrics, int partition,
                                     ratings_checkpoint_t checkpoint, int64_t record_time);

/* Where the log ends, as far as this host knows; 0 for metrics that are not. */
int64_t ratings_metrics_end(const ratings_metrics_t *metrics, int partition);

/* The brokers say that the log ends at `end`; ratings_metrics_end was `before` when they were
 * asked. An event of this host may have raised the end since, and then a lower one is no news. The
 * next checkpoint is of that log. */
void ratings_metrics_set_end(ratings_metrics_t *metrics, int partition, int64_t before,
                             int64_t end);

/* The log ends at `end` or later: there ends an event of this host. */
void ratings_metrics_raise_end(ratings_metrics_t *metrics, int partition, int64_t end);

typedef struct {
    int64_t checkpoint;
    int64_t records; /* that are known to be in the log, and not applied */
    int64_t age;     /* of the oldest of these, at most; 0: there are none, -1: nobody can tell */
} ratings_metric_lag_t;

/* `now` is of ratings_wall_clock. False: nothing is known of the partition.
 *
 * How the age is known: the oldest record that is not applied came after the last one that is, and
 * after the last moment at which all that this host knew of was applied. The later of the two is
 * what the age is counted from. */
bool ratings_metrics_lag(const ratings_metrics_t *metrics, int partition, int64_t now,
                         ratings_metric_lag_t *lag);

#endif
