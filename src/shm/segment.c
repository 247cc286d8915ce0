#include "segment.h"

#include <apr_general.h>
#include <apr_shm.h>
#include <apr_strings.h>

#include <string.h>

/* ---- the list of segments ---- */

/* Data alone, in the process pool: a newer module takes over the list of an older one. httpd's
 * parent unloads the module with each restart, and may map the next one elsewhere: nothing here may
 * point into it, neither to its code nor to its constants. A list by hand, where the rest of the
 * project has those of sys/queue.h: it is as older modules have made it. */
typedef struct segment_t segment_t;
struct segment_t {
    const char *name;
    apr_shm_t *memory; /* NULL: given back */
    bool attached;
    segment_t *next;
};

/* The key of the first one in the pool; its number is to be raised when segment_t changes. Number 1
 * belongs to versions that left the pool a pointer to the key's text, which was unmapped with them:
 * the pool compares a key only with those of the same hash. */
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

/* The segment of this name, or a new one, without memory yet. */
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

/* ---- the parts of a segment ---- */

/* Each part begins with a cache line. */
#define LINE ((size_t)RATINGS_CACHE_LINE)

static size_t footprint(const ratings_shm_cache_geometry_t *geometry)
{
    return APR_ALIGN(ratings_shm_cache_size(geometry), LINE);
}

static size_t whole_size(const ratings_shm_cache_geometry_t *const geometry[RATINGS_CACHES])
{
    size_t whole = APR_ALIGN(sizeof(ratings_shm_t), LINE);
    for (int i = 0; i < RATINGS_CACHES; i++)
        whole += footprint(geometry[i]);
    return whole;
}

static void *base_of(const segment_t *segment)
{
    return (void *)APR_ALIGN((uintptr_t)apr_shm_baseaddr_get(segment->memory), LINE);
}

ratings_shm_cache_t *ratings_shm_cache_of(const ratings_shm_t *shared, ratings_cache_e cache)
{
    return (ratings_shm_cache_t *)((uintptr_t)shared + shared->cache_offset[cache]);
}

/* All zero, as the system gives it, and takes no room before it is written to. */
static apr_status_t make_memory(segment_t *segment, size_t size, apr_pool_t *process)
{
    apr_status_t status = apr_shm_create(&segment->memory, size + LINE, NULL, process);
    if (status != APR_SUCCESS)
        segment->memory = NULL;
    return status;
}

static apr_status_t make_segment(segment_t *segment,
                                 const ratings_shm_cache_geometry_t *const geometry[RATINGS_CACHES],
                                 apr_pool_t *process)
{
    apr_status_t status = make_memory(segment, whole_size(geometry), process);
    if (status != APR_SUCCESS)
        return status;
    ratings_shm_t *shared = base_of(segment);
    size_t end = APR_ALIGN(sizeof *shared, LINE);
    for (int i = 0; i < RATINGS_CACHES; i++) {
        shared->cache_offset[i] = end;
        (void)ratings_shm_cache_init(ratings_shm_cache_of(shared, (ratings_cache_e)i), geometry[i]);
        end += footprint(geometry[i]);
    }
    return apr_generate_random_bytes((unsigned char *)&shared->id, sizeof shared->id);
}

/* ---- attaching ---- */

/* `part` "" is the segment itself; the number of its layout is that of the part. */
static segment_t *find_segment(const char *part, int layout, size_t size, const char *key,
                               apr_pool_t *process, apr_pool_t *scratch)
{
    const char *version = apr_psprintf(scratch, "%d:%" APR_SIZE_T_FMT ":", layout, size);
    return segment_named(apr_pstrcat(scratch, version, part, key, NULL), process);
}

apr_status_t ratings_shm_attach(ratings_shm_t **shared, const char *key,
                                const ratings_shm_cache_geometry_t *const geometry[RATINGS_CACHES],
                                apr_pool_t *process, apr_pool_t *scratch)
{
    apr_status_t status = APR_SUCCESS;
    segment_t *segment =
        find_segment("", RATINGS_SHM_LAYOUT, whole_size(geometry), key, process, scratch);
    if (!segment->memory)
        status = make_segment(segment, geometry, process);
    if (status != APR_SUCCESS)
        return status;
    segment->attached = true;
    *shared = base_of(segment);
    return APR_SUCCESS;
}

/* A part in a segment of its own, which is all zero when it is new. */
static apr_status_t attach_part(void **memory, const char *part, int layout, size_t size,
                                const char *key, apr_pool_t *process, apr_pool_t *scratch)
{
    apr_status_t status = APR_SUCCESS;
    segment_t *segment = find_segment(part, layout, size, key, process, scratch);
    if (!segment->memory)
        status = make_memory(segment, size, process);
    if (status != APR_SUCCESS)
        return status;
    segment->attached = true;
    *memory = base_of(segment);
    return APR_SUCCESS;
}

apr_status_t ratings_shm_attach_rates(ratings_voter_rates_t **rates, const char *key,
                                      apr_pool_t *process, apr_pool_t *scratch)
{
    void *memory = NULL;
    apr_status_t status = attach_part(&memory, "rates:", RATINGS_SHM_LAYOUT,
                                      ratings_voter_rates_size(), key, process, scratch);
    *rates = memory;
    return status;
}

apr_status_t ratings_shm_attach_rings(ratings_append_rings_t **rings, const char *key,
                                      apr_pool_t *process, apr_pool_t *scratch)
{
    void *memory = NULL;
    apr_status_t status = attach_part(&memory, "rings:", RATINGS_SHM_LAYOUT,
                                      ratings_append_rings_size(), key, process, scratch);
    *rings = memory;
    return status == APR_SUCCESS ? ratings_append_rings_init(*rings) : status;
}

apr_status_t ratings_shm_attach_metrics(ratings_metrics_t **metrics, const char *key,
                                        apr_pool_t *process, apr_pool_t *scratch)
{
    void *memory = NULL;
    apr_status_t status = attach_part(&memory, "metrics:", RATINGS_METRICS_LAYOUT,
                                      ratings_metrics_size(), key, process, scratch);
    *metrics = memory;
    if (status == APR_SUCCESS)
        ratings_metrics_init(*metrics);
    return status;
}
