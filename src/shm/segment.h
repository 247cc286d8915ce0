/* The segment: what the children of a host share.
 *
 * It is anonymous memory, which the parent makes and children inherit, and which lives as long as
 * the httpd process: plain numbers, no pointers, so that children of before and after a graceful
 * restart share it. All fields are lock-free atomics, so that a child which is killed at any point
 * leaves nothing locked; httpd's own mutexes between processes do not promise that of every kind.
 *
 * Not the slots of mod_slotmem_shm, which are of one size and found by a name that a graceful
 * restart may reuse for another size. Not ap_socache_shmcb for what is cached: it takes one global
 * mutex for each look-up, where the caches here (../core/shm_cache.h) take none. */
#ifndef RATINGS_SHM_SEGMENT_H
#define RATINGS_SHM_SEGMENT_H

#include "../backend/common/log_record.h"
#include "../backend/store/store.h"
#include "../core/shm_cache.h"
#include "../core/voter_rate.h"
#include "append_ring.h"
#include "backend_state.h"
#include "checkpoints.h"
#include "log_rate.h"
#include "metrics.h"
#include "rebuild_state.h"

#include <apr_pools.h>

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* The caches, of all children, and across graceful restarts. */
typedef enum {
    RATINGS_CACHE_TALKS,
    RATINGS_CACHE_RESPONSES,
    RATINGS_CACHE_COUNTS,
    RATINGS_CACHE_STATISTICS,
    RATINGS_CACHE_HEALTH,
    RATINGS_CACHES
} ratings_cache_e;

/* Grouped by who writes how often, each group beginning with a cache line: a GET that the response
 * cache answers reads the first group, its talk's counter and its partition's confirmation, and
 * every core keeps these lines until something of theirs changes. What each publication writes is
 * in lines of its own: beside `epoch`, `published` would take the line of every GET from all cores
 * with every batch that is applied.
 *
 * Where it says so, the words are slept on: ratings_shm_wait and ratings_shm_wake (futex.h). Times
 * are of ratings_monotonic. */
struct ratings_shm_t {
    /* Each GET reads these. They change when the store, or the leader, is another. */
    _Alignas(RATINGS_CACHE_LINE) size_t cache_offset[RATINGS_CACHES]; /* of each, from the start */
    uint64_t id;            /* random: by it projectors tell those of this host */
    _Atomic uint32_t epoch; /* raised when more talks may have changed than the counters say */

    /* Each publication writes this. */
    _Alignas(RATINGS_CACHE_LINE) _Atomic uint32_t published; /* counts them; slept on by who waits
                                                              * for an event to be applied */

    /* Requests that call a backend read these. A projector stores them with each look at store or
     * topic; a request stores what it is first to find: that append times are not kept, that the
     * store is corrupt, that its connections are of another server. */
    _Alignas(RATINGS_CACHE_LINE) _Atomic int32_t routing_partitions; /* by which talks are routed;
                                                                      * 0: not known yet */
    _Atomic int32_t routing_conflict; /* what a routing record says, of a topic that has fewer
                                       * partitions; 0: none */
    _Atomic uint32_t topic_fault;     /* ratings_topic_fault_e, as the projector last found it */
    _Atomic uint32_t append_time;     /* ratings_append_time_e */
    _Atomic int32_t min_insync;       /* replicas without which nothing is appended; 0: unknown */
    _Atomic uint32_t store_fault;     /* ratings_store_fault_e: by which the projector is stalled;
                                       * 0: not by the store */
    _Atomic uint32_t rebuild_request; /* ratings_rebuild_request_e; a rebuild clears it */
    _Atomic uint32_t has_barred;      /* 1: voters are barred, so that each asks about itself */
    _Atomic uint64_t electorate;      /* ratings_electorate_number of the one that stands; 0: not
                                       * known yet */
    _Atomic uint64_t electorate_refused; /* of the host's own, xor `electorate`, if they differ and
                                          * that was logged; else 0 */
    _Atomic int64_t store_retired_at;    /* of all connections to the store: ratings_store_retire */

    /* Projectors write these all the time. */
    _Alignas(RATINGS_CACHE_LINE) _Atomic int64_t projected_at; /* when one of this host last made a
                                                                * step, or learnt from the store */
    _Atomic int64_t standby_at;       /* when one of a child that is not drained last stood by */
    _Atomic int64_t topic_checked_at; /* when one of this host last found that the topic takes
                                       * events; 0: it has not, or does not look */
    _Atomic uint32_t handover;        /* counts leases given up; standbys sleep on it */
    _Atomic uint64_t skipped_records; /* of the log, which were no events; as log lines have it */
    _Atomic uint64_t repeated_events; /* which were in the log already; as log lines have it */

    /* Now and then. */
    _Alignas(RATINGS_CACHE_LINE) _Atomic uint32_t breakers_opened; /* counts; probers sleep on it */
    _Atomic uint32_t health_answers;      /* counts; slept on by who waits for one */
    _Atomic int64_t health_claimed_until; /* until when one request alone examines the backends */
    _Atomic int64_t logged_at[RATINGS_LINES]; /* 0: never */
    ratings_outage_t outage[RATINGS_OUTAGES];
    struct {
        _Atomic int64_t applied, total, seconds_left; /* ratings_progress_t */
    } rebuild;

    ratings_backend_state_t backend[RATINGS_BACKENDS];

    /* Publications write these, and whoever asks the store reads them. */
    struct {
        _Atomic uint64_t high, applied; /* the watermarks: checkpoints.h */
    } partition[RATINGS_PARTITIONS_MAX];

    /* Each GET reads its own; confirmations write to them twenty times a second at most. */
    _Alignas(RATINGS_CACHE_LINE) _Atomic int64_t confirmed_at[RATINGS_PARTITIONS_MAX];
    _Atomic uint32_t change_counter[RATINGS_CHANGE_SLOTS]; /* by the talk's slot */
};

RATINGS_SHM_STRUCT(ratings_shm_t, 287552, 14);
_Static_assert(offsetof(ratings_shm_t, epoch) < RATINGS_CACHE_LINE &&
                   offsetof(ratings_shm_t, published) >= RATINGS_CACHE_LINE,
               "a publication must not write to the line that each GET reads");

/* ---- in the parent, at post_config; `process` is the process pool ---- */

/* First all segments of earlier configurations are released, then those of this one attached, and
 * what was not is given back to the system (children that still use it have their own mapping). */
void ratings_shm_release_all(apr_pool_t *process);
void ratings_shm_destroy_released(apr_pool_t *process);

/* The segment named by `key` (service, topic, store), layout and sizes: found again after a
 * graceful restart, or made, all zero. It stays httpd's; `scratch` is for the call alone. Errors:
 * those of apr_shm_create, of memory that cannot be had. */
apr_status_t ratings_shm_attach(ratings_shm_t **shared, const char *key,
                                const ratings_shm_cache_geometry_t *const geometry[RATINGS_CACHES],
                                apr_pool_t *process, apr_pool_t *scratch);

/* The table of who has written how often lately, in a segment of its own: it is there where
 * RatingsVoterRate is used, and coming or going with the directive it leaves the one above as it
 * is. Otherwise the same. */
apr_status_t ratings_shm_attach_rates(ratings_voter_rates_t **rates, const char *key,
                                      apr_pool_t *process, apr_pool_t *scratch);

/* The append rings, in a segment of their own, as they are large. Errors also those of
 * ratings_append_rings_init. */
apr_status_t ratings_shm_attach_rings(ratings_append_rings_t **rings, const char *key,
                                      apr_pool_t *process, apr_pool_t *scratch);

/* What is counted, in a segment of its own, whose layout has another number:
 * RATINGS_METRICS_LAYOUT. It is there where RatingsEndpoint metrics is used. */
apr_status_t ratings_shm_attach_metrics(ratings_metrics_t **metrics, const char *key,
                                        apr_pool_t *process, apr_pool_t *scratch);

/* ---- anywhere ---- */

ratings_shm_cache_t *ratings_shm_cache_of(const ratings_shm_t *shared, ratings_cache_e cache);

#endif
