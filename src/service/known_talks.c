#include "known_talks.h"

#include "../core/clock.h"
#include "../core/container_of.h"

#include <string.h>

#define RANKS_TTL_US INT64_C(1000000)

/* ---- what is known, read or awaited ---- */

/* Something that is known, and how it is read. */
typedef struct source_t source_t;
struct source_t {
    ratings_known_cache_t *cache;
    ratings_backend_e backend;
    int64_t ttl, timeout;
    const ratings_known_talks_t *talks; /* that it is about; NULL: it is these */
    apr_status_t (*read)(ratings_call_t *call, const source_t *source, ratings_known_t **known);
};

/* In the place of `older`, which may be NULL, and stays if it cannot be read. */
static ratings_known_t *replace_known(ratings_call_t *call, const source_t *source,
                                      ratings_known_t *older)
{
    ratings_known_t *newer = NULL;
    (void)source->read(call, source, &newer);
    ratings_known_cache_put(source->cache, newer);
    if (newer)
        ratings_known_cache_release(source->cache, older);
    return newer ? newer : older;
}

/* A request that waits for another's reading takes a place of the bulkhead, too: it holds a thread.
 */
static ratings_known_t *await_known(ratings_call_t *call, const source_t *source, int64_t came_at,
                                    ratings_call_token_t *token)
{
    int64_t until = ratings_earlier(ratings_monotonic() + source->timeout, call->deadline);
    bool must_read;
    ratings_known_t *known =
        ratings_known_cache_get(source->cache, source->ttl, came_at, until, &must_read);
    if (must_read) {
        known = replace_known(call, source, known);
        (void)ratings_call_policy_end(token, &call->failure.why);
        return known;
    }
    ratings_call_policy_abandon(token, known != NULL);
    if (!known)
        (void)ratings_result_set(&call->failure.why, APR_TIMEUP,
                                 "another request did not read it in time");
    return known;
}

static ratings_known_t *read_or_await(ratings_call_t *call, const source_t *source, int64_t came_at,
                                      ratings_known_t *known, bool must_read)
{
    ratings_call_token_t token;
    if (!ratings_call_policy_begin(&call->child->policy[source->backend], call->deadline, &token,
                                   &call->failure.why)) {
        if (must_read)
            ratings_known_cache_put(source->cache, NULL);
        return known;
    }
    if (!must_read)
        return await_known(call, source, came_at, &token);
    known = replace_known(call, source, known);
    (void)ratings_call_policy_end(&token, &call->failure.why);
    return known;
}

static ratings_known_t *get_known(ratings_call_t *call, const source_t *source)
{
    int64_t came_at = ratings_monotonic();
    bool must_read;
    ratings_known_t *known =
        ratings_known_cache_get(source->cache, source->ttl, came_at, came_at, &must_read);
    return known && !must_read ? known : read_or_await(call, source, came_at, known, must_read);
}

/* For this request alone. */
static ratings_known_t *read_alone(ratings_call_t *call, const source_t *source)
{
    ratings_known_t *known = NULL;
    ratings_call_token_t token;
    if (!ratings_call_policy_begin(&call->child->policy[source->backend], call->deadline, &token,
                                   &call->failure.why))
        return NULL;
    (void)source->read(call, source, &known);
    if (known)
        known->references = 1;
    (void)ratings_call_policy_end(&token, &call->failure.why);
    return known;
}

/* Zeroed memory in a pool of its own, for what is about to be read. NULL: memory ran out. */
static void *make_known(size_t size, ratings_result_t *why)
{
    apr_pool_t *pool;
    if (apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
        return NULL;
    }
    ratings_known_t *known = apr_pcalloc(pool, size);
    known->pool = pool;
    known->read_at = ratings_monotonic();
    return known;
}

/* ---- the talks ---- */

static void index_talks(ratings_known_talks_t *talks)
{
    talks->by_id = apr_hash_make(talks->known.pool);
    for (int i = 0; i < talks->list.count; i++)
        apr_hash_set(talks->by_id, talks->list.talks[i].id, APR_HASH_KEY_STRING,
                     &talks->list.talks[i]);
}

static apr_status_t read_talks(ratings_call_t *call, const source_t *source,
                               ratings_known_t **known)
{
    ratings_result_t *why = &call->failure.why;
    ratings_known_talks_t *talks = make_known(sizeof *talks, why);
    (void)source;
    if (!talks)
        return why->status;
    if (ratings_talks_list(call->child->talks, NULL, call->deadline, talks->known.pool,
                           &talks->list, why) != APR_SUCCESS) {
        apr_pool_destroy(talks->known.pool);
        return why->status;
    }
    index_talks(talks);
    *known = &talks->known;
    return APR_SUCCESS;
}

ratings_known_talks_t *ratings_known_talks(ratings_call_t *call)
{
    const ratings_config_t *config = call->child->service->config;
    const source_t source = {.cache = &call->child->talk_list,
                             .backend = RATINGS_BACKEND_TALKS,
                             .ttl = config->talk_ttl,
                             .timeout = config->talks_timeout,
                             .read = read_talks};
    ratings_known_t *known = get_known(call, &source);
    return known ? RATINGS_CONTAINER_OF(known, ratings_known_talks_t, known) : NULL;
}

void ratings_known_talks_release(ratings_call_t *call, ratings_known_talks_t *talks)
{
    ratings_known_cache_release(&call->child->talk_list, talks ? &talks->known : NULL);
}

/* ---- their ranking ---- */

/* The higher score has the lower rank: as numbers, doubles above 0 are ordered as their bits are.
 */
static int64_t rank_of_score(double score)
{
    int64_t bits = 0;
    if (score > 0)
        memcpy(&bits, &score, sizeof bits);
    return -bits;
}

typedef struct {
    const ratings_known_talks_t *talks;
    int64_t *ranks;
} ranking_t;

/* A talk of the ranking that is in no list was deleted. */
static void note_score(void *data, const char *talk_id, double score)
{
    const ranking_t *ranking = data;
    const ratings_talk_t *talk = apr_hash_get(ranking->talks->by_id, talk_id, APR_HASH_KEY_STRING);
    if (talk)
        ranking->ranks[talk - ranking->talks->list.talks] = rank_of_score(score);
}

static apr_status_t read_ranks(ratings_call_t *call, const source_t *source,
                               ratings_known_t **known)
{
    ratings_result_t *why = &call->failure.why;
    const ratings_known_talks_t *talks = source->talks;
    ratings_known_ranks_t *ranks = make_known(sizeof *ranks, why);
    if (!ranks)
        return why->status;
    ranks->list_read_at = talks->known.read_at;
    ranks->ranks =
        apr_palloc(ranks->known.pool, ((apr_size_t)talks->list.count + 1) * sizeof *ranks->ranks);
    for (int i = 0; i < talks->list.count; i++)
        ranks->ranks[i] = RATINGS_NEVER;
    ranking_t ranking = {talks, ranks->ranks};
    if (ratings_store_read_top(call->child->store, call->deadline, note_score, &ranking, why) !=
        APR_SUCCESS) {
        apr_pool_destroy(ranks->known.pool);
        return why->status;
    }
    *known = &ranks->known;
    return APR_SUCCESS;
}

ratings_known_ranks_t *ratings_known_ranks(ratings_call_t *call, const ratings_known_talks_t *talks)
{
    const ratings_config_t *config = call->child->service->config;
    const source_t source = {.cache = &call->child->talk_ranks,
                             .backend = RATINGS_BACKEND_STORE,
                             .ttl = ratings_earlier(config->cache_ttl, RANKS_TTL_US),
                             .timeout = config->store_timeout,
                             .talks = talks,
                             .read = read_ranks};
    ratings_known_t *known = get_known(call, &source);
    ratings_known_ranks_t *ranks =
        known ? RATINGS_CONTAINER_OF(known, ratings_known_ranks_t, known) : NULL;
    if (!ranks || ranks->list_read_at == talks->known.read_at)
        return ranks;
    /* those of the list before, or of one that came after this request's */
    ratings_known_ranks_release(call, ranks);
    known = read_alone(call, &source);
    return known ? RATINGS_CONTAINER_OF(known, ratings_known_ranks_t, known) : NULL;
}

void ratings_known_ranks_release(ratings_call_t *call, ratings_known_ranks_t *ranks)
{
    ratings_known_cache_release(&call->child->talk_ranks, ranks ? &ranks->known : NULL);
}
