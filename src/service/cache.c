#include "cache.h"

#include <apr_hash.h>

#include <string.h>

#define RECORDS 16384
/* Every projector looks at the store twice as often; so does every GET that reads it. */
#define IN_STEP_US INT64_C(1000000)

typedef struct {
    int partition;
    ratings_version_t version;
    int64_t good_until; /* of ratings_monotonic */
    ratings_entity_t entity;
    char talk_id[RATINGS_TALK_ID_MAX + 1];
} kept_t;

_Static_assert(sizeof(kept_t) <= RATINGS_MEMO_SIZE_MAX, "it is a record of a memo");

ratings_memo_t *ratings_cache_create(void)
{
    return ratings_memo_create(RECORDS, sizeof(kept_t));
}

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

static bool is_good(const ratings_child_t *child, const kept_t *kept, int64_t now)
{
    const ratings_shared_t *shared = child->service->shared;
    ratings_version_t version = ratings_shared_version(shared, ratings_shared_slot(kept->talk_id));
    return version.epoch == kept->version.epoch && version.changed == kept->version.changed &&
           now < kept->good_until &&
           ratings_shared_in_step(shared, kept->partition, now, IN_STEP_US);
}

bool ratings_cache_find(const ratings_child_t *child, const char *talk_id, ratings_entity_t *entity)
{
    kept_t kept;
    if (!child->responses ||
        !ratings_memo_find(child->responses, hash_of(talk_id), is_of, talk_id, &kept) ||
        !is_good(child, &kept, ratings_monotonic()))
        return false;
    *entity = kept.entity;
    return true;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* An answer without statistics is given once: the function may be back for the next. */
static bool is_of_use(const ratings_config_t *config, const ratings_summary_t *summary)
{
    return config->stats_memo && summary->has_statistics && summary->lasting.is_lasting;
}

void ratings_cache_keep(const ratings_call_t *call, const char *talk_id,
                        const ratings_summary_t *summary, const ratings_entity_t *entity)
{
    const ratings_config_t *config = call->child->service->config;
    int64_t now = ratings_monotonic();
    kept_t kept = {.partition = summary->lasting.partition,
                   .version = summary->lasting.version,
                   .good_until = earlier(now + config->cache_ttl, call->known_until),
                   .entity = *entity};
    if (!call->child->responses || !is_of_use(config, summary) || kept.good_until <= now)
        return;
    memcpy(kept.talk_id, talk_id, strlen(talk_id) + 1);
    ratings_memo_put(call->child->responses, hash_of(talk_id), is_of, talk_id, &kept);
}
