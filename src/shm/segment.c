/* The shared memory of the children, and the order in which it is written. */
#include "segment.h"

#include <apr_general.h>
#include <apr_hash.h>
#include <apr_shm.h>
#include <apr_strings.h>

#include <string.h>

#define LOG_US INT64_C(10000000)
#define SEEN_US 50000 /* not more often: each write takes the word from all who read it */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared memory needs lock-free 64-bit atomics");

/* ---- the segment ---- */

/* Data alone, in the process pool: a newer module goes on with the list of an older one. httpd's
 * parent unloads the module with each restart, and may map the next one elsewhere: nothing here may
 * point into it, neither to its code nor to its constants. */
typedef struct segment_t segment_t;
struct segment_t {
    const char *name;
    apr_shm_t *memory; /* NULL: given back */
    bool attached;
    segment_t *next;
};

/* To be raised when segment_t changes. 1 is the name under which versions before kept a key that is
 * unmapped with them: the pool compares a key with those of the same hash alone. */
#define SEGMENTS "mod_ratings:segments:2"

static segment_t *segments_of(apr_pool_t *process)
{
    void *first = NULL;
    apr_pool_userdata_get(&first, SEGMENTS, process);
    return first;
}

void ratings_shm_release_all(apr_pool_t *process)
{
    for (segment_t *segment = segments_of(process); segment; segment = segment->next)
        segment->attached = false;
}

void ratings_shm_destroy_released(apr_pool_t *process)
{
    for (segment_t *segment = segments_of(process); segment; segment = segment->next) {
        if (segment->attached || !segment->memory)
            continue;
        apr_shm_destroy(segment->memory);
        segment->memory = NULL;
    }
}

/* The one of this name, or a new one. */
static segment_t *segment_named(const char *name, apr_pool_t *process)
{
    segment_t *first = segments_of(process), *segment = first;
    while (segment && strcmp(segment->name, name) != 0)
        segment = segment->next;
    if (segment)
        return segment;
    segment = apr_pcalloc(process, sizeof *segment);
    segment->name = apr_pstrdup(process, name);
    segment->next = first;
    /* apr_pool_userdata_setn would keep the key's address, which is unmapped with this build; this
     * copies the key when it is new, and keeps the copy when it is not. A cleanup would be code of
     * this build. */
    apr_pool_userdata_set(segment, SEGMENTS, NULL, process);
    return segment;
}

#define LINE ((size_t)64) /* of the processor's cache: each part begins with one */

static size_t footprint(const ratings_shm_cache_geometry_t *shape)
{
    return APR_ALIGN(ratings_shm_cache_size(shape), LINE);
}

static size_t whole_size(const ratings_shm_cache_geometry_t *const shapes[RATINGS_CACHES])
{
    size_t whole = APR_ALIGN(sizeof(ratings_shm_t), LINE);
    for (int i = 0; i < RATINGS_CACHES; i++)
        whole += footprint(shapes[i]);
    return whole;
}

static ratings_shm_t *base_of(const segment_t *segment)
{
    return (ratings_shm_t *)APR_ALIGN((uintptr_t)apr_shm_baseaddr_get(segment->memory), LINE);
}

ratings_shm_cache_t *ratings_shm_cache_of(const ratings_shm_t *shared, ratings_cache_e memo)
{
    return (ratings_shm_cache_t *)((uintptr_t)shared + shared->memo[memo]);
}

/* The memory is all zero, as the system gives it, and takes no room before it is written to. */
static apr_status_t make(segment_t *segment,
                         const ratings_shm_cache_geometry_t *const shapes[RATINGS_CACHES],
                         apr_pool_t *process)
{
    apr_status_t status =
        apr_shm_create(&segment->memory, whole_size(shapes) + LINE, NULL, process);
    if (status != APR_SUCCESS) {
        segment->memory = NULL;
        return status;
    }
    ratings_shm_t *shared = base_of(segment);
    size_t end = APR_ALIGN(sizeof *shared, LINE);
    for (int i = 0; i < RATINGS_CACHES; i++) {
        shared->memo[i] = end;
        (void)ratings_shm_cache_init(ratings_shm_cache_of(shared, (ratings_cache_e)i), shapes[i]);
        end += footprint(shapes[i]);
    }
    return apr_generate_random_bytes((unsigned char *)&shared->id, sizeof shared->id);
}

apr_status_t ratings_shm_attach(ratings_shm_t **shared, const char *key,
                                const ratings_shm_cache_geometry_t *const shapes[RATINGS_CACHES],
                                apr_pool_t *process, apr_pool_t *scratch)
{
    apr_status_t status = APR_SUCCESS;
    char layout[64];
    apr_snprintf(layout, sizeof layout, "%d:%" APR_SIZE_T_FMT ":", RATINGS_SHM_LAYOUT,
                 whole_size(shapes));
    segment_t *segment = segment_named(apr_pstrcat(scratch, layout, key, NULL), process);
    if (!segment->memory)
        status = make(segment, shapes, process);
    if (status != APR_SUCCESS)
        return status;
    segment->attached = true;
    *shared = base_of(segment);
    return APR_SUCCESS;
}

/* ---- places: tag and position in one word ---- */

#define POSITION_BITS 48
#define POSITION_MASK ((UINT64_C(1) << POSITION_BITS) - 1)

static uint64_t pack(ratings_checkpoint_t place)
{
    return (uint64_t)place.tag << POSITION_BITS | ((uint64_t)place.position & POSITION_MASK);
}

static ratings_checkpoint_t unpack(uint64_t word)
{
    return (ratings_checkpoint_t){(uint16_t)(word >> POSITION_BITS),
                                  (int64_t)(word & POSITION_MASK)};
}

ratings_checkpoint_t ratings_shm_high(const ratings_shm_t *shared, int partition)
{
    return unpack(atomic_load(&shared->partition[partition].high));
}

ratings_checkpoint_t ratings_shm_watermark(const ratings_shm_t *shared, int partition)
{
    return unpack(atomic_load(&shared->partition[partition].watermark));
}

typedef bool better_fn(ratings_checkpoint_t now, ratings_checkpoint_t then);

/* Replaces the place by `now` where that is better. */
static void improve(_Atomic uint64_t *word, ratings_checkpoint_t now, better_fn *is_better)
{
    uint64_t then = atomic_load(word);
    while (is_better(now, unpack(then)) && !atomic_compare_exchange_weak(word, &then, pack(now)))
        ;
}

static bool is_further(ratings_checkpoint_t now, ratings_checkpoint_t then)
{
    return now.tag == then.tag && now.position > then.position;
}

/* Another log begins anew; one that is not known (the store is being rebuilt) says nothing. */
static bool is_news(ratings_checkpoint_t now, ratings_checkpoint_t then)
{
    return now.tag != 0 && (now.tag != then.tag || now.position > then.position);
}

/* High is not told of an empty log once it knows a record: a store that was restored to its
 * beginning says the same. But not of one that was empty up to where high is: the records that it
 * knows were deleted. */
static bool is_high_news(ratings_checkpoint_t now, ratings_checkpoint_t then)
{
    return is_news(now, then) &&
           (now.tag != RATINGS_LOG_ID_EMPTY || then.tag == 0 || now.position >= then.position);
}

bool ratings_shm_is_news(const ratings_shm_t *shared, int partition, ratings_checkpoint_t place)
{
    ratings_checkpoint_t high = ratings_shm_high(shared, partition);
    return (place.tag != high.tag && is_high_news(place, high)) ||
           is_news(place, ratings_shm_watermark(shared, partition));
}

ratings_version_t ratings_shm_version(const ratings_shm_t *shared, uint32_t slot)
{
    return (ratings_version_t){atomic_load(&shared->epoch), atomic_load(&shared->changed[slot])};
}

static bool is_same(ratings_checkpoint_t a, ratings_checkpoint_t b)
{
    return a.tag == b.tag && a.position == b.position;
}

/* What is raised here ends what was made of the version before. What is shown is good all the same,
 * if high still is where it was read: nothing has been published since that the version of now may
 * have missed (t/model, look_again). */
bool ratings_shm_shown(ratings_shm_t *shared, int partition, ratings_checkpoint_t place,
                       uint32_t slot, int64_t at, ratings_version_t *version)
{
    if (!is_news(place, ratings_shm_watermark(shared, partition))) {
        ratings_shm_seen(shared, partition, place, at);
        return true;
    }
    improve(&shared->partition[partition].high, place, is_further);
    atomic_fetch_add(&shared->changed[slot], 1);
    *version = ratings_shm_version(shared, slot);
    return is_same(ratings_shm_high(shared, partition), place);
}

void ratings_shm_seen(ratings_shm_t *shared, int partition, ratings_checkpoint_t place, int64_t at)
{
    if (is_same(ratings_shm_watermark(shared, partition), place) &&
        at >= atomic_load(&shared->partition[partition].in_step_at) + SEEN_US)
        atomic_store(&shared->partition[partition].in_step_at, at);
}

bool ratings_shm_in_step(const ratings_shm_t *shared, int partition, int64_t now, int64_t age)
{
    return now - atomic_load(&shared->partition[partition].in_step_at) <= age;
}

void ratings_shm_forget(ratings_shm_t *shared, int partition, ratings_checkpoint_t seen,
                        int64_t next)
{
    uint64_t high = pack(seen), watermark = atomic_load(&shared->partition[partition].watermark);
    if (seen.position <= next ||
        !atomic_compare_exchange_strong(&shared->partition[partition].high, &high, 0))
        return;
    if (unpack(watermark).tag == seen.tag)
        (void)atomic_compare_exchange_strong(&shared->partition[partition].watermark, &watermark,
                                             0);
}

/* ---- publishing: whoever sees a watermark sees what comes before it ---- */

static void publish_high(ratings_shm_t *shared, int partition, ratings_checkpoint_t place)
{
    improve(&shared->partition[partition].high, place, is_high_news);
}

static void publish_watermark(ratings_shm_t *shared, int partition, ratings_checkpoint_t place)
{
    improve(&shared->partition[partition].watermark, place, is_news);
    ratings_shm_wake(&shared->published);
}

void ratings_shm_publish_applied(ratings_shm_t *shared, int partition, ratings_checkpoint_t place,
                                 const uint32_t *slots, int count)
{
    publish_high(shared, partition, place);
    for (int i = 0; i < count; i++)
        atomic_fetch_add(&shared->changed[slots[i]], 1);
    publish_watermark(shared, partition, place);
}

void ratings_shm_publish_external(ratings_shm_t *shared, int partition, ratings_checkpoint_t place)
{
    publish_high(shared, partition, place);
    atomic_fetch_add(&shared->epoch, 1);
    publish_watermark(shared, partition, place);
}

static bool is_first_word(ratings_checkpoint_t now, ratings_checkpoint_t then)
{
    return now.tag != 0 && then.tag == 0;
}

void ratings_shm_publish_bootstrap(ratings_shm_t *shared, int partition, ratings_checkpoint_t place)
{
    atomic_fetch_add(&shared->epoch, 1);
    improve(&shared->partition[partition].high, place, is_first_word);
    ratings_shm_wake(&shared->published);
}

void ratings_shm_tell_progress(ratings_shm_t *shared, const ratings_progress_t *progress)
{
    atomic_store(&shared->rebuild.done, progress->done);
    atomic_store(&shared->rebuild.of, progress->of);
    atomic_store(&shared->rebuild.seconds_left, progress->seconds_left);
}

ratings_progress_t ratings_shm_progress(const ratings_shm_t *shared)
{
    return (ratings_progress_t){atomic_load(&shared->rebuild.done),
                                atomic_load(&shared->rebuild.of),
                                atomic_load(&shared->rebuild.seconds_left)};
}

bool ratings_shm_may_log(ratings_shm_t *shared, ratings_line_e line, int64_t now)
{
    int64_t last = atomic_load(&shared->logged_at[line]);
    return (last == 0 || now - last >= LOG_US) &&
           atomic_compare_exchange_strong(&shared->logged_at[line], &last, now);
}

uint32_t ratings_shm_slot(const char *talk_id)
{
    apr_ssize_t length = APR_HASH_KEY_STRING;
    return apr_hashfunc_default(talk_id, &length) & (RATINGS_CHANGE_SLOTS - 1);
}
