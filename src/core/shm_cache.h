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
#ifndef RATINGS_CORE_SHM_CACHE_H
#define RATINGS_CORE_SHM_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ratings_shm_cache_t ratings_shm_cache_t;

#define RATINGS_SHM_CACHE_RECORD_MAX 1024 /* of a record */

/* What a table is of. A record begins with its key, all bytes of which tell keys apart. */
typedef struct {
    size_t records; /* for how many there is to be room, at least: a full table loses some early */
    size_t key;     /* bytes of the key */
    size_t size;    /* bytes of the record, with its key */
} ratings_shm_cache_geometry_t;

/* How many bytes a table takes; 0 when a record is too large. */
size_t ratings_shm_cache_size(const ratings_shm_cache_geometry_t *shape);

/* Makes one of so much memory, which is all zero and at a multiple of 8; no pages of it are touched
 * but the first. */
ratings_shm_cache_t *ratings_shm_cache_init(void *memory,
                                            const ratings_shm_cache_geometry_t *shape);

/* Copies the record of a key to `record`, which may be written to even if there is none. `hash` is
 * any hash of the key, the same one in `put`. */
bool ratings_shm_cache_get(const ratings_shm_cache_t *memo, uint32_t hash, const void *key,
                           void *record);

/* Puts the record in the place of the one of the same key, if there is one. It may not come to be
 * there, when other threads write to the same slot. */
void ratings_shm_cache_put(ratings_shm_cache_t *memo, uint32_t hash, const void *record);

#endif
