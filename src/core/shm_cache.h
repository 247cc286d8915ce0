/* A set-associative cache of records of one size, in memory that the children of a host share,
 * without a lock.
 *
 * A hash chooses a set of eight slots; a record is in any of these. When all are taken, the record
 * that was written longest ago is replaced. So a record may be gone at any time, and the caller
 * says in the record itself by what it is still valid (a time, a counter, a generation).
 *
 * Each slot has a sequence lock: a reader copies the record and then sees whether a writer came
 * between. Readers write nothing, so that they do not take cache lines from each other. (Boehm,
 * "Can seqlocks get along with programming language memory models?", MSPC 2012; how the orders are
 * chosen here, shm_cache.c says.)
 *
 * Not ap_socache_shmcb: it needs a mutex that all children share, around each look-up, and a child
 * that is killed while it holds it leaves the others to the mutex's mechanism to recover; nor may a
 * request wait there for others, in the path that touches no network. Not a hash map in each child:
 * a GET would miss once in each child.
 *
 * Ownership: the memory is the caller's; there is no pointer in it, and it may be mapped at another
 * address in each process. Threads: any, of any process. A process that is killed while it writes
 * loses that slot to the cache, and no more. */
#ifndef RATINGS_CORE_SHM_CACHE_H
#define RATINGS_CORE_SHM_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ratings_shm_cache_t ratings_shm_cache_t;

#define RATINGS_SHM_CACHE_RECORD_MAX 1024 /* bytes */

/* A record begins with its key, which is compared byte by byte: no padding with chance contents. */
typedef struct {
    size_t capacity;    /* records, at least; as sets fill unevenly, some are replaced before */
    size_t key_size;    /* bytes */
    size_t record_size; /* bytes, with the key */
} ratings_shm_cache_geometry_t;

/* Bytes of a cache; 0 when its records are too large. */
size_t ratings_shm_cache_size(const ratings_shm_cache_geometry_t *geometry);

/* Makes a cache in that much memory, which is all zero, at a multiple of 8. Touches its first page
 * alone. */
ratings_shm_cache_t *ratings_shm_cache_init(void *memory,
                                            const ratings_shm_cache_geometry_t *geometry);

/* Copies the record of `key` to `record`, and returns true; or false, where `record` may have been
 * written to. `hash` is any hash of the key, the same one as in put. */
bool ratings_shm_cache_get(const ratings_shm_cache_t *cache, uint32_t hash, const void *key,
                           void *record);

/* Writes the record, in place of the one of the same key if there is one. May do nothing, when
 * another thread writes to the same slot. */
void ratings_shm_cache_put(ratings_shm_cache_t *cache, uint32_t hash, const void *record);

#endif
