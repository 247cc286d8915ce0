#include "cache.h"

#include "../core/clock.h"

#include <string.h>

/* What other hosts apply is not missed for longer. All projectors look at the store twice in this
 * time, and each GET that reads it tells as well. */
#define IN_STEP_US INT64_C(1000000)

typedef struct {
    char talk_id[RATINGS_TALK_ID_MAX + 1]; /* with zeros to its end: the key of the record */
    ratings_lasting_t lasting;
    int64_t talk_known_at; /* of ratings_monotonic */
    ratings_entity_t entity;
} kept_t;

const ratings_shm_cache_geometry_t ratings_response_cache_geometry = {
    16384, RATINGS_TALK_ID_MAX + 1, sizeof(kept_t)};

_Static_assert(sizeof(kept_t) <= RATINGS_SHM_CACHE_RECORD_MAX, "it is a record of a memo");

static ratings_shm_cache_t *memo_of(const ratings_service_t *service)
{
    return ratings_shm_cache_of(service->shared, RATINGS_CACHE_RESPONSES);
}

static bool is_used(const ratings_config_t *config)
{
    return config->stats_memo && config->cache_ttl > 0 && config->talk_ttl > 0;
}

/* The lifetimes are those of this child, which may be configured anew. */
static bool is_good(const ratings_service_t *service, const kept_t *kept, uint32_t slot)
{
    const ratings_lasting_t *lasting = &kept->lasting;
    ratings_version_t version = ratings_shm_version(service->shared, slot);
    int64_t now = ratings_monotonic();
    return version.epoch == lasting->version.epoch && version.changed == lasting->version.changed &&
           now - lasting->read_at < service->config->cache_ttl &&
           now - kept->talk_known_at < service->config->talk_ttl &&
           ratings_shm_is_confirmed(service->shared, lasting->partition, now, IN_STEP_US);
}

bool ratings_response_cache_get(const ratings_service_t *service, const char *talk_id,
                                ratings_entity_t *entity)
{
    kept_t kept;
    char key[RATINGS_TALK_ID_MAX + 1] = {0};
    uint32_t slot = ratings_shm_slot(talk_id);
    memcpy(key, talk_id, strlen(talk_id) + 1);
    if (!is_used(service->config) || !ratings_shm_cache_get(memo_of(service), slot, key, &kept) ||
        !is_good(service, &kept, slot))
        return false;
    *entity = kept.entity;
    return true;
}

/* An answer without statistics is given once: the function may be back for the next. */
void ratings_response_cache_put(const ratings_call_t *call, const char *talk_id,
                                const ratings_summary_t *summary, const ratings_entity_t *entity)
{
    const ratings_service_t *service = call->child->service;
    kept_t kept = {
        .lasting = summary->lasting, .talk_known_at = call->talk_known_at, .entity = *entity};
    if (!is_used(service->config) || !summary->has_statistics || !summary->lasting.is_lasting)
        return;
    memcpy(kept.talk_id, talk_id, strlen(talk_id) + 1);
    ratings_shm_cache_put(memo_of(service), ratings_shm_slot(talk_id), &kept);
}
