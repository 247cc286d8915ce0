#include "response_cache.h"

#include "../core/clock.h"
#include "../core/rating.h"

#include <string.h>

typedef struct {
    char talk_id[RATINGS_TALK_ID_MAX + 1]; /* with zeros to its end */
    ratings_hide_t rule;
} entry_key_t;

typedef struct {
    entry_key_t key;
    ratings_validator_t validator;
    int64_t talk_known_at;
    ratings_entity_t entity;
} entry_t;

RATINGS_SHM_STRUCT(entry_t, 600, 10);
_Static_assert(sizeof(entry_key_t) == RATINGS_TALK_ID_MAX + 1 + sizeof(ratings_hide_t),
               "keys are compared byte by byte: no padding");
_Static_assert(sizeof(entry_t) <= RATINGS_SHM_CACHE_RECORD_MAX, "it is a record of a cache");

const ratings_shm_cache_geometry_t ratings_response_cache_geometry = {16384, sizeof(entry_key_t),
                                                                      sizeof(entry_t)};

static entry_key_t response_key(const char *talk_id, ratings_hide_t rule)
{
    entry_key_t key = {.rule = rule};
    memcpy(key.talk_id, talk_id, strlen(talk_id) + 1);
    return key;
}

/* The other rules of a talk find their places in other sets. */
static uint32_t response_hash(uint32_t slot, ratings_hide_t rule)
{
    return slot + (uint32_t)rule;
}

static bool is_fresh(const ratings_shm_t *shared, const entry_t *entry, uint32_t slot,
                     const ratings_response_ttl_t *ttl)
{
    const ratings_validator_t *validator = &entry->validator;
    int64_t now = ratings_monotonic();
    return ratings_validator_holds(shared, validator, slot, now, ttl->response_ttl) &&
           now - entry->talk_known_at < ttl->talk_ttl &&
           (validator->until == RATINGS_NEVER || ratings_wall_clock() < validator->until);
}

bool ratings_response_cache_get(const ratings_shm_t *shared, const ratings_response_ttl_t *ttl,
                                const char *talk_id, ratings_hide_t rule, ratings_entity_t *entity)
{
    entry_t entry;
    const entry_key_t key = response_key(talk_id, rule);
    uint32_t slot = ratings_shm_slot(talk_id);
    if (!ratings_shm_cache_get(ratings_shm_cache_of(shared, RATINGS_CACHE_RESPONSES),
                               response_hash(slot, rule), &key, &entry) ||
        !is_fresh(shared, &entry, slot, ttl))
        return false;
    *entity = entry.entity;
    return true;
}

void ratings_response_cache_put(ratings_shm_t *shared, const char *talk_id, ratings_hide_t rule,
                                const ratings_validator_t *validator, int64_t talk_known_at,
                                const ratings_entity_t *entity)
{
    const entry_t entry = {.key = response_key(talk_id, rule),
                           .validator = *validator,
                           .talk_known_at = talk_known_at,
                           .entity = *entity};
    ratings_shm_cache_put(ratings_shm_cache_of(shared, RATINGS_CACHE_RESPONSES),
                          response_hash(ratings_shm_slot(talk_id), rule), &entry);
}
