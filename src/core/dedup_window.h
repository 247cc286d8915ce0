/* A deduplication window over the log of one partition: an event is a duplicate if one of the
 * RATINGS_DEDUP_SPAN offsets before it holds an event of the same CloudEvents identity (source and
 * id). An event that is appended twice counts once.
 *
 * Kafka's idempotent producer appends an event once only while it knows how its requests ended.
 * When a message before it in the same partition times out with the answer lost, the producer
 * begins a new sequence, and messages in flight are sent again under it: the broker cannot tell
 * them from new ones. The window can. It follows from the log alone, so that all that fold the log
 * (projector, rebuild, audit) come to the same counts; a fold that begins in the middle reads that
 * many offsets before.
 *
 * Not a set of identities in Redis: that is part of what a rebuild rebuilds, and a round trip for
 * each event. Not a Bloom filter: a false positive would lose a rating.
 *
 * Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#id (events of the
 * same source and id are duplicates). Ownership: the window is the caller's, who frees it. Threads:
 * one at a time. */
#ifndef RATINGS_CORE_DEDUP_WINDOW_H
#define RATINGS_CORE_DEDUP_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In offsets. A message that is sent again was in flight, so that it is appended within seconds:
 * this is six seconds of 5,000 events a second in one partition. */
#define RATINGS_DEDUP_SPAN 32768

typedef struct ratings_dedup_window_t ratings_dedup_window_t;

/* A hash of source and id, wide enough that no two events share one by chance. Not for storage:
 * another version of this program may compute another one. {0, 0}: unknown, never a duplicate. */
typedef struct {
    uint64_t high, low;
} ratings_identity_t;

/* Bytes, not terminated. Without an id (`id_len` 0) the identity is unknown. */
ratings_identity_t ratings_identity(const void *source, size_t source_len, const void *id,
                                    size_t id_len);

bool ratings_identity_is_known(const ratings_identity_t *identity);

/* NULL when memory ran out. Grows with the number of identities, up to 2 MB. */
ratings_dedup_window_t *ratings_dedup_window_new(void);
void ratings_dedup_window_free(ratings_dedup_window_t *window); /* NULL is allowed */

typedef enum {
    RATINGS_DEDUP_NEW,
    RATINGS_DEDUP_DUPLICATE,
    RATINGS_DEDUP_NO_MEMORY /* the identity was not added: the fold cannot continue */
} ratings_dedup_e;

/* Loads into the CPU's cache what check_and_add of this identity will read: without it most of its
 * time is one cache miss. */
void ratings_dedup_window_prefetch(const ratings_dedup_window_t *window,
                                   const ratings_identity_t *identity);

/* Whether the event at `offset` is a duplicate; adds its identity. Offsets must ascend. */
ratings_dedup_e ratings_dedup_window_check_and_add(ratings_dedup_window_t *window,
                                                   const ratings_identity_t *identity,
                                                   int64_t offset);

#endif
