#include "applied_counts.h"

#include "../core/clock.h"
#include "../core/hiding.h"

#include <string.h>

typedef struct {
    char talk_id[RATINGS_TALK_ID_MAX + 1]; /* with zeros to its end */
    ratings_validator_t validator;
    ratings_histogram_t histogram;
} counts_t;

RATINGS_SHM_STRUCT(counts_t, 328, 13);

const ratings_shm_cache_geometry_t ratings_applied_counts_geometry = {4096, RATINGS_TALK_ID_MAX + 1,
                                                                      sizeof(counts_t)};

void ratings_applied_counts_leave(ratings_shm_t *shared, int partition,
                                  ratings_checkpoint_t checkpoint, int64_t read_at,
                                  const char *talk_id, const ratings_histogram_t *histogram)
{
    uint32_t slot = ratings_shm_slot(talk_id);
    counts_t counts = {.validator = {.is_cacheable = true,
                                     .partition = partition,
                                     .read_at = read_at,
                                     .until = RATINGS_NEVER},
                       .histogram = *histogram};
    if (!ratings_shm_look_again(shared, partition, checkpoint, slot, &counts.validator.changes))
        return;
    memcpy(counts.talk_id, talk_id, strlen(talk_id) + 1);
    ratings_shm_cache_put(ratings_shm_cache_of(shared, RATINGS_CACHE_COUNTS), slot, &counts);
}

bool ratings_applied_counts_get(const ratings_shm_t *shared, int64_t ttl, const char *talk_id,
                                int partition, ratings_validator_t *validator,
                                ratings_histogram_t *histogram)
{
    char key[RATINGS_TALK_ID_MAX + 1] = {0};
    uint32_t slot = ratings_shm_slot(talk_id);
    counts_t counts;
    memcpy(key, talk_id, strlen(talk_id) + 1);
    if (!ratings_shm_cache_get(ratings_shm_cache_of(shared, RATINGS_CACHE_COUNTS), slot, key,
                               &counts) ||
        counts.validator.partition != partition ||
        !ratings_validator_holds(shared, &counts.validator, slot, ratings_monotonic(), ttl))
        return false;
    *validator = counts.validator;
    *histogram = counts.histogram;
    return true;
}
