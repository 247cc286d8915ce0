/* Which electorate votes: a record in partition 0 says so (../core/electorate_record.h; t/model,
 * electorate.pml). The projector folds these records as it folds events: which one stands is
 * written with the checkpoint, in the same step. The store and the memory of this host only repeat
 * it.
 *
 * Where the log has none, a projector whose host has a secret appends the first, and what is read
 * back is the truth: several hosts may do so at once. Without a secret (RatingsVoterSecret) nothing
 * is appended.
 *
 * For the projector's thread. */
#ifndef RATINGS_PROJECTOR_PROJECTION_ELECTORATE_H
#define RATINGS_PROJECTOR_PROJECTION_ELECTORATE_H

#include "projection.h"

#include "../core/electorate_record.h"

typedef struct {
    projection_t *projection;
    ratings_standing_t standing; /* where reading is, which the store may not have applied yet */
    _Atomic int64_t append_at;   /* when a record may be appended (again), of ratings_monotonic */
    atomic_bool failed;          /* the last append did, which was logged */
    ratings_receiver_t receiver; /* of the delivery report */
} electorate_t;

/* `projection` must outlive it, and it the child's stream. */
void electorate_init(electorate_t *electorate, projection_t *projection);

/* Reading begins, at the store's checkpoints. */
void electorate_begin(electorate_t *electorate);

/* Whether a version that knows no electorates has applied records to the store since, so that what
 * the store says may not be what the log says. Only where it matters: this host has a secret. */
bool electorate_is_lost(const projection_t *projection);

/* Adds to the batch what its last record says, which is of partition 0. */
void electorate_read(electorate_t *electorate, batch_t *batch, const ratings_record_t *record,
                     const ratings_electorate_record_t *said);

/* Appends the first record if the log has none and this host has a secret, or the one that stands
 * if its record was deleted. Of the leader: all that it has read is applied, and it has read the
 * partition to its end. A standby cannot know that; but a record that was not needed counts for
 * nothing. Does not wait for Kafka; a failure is logged, and tried again. */
void electorate_append_if_missing(electorate_t *electorate);
void electorate_append_as_standby(electorate_t *electorate);

/* Tells this host which electorate stands, as the store says at the checkpoint of partition 0,
 * unless that is behind what this host knows of the log: what came later is what counts. Logs it,
 * once for the host, when that is not the host's own. */
void electorate_publish(projection_t *projection, ratings_checkpoint_t checkpoint);

/* The same, of the leader: once it is sure that the store is of this log. */
void electorate_publish_verified(projection_t *projection);

#endif
