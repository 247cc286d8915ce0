/* One partition: what the store has applied of it, and what the log holds. Plain data and what
 * follows from it, without a backend; for one thread. */
#ifndef RATINGS_PROJECTOR_PARTITION_H
#define RATINGS_PROJECTOR_PARTITION_H

#include "../core/dedup_window.h"
#include "../core/ticket_window.h"
#include "../shm/segment.h"
#include "batch.h"

typedef struct {
    /* what the store has applied */
    int64_t checkpoint;                /* next offset that it has not */
    ratings_fingerprint_t last, first; /* of the records applied last and first */
    int64_t log_time; /* of the log, up to the checkpoint; milliseconds since 1970 */
    bool is_verified; /* `last` was found in the log, or there is none to find */

    /* where the log begins and ends, as the brokers said last */
    int64_t log_start, log_end;
    int64_t younger;           /* first offset of a record that is younger than `first`; or -1 */
    ratings_checkpoint_t seen; /* the high watermark of before those were asked for */
    int64_t metrics_end;       /* ratings_metrics_end of before those were asked for */
    int64_t beyond_since;      /* since when that has been beyond the log's end; 0: it is not */

    /* reading */
    bool is_unvoted;        /* the store has no vote of this partition, since it was emptied */
    int64_t rebuild_target; /* to be applied before requests may read the store; 0: no rebuild */
    int64_t read_at;        /* the next offset to be read */
    int64_t read_to;        /* the log's end, once all below it was read; -1: it was not yet */
    ratings_dedup_window_t *window;   /* the events before the checkpoint; NULL: not being read */
    ratings_voter_set_t barred;       /* the voters that are barred where reading is; the caller of
                                       * partition_resume adds those of the checkpoint */
    ratings_ticket_windows_t tickets; /* the same of the tickets that have counted */
    bool knows_tickets; /* those windows are of all up to the checkpoint; else they are empty */
    batch_t *batch;     /* what was read and not sent to the store, or NULL */
    const ratings_batch_t *sent; /* what is on its way from the checkpoint on, or NULL */
} partition_t;

/* Begins to read from where the store is. False: no memory. */
bool partition_resume(partition_t *partition, const ratings_store_state_t *state, int i);

/* Frees what reading took. */
void partition_close(partition_t *partition);

/* The store has applied a batch. */
void partition_advance(partition_t *partition, const ratings_batch_t *batch);

/* The checkpoint, and the log that it is of. */
ratings_checkpoint_t partition_checkpoint(const partition_t *partition);

/* Where reading begins, before the checkpoint: a deduplication window before it, and at the record
 * that was applied last at the latest, which proves that the log is the one that was applied. */
int64_t partition_read_from(const partition_t *partition);

/* The next offset that was not read: what was is applied, on its way to the store, or in the batch.
 */
int64_t partition_read_up_to(const partition_t *partition);

/* Whether all below `end` is applied. A log may end with offsets that have no record (markers of
 * transactions), which the checkpoint does not count. */
bool partition_has_reached(const partition_t *partition, int64_t end);

/* Whether the log's first record is not the one that the store has applied first: told by its time,
 * since a record of a topic that was deleted and created again is younger (time_search.h). */
bool partition_is_another_log(const partition_t *partition, const ratings_fingerprint_t *first);

/* Whether this host has known of records of the log `log_id` that are beyond its end, at each look
 * for two seconds until `now`. Not at once: a broker that has just become leader may report less
 * than there is. */
bool partition_has_lost_its_end(partition_t *partition, uint16_t log_id, int64_t now);

/* Whether the store, as just loaded, has another checkpoint than was applied here, or the log has
 * become shorter, or is another one. */
bool partition_has_moved(const partition_t *partition, const ratings_store_state_t *state, int i);

/* Whether the store says something else of the records up to the checkpoint than was read in the
 * log: no projector writes that. */
bool partition_is_altered(const partition_t *partition, const ratings_store_state_t *state, int i);

/* Whether both are of the same record. */
bool fingerprint_equal(const ratings_fingerprint_t *a, const ratings_fingerprint_t *b);

#endif
