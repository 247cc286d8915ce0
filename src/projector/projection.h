/* Private to the projector: its state, and the steps that its files share. */
#ifndef RATINGS_PROJECTOR_PROJECTION_H
#define RATINGS_PROJECTOR_PROJECTION_H

#include "../core/clock.h"
#include "../core/dedup_window.h"
#include "../shm/segment.h"
#include "batch.h"
#include "projector.h"

#include <pthread.h>
#include <stdatomic.h>

#define PROJECTION_BATCH 1000                /* records read at once, at most */
#define PROJECTION_STEP_US INT64_C(500000)   /* how long a single question to Kafka may take */
#define PROJECTION_LOOK_US INT64_C(500000)   /* idle, how often the store is looked at */
#define PROJECTION_PAUSE_US INT64_C(300000)  /* after something failed */
#define PROJECTION_GLANCE_US INT64_C(20000)  /* after something that passes by itself */
#define PROJECTION_JUDGE_US INT64_C(5000000) /* how often the topic's settings are looked at */

typedef struct {
    int64_t position;                       /* what the store stands at, as far as we know */
    ratings_fingerprint_t mark, first_mark; /* the last and the first record applied */
    int64_t time;                           /* of the log, up to the position */
    int64_t first, next;                    /* ends of the log when it was opened */
    int64_t younger;                /* first offset of the log that is younger than first_mark */
    int64_t target;                 /* what a rebuild has to apply before the store may be shown */
    int64_t ended;                  /* where the log ended when all before was read; -1: not yet */
    ratings_checkpoint_t seen;      /* what this host knew before those were asked for */
    int64_t beyond_at;              /* since when that is beyond the log's end; 0: it is not */
    bool verified;                  /* the mark was found in the log, or there is none to find */
    ratings_dedup_window_t *recent; /* the events before the position */
    chunk_t *chunk;                 /* what was read from the position on, or NULL */
} partition_t;

/* By how many partitions talks are routed, while the log does not say: projection_routing.c. */
typedef struct {
    char generation[RATINGS_TOKEN_MAX + 1]; /* of the store, whose events were all weighed */
    uint16_t
        candidate[RATINGS_PARTITIONS_MAX]; /* numbers that explain where each lies, ascending */
    int candidates;
    _Atomic int64_t append_at; /* when a record may be appended (again), of ratings_monotonic */
    atomic_bool failed;        /* the last one could not be, which was logged */
} routing_t;

struct ratings_projector_t {
    ratings_child_t *child;
    ratings_shm_t *shared;
    ratings_store_t *store; /* its own, of one connection: never kept waiting by requests */
    ratings_reader_t *reader;
    char token[RATINGS_TOKEN_MAX + 1];    /* segment:process:random */
    char followed[RATINGS_TOKEN_MAX + 1]; /* the store's generation when it was last learnt from */
    char holder[RATINGS_TOKEN_MAX + 1];   /* of another host that held the lease last; "": none */
    bool holder_stays;                    /* ... and also the time before */
    pthread_t thread;
    atomic_bool stop;
    apr_pool_t *pool;       /* of the thread */
    apr_pool_t *batch_pool; /* cleared with each batch */
    apr_pool_t *fold_pool;  /* of the chunks, cleared when they are applied */

    int64_t lease;                        /* how long it is taken for, microseconds */
    int64_t renew_at, look_at, commit_at; /* of ratings_monotonic */
    int64_t judge_at;
    int64_t ask_at;             /* when one that follows may ask for the log's ends again */
    int64_t gathered_at;        /* when the first of the chunks was begun; 0: there are none */
    bool commit_due;            /* something was applied since the last commit */
    bool has_applied;           /* ... since the log was opened */
    bool told;                  /* and that it goes on is logged */
    const char *rebuild_reason; /* what was found wrong while projecting */
    int64_t doubted_at;         /* since when the log shows less than it should; or 0 */
    int64_t draining_at;        /* since when httpd drains the child; 0: it does not */
    int64_t held_up_at;         /* since when nothing is projected; 0: it is */
    bool held_up;               /* and logged as such */
    int64_t skip_logged_at, repeat_logged_at;
    int64_t rebuilding_since; /* a rebuild is under way since; 0: none */
    int64_t rebuilt_before;   /* records that were applied then */
    int64_t progress_log_at;  /* when its progress is to be logged next */

    ratings_store_state_t log;
    routing_t routing;
    int partitions;
    partition_t partition[RATINGS_PARTITIONS_MAX];
    ratings_record_t records[PROJECTION_BATCH];
};

/* Opens the log and the store at the position they agree on, rebuilding the store if they cannot.
 */
apr_status_t projection_open(ratings_projector_t *p, ratings_result_t *why);

/* Loads what the store says of itself; APR_EAGAIN if it must be rebuilt. */
apr_status_t projection_load(ratings_projector_t *p, ratings_result_t *why);

/* Lets go of what was opened, also in part. */
void projection_close(ratings_projector_t *p);

/* How far the rebuild under way is: for readiness, and now and then for the log. */
void projection_tell_progress(ratings_projector_t *p);
void projection_end_progress(ratings_projector_t *p); /* also when there is none */

/* Applies the chunks, which are gone then, and publishes it. On a failure others may have been
 * applied as well, which opening again tells. */
apr_status_t projection_apply(ratings_projector_t *p, ratings_result_t *why);

/* Forgets what was read and is not applied. */
void projection_drop_chunks(ratings_projector_t *p);

/* Looks at the topic's settings if it is time to; what they are is told to all of this host. */
void projection_judge(ratings_projector_t *p);

/* First and next offset of each partition, asked of the brokers. */
apr_status_t projection_read_ends(ratings_projector_t *p, ratings_result_t *why);

/* Forgets what this host knows of a partition that stands at `place`, if that has been beyond the
 * log's end for a while: a store told it that was wrong. GETs would wait for it for ever. The ends
 * were just read, at `now`. */
void projection_doubt_high(ratings_projector_t *p, int i, ratings_checkpoint_t place, int64_t now);

/* Where a partition of the store stands. */
ratings_checkpoint_t projection_place(const partition_t *partition);

/* Whether the log's first record is not the one that the store has applied first: asked for by its
 * time, since a record of a topic that was made again is younger. */
bool projection_is_another_log(const partition_t *partition, const ratings_fingerprint_t *first);

/* Whether something was applied since the log was opened, or there was nothing to apply. */
bool projection_is_going_on(const ratings_projector_t *p);
/* Whether the store has applied records without saying how talks are routed, and they were not read
 * by this projector: what it reads from here on would not tell. */
bool projection_is_unrouted(const ratings_projector_t *p);

/* The store and the log are about to be read. */
void projection_begin_weighing(ratings_projector_t *p);

/* An event, in the partition where it lies. */
void projection_weigh(ratings_projector_t *p, const ratings_record_t *record);

/* A record of partition 0 that says how talks are routed, before it is applied. */
apr_status_t projection_heed_routing(ratings_projector_t *p, const ratings_record_t *record,
                                     int partitions, ratings_result_t *why);

/* Appends such a record if the log has none, once so much was read that this is known. Nothing
 * waits for it here, and a failure is logged. */
void projection_settle_routing(ratings_projector_t *p);

/* Tells this host how talks are routed, if the store says so. */
void projection_tell_routing(ratings_projector_t *p);

/* Reads once and applies what was read. APR_SUCCESS: go on. Else: open again. */
apr_status_t projection_step(ratings_projector_t *p, ratings_result_t *why);

/* Empties the store and sets it to position 0 under a claim. */
apr_status_t projection_rebuild(ratings_projector_t *p, int partitions, const char *reason,
                                ratings_result_t *why);

/* Renews the lease if it is due; APR_EAGAIN if it is somebody else's now. */
apr_status_t projector_renew(ratings_projector_t *p, ratings_result_t *why);

/* Whether to leave everything as it is: the child ends, or another is there to go on. */
bool projector_stopping(ratings_projector_t *p);

/* The end of a conditional write of the store as a status. */
apr_status_t projector_end(ratings_projector_t *p, ratings_cas_e end, ratings_result_t *why);

#endif
