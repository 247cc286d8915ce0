/* What all children of this host know in common: how far the store has come, and what changed.
 *
 * An anonymous segment, made by the parent and inherited, that lives as long as the httpd process:
 * plain numbers, no pointers, so that children of before and after a graceful restart share it. All
 * fields are lock-free atomics: a child killed at any point leaves nothing locked. */
#ifndef RATINGS_SHM_SEGMENT_H
#define RATINGS_SHM_SEGMENT_H

#include "../backend/store/store.h"
#include "../backend/stream/stream.h"
#include "../core/breaker.h"
#include "../core/shm_cache.h"
#include "futex.h"

#include <apr_pools.h>

#include <stdatomic.h>
#include <stdint.h>

/* To be raised when the struct, a record of a table, or the body of an answer changes its meaning.
 */
#define RATINGS_SHM_LAYOUT 8
#define RATINGS_CHANGE_SLOTS 65536 /* a power of two */

/* The tables of what is remembered, for all children, and across graceful restarts. */
typedef enum {
    RATINGS_CACHE_TALKS,
    RATINGS_CACHE_RESPONSES,
    RATINGS_CACHE_STATISTICS,
    RATINGS_CACHE_HEALTH,
    RATINGS_CACHES
} ratings_cache_e;

/* Why the store may be no read model of the log, as anybody may notice. */
typedef enum {
    RATINGS_REBUILD_REQUEST_NONE,
    RATINGS_REBUILD_REQUEST_STORE, /* it holds what the module never writes */
    RATINGS_REBUILD_REQUEST_LOG    /* an event was appended below what was applied */
    /* what another version adds is a reason as well */
} ratings_rebuild_request_e;

typedef enum {
    RATINGS_BACKEND_TALKS,
    RATINGS_BACKEND_STORE,
    RATINGS_BACKEND_STREAM,
    RATINGS_BACKEND_STATS,
    RATINGS_BACKENDS
} ratings_backend_e;

/* Lines of the error log that this host writes now and then, however many children have one. */
typedef enum {
    RATINGS_LINE_STREAM,       /* what librdkafka says */
    RATINGS_LINE_STREAM_FATAL, /* of it, what does not pass by itself */
    RATINGS_LINE_NO_STATS,     /* why an answer goes without statistics */
    RATINGS_LINES
} ratings_line_e;

/* A backend as this host knows it. In a cache line of its own, which is read with each call and
 * written to when calls fail. */
typedef struct {
    _Alignas(64) ratings_breaker_t breaker;
    _Atomic int64_t opened_at; /* when the breaker was opened last; by CLOCK_MONOTONIC, as below */
    _Atomic int64_t probed_at; /* when it was last probed for nobody's request */
} ratings_host_backend_t;

typedef struct {
    uint64_t id;                /* of the segment, random: tells projectors of this host */
    _Atomic uint32_t published; /* counts publications; the word that watchers sleep on */
    _Atomic uint32_t epoch;     /* raised when more may have changed than the counters say */
    _Atomic uint32_t
        suspect; /* ratings_rebuild_request_e: set by who notices, cleared by a rebuild */
    _Atomic uint32_t handover; /* counts leases given up; the word that other projectors sleep on */
    _Atomic int64_t leased_until; /* while a projector of this host holds the lease: until when, by
                                     CLOCK_MONOTONIC in microseconds */
    _Atomic int64_t projected_at; /* when a projector of this host last went on, or learnt from the
                                     store where another host's is; by the same clock */
    _Atomic int64_t candidate_at; /* when a projector of a child that goes on living last asked for
                                     the lease in vain, by the same clock */
    _Atomic int32_t routed;       /* partitions by which talks are routed; 0: not known yet */
    _Atomic int32_t overrouted;   /* what a record says for which the topic has too few; 0: none */
    _Atomic uint32_t topic_fault; /* ratings_topic_fault_e, as the projector last found it */
    _Atomic uint32_t append_time; /* 1: the topic keeps append times; 2: it does not; 0: unknown */
    _Atomic int32_t in_sync;      /* replicas without which nothing is appended; 0: unknown */
    _Atomic uint64_t skipped;     /* records of the log that were no events */
    _Atomic uint64_t repeated;    /* events that were in the log already */
    _Atomic uint32_t opened;      /* counts breakers opened; the word that probers sleep on */
    _Atomic uint32_t examined;    /* counts answers of readiness; for those who wait for one */
    _Atomic int64_t examined_until; /* while a request examines the backends for readiness: until
                                       when nobody else does; by the same clock */
    _Atomic int64_t logged_at[RATINGS_LINES]; /* by the same clock; 0: never */
    ratings_host_backend_t backend[RATINGS_BACKENDS];
    _Atomic uint32_t
        store_fault; /* ratings_store_fault_e: of what holds up projecting; 0: not it */
    _Atomic int64_t store_retired_at; /* of all connections to the store: ratings_store_retire */
    struct {
        _Atomic int64_t done, of, seconds_left; /* see ratings_progress_t */
    } rebuild;
    struct {
        _Atomic uint64_t high;      /* highest position known of this log */
        _Atomic uint64_t watermark; /* what waiting POSTs look at */
        _Atomic int64_t in_step_at; /* when the store was last seen to stand at the watermark */
    } partition[RATINGS_PARTITIONS_MAX];
    _Atomic uint32_t changed[RATINGS_CHANGE_SLOTS]; /* by the talk's hash */
    size_t memo[RATINGS_CACHES];                    /* where each begins in the segment */
} ratings_shm_t;

/* Attaching, in the parent, at post_config; `process` is the process pool. First all segments of
 * earlier configurations are released, then those of this one attached, and what was not is given
 * back to the system (children that still use it have their own mapping). */
void ratings_shm_release_all(apr_pool_t *process);
void ratings_shm_destroy_released(apr_pool_t *process);

/* The segment named by `key` (service, topic, store, sizes), found again after a graceful restart,
 * or made. */
apr_status_t ratings_shm_attach(ratings_shm_t **shared, const char *key,
                                const ratings_shm_cache_geometry_t *const shapes[RATINGS_CACHES],
                                apr_pool_t *process, apr_pool_t *scratch);

ratings_shm_cache_t *ratings_shm_cache_of(const ratings_shm_t *shared, ratings_cache_e memo);

/* A position and the log that it is of. High and watermark hold one each in one word, so that a
 * position is never taken for that of another log: a topic that was made again begins anew. */
typedef struct {
    uint16_t tag;     /* of the log (ratings_log_id); 0: nothing is known */
    int64_t position; /* below 2^48 */
} ratings_checkpoint_t;

ratings_checkpoint_t ratings_shm_high(const ratings_shm_t *shared, int partition);
ratings_checkpoint_t ratings_shm_watermark(const ratings_shm_t *shared, int partition);

/* What was known of a talk at some time. As long as it is the same, nothing that is known of on
 * this host has changed the talk's counts. */
typedef struct {
    uint32_t epoch, changed;
} ratings_version_t;

ratings_version_t ratings_shm_version(const ratings_shm_t *shared, uint32_t slot);

/* The store is about to be shown as it was at a place: nothing older may be shown from then on, and
 * if nobody has told of the place yet, the talk (its slot) may have changed. `*version` is that of
 * before high was looked at, and the store read, no earlier than `at` (of ratings_monotonic).
 * Returns whether what is shown may be shown again while the talk's version is what `*version` then
 * is. */
bool ratings_shm_shown(ratings_shm_t *shared, int partition, ratings_checkpoint_t place,
                       uint32_t slot, int64_t at, ratings_version_t *version);

/* The store was seen to stand at a place, no earlier than `at`. */
void ratings_shm_seen(ratings_shm_t *shared, int partition, ratings_checkpoint_t place, int64_t at);

/* Whether the store, when it was last seen, no longer than `age` microseconds before `now`, stood
 * where this host knows it to stand: what other hosts apply does not go unnoticed for longer. */
bool ratings_shm_in_step(const ratings_shm_t *shared, int partition, int64_t now, int64_t age);

/* Whether a place of the store is not what is known of it here: a publication was late, or never
 * came, or another host applies. */
bool ratings_shm_is_news(const ratings_shm_t *shared, int partition, ratings_checkpoint_t place);

/* The orders below were found by exploring them (t/model): whoever compares counters and epoch with
 * what they were looks at those first, then at high, then reads the store. */

/* A chunk was applied by the caller itself: high, then the talks' counters, then the watermark.
 * `slots`: ratings_shm_slot of each talk changed. */
void ratings_shm_publish_applied(ratings_shm_t *shared, int partition, ratings_checkpoint_t place,
                                 const uint32_t *slots, int count);

/* A position that the caller did not bring about itself, so that all may have changed: high, then
 * the epoch, then the watermark. */
void ratings_shm_publish_external(ratings_shm_t *shared, int partition, ratings_checkpoint_t place);

/* Where the store stands, as it says itself, for a host that knows nothing yet and cannot ask the
 * log: GETs go by it. Waiting POSTs do not: it may not be this log's. */
void ratings_shm_publish_bootstrap(ratings_shm_t *shared, int partition,
                                   ratings_checkpoint_t place);

/* A log that ends at `next` was not applied any further: if high is still `seen`, as it was before
 * the log's end was asked for, and beyond that end, it is of another log, or of one that was cut.
 */
void ratings_shm_forget(ratings_shm_t *shared, int partition, ratings_checkpoint_t seen,
                        int64_t next);

/* How far a rebuild is that a projector of this host is at. The three are told one after the other:
 * who reads them may see a little of the step before. */
typedef struct {
    int64_t done, of;     /* records applied, of how many; `of` 0: there is no such rebuild */
    int64_t seconds_left; /* RATINGS_SECONDS_UNKNOWN: not known yet */
} ratings_progress_t;

void ratings_shm_tell_progress(ratings_shm_t *shared, const ratings_progress_t *progress);
ratings_progress_t ratings_shm_progress(const ratings_shm_t *shared);

uint32_t ratings_shm_slot(const char *talk_id);

/* Whether the caller is to write such a line now: one caller of this host in ten seconds is. */
bool ratings_shm_may_log(ratings_shm_t *shared, ratings_line_e line, int64_t now);

#endif
