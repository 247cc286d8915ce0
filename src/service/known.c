#include "known.h"

#include "../core/clock.h"
#include "../shm/futex.h"

#include <apr_sha1.h>

#include <string.h>

#define GLANCE_US INT64_C(20000)

/* A topic by which talks are routed is there: it has records. */
apr_status_t ratings_stream_probe(ratings_child_t *child, int64_t timeout, ratings_result_t *why)
{
    const ratings_shm_t *shared = child->service->shared;
    return ratings_stream_check(child->stream, atomic_load(&shared->routed),
                                atomic_load(&shared->min_insync), timeout, why);
}

ratings_outcome_e ratings_unavailable(ratings_call_t *call, const char *part)
{
    call->failure.part = part;
    return RATINGS_UNAVAILABLE;
}

int64_t ratings_until(const ratings_call_t *call, int64_t timeout)
{
    int64_t until = ratings_monotonic() + timeout;
    return until < call->deadline ? until : call->deadline;
}

/* ---- the store ---- */

bool ratings_is_corruption(ratings_child_t *child, const ratings_result_t *why)
{
    bool is_corruption = why->status == APR_EINVAL;
    if (is_corruption)
        ratings_shm_request_rebuild(child->service->shared, RATINGS_REBUILD_REQUEST_STORE);
    return is_corruption;
}

apr_status_t ratings_store_leave(ratings_child_t *child, ratings_call_token_t *token,
                                 const ratings_result_t *why)
{
    ratings_result_t answered;
    ratings_result_ok(&answered);
    (void)ratings_call_policy_end(token, ratings_is_corruption(child, why) ? &answered : why);
    return why->status;
}

/* ---- the talk ---- */

static apr_status_t look_up(ratings_call_t *call, const char *talk_id)
{
    ratings_child_t *child = call->child;
    ratings_result_t *why = &call->failure.why;
    ratings_call_token_t token;
    if (!child->talks)
        return ratings_result_set(why, APR_ECONNREFUSED, "%s cannot be used in this child",
                                  child->policy[RATINGS_BACKEND_TALKS].name);
    if (!ratings_call_policy_begin(&child->policy[RATINGS_BACKEND_TALKS], call->deadline, &token,
                                   why))
        return why->status;
    (void)ratings_talks_exists(child->talks, talk_id, call->deadline, call->pool, why);
    return ratings_call_policy_end(&token, why);
}

/* By the digest of its id, which may be long. */
typedef struct {
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    int64_t at; /* when it was looked up, of ratings_monotonic */
} known_t;

const ratings_shm_cache_geometry_t ratings_talk_cache_geometry = {131072, APR_SHA1_DIGESTSIZE,
                                                                  sizeof(known_t)};

static uint32_t hash_of(const unsigned char *digest)
{
    uint32_t hash;
    memcpy(&hash, digest, sizeof hash);
    return hash;
}

static ratings_shm_cache_t *memo_of(const ratings_call_t *call)
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

static bool recall(ratings_call_t *call, const unsigned char *digest)
{
    known_t known;
    if (!ratings_shm_cache_get(memo_of(call), hash_of(digest), digest, &known) ||
        ratings_monotonic() - known.at >= call->child->service->config->talk_ttl)
        return false;
    call->talk_known_at = known.at;
    return true;
}

static void remember(ratings_call_t *call, const unsigned char *digest)
{
    known_t known = {.at = call->talk_known_at};
    memcpy(known.digest, digest, sizeof known.digest);
    ratings_shm_cache_put(memo_of(call), hash_of(digest), &known);
}

static apr_status_t find(ratings_call_t *call, const char *talk_id)
{
    unsigned char digest[APR_SHA1_DIGESTSIZE];
    make_digest(talk_id, digest);
    if (recall(call, digest))
        return APR_SUCCESS;
    call->talk_known_at = ratings_monotonic();
    apr_status_t status = look_up(call, talk_id);
    if (status == APR_SUCCESS)
        remember(call, digest);
    return status;
}

ratings_outcome_e ratings_talk_known(ratings_call_t *call, const char *talk_id)
{
    apr_status_t status = find(call, talk_id);
    if (status == APR_NOTFOUND)
        return RATINGS_NO_TALK;
    return status == APR_SUCCESS ? RATINGS_DONE : ratings_unavailable(call, "the list of talks");
}

/* ---- waiting for the projector ---- */

bool ratings_may_wait(ratings_child_t *child, int64_t *until)
{
    return ratings_bulkhead_try_acquire(&child->projector_bulkhead, ratings_monotonic(), until);
}

void ratings_waited(ratings_child_t *child, int64_t since, bool in_vain)
{
    (void)ratings_bulkhead_release(&child->projector_bulkhead, since, ratings_monotonic(),
                                   !in_vain);
}

/* ---- the partition ---- */

/* After that it is the store or the topic that is missing, and nobody is kept waiting for it. */
static int64_t is_new_until(const ratings_child_t *child)
{
    return child->started_at + child->service->config->store_timeout;
}

int ratings_partition_of(ratings_call_t *call, const char *talk_id)
{
    ratings_shm_t *shared = call->child->service->shared;
    int64_t until = is_new_until(call->child);
    if (until > call->deadline)
        until = call->deadline;
    for (;;) {
        uint32_t seen = atomic_load(&shared->published);
        int routed = atomic_load(&shared->routed);
        if (routed > 0)
            return ratings_stream_partition(talk_id, routed);
        int64_t left = until - ratings_monotonic();
        if (left <= 0)
            break;
        ratings_shm_wait(&shared->published, seen, left < GLANCE_US ? left : GLANCE_US);
    }
    const char *fault = ratings_store_fault_text((int)atomic_load(&shared->store_fault));
    ratings_result_set(&call->failure.why, APR_ECONNREFUSED,
                       "it is not known yet by how many partitions talks are routed: %s%s",
                       fault ? "the store: " : "the topic has not been reached, or is being read",
                       fault ? fault : "");
    return -1;
}
