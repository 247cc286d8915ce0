/* Direct application: while all that comes into the log is what this process appends, the leader
 * applies it by its reports, in the order of offsets, and reads nothing back from Kafka. As soon as
 * an offset is not the next one (another host's record, a report that never came) it reads on from
 * there; and when that has been over for a while, it is direct again.
 *
 * What others append meanwhile is found by asking where the log ends: within half a second, or
 * within 50 ms while there are other hosts. These questions cost more than reading a log into which
 * nothing comes, so while there are other hosts it is direct only if records of its own come one
 * upon the other. For the projector's thread. */
#ifndef RATINGS_PROJECTOR_DIRECT_H
#define RATINGS_PROJECTOR_DIRECT_H

#include "event_fold.h"
#include "own_records.h"
#include "projection.h"

typedef struct {
    projection_t *projection;
    event_fold_t *fold;
    own_records_t *own;
    bool is_direct;       /* nothing is read */
    bool has_gap;         /* something was reported that is not next */
    int64_t own_at;       /* when a record of its own was folded last; of ratings_monotonic */
    int64_t busy_since;   /* since when they come without a pause */
    int64_t direct_from;  /* not before; of ratings_monotonic */
    int64_t others_until; /* until then others are expected to append */
    int64_t look_at;      /* when to ask where the log ends */
    int64_t doubt_at;     /* by when the log's end is to be reached, else it is read; 0: no doubt */
} direct_t;

void direct_init(direct_t *direct, projection_t *projection, event_fold_t *fold,
                 own_records_t *own);

/* The projection was opened, and is read. */
void direct_begin(direct_t *direct);

/* No records are kept any more. */
void direct_end(direct_t *direct);

/* When a read has to end for direct_check. */
int64_t direct_due_at(const direct_t *direct);

/* The log's ends were asked for: whether it holds what has not come. */
void direct_note_ends(direct_t *direct);

/* Some records were read, before they are folded. */
void direct_note_read(direct_t *direct, const ratings_record_t *records, int count);

/* Folds what was appended here and is next. `*count`: how many. */
apr_status_t direct_fold(direct_t *direct, int *count, ratings_result_t *why);

/* Begins or ends to be direct, as it follows from what was read, folded, and found of the ends.
 * Asks for these if that is due. */
apr_status_t direct_check(direct_t *direct, ratings_result_t *why);

#endif
