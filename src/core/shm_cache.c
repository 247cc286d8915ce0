#include "shm_cache.h"

#include <stdatomic.h>
#include <string.h>

#define WAYS 8 /* slots that a hash allows */

typedef _Atomic uint64_t word_t;

/* What stands before a record. */
typedef struct {
    _Atomic uint32_t sequence; /* odd while it is being written; 0: never was */
    _Atomic uint32_t hash;
    _Atomic uint32_t stamp; /* counts all writes of the table: the smallest is the oldest */
    uint32_t unused;
} head_t;

_Static_assert(sizeof(head_t) % sizeof(word_t) == 0, "records begin at a word");

struct ratings_shm_cache_t {
    size_t sets; /* a power of two */
    size_t key, size;
    size_t words, slot_words;
    unsigned char apart[64]; /* what every lookup reads is in no cache line with what puts write */
    _Atomic uint32_t writes;
    word_t slots[];
};

/* ---- life ---- */

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

size_t ratings_shm_cache_size(const ratings_shm_cache_geometry_t *shape)
{
    size_t slot = (words_for(shape->size) + words_for(sizeof(head_t))) * sizeof(word_t);

    if (shape->size > RATINGS_SHM_CACHE_RECORD_MAX)
        return 0;
    return sizeof(ratings_shm_cache_t) + sets_of(shape->records) * WAYS * slot;
}

ratings_shm_cache_t *ratings_shm_cache_init(void *memory, const ratings_shm_cache_geometry_t *shape)
{
    ratings_shm_cache_t *memo = memory;

    memo->sets = sets_of(shape->records);
    memo->key = shape->key;
    memo->size = shape->size;
    memo->words = words_for(shape->size);
    memo->slot_words = memo->words + words_for(sizeof(head_t));
    return memo;
}

/* ---- slots ---- */

/* The set is chosen by bits that all of the hash has a part in: the finalizer of MurmurHash3. */
static uint32_t mix(uint32_t hash)
{
    hash ^= hash >> 16;
    hash *= 0x85ebca6bU;
    hash ^= hash >> 13;
    hash *= 0xc2b2ae35U;
    return hash ^ hash >> 16;
}

static word_t *slot_of(const ratings_shm_cache_t *memo, uint32_t hash, size_t way)
{
    size_t number = (mix(hash) & (memo->sets - 1)) * WAYS + way;

    return (word_t *)(uintptr_t)&memo->slots[number * memo->slot_words];
}

static head_t *head_of(word_t *slot)
{
    return (head_t *)(uintptr_t)slot;
}

static word_t *words_of(word_t *slot)
{
    return slot + sizeof(head_t) / sizeof(word_t);
}

/* Word by word, as atomics: a reader may come upon a writer, and finds out afterwards. */
static void copy_out(const ratings_shm_cache_t *memo, word_t *words, void *record)
{
    char *to = record;
    size_t left = memo->size;

    for (size_t i = 0; i < memo->words; i++) {
        uint64_t word = atomic_load_explicit(&words[i], memory_order_relaxed);
        size_t length = left < sizeof word ? left : sizeof word;

        memcpy(to, &word, length);
        to += length;
        left -= length;
    }
}

static void copy_in(const ratings_shm_cache_t *memo, word_t *words, const void *record)
{
    const char *from = record;
    size_t left = memo->size;

    for (size_t i = 0; i < memo->words; i++) {
        uint64_t word = 0;
        size_t length = left < sizeof word ? left : sizeof word;

        memcpy(&word, from, length);
        atomic_store_explicit(&words[i], word, memory_order_relaxed);
        from += length;
        left -= length;
    }
}

/* False for a slot of another key, and for one that is being written. */
static bool read_slot(const ratings_shm_cache_t *memo, word_t *slot, uint32_t hash, const void *key,
                      void *record)
{
    head_t *head = head_of(slot);
    uint32_t before = atomic_load_explicit(&head->sequence, memory_order_acquire);

    if (before == 0 || before % 2 != 0 ||
        atomic_load_explicit(&head->hash, memory_order_relaxed) != hash)
        return false;
    copy_out(memo, words_of(slot), record);
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&head->sequence, memory_order_relaxed) == before &&
           memcmp(record, key, memo->key) == 0;
}

/* Nothing, if another thread writes to it. */
static void write_slot(ratings_shm_cache_t *memo, word_t *slot, uint32_t hash, const void *record)
{
    head_t *head = head_of(slot);
    uint32_t before = atomic_load_explicit(&head->sequence, memory_order_relaxed);
    uint32_t after = before + 2 != 0 ? before + 2 : 2;

    if (before % 2 != 0 ||
        !atomic_compare_exchange_strong_explicit(&head->sequence, &before, before + 1,
                                                 memory_order_acquire, memory_order_relaxed))
        return;
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&head->hash, hash, memory_order_relaxed);
    atomic_store_explicit(&head->stamp, atomic_fetch_add(&memo->writes, 1) + 1,
                          memory_order_relaxed);
    copy_in(memo, words_of(slot), record);
    atomic_store_explicit(&head->sequence, after, memory_order_release);
}

/* ---- use ---- */

bool ratings_shm_cache_get(const ratings_shm_cache_t *memo, uint32_t hash, const void *key,
                           void *record)
{
    for (size_t way = 0; way < WAYS; way++)
        if (read_slot(memo, slot_of(memo, hash, way), hash, key, record))
            return true;
    return false;
}

/* How long ago it was written, in writes of the table: beyond all for one that never was, nothing
 * for one that is being written, or whose writer was killed. */
static uint64_t age_of(const ratings_shm_cache_t *memo, word_t *slot)
{
    head_t *head = head_of(slot);
    uint32_t sequence = atomic_load_explicit(&head->sequence, memory_order_relaxed);

    if (sequence == 0)
        return UINT64_MAX;
    if (sequence % 2 != 0)
        return 0;
    return (uint32_t)(atomic_load_explicit(&memo->writes, memory_order_relaxed) -
                      atomic_load_explicit(&head->stamp, memory_order_relaxed));
}

/* That of the same key, or the oldest. */
static word_t *slot_for(const ratings_shm_cache_t *memo, uint32_t hash, const void *record)
{
    uint64_t present[RATINGS_SHM_CACHE_RECORD_MAX / sizeof(uint64_t)];
    word_t *oldest = slot_of(memo, hash, 0);

    for (size_t way = 0; way < WAYS; way++) {
        word_t *slot = slot_of(memo, hash, way);

        if (read_slot(memo, slot, hash, record, present))
            return slot;
        if (age_of(memo, slot) > age_of(memo, oldest))
            oldest = slot;
    }
    return oldest;
}

void ratings_shm_cache_put(ratings_shm_cache_t *memo, uint32_t hash, const void *record)
{
    write_slot(memo, slot_for(memo, hash, record), hash, record);
}
