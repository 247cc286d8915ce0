#include "checkpoints.h"

#include "futex.h"
#include "segment.h"

#include <apr_hash.h>

#include <stdatomic.h>

#define CONFIRM_US 50000 /* not more often: each write takes the word from all who read it */

_Static_assert(RATINGS_POSITION_PARTITIONS == RATINGS_PARTITIONS_MAX,
               "a position is of a partition");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared memory needs lock-free 64-bit atomics");

/* ---- a log and an offset in one word ---- */

#define OFFSET_BITS 48
#define OFFSET_MASK ((UINT64_C(1) << OFFSET_BITS) - 1)

static uint64_t pack(ratings_checkpoint_t checkpoint)
{
    return (uint64_t)checkpoint.log_id << OFFSET_BITS | ((uint64_t)checkpoint.offset & OFFSET_MASK);
}

static ratings_checkpoint_t unpack(uint64_t word)
{
    return (ratings_checkpoint_t){(uint16_t)(word >> OFFSET_BITS), (int64_t)(word & OFFSET_MASK)};
}

ratings_checkpoint_t ratings_shm_high(const ratings_shm_t *shared, int partition)
{
    return unpack(atomic_load(&shared->partition[partition].high));
}

ratings_checkpoint_t ratings_shm_watermark(const ratings_shm_t *shared, int partition)
{
    return unpack(atomic_load(&shared->partition[partition].applied));
}

bool ratings_shm_has_reached(const ratings_shm_t *shared, const ratings_position_t *position)
{
    if (position->offset == 0) /* a GET that carries none reads no word that others write */
        return true;
    ratings_checkpoint_t applied = ratings_shm_watermark(shared, position->partition);
    return ratings_position_is_reached(position, applied.log_id, applied.offset);
}

/* ---- which of two checkpoints stands ---- */

typedef bool replaces_fn(ratings_checkpoint_t now, ratings_checkpoint_t then);

/* Replaces the checkpoint of the word by `now`, if it does replace that. */
static void raise_to(_Atomic uint64_t *word, ratings_checkpoint_t now, replaces_fn *replaces)
{
    uint64_t then = atomic_load(word);
    while (replaces(now, unpack(then)) && !atomic_compare_exchange_weak(word, &then, pack(now)))
        ;
}

static bool is_same(ratings_checkpoint_t a, ratings_checkpoint_t b)
{
    return a.log_id == b.log_id && a.offset == b.offset;
}

static bool is_further(ratings_checkpoint_t now, ratings_checkpoint_t then)
{
    return now.log_id == then.log_id && now.offset > then.offset;
}

/* Another log begins anew; one that is not known (the store is being rebuilt) says nothing. */
static bool is_newer(ratings_checkpoint_t now, ratings_checkpoint_t then)
{
    return now.log_id != 0 && (now.log_id != then.log_id || now.offset > then.offset);
}

/* An empty log does not replace a high watermark that knows a record: a store that was restored to
 * its beginning says the same. It does where the log was empty up to the high watermark: the
 * records that this host knows were deleted. */
static bool is_newer_high(ratings_checkpoint_t now, ratings_checkpoint_t then)
{
    return is_newer(now, then) &&
           (now.log_id != RATINGS_LOG_ID_EMPTY || then.log_id == 0 || now.offset >= then.offset);
}

bool ratings_checkpoint_covers(ratings_checkpoint_t stored, ratings_checkpoint_t high)
{
    if (stored.log_id == 0 || high.log_id == 0)
        return false;
    if (high.log_id == RATINGS_LOG_ID_EMPTY && stored.log_id != high.log_id)
        return stored.offset > high.offset;
    return stored.log_id == high.log_id && stored.offset >= high.offset;
}

static bool is_first(ratings_checkpoint_t now, ratings_checkpoint_t then)
{
    return now.log_id != 0 && then.log_id == 0;
}

bool ratings_shm_is_newer(const ratings_shm_t *shared, int partition,
                          ratings_checkpoint_t checkpoint)
{
    ratings_checkpoint_t high = ratings_shm_high(shared, partition);
    return (checkpoint.log_id != high.log_id && is_newer_high(checkpoint, high)) ||
           is_newer(checkpoint, ratings_shm_watermark(shared, partition));
}

/* ---- changes ---- */

uint32_t ratings_shm_slot(const char *talk_id)
{
    apr_ssize_t length = APR_HASH_KEY_STRING;
    return apr_hashfunc_default(talk_id, &length) & (RATINGS_CHANGE_SLOTS - 1);
}

ratings_changes_t ratings_shm_changes(const ratings_shm_t *shared, uint32_t slot)
{
    return (ratings_changes_t){atomic_load(&shared->epoch),
                               atomic_load(&shared->change_counter[slot])};
}

/* ---- by who reads the store ---- */

/* Looked at in this order: whoever publishes more after that raises the counters after, too
 * (t/model, look_again, leave_counts). */
bool ratings_shm_look_again(const ratings_shm_t *shared, int partition,
                            ratings_checkpoint_t checkpoint, uint32_t slot,
                            ratings_changes_t *changes)
{
    *changes = ratings_shm_changes(shared, slot);
    return is_same(ratings_shm_high(shared, partition), checkpoint);
}

/* The counter that is raised here ends what was cached before. The answer is true all the same, if
 * the high watermark still is what the store was read at. */
bool ratings_shm_note_shown(ratings_shm_t *shared, int partition, ratings_checkpoint_t checkpoint,
                            uint32_t slot, int64_t at, ratings_changes_t *changes)
{
    if (!is_newer(checkpoint, ratings_shm_watermark(shared, partition))) {
        ratings_shm_confirm(shared, partition, checkpoint, at);
        return true;
    }
    raise_to(&shared->partition[partition].high, checkpoint, is_further);
    atomic_fetch_add(&shared->change_counter[slot], 1);
    return ratings_shm_look_again(shared, partition, checkpoint, slot, changes);
}

void ratings_shm_confirm(ratings_shm_t *shared, int partition, ratings_checkpoint_t checkpoint,
                         int64_t at)
{
    if (is_same(ratings_shm_watermark(shared, partition), checkpoint) &&
        at >= atomic_load(&shared->confirmed_at[partition]) + CONFIRM_US)
        atomic_store(&shared->confirmed_at[partition], at);
}

bool ratings_shm_is_confirmed(const ratings_shm_t *shared, int partition, int64_t now, int64_t age)
{
    return now - atomic_load(&shared->confirmed_at[partition]) <= age;
}

/* ---- publishing: whoever sees an applied watermark sees what comes before it ---- */

static void publish_high(ratings_shm_t *shared, int partition, ratings_checkpoint_t checkpoint)
{
    raise_to(&shared->partition[partition].high, checkpoint, is_newer_high);
}

void ratings_shm_publish_changes(ratings_shm_t *shared, int partition,
                                 ratings_checkpoint_t checkpoint, const uint32_t *slots, int count)
{
    publish_high(shared, partition, checkpoint);
    for (int i = 0; i < count; i++)
        atomic_fetch_add(&shared->change_counter[slots[i]], 1);
}

void ratings_shm_publish_watermark(ratings_shm_t *shared, int partition,
                                   ratings_checkpoint_t checkpoint)
{
    raise_to(&shared->partition[partition].applied, checkpoint, is_newer);
    ratings_shm_wake(&shared->published);
}

void ratings_shm_publish_external(ratings_shm_t *shared, int partition,
                                  ratings_checkpoint_t checkpoint)
{
    publish_high(shared, partition, checkpoint);
    atomic_fetch_add(&shared->epoch, 1);
    ratings_shm_publish_watermark(shared, partition, checkpoint);
}

void ratings_shm_publish_bootstrap(ratings_shm_t *shared, int partition,
                                   ratings_checkpoint_t checkpoint)
{
    atomic_fetch_add(&shared->epoch, 1);
    raise_to(&shared->partition[partition].high, checkpoint, is_first);
    ratings_shm_wake(&shared->published);
}

void ratings_shm_forget(ratings_shm_t *shared, int partition, ratings_checkpoint_t seen,
                        int64_t next)
{
    uint64_t high = pack(seen), applied = atomic_load(&shared->partition[partition].applied);
    if (seen.offset <= next ||
        !atomic_compare_exchange_strong(&shared->partition[partition].high, &high, 0))
        return;
    if (unpack(applied).log_id == seen.log_id)
        (void)atomic_compare_exchange_strong(&shared->partition[partition].applied, &applied, 0);
}
