#include "dedup_window.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 256 /* entries, powers of two */

/* A quarter of a cache line: that is what it costs to look for one. */
typedef struct {
    uint64_t high; /* of the identity */
    uint32_t low;
    uint32_t at; /* offset in its block of the last record of that identity, and 1; 0: free */
} entry_t;

/* Open addressing, at most half full. */
typedef struct {
    entry_t *entries;
    size_t room, count;
} table_t;

/* Offsets are told apart in blocks of SPAN: what is within SPAN of an offset is in its block or in
 * the one before, so the older table goes as a whole. */
struct ratings_dedup_window_t {
    table_t table, before;
    int64_t block;
};

/* ---- identities ---- */

__extension__ typedef unsigned __int128 wide_t;
#define FACTOR                                                                                     \
    ((wide_t)0x9E3779B97F4A7C15 << 64 | 0xF39CC0605CEDC835) /* 2^128 / the golden ratio, odd */

/* Both the product and the shift can be undone: the same word does not make two names one. */
static wide_t add_word(wide_t name, uint64_t word)
{
    name = (name ^ word) * FACTOR;
    return name ^ name >> 64;
}

static wide_t add_bytes(wide_t name, const void *bytes, size_t len)
{
    const unsigned char *from = bytes;
    uint64_t word;
    for (size_t left = len; left > 0; left -= sizeof word, from += sizeof word) {
        if (left < sizeof word)
            break;
        memcpy(&word, from, sizeof word);
        name = add_word(name, word);
    }
    word = 0;
    if (len % sizeof word)
        memcpy(&word, from, len % sizeof word);
    return add_word(add_word(name, word), len);
}

ratings_identity_t ratings_identity(const void *source, size_t source_len, const void *id,
                                    size_t id_len)
{
    if (id_len == 0)
        return (ratings_identity_t){0, 0};
    wide_t name = add_bytes(add_bytes(FACTOR, source, source_len), id, id_len);
    return (ratings_identity_t){(uint64_t)(name >> 64), (uint64_t)name};
}

bool ratings_identity_is_known(const ratings_identity_t *identity)
{
    return identity->high != 0 || identity->low != 0;
}

/* ---- tables ---- */

static bool table_init(table_t *table, size_t room)
{
    *table = (table_t){calloc(room, sizeof *table->entries), room, 0};
    return table->entries != NULL;
}

static entry_t *home(const table_t *table, uint64_t high)
{
    return &table->entries[high & (table->room - 1)];
}

/* The entry of that identity, or the free one where it belongs. */
static entry_t *find(const table_t *table, uint64_t high, uint32_t low)
{
    entry_t *entry = home(table, high), *end = table->entries + table->room;
    while (entry->at != 0 && (entry->high != high || entry->low != low))
        if (++entry == end)
            entry = table->entries;
    return entry;
}

static bool grow(table_t *table)
{
    table_t wider;
    if (2 * (table->count + 1) <= table->room)
        return true;
    if (!table_init(&wider, 2 * table->room))
        return false;
    for (size_t i = 0; i < table->room; i++) {
        const entry_t *entry = &table->entries[i];
        if (entry->at != 0)
            *find(&wider, entry->high, entry->low) = *entry;
    }
    wider.count = table->count;
    free(table->entries);
    *table = wider;
    return true;
}

/* ---- blocks ---- */

static void clear(table_t *table)
{
    memset(table->entries, 0, table->room * sizeof *table->entries);
    table->count = 0;
}

static void go_to_block(ratings_dedup_window_t *recent, int64_t block)
{
    table_t older = recent->before;
    if (block == recent->block)
        return;
    recent->before = recent->table;
    recent->table = older;
    clear(&recent->table);
    if (block != recent->block + 1)
        clear(&recent->before);
    recent->block = block;
}

ratings_dedup_window_t *ratings_dedup_window_new(void)
{
    ratings_dedup_window_t *recent = calloc(1, sizeof *recent);
    if (!recent)
        return NULL;
    if (table_init(&recent->table, ROOM_MIN) && table_init(&recent->before, ROOM_MIN))
        return recent;
    ratings_dedup_window_free(recent);
    return NULL;
}

void ratings_dedup_window_free(ratings_dedup_window_t *recent)
{
    if (!recent)
        return;
    free(recent->table.entries);
    free(recent->before.entries);
    free(recent);
}

/* ---- noting ---- */

void ratings_dedup_window_prefetch(const ratings_dedup_window_t *recent,
                                   const ratings_identity_t *identity)
{
    __builtin_prefetch(home(&recent->table, identity->high), 1);
    __builtin_prefetch(home(&recent->before, identity->high));
}

ratings_dedup_e ratings_dedup_window_check_and_add(ratings_dedup_window_t *recent,
                                                   const ratings_identity_t *identity,
                                                   int64_t offset)
{
    const uint32_t low = (uint32_t)identity->low;
    const uint32_t at = (uint32_t)(offset % RATINGS_DEDUP_SPAN) + 1;
    if (!ratings_identity_is_known(identity))
        return RATINGS_DEDUP_NEW;
    go_to_block(recent, offset / RATINGS_DEDUP_SPAN);
    if (!grow(&recent->table))
        return RATINGS_DEDUP_NO_MEMORY;
    entry_t *entry = find(&recent->table, identity->high, low);
    /* in this block it is near; in the one before, if it comes no earlier there than here */
    bool repeats = entry->at != 0 || find(&recent->before, identity->high, low)->at >= at;
    recent->table.count += entry->at == 0;
    *entry = (entry_t){identity->high, low, at};
    return repeats ? RATINGS_DEDUP_DUPLICATE : RATINGS_DEDUP_NEW;
}
