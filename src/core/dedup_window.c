#include "dedup_window.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 256 /* entries, a power of two */

/* A quarter of a cache line: a look-up costs one miss. */
typedef struct {
    uint64_t high; /* of the identity */
    uint32_t low;
    uint32_t at; /* 1 + offset, within its block, of the last event of that identity; 0: free */
} entry_t;

/* Open addressing, at most half full. */
typedef struct {
    entry_t *entries;
    size_t capacity, count;
} table_t;

/* Offsets are grouped in blocks of RATINGS_DEDUP_SPAN: the offsets within a span before one are in
 * its block or in the previous one. So expiry costs nothing: a whole table is cleared at once. */
struct ratings_dedup_window_t {
    table_t current, previous;
    int64_t block;
};

/* ---- identities ---- */

__extension__ typedef unsigned __int128 wide_t;
#define FACTOR                                                                                     \
    ((wide_t)0x9E3779B97F4A7C15 << 64 | 0xF39CC0605CEDC835) /* 2^128 / the golden ratio, odd */

/* Product and shift are invertible: one word never makes two different states equal. */
static wide_t add_word(wide_t state, uint64_t word)
{
    state = (state ^ word) * FACTOR;
    return state ^ state >> 64;
}

static wide_t add_bytes(wide_t state, const void *bytes, size_t len)
{
    const unsigned char *from = bytes;
    uint64_t word;
    for (size_t left = len; left > 0; left -= sizeof word, from += sizeof word) {
        if (left < sizeof word)
            break;
        memcpy(&word, from, sizeof word);
        state = add_word(state, word);
    }
    word = 0;
    if (len % sizeof word)
        memcpy(&word, from, len % sizeof word);
    return add_word(add_word(state, word), len);
}

ratings_identity_t ratings_identity(const void *source, size_t source_len, const void *id,
                                    size_t id_len)
{
    if (id_len == 0)
        return (ratings_identity_t){0, 0};
    wide_t state = add_bytes(add_bytes(FACTOR, source, source_len), id, id_len);
    return (ratings_identity_t){(uint64_t)(state >> 64), (uint64_t)state};
}

bool ratings_identity_is_known(const ratings_identity_t *identity)
{
    return identity->high != 0 || identity->low != 0;
}

/* ---- tables ---- */

static bool table_init(table_t *table, size_t capacity)
{
    *table = (table_t){calloc(capacity, sizeof *table->entries), capacity, 0};
    return table->entries != NULL;
}

static entry_t *home_of(const table_t *table, uint64_t high)
{
    return &table->entries[high & (table->capacity - 1)];
}

/* The entry of that identity, or the free one where it is to be added. */
static entry_t *find_entry(const table_t *table, uint64_t high, uint32_t low)
{
    entry_t *entry = home_of(table, high), *end = table->entries + table->capacity;
    while (entry->at != 0 && (entry->high != high || entry->low != low))
        if (++entry == end)
            entry = table->entries;
    return entry;
}

static bool table_grow(table_t *table)
{
    table_t wider;
    if (2 * (table->count + 1) <= table->capacity)
        return true;
    if (!table_init(&wider, 2 * table->capacity))
        return false;
    for (size_t i = 0; i < table->capacity; i++) {
        const entry_t *entry = &table->entries[i];
        if (entry->at != 0)
            *find_entry(&wider, entry->high, entry->low) = *entry;
    }
    wider.count = table->count;
    free(table->entries);
    *table = wider;
    return true;
}

/* ---- blocks ---- */

static void table_clear(table_t *table)
{
    memset(table->entries, 0, table->capacity * sizeof *table->entries);
    table->count = 0;
}

static void enter_block(ratings_dedup_window_t *window, int64_t block)
{
    table_t cleared = window->previous;
    if (block == window->block)
        return;
    window->previous = window->current;
    window->current = cleared;
    table_clear(&window->current);
    if (block != window->block + 1)
        table_clear(&window->previous);
    window->block = block;
}

ratings_dedup_window_t *ratings_dedup_window_new(void)
{
    ratings_dedup_window_t *window = calloc(1, sizeof *window);
    if (!window)
        return NULL;
    if (table_init(&window->current, CAPACITY_MIN) && table_init(&window->previous, CAPACITY_MIN))
        return window;
    ratings_dedup_window_free(window);
    return NULL;
}

void ratings_dedup_window_free(ratings_dedup_window_t *window)
{
    if (!window)
        return;
    free(window->current.entries);
    free(window->previous.entries);
    free(window);
}

/* ---- use ---- */

void ratings_dedup_window_prefetch(const ratings_dedup_window_t *window,
                                   const ratings_identity_t *identity)
{
    __builtin_prefetch(home_of(&window->current, identity->high), 1);
    __builtin_prefetch(home_of(&window->previous, identity->high));
}

ratings_dedup_e ratings_dedup_window_check_and_add(ratings_dedup_window_t *window,
                                                   const ratings_identity_t *identity,
                                                   int64_t offset)
{
    const uint32_t low = (uint32_t)identity->low;
    const uint32_t at = (uint32_t)(offset % RATINGS_DEDUP_SPAN) + 1;
    if (!ratings_identity_is_known(identity))
        return RATINGS_DEDUP_NEW;
    enter_block(window, offset / RATINGS_DEDUP_SPAN);
    if (!table_grow(&window->current))
        return RATINGS_DEDUP_NO_MEMORY;
    entry_t *entry = find_entry(&window->current, identity->high, low);
    /* within the span: anywhere in this block; in the previous one no earlier than here in this */
    bool is_duplicate =
        entry->at != 0 || find_entry(&window->previous, identity->high, low)->at >= at;
    window->current.count += entry->at == 0;
    *entry = (entry_t){identity->high, low, at};
    return is_duplicate ? RATINGS_DEDUP_DUPLICATE : RATINGS_DEDUP_NEW;
}
