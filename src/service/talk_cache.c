#include "talk_cache.h"

#include "../core/clock.h"
#include "backend_call.h"

#include <apr_sha1.h>

#include <string.h>

/* A talk that exists, by the digest of its id, which may be long. */
typedef struct {
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    int64_t looked_up_at; /* of ratings_monotonic */
    ratings_window_t window;
} entry_t;

RATINGS_SHM_STRUCT(entry_t, 48, 10);

const ratings_shm_cache_geometry_t ratings_talk_cache_geometry = {131072, APR_SHA1_DIGESTSIZE,
                                                                  sizeof(entry_t)};

/* Makes the digest of a talk's id, and returns its hash. */
static uint32_t make_digest(const char *talk_id, unsigned char *digest)
{
    apr_sha1_ctx_t context;
    uint32_t hash;
    apr_sha1_init(&context);
    apr_sha1_update(&context, talk_id, (unsigned)strlen(talk_id));
    apr_sha1_final(digest, &context);
    memcpy(&hash, digest, sizeof hash);
    return hash;
}

/* Whether the talk is cached, and may be used. */
static bool find_talk(const ratings_service_t *service, uint32_t hash, const entry_t *wanted,
                      entry_t *known)
{
    const ratings_shm_cache_t *cache = ratings_shm_cache_of(service->shared, RATINGS_CACHE_TALKS);
    bool is_hit = ratings_shm_cache_get(cache, hash, wanted->digest, known) &&
                  wanted->looked_up_at - known->looked_up_at < service->config->talk_ttl;
    ratings_metrics_lookup(service->metrics, RATINGS_METRIC_CACHE_TALKS, is_hit);
    return is_hit;
}

static apr_status_t query_talk(ratings_call_t *call, const char *talk_id)
{
    ratings_child_t *child = call->child;
    ratings_result_t *why = &call->failure.why;
    ratings_call_token_t token;
    if (!ratings_backend_call_begin(call, RATINGS_BACKEND_TALKS, call->deadline, &token))
        return why->status;
    (void)ratings_talks_find(child->talks, talk_id, call->deadline, call->pool, &call->window, why);
    return ratings_call_policy_end(&token, why);
}

ratings_outcome_e ratings_talk_lookup(ratings_call_t *call, const char *talk_id)
{
    const ratings_service_t *service = call->child->service;
    entry_t known, found = {.looked_up_at = ratings_monotonic()};
    uint32_t hash = make_digest(talk_id, found.digest);
    if (find_talk(service, hash, &found, &known)) {
        call->talk_known_at = known.looked_up_at;
        call->window = known.window;
        return RATINGS_OUTCOME_DONE;
    }
    switch (query_talk(call, talk_id)) {
    case APR_SUCCESS:
        found.window = call->window;
        ratings_shm_cache_put(ratings_shm_cache_of(service->shared, RATINGS_CACHE_TALKS), hash,
                              &found);
        call->talk_known_at = found.looked_up_at;
        return RATINGS_OUTCOME_DONE;
    case APR_NOTFOUND:
        return RATINGS_OUTCOME_NO_TALK;
    default:
        call->failure.part = "the list of talks";
        return RATINGS_OUTCOME_UNAVAILABLE;
    }
}
