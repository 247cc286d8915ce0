/* A batch: consecutive records of one partition, folded into what they add to the store.
 *
 * The store applies a batch whole or not at all, in one script, together with the checkpoint. Not
 * one write an event: that costs Redis ten times as much, and counts and checkpoint would part when
 * the projector is killed between two. No Kafka transaction either: it spans topics, not Redis.
 *
 * One thread at a time. A batch lives as long as the pool of batch_create. */
#ifndef RATINGS_PROJECTOR_BATCH_H
#define RATINGS_PROJECTOR_BATCH_H

#include "../backend/common/log_record.h"
#include "../backend/store/store.h"

#include <apr_pools.h>

typedef struct batch_t batch_t;

/* An empty batch. Of `start`: generation, partition, checkpoint, the log's time there, and the
 * record applied before it. `barred` has the voters that are barred at the checkpoint, and is
 * brought up to the batch's end by batch_bar; so `tickets` by batch_note_ticket. */
batch_t *batch_create(const ratings_batch_t *start, ratings_voter_set_t *barred,
                      ratings_ticket_windows_t *tickets, apr_pool_t *pool);

/* Before the record at `offset` is added, which must not be before batch_next_offset: whether its
 * ticket counts. */
ratings_ticket_e batch_note_ticket(batch_t *batch, const ratings_ticket_t *ticket, int64_t offset);

/* Adds a record; those before the batch's checkpoint are passed over. NULL, or why it is no event
 * (static): then it advances the checkpoint and counts for nothing. So does one that repeats
 * another. The record must stay valid until batch_detach. */
const char *batch_add(batch_t *batch, const ratings_record_t *record, bool is_duplicate);

/* The record added last, which is no event, bars a voter, or ends that. False: no memory. */
bool batch_bar(batch_t *batch, const ratings_bar_t *bar);

/* The record added last, which is no event, begins an electorate. */
void batch_set_standing(batch_t *batch, const ratings_standing_t *standing);

/* Before the records that were added go: from then on nothing of the batch points into them. False:
 * there was no memory for one of them. */
bool batch_detach(batch_t *batch);

/* The offset after the last record added. */
int64_t batch_next_offset(const batch_t *batch);

/* What it costs the store, in talks: its talks, its events with an idempotency key, its bars, and
 * half of its votes (one of each voter and talk), however many other events there are. */
int batch_size(const batch_t *batch);

/* Of these, talks; and votes, all of them. */
int batch_talks(const batch_t *batch);
int batch_votes(const batch_t *batch);

/* How many places its table of votes has once `more` are added: 32 bytes each (ballots.h). */
size_t batch_vote_room(const batch_t *batch, int more);

/* Of these, events with a key. */
int batch_keyed_events(const batch_t *batch);

/* Whether any record of it bars a voter, or ends that. */
bool batch_has_bars(const batch_t *batch);

/* Once all are added and detached: decides which of the events with an idempotency key count, by
 * the last use of each key that the store knows. `*result` as of a conditional write. */
apr_status_t batch_resolve_keys(batch_t *batch, ratings_store_t *store, ratings_cas_e *result,
                                ratings_result_t *why);

/* Once, before anything is added to the batch after it: what is to be applied, with room for the
 * talks' counts if they are wanted, and few; and the slots (ratings_shm_slot) of the talks, in the
 * order of the increments. Valid as long as the batch. */
const ratings_batch_t *batch_finish(batch_t *batch, bool wants_counts);
const uint32_t *batch_slots(const batch_t *batch);

/* By which the record is recognized. */
ratings_fingerprint_t fingerprint_of(const ratings_record_t *record);

#endif
