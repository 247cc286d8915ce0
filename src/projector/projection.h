/* The projection: what the store says of the log beside what the log is, and what of it the
 * shared memory publishes to this host. Leader and standby keep it up to date in turns, on the
 * projector's thread, whose file owns it and what it points to (projector.c). Errors of functions
 * are those of store and stream, in `why`; nothing is logged. */
#ifndef RATINGS_PROJECTOR_PROJECTION_H
#define RATINGS_PROJECTOR_PROJECTION_H

#include "lease.h"
#include "partition.h"
#include "projector_options.h"
#include "time_search.h"

#include <pthread.h>

#define PROJECTION_TIMEOUT_US INT64_C(500000) /* of one question to Kafka */
#define PROJECTION_POLL_US INT64_C(500000)    /* idle, how often the store is loaded again */
#define PROJECTION_BACKOFF_US INT64_C(300000) /* after something failed */
#define PROJECTION_CANDIDATE_US                                                                    \
    INT64_C(50000)                         /* how often a candidate looks at the host's lease      \
                                            */
#define PROJECTION_RETRY_US INT64_C(20000) /* after something that passes by itself */

typedef struct {
    const ratings_projector_options_t *options;
    ratings_shm_t *shared;
    ratings_store_t *store;      /* the projector's own */
    ratings_reader_t *reader;    /* of the log; NULL until this child leads */
    bool has_closer;             /* until it is joined */
    pthread_t closer;            /* the thread that frees an earlier reader */
    lease_t *lease;              /* under which the leader writes */
    apr_pool_t *scratch;         /* cleared with each read, and each time it is opened */
    ratings_store_state_t state; /* of the store, as it was loaded last */
    int partitions;              /* of the log; of a standby those of the store */
    partition_t partition[RATINGS_PARTITIONS_MAX];
    const char *rebuild_reason; /* found while reading, for the next projection_open; or NULL */
    time_search_t time_search;
    bool reads_append_times; /* a record that was read since it was opened has one */
} projection_t;

/* ---- the store ---- */

/* Loads the store's state. RATINGS_REBUILD_NEEDED if it is none that this module writes. */
apr_status_t projection_load(projection_t *p, ratings_result_t *why);

/* The same, for whom errors change nothing: whether it could be loaded, and is that of this topic.
 */
bool projection_load_ours(projection_t *p);

/* The checkpoint of a partition by the store's own account, as it was loaded. */
ratings_checkpoint_t projection_stored_checkpoint(const projection_t *p, int i);

/* The result of a conditional write as a status. APR_EAGAIN: somebody else wrote before, so that
 * the projection is to be opened again. RATINGS_REBUILD_NEEDED: the store holds what this module
 * does not write, and a rebuild is requested. */
apr_status_t projection_check_write(projection_t *p, ratings_cas_e result, ratings_result_t *why);

/* A random name for what this projector alone does to the store. */
void projection_make_token(char token[RATINGS_TOKEN_MAX + 1]);

/* Requests a rebuild of the store, of whoever leads on this host; RATINGS_REBUILD_NEEDED, for the
 * reason `text`. */
apr_status_t projection_request_rebuild(projection_t *p, ratings_rebuild_request_e reason,
                                        const char *text, ratings_result_t *why);

/* Tells requests of this host whether the store says that any voter is barred: before the
 * checkpoints that it is of are published, since a request that waits for one of them asks then. */
void projection_publish_barred(projection_t *p);

/* Whether any record has an append time that was read, or that the store has applied, as it was
 * loaded. */
bool projection_has_append_times(const projection_t *p);

/* ---- the log ---- */

/* Makes the reader, if there is none. */
apr_status_t projection_make_reader(projection_t *p, ratings_result_t *why);

/* This child no longer leads: begins to free the reader, or leaves that to the next call. Waits for
 * nothing. */
void projection_close_reader(projection_t *p);

/* Frees the reader, and waits until all of it is gone, which may take seconds while Kafka does not
 * answer. By the thread that ends the projector. */
void projection_free_reader(projection_t *p);

/* Reads each partition from its read_at on. */
apr_status_t projection_read_on(projection_t *p, ratings_result_t *why);

/* Asks the brokers for log_start, log_end and younger of each partition. */
apr_status_t projection_read_ends(projection_t *p, ratings_result_t *why);

/* Tells the metrics of the lag of a partition: where its log ends, as was just read / how far the
 * store is. */
void projection_note_end(const projection_t *p, int i);
void projection_note_lag(const projection_t *p, int i);

/* Lowers the high watermark of a partition whose store is at `checkpoint`, if it has been beyond
 * the log's end for a while: a store told it that was wrong, and GETs would wait for it for ever.
 * The ends were just read, at `now`. */
void projection_check_high(projection_t *p, int i, ratings_checkpoint_t checkpoint, int64_t now);

#endif
