#include "shm_cache.h"

#include <stdatomic.h>
#include <string.h>

#define WAYS 8 /* slots that a hash allows */

typedef _Atomic uint64_t word_t;

/* Precedes the record in a slot. */
typedef struct {
    _Atomic uint32_t sequence; /* odd while a writer is at it; 0: never written */
    _Atomic uint32_t hash;
    _Atomic uint32_t stamp; /* of `writes` when it was written: the smallest is the oldest */
    uint32_t unused;
} head_t;

_Static_assert(sizeof(head_t) % sizeof(word_t) == 0, "records begin at a word");

struct ratings_shm_cache_t {
    size_t sets; /* a power of two */
    size_t key_size, record_size;
    size_t words, slot_words; /* of a record; of a slot, with its head */
    unsigned char pad[64];    /* no put writes to the cache line of what each get reads */
    _Atomic uint32_t writes;  /* of all slots, wraps around */
    word_t slots[];
};

/* ---- geometry ---- */

static size_t power_of_two(size_t least)
{
    size_t power = 1;

    while (power < least)
        power *= 2;
    return power;
}

static size_t sets_of(size_t records)
{
    return power_of_two((records + WAYS - 1) / WAYS);
}

static size_t words_for(size_t bytes)
{
    return (bytes + sizeof(word_t) - 1) / sizeof(word_t);
}

size_t ratings_shm_cache_size(const ratings_shm_cache_geometry_t *geometry)
{
    size_t slot = (words_for(geometry->record_size) + words_for(sizeof(head_t))) * sizeof(word_t);

    if (geometry->record_size > RATINGS_SHM_CACHE_RECORD_MAX)
        return 0;
    return sizeof(ratings_shm_cache_t) + sets_of(geometry->capacity) * WAYS * slot;
}

ratings_shm_cache_t *ratings_shm_cache_init(void *memory,
                                            const ratings_shm_cache_geometry_t *geometry)
{
    ratings_shm_cache_t *cache = memory;

    cache->sets = sets_of(geometry->capacity);
    cache->key_size = geometry->key_size;
    cache->record_size = geometry->record_size;
    cache->words = words_for(geometry->record_size);
    cache->slot_words = cache->words + words_for(sizeof(head_t));
    return cache;
}

/* ---- slots ---- */

/* The finalizer of MurmurHash3: each bit of the hash has a part in the bits that choose the set. */
static uint32_t mix_hash(uint32_t hash)
{
    hash ^= hash >> 16;
    hash *= 0x85ebca6bU;
    hash ^= hash >> 13;
    hash *= 0xc2b2ae35U;
    return hash ^ hash >> 16;
}

static word_t *slot_of(const ratings_shm_cache_t *cache, uint32_t hash, size_t way)
{
    size_t number = (mix_hash(hash) & (cache->sets - 1)) * WAYS + way;

    return (word_t *)(uintptr_t)&cache->slots[number * cache->slot_words];
}

static head_t *head_of(word_t *slot)
{
    return (head_t *)(uintptr_t)slot;
}

static word_t *words_of(word_t *slot)
{
    return slot + sizeof(head_t) / sizeof(word_t);
}

/* ---- sequence lock ----
 *
 * A writer makes the sequence odd, stores the words, and makes it even. A reader loads the
 * sequence, the words, and the sequence again: unless both are the same even number, it discards
 * its copy.
 *
 * Three things make that right by the C11 memory model. The words are atomics, as a reader and a
 * writer may be at them at the same time. The last store of the sequence is a release and the first
 * load an acquire: a reader sees no words older than its sequence. And each word is stored with
 * release and loaded with acquire: a reader that has loaded one word of a newer record sees, in its
 * second load of the sequence, the odd number at least.
 *
 * The usual form has relaxed words between two fences, which ThreadSanitizer does not know
 * (gcc: -Wtsan). On x86-64 both compile to the same plain moves. */

static void copy_out(const ratings_shm_cache_t *cache, word_t *words, void *record)
{
    char *to = record;
    size_t left = cache->record_size;

    for (size_t i = 0; i < cache->words; i++) {
        uint64_t word = atomic_load_explicit(&words[i], memory_order_acquire);
        size_t length = left < sizeof word ? left : sizeof word;

        memcpy(to, &word, length);
        to += length;
        left -= length;
    }
}

static void copy_in(const ratings_shm_cache_t *cache, word_t *words, const void *record)
{
    const char *from = record;
    size_t left = cache->record_size;

    for (size_t i = 0; i < cache->words; i++) {
        uint64_t word = 0;
        size_t length = left < sizeof word ? left : sizeof word;

        memcpy(&word, from, length);
        atomic_store_explicit(&words[i], word, memory_order_release);
        from += length;
        left -= length;
    }
}

/* False for a slot of another key, and for one that a writer is at. */
static bool read_slot(const ratings_shm_cache_t *cache, word_t *slot, uint32_t hash,
                      const void *key, void *record)
{
    head_t *head = head_of(slot);
    uint32_t before = atomic_load_explicit(&head->sequence, memory_order_acquire);

    if (before == 0 || before % 2 != 0 ||
        atomic_load_explicit(&head->hash, memory_order_relaxed) != hash)
        return false;
    copy_out(cache, words_of(slot), record);
    return atomic_load_explicit(&head->sequence, memory_order_relaxed) == before &&
           memcmp(record, key, cache->key_size) == 0;
}

/* Does nothing if another thread is writing there. */
static void write_slot(ratings_shm_cache_t *cache, word_t *slot, uint32_t hash, const void *record)
{
    head_t *head = head_of(slot);
    uint32_t before = atomic_load_explicit(&head->sequence, memory_order_relaxed);
    uint32_t after = before + 2 != 0 ? before + 2 : 2;

    if (before % 2 != 0 ||
        !atomic_compare_exchange_strong_explicit(&head->sequence, &before, before + 1,
                                                 memory_order_acquire, memory_order_relaxed))
        return;
    atomic_store_explicit(&head->hash, hash, memory_order_relaxed);
    atomic_store_explicit(&head->stamp, atomic_fetch_add(&cache->writes, 1) + 1,
                          memory_order_relaxed);
    copy_in(cache, words_of(slot), record);
    atomic_store_explicit(&head->sequence, after, memory_order_release);
}

/* ---- use ---- */

bool ratings_shm_cache_get(const ratings_shm_cache_t *cache, uint32_t hash, const void *key,
                           void *record)
{
    for (size_t way = 0; way < WAYS; way++)
        if (read_slot(cache, slot_of(cache, hash, way), hash, key, record))
            return true;
    return false;
}

/* How long ago the slot was written, in writes of the cache: a slot that never was is the oldest;
 * one that a writer is at, or was at when it was killed, is the youngest. */
static uint64_t age_of(const ratings_shm_cache_t *cache, word_t *slot)
{
    head_t *head = head_of(slot);
    uint32_t sequence = atomic_load_explicit(&head->sequence, memory_order_relaxed);

    if (sequence == 0)
        return UINT64_MAX;
    if (sequence % 2 != 0)
        return 0;
    return (uint32_t)(atomic_load_explicit(&cache->writes, memory_order_relaxed) -
                      atomic_load_explicit(&head->stamp, memory_order_relaxed));
}

/* The slot of the same key, or the oldest of the set. */
static word_t *choose_slot(const ratings_shm_cache_t *cache, uint32_t hash, const void *record)
{
    uint64_t present[RATINGS_SHM_CACHE_RECORD_MAX / sizeof(uint64_t)];
    word_t *oldest = slot_of(cache, hash, 0);

    for (size_t way = 0; way < WAYS; way++) {
        word_t *slot = slot_of(cache, hash, way);

        if (read_slot(cache, slot, hash, record, present))
            return slot;
        if (age_of(cache, slot) > age_of(cache, oldest))
            oldest = slot;
    }
    return oldest;
}

void ratings_shm_cache_put(ratings_shm_cache_t *cache, uint32_t hash, const void *record)
{
    write_slot(cache, choose_slot(cache, hash, record), hash, record);
}
