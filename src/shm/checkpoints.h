/* How far the log is applied to the store, as the children of this host know it, and which talks
 * may have changed since.
 *
 * Of each partition the segment holds two checkpoints:
 *
 *   high watermark      the highest checkpoint of this log that this host knows; never lowered. A
 *                       GET that finds the store below it waits: the store went back, or this
 *                       connection's server is behind
 *   applied watermark   what waiting POSTs look at: whoever sees it sees whatever was raised before
 *                       it was
 *
 * and of all talks the change counters, one for each slot, which a talk's hash selects, and one
 * epoch for all. A response that was made from the store is true while epoch and change counter of
 * its talk are what they were before the store was read.
 *
 * The orders below were found by exploring them (t/model): who publishes raises the high watermark,
 * then counters or epoch, then the applied watermark; who reads looks at counters and epoch, then
 * at the high watermark, then reads the store.
 *
 * All is lock-free atomics: a child that is killed at any point leaves nothing locked. Any thread
 * of any child. Times are microseconds of ratings_monotonic. */
#ifndef RATINGS_SHM_CHECKPOINTS_H
#define RATINGS_SHM_CHECKPOINTS_H

#include "../core/position.h"
#include "layout.h"

#include <stdbool.h>
#include <stdint.h>

#define RATINGS_CHANGE_SLOTS 65536 /* a power of two */

/* A checkpoint, and the log that it is of. In shared memory both are one word, so that a checkpoint
 * is never taken for one of another log: a recreated topic begins anew. */
typedef struct {
    uint16_t log_id; /* of the log (ratings_log_id); 0: nothing is known */
    int64_t offset;  /* the next offset of the partition that is not applied; below 2^48 */
} ratings_checkpoint_t;

/* Whether a store that was at `stored` after `high` was looked at lacks nothing of it: it is of the
 * same log and as far, or has applied the first records of a log that had none. False if either log
 * is not known. */
bool ratings_checkpoint_covers(ratings_checkpoint_t stored, ratings_checkpoint_t high);

ratings_checkpoint_t ratings_shm_high(const ratings_shm_t *shared, int partition);
ratings_checkpoint_t ratings_shm_watermark(const ratings_shm_t *shared, int partition);

/* Whether the applied watermark of the position's partition says that it is reached: then whatever
 * was raised before that watermark is seen, too. False: nobody here knows yet. */
bool ratings_shm_has_reached(const ratings_shm_t *shared, const ratings_position_t *position);

/* ---- changes of talks ---- */

/* Epoch and change counter of a talk: as long as both are the same, nothing that this host knows of
 * has changed its counts. */
typedef struct {
    uint32_t epoch, counter;
} ratings_changes_t;

/* The slot of a talk, below RATINGS_CHANGE_SLOTS; some talks share one, and end each other's
 * responses early. */
uint32_t ratings_shm_slot(const char *talk_id);

ratings_changes_t ratings_shm_changes(const ratings_shm_t *shared, uint32_t slot);

/* ---- by who reads the store ---- */

/* An answer is about to show the store as it was at a checkpoint: this host shows nothing older
 * from then on, and if nobody has published the checkpoint yet, the talk (its slot) may have
 * changed. `*changes` are those of before the high watermark was looked at, and the store read, no
 * earlier than `at`. Returns whether the answer may be cached for as long as the talk's changes are
 * what `*changes` then is. */
bool ratings_shm_note_shown(ratings_shm_t *shared, int partition, ratings_checkpoint_t checkpoint,
                            uint32_t slot, int64_t at, ratings_changes_t *changes);

/* The store was seen at a checkpoint, no earlier than `at`. If that is the applied watermark, it is
 * confirmed: no other host has applied more by then. */
void ratings_shm_confirm(ratings_shm_t *shared, int partition, ratings_checkpoint_t checkpoint,
                         int64_t at);

/* What is true at a checkpoint, once that has raised the high watermark and then the talk's counter
 * (its slot): `*changes` become those with which it stays true. False: this host knows of another
 * checkpoint by now, and it is not to be kept. */
bool ratings_shm_look_again(const ratings_shm_t *shared, int partition,
                            ratings_checkpoint_t checkpoint, uint32_t slot,
                            ratings_changes_t *changes);

/* Whether the applied watermark was last confirmed no longer than `age` before `now`: what other
 * hosts apply does not go unnoticed for longer. */
bool ratings_shm_is_confirmed(const ratings_shm_t *shared, int partition, int64_t now, int64_t age);

/* Whether a checkpoint of the store is not known here: a publication was late, or never came, or
 * another host applies. */
bool ratings_shm_is_newer(const ratings_shm_t *shared, int partition,
                          ratings_checkpoint_t checkpoint);

/* ---- by who applies, or learns from the store what others have applied ---- */

/* The caller has applied a batch itself: raises the high watermark, then the counters of the talks
 * that changed (`slots`). ratings_shm_publish_watermark has to follow. */
void ratings_shm_publish_changes(ratings_shm_t *shared, int partition,
                                 ratings_checkpoint_t checkpoint, const uint32_t *slots, int count);

/* Raises the applied watermark, and wakes who waits for a publication. */
void ratings_shm_publish_watermark(ratings_shm_t *shared, int partition,
                                   ratings_checkpoint_t checkpoint);

/* A checkpoint that the caller has not brought about itself, so that any talk may have changed:
 * raises the high watermark, then the epoch, then the applied watermark. */
void ratings_shm_publish_external(ratings_shm_t *shared, int partition,
                                  ratings_checkpoint_t checkpoint);

/* The checkpoint that the store claims, for a host that knows nothing yet and cannot ask the log:
 * GETs go by it. Waiting POSTs do not: it may not be that of this log. */
void ratings_shm_publish_bootstrap(ratings_shm_t *shared, int partition,
                                   ratings_checkpoint_t checkpoint);

/* The log ends at `next`, and no more of it was applied. If the high watermark is still `seen`, as
 * it was before the log's end was asked for, and beyond that end, then it is of another log, or of
 * one that was cut: forgets both watermarks. */
void ratings_shm_forget(ratings_shm_t *shared, int partition, ratings_checkpoint_t seen,
                        int64_t next);

#endif
