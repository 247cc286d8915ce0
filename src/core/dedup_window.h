/* The events of a partition that came last, by their CloudEvents identity (source and id): one that
 * is appended twice counts once.
 *
 * An idempotent producer of Kafka's appends an event once while it knows how its request ended.
 * When an event before it in the same partition times out with the answer lost, the producer begins
 * a new sequence, and what is still under way is sent again under it: the broker can't tell it from
 * new ones. So the fold of the log does: an event is a repeat if one of the RATINGS_DEDUP_SPAN
 * offsets before it holds an event of the same identity. That follows from the log alone, so
 * whoever folds it (the projector, a rebuild, the audit) comes to the same counts; who begins in
 * the middle reads so many offsets before.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#id
 *
 * One thread at a time. */
#ifndef RATINGS_CORE_DEDUP_WINDOW_H
#define RATINGS_CORE_DEDUP_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offsets. What is sent again was under way, so it comes within seconds: this is six at 5,000
 * events a second in one partition. */
#define RATINGS_DEDUP_SPAN 32768

typedef struct ratings_dedup_window_t ratings_dedup_window_t;

/* Who an event is, in so many bits that no two have the same by chance. Not for keeping: another
 * version may make others. {0, 0}: it does not say, and is never a repeat. */
typedef struct {
    uint64_t high, low;
} ratings_identity_t;

/* Of its source and id: bytes, not terminated; an `id_len` of 0 is an event that does not say. */
ratings_identity_t ratings_identity(const void *source, size_t source_len, const void *id,
                                    size_t id_len);

bool ratings_identity_is_known(const ratings_identity_t *identity);

/* NULL when memory ran out. It grows with what it holds, to 2 MB. */
ratings_dedup_window_t *ratings_dedup_window_new(void);
void ratings_dedup_window_free(ratings_dedup_window_t *recent); /* NULL is allowed */

typedef enum {
    RATINGS_DEDUP_NEW,
    RATINGS_DEDUP_DUPLICATE,
    RATINGS_DEDUP_NO_MEMORY /* it could not be noted: the fold cannot go on */
} ratings_dedup_e;

/* The identity is about to be noted: brings near what that looks at. */
void ratings_dedup_window_prefetch(const ratings_dedup_window_t *recent,
                                   const ratings_identity_t *identity);

/* Notes the record at `offset`, and tells whether it repeats one. Offsets must rise. */
ratings_dedup_e ratings_dedup_window_check_and_add(ratings_dedup_window_t *recent,
                                                   const ratings_identity_t *identity,
                                                   int64_t offset);

#endif
