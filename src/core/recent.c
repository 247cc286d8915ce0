#include "recent.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 256 /* entries, powers of two */

/* 128 bits, so that two events are never taken for one: FNV-1a,
 * https://datatracker.ietf.org/doc/draft-eastlake-fnv/ */
__extension__ typedef unsigned __int128 name_t;
#define FNV_BASIS ((name_t)0x6C62272E07BB0142 << 64 | 0x62B821756295C58D)
#define FNV_PRIME ((name_t)0x0000000001000000 << 64 | 0x000000000000013B)

typedef struct {
    name_t name;
    int64_t offset; /* of the last record with this name */
    bool used;
} entry_t;

/* Open addressing, at most half full. */
typedef struct {
    entry_t *entries;
    size_t room, count;
} table_t;

/* Offsets are told apart in blocks of SPAN: what is within SPAN of an offset is in its block or in
 * the one before, so the older table goes as a whole. */
struct ratings_recent_t {
    table_t table, before;
    int64_t block;
};

static name_t add_bytes(name_t name, const void *bytes, size_t len)
{
    for (const unsigned char *b = bytes, *end = b + len; b < end; b++)
        name = (name ^ *b) * FNV_PRIME;
    return name;
}

static name_t name_of(const ratings_identity_t *identity)
{
    name_t name = FNV_BASIS;
    if (identity->source_len > 0)
        name = add_bytes(name, identity->source, identity->source_len);
    name = add_bytes(name, "", 1); /* with its end */
    return add_bytes(name, identity->id, identity->id_len);
}

/* ---- tables ---- */

static bool table_init(table_t *table, size_t room)
{
    *table = (table_t){calloc(room, sizeof *table->entries), room, 0};
    return table->entries != NULL;
}

/* The entry of that name, or the free one where it belongs. */
static entry_t *find(const table_t *table, name_t name)
{
    size_t at = (size_t)name & (table->room - 1);
    while (table->entries[at].used && table->entries[at].name != name)
        at = (at + 1) & (table->room - 1);
    return &table->entries[at];
}

static bool grow(table_t *table)
{
    table_t wider;
    if (2 * (table->count + 1) <= table->room)
        return true;
    if (!table_init(&wider, 2 * table->room))
        return false;
    for (size_t i = 0; i < table->room; i++)
        if (table->entries[i].used)
            *find(&wider, table->entries[i].name) = table->entries[i];
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

static void go_to_block(ratings_recent_t *recent, int64_t block)
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

ratings_recent_t *ratings_recent_new(void)
{
    ratings_recent_t *recent = calloc(1, sizeof *recent);
    if (!recent)
        return NULL;
    if (table_init(&recent->table, ROOM_MIN) && table_init(&recent->before, ROOM_MIN))
        return recent;
    ratings_recent_free(recent);
    return NULL;
}

void ratings_recent_free(ratings_recent_t *recent)
{
    if (!recent)
        return;
    free(recent->table.entries);
    free(recent->before.entries);
    free(recent);
}

/* ---- noting ---- */

static bool is_near(const entry_t *entry, int64_t offset)
{
    return entry->used && offset - entry->offset <= RATINGS_RECENT_SPAN;
}

ratings_recent_e ratings_recent_note(ratings_recent_t *recent, const ratings_identity_t *identity,
                                     int64_t offset)
{
    if (identity->id_len == 0)
        return RATINGS_RECENT_NEW;
    name_t name = name_of(identity);
    go_to_block(recent, offset / RATINGS_RECENT_SPAN);
    if (!grow(&recent->table))
        return RATINGS_RECENT_NO_MEMORY;
    entry_t *entry = find(&recent->table, name);
    bool repeats = is_near(entry, offset) || is_near(find(&recent->before, name), offset);
    recent->table.count += !entry->used;
    *entry = (entry_t){name, offset, true};
    return repeats ? RATINGS_RECENT_REPEAT : RATINGS_RECENT_NEW;
}
