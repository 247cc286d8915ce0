/* Private to the projector: folding a run of records of one partition into what they add. */
#ifndef RATINGS_PROJECTOR_BATCH_H
#define RATINGS_PROJECTOR_BATCH_H

#include "../backend/store/store.h"

#include <apr_pools.h>

typedef struct chunk_t chunk_t;

/* An empty chunk of `chunk` (its generation, partition, position, and the log's time there). It
 * lives as long as `pool`. */
chunk_t *chunk_begin(const ratings_batch_t *start, apr_pool_t *pool);

/* Adds a record; those before the chunk's position are passed over. NULL, or why it is no event
 * (static): it then counts for nothing but the position. So does one that `repeats` another. */
const char *chunk_add(chunk_t *chunk, const ratings_record_t *record, bool repeats);

/* To be called before the records that were added go: until then the chunk points into the last. */
void chunk_let_go(chunk_t *chunk);

/* The offset after the last record added. */
int64_t chunk_next(const chunk_t *chunk);

/* How large its script and its memory are: talks, and events with a key, however many other events
 * there are. */
int chunk_size(const chunk_t *chunk);

/* Of these, events with a key. */
int chunk_keyed(const chunk_t *chunk);

/* Once all are added and let go: which of the events with an idempotency key count, by what the
 * store knows of those keys. `*end` as of a conditional write. */
apr_status_t chunk_settle(chunk_t *chunk, ratings_store_t *store, ratings_cas_e *end,
                          ratings_result_t *why);

/* What is to be applied, and the slots (ratings_shm_slot) of its talks. */
const ratings_batch_t *chunk_result(chunk_t *chunk);
const uint32_t *chunk_slots(const chunk_t *chunk);

/* By which the record is known again. */
ratings_fingerprint_t chunk_mark_of(const ratings_record_t *record);

#endif
