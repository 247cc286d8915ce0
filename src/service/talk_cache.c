#include "talk_cache.h"

#include "../core/clock.h"
#include "call.h"

#include <apr_sha1.h>

#include <string.h>

/* A talk that exists, by the digest of its id, which may be long. */
typedef struct {
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    int64_t looked_up_at; /* of ratings_monotonic */
} entry_t;

RATINGS_SHM_STRUCT(entry_t, 32, 1);

const ratings_shm_cache_geometry_t ratings_talk_cache_geometry = {131072, APR_SHA1_DIGESTSIZE,
                                                                  sizeof(entry_t)};

static ratings_shm_cache_t *talk_cache(const ratings_call_t *call)
{
    return ratings_shm_cache_of(call->child->service->shared, RATINGS_CACHE_TALKS);
}

static void make_digest(const char *talk_id, unsigned char *digest)
{
    apr_sha1_ctx_t context;
    apr_sha1_init(&context);
    apr_sha1_update(&context, talk_id, (unsigned)strlen(talk_id));
    apr_sha1_final(digest, &context);
}

static uint32_t digest_hash(const unsigned char *digest)
{
    uint32_t hash;
    memcpy(&hash, digest, sizeof hash);
    return hash;
}

static bool get_talk(ratings_call_t *call, const unsigned char *digest)
{
    entry_t entry;
    if (!ratings_shm_cache_get(talk_cache(call), digest_hash(digest), digest, &entry) ||
        ratings_monotonic() - entry.looked_up_at >= call->child->service->config->talk_ttl)
        return false;
    call->talk_known_at = entry.looked_up_at;
    return true;
}

static void put_talk(ratings_call_t *call, const unsigned char *digest)
{
    entry_t entry = {.looked_up_at = call->talk_known_at};
    memcpy(entry.digest, digest, sizeof entry.digest);
    ratings_shm_cache_put(talk_cache(call), digest_hash(digest), &entry);
}

static apr_status_t query_talk(ratings_call_t *call, const char *talk_id)
{
    ratings_child_t *child = call->child;
    ratings_call_policy_t *policy = &child->policy[RATINGS_BACKEND_TALKS];
    ratings_result_t *why = &call->failure.why;
    ratings_call_token_t token;
    if (!child->talks)
        return ratings_result_set(why, APR_ECONNREFUSED, "%s cannot be used in this child",
                                  policy->name);
    if (!ratings_call_policy_begin(policy, call->deadline, &token, why))
        return why->status;
    (void)ratings_talks_exists(child->talks, talk_id, call->deadline, call->pool, why);
    return ratings_call_policy_end(&token, why);
}

static apr_status_t check_talk(ratings_call_t *call, const char *talk_id)
{
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    make_digest(talk_id, digest);
    if (get_talk(call, digest))
        return APR_SUCCESS;
    call->talk_known_at = ratings_monotonic();
    apr_status_t status = query_talk(call, talk_id);
    if (status == APR_SUCCESS)
        put_talk(call, digest);
    return status;
}

ratings_outcome_e ratings_talk_lookup(ratings_call_t *call, const char *talk_id)
{
    apr_status_t status = check_talk(call, talk_id);
    if (status == APR_NOTFOUND)
        return RATINGS_OUTCOME_NO_TALK;
    return status == APR_SUCCESS ? RATINGS_OUTCOME_DONE
                                 : ratings_call_unavailable(call, "the list of talks");
}
