/* What all children of this host know in common: how far the store has come, and what changed.
 *
 * An anonymous segment, made by the parent and inherited, that lives as long as the httpd process:
 * plain numbers, no pointers, so that children of before and after a graceful restart share it. All
 * fields are lock-free atomics: a child killed at any point leaves nothing locked. */
#ifndef RATINGS_SERVICE_SHARED_H
#define RATINGS_SERVICE_SHARED_H

#include "../backend/stream.h"

#include <apr_pools.h>

#include <stdatomic.h>
#include <stdint.h>

#define RATINGS_SHARED_LAYOUT 2   /* to be raised when the struct changes its meaning */
#define RATINGS_CHANGE_SLOTS 4096 /* a power of two */

/* Why the store may be no read model of the log, as anybody may notice. */
typedef enum {
    RATINGS_SUSPECT_NOTHING,
    RATINGS_SUSPECT_STORE, /* it holds what the module never writes */
    RATINGS_SUSPECT_LOG    /* an event was appended below what was applied */
} ratings_suspect_e;

typedef struct {
    uint64_t id;                /* of the segment, random: tells projectors of this host */
    _Atomic uint32_t published; /* counts publications; the word that watchers sleep on */
    _Atomic uint32_t epoch;     /* raised when more may have changed than the counters say */
    _Atomic uint32_t suspect;   /* ratings_suspect_e: set by who notices, cleared by a rebuild */
    _Atomic uint32_t handover; /* counts leases given up; the word that other projectors sleep on */
    _Atomic int64_t leased_until; /* while a projector of this host holds the lease: until when, by
                                     CLOCK_MONOTONIC in microseconds */
    _Atomic int64_t candidate_at; /* when a projector of a child that goes on living last asked for
                                     the lease in vain, by the same clock */
    _Atomic int32_t routed;       /* partitions by which talks are routed; 0: not known yet */
    _Atomic uint32_t topic_fault; /* ratings_topic_fault_e, as the projector last found it */
    _Atomic uint32_t append_time; /* 1: the topic keeps append times; 2: it does not; 0: unknown */
    _Atomic uint64_t skipped;     /* records of the log that were no events */
    struct {
        _Atomic uint64_t known;    /* which log, and its highest position known: ratings_known_t */
        _Atomic int64_t watermark; /* what waiting POSTs look at */
    } partition[RATINGS_PARTITIONS_MAX];
    _Atomic uint32_t changed[RATINGS_CHANGE_SLOTS]; /* by the talk's hash */
} ratings_shared_t;

/* The segment named by `key` (service, topic, store, sizes), found again after a graceful restart,
 * or made. In the parent, at post_config; `process` is the process pool. */
apr_status_t ratings_shared_attach(ratings_shared_t **shared, const char *key, apr_pool_t *process);

/* What this host has seen of a partition. The two are one word, so that a position is never taken
 * for that of another log: a topic that was made again begins anew. */
typedef struct {
    uint16_t tag; /* of the log (ratings_mark_tag); 0: nothing is known */
    int64_t high; /* highest position known of it; below 2^48 */
} ratings_known_t;

ratings_known_t ratings_shared_known(const ratings_shared_t *shared, int partition);

/* The store was shown, or found visible, at a position: nothing older may be shown from now on. */
void ratings_shared_seen(ratings_shared_t *shared, int partition, ratings_known_t seen);

/* A chunk was applied by the caller itself: high, then the talks' counters, then the watermark.
 * `slots`: ratings_shared_slot of each talk changed. */
void ratings_shared_publish_applied(ratings_shared_t *shared, int partition, ratings_known_t now,
                                    const uint32_t *slots, int count);

/* A position that the caller did not bring about itself: all may have changed. */
void ratings_shared_publish_adopted(ratings_shared_t *shared, int partition, ratings_known_t now);

/* A log that ends at `next` cannot have been applied any further: it was truncated. */
void ratings_shared_limit(ratings_shared_t *shared, int partition, int64_t next);

uint32_t ratings_shared_slot(const char *talk_id);

/* Sleeps until `word` (`published` or `handover`) is no longer `seen`, or for `timeout`
 * microseconds (not at all if that is not positive). */
void ratings_shared_wait(_Atomic uint32_t *word, uint32_t seen, int64_t timeout);

/* Counts the word up and wakes all who wait for it, in every child. */
void ratings_shared_wake(_Atomic uint32_t *word);

#endif
