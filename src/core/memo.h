/* A table of records that many threads look up and some add to, of a fixed size, without a lock:
 * what was looked up before and need not be looked up again.
 *
 * A lookup copies the record out and then sees whether a writer came between (a sequence lock for
 * each slot: Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012).
 * Readers write nothing, so they do not disturb each other. A record stands in one of the few slots
 * that its hash allows; when all are taken, the one that was written longest ago gives way. So a
 * record may be gone at any time, and whether it still is true is for the caller to know.
 *
 * Any thread; and any process that shares the memory, as there is no pointer in it. Should one be
 * killed while it writes, the slot is lost, and no more. */
#ifndef RATINGS_CORE_MEMO_H
#define RATINGS_CORE_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ratings_memo_t ratings_memo_t;

/* Whether `record` is what `key` asks for. */
typedef bool ratings_memo_matches_fn(const void *record, const void *key);

#define RATINGS_MEMO_SIZE_MAX 1024 /* of a record */

/* How many bytes a table takes that has room for at least `records` of `size` bytes each; 0 when a
 * record is too large. */
size_t ratings_memo_footprint(size_t records, size_t size);

/* Makes one of so much memory, which is all zero and at a multiple of 8; no pages of it are touched
 * but the first. */
ratings_memo_t *ratings_memo_place(void *memory, size_t records, size_t size);

/* Copies the record that matches to `record`, which may be written to even if there is none. `hash`
 * is any hash of the key, the same one in `put`. */
bool ratings_memo_find(const ratings_memo_t *memo, uint32_t hash, ratings_memo_matches_fn *matches,
                       const void *key, void *record);

/* Puts the record in the place of the one that matches, if there is one. It may not come to be
 * there, when other threads write to the same slot. */
void ratings_memo_put(ratings_memo_t *memo, uint32_t hash, ratings_memo_matches_fn *matches,
                      const void *key, const void *record);

#endif
