#include "cache.h"

#include <apr_hash.h>

#include <string.h>

/* Every projector looks at the store twice as often; so does every GET that reads it. */
#define IN_STEP_US INT64_C(1000000)

typedef struct {
    int partition;
    ratings_version_t version;
    int64_t made_at, talk_known_at; /* of ratings_monotonic */
    ratings_entity_t entity;
    char talk_id[RATINGS_TALK_ID_MAX + 1];
} kept_t;

_Static_assert(sizeof(kept_t) == RATINGS_CACHE_SIZE, "it is a record of a memo");

static bool is_of(const void *record, const void *key)
{
    const kept_t *kept = record;
    return strcmp(kept->talk_id, key) == 0;
}

static uint32_t hash_of(const char *talk_id)
{
    apr_ssize_t length = APR_HASH_KEY_STRING;
    return apr_hashfunc_default(talk_id, &length);
}

static ratings_memo_t *memo_of(const ratings_child_t *child)
{
    return ratings_shared_memo(child->service->shared, RATINGS_MEMO_ANSWERS);
}

/* The lifetimes are those of this child, which may be configured anew. */
static bool is_good(const ratings_service_t *service, const kept_t *kept, int64_t now)
{
    const ratings_shared_t *shared = service->shared;
    const ratings_config_t *config = service->config;
    ratings_version_t version = ratings_shared_version(shared, ratings_shared_slot(kept->talk_id));
    return version.epoch == kept->version.epoch && version.changed == kept->version.changed &&
           now - kept->made_at < config->cache_ttl &&
           now - kept->talk_known_at < config->talk_ttl &&
           ratings_shared_in_step(shared, kept->partition, now, IN_STEP_US);
}

bool ratings_cache_find(const ratings_child_t *child, const char *talk_id, ratings_entity_t *entity)
{
    kept_t kept;
    if (!child->service->config->stats_memo ||
        !ratings_memo_find(memo_of(child), hash_of(talk_id), is_of, talk_id, &kept) ||
        !is_good(child->service, &kept, ratings_monotonic()))
        return false;
    *entity = kept.entity;
    return true;
}

/* An answer without statistics is given once: the function may be back for the next. */
void ratings_cache_keep(const ratings_call_t *call, const char *talk_id,
                        const ratings_summary_t *summary, const ratings_entity_t *entity)
{
    kept_t kept = {.partition = summary->lasting.partition,
                   .version = summary->lasting.version,
                   .made_at = ratings_monotonic(),
                   .talk_known_at = call->talk_known_at,
                   .entity = *entity};
    if (!summary->has_statistics || !summary->lasting.is_lasting)
        return;
    memcpy(kept.talk_id, talk_id, strlen(talk_id) + 1);
    ratings_memo_put(memo_of(call->child), hash_of(talk_id), is_of, talk_id, &kept);
}
