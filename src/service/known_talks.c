#include "known_talks.h"

#include "../core/clock.h"
#include "../core/container_of.h"
#include "backend_call.h"

#include <apr_strings.h>
#include <apr_tables.h>

#include <string.h>

#define RANKS_TTL_US INT64_C(1000000)

/* ---- what is known, read or awaited ---- */

/* Something that is known, and how it is read. */
typedef struct source_t source_t;
struct source_t {
    ratings_known_cache_t *cache;
    ratings_backend_e backend;
    int64_t ttl, timeout;
    ratings_known_talks_t *talks; /* that it is about; NULL: it is these */
    apr_status_t (*read)(ratings_call_t *call, const source_t *source, ratings_known_t **known);
};

/* By whoever has to read: what was read, to be released. NULL: it could not be; the token is ended.
 */
static ratings_known_t *read_into_cache(ratings_call_t *call, const source_t *source,
                                        ratings_call_token_t *token)
{
    ratings_known_t *known = NULL;
    (void)source->read(call, source, &known);
    ratings_known_cache_put(source->cache, known);
    (void)ratings_call_policy_end(token, &call->failure.why);
    return known;
}

static bool may_ask(ratings_call_t *call, const source_t *source, ratings_call_token_t *token)
{
    return ratings_backend_call_begin(call, source->backend, call->deadline, token);
}

/* ---- in the background ---- */

typedef struct {
    ratings_call_t call; /* of no request */
    source_t source;
} background_t;

static void end_background(background_t *background)
{
    ratings_known_talks_release(&background->call, background->source.talks);
    apr_pool_destroy(background->call.pool);
}

static void read_without_request(void *data)
{
    background_t *background = data;
    ratings_call_t *call = &background->call;
    const source_t *source = &background->source;
    ratings_call_token_t token;
    call->deadline = ratings_monotonic() + call->child->service->config->deadline;
    if (may_ask(call, source, &token))
        ratings_known_cache_release(source->cache, read_into_cache(call, source, &token));
    else
        ratings_known_cache_put(source->cache, NULL);
    end_background(background);
}

/* By whoever has to read, but has what was known before, too. What cannot be read is left to later
 * requests: the first that finds it too old reads by itself. */
static void read_in_background(const ratings_call_t *call, const source_t *source)
{
    apr_pool_t *pool;
    background_t *background;
    if (apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        ratings_known_cache_put(source->cache, NULL);
        return;
    }
    background = apr_pcalloc(pool, sizeof *background);
    background->call = (ratings_call_t){.child = call->child, .pool = pool};
    background->source = *source;
    if (source->talks)
        ratings_known_cache_share(&call->child->talk_list, &source->talks->known);
    if (!ratings_background_start(&call->child->background, read_without_request, background)) {
        ratings_known_cache_put(source->cache, NULL);
        end_background(background);
    }
}

/* ---- by requests ---- */

/* A request that waits for another's reading takes a place of the bulkhead, too: it holds a thread.
 */
static ratings_known_t *read_or_await(ratings_call_t *call, const source_t *source, int64_t came_at,
                                      bool *must_read)
{
    ratings_known_t *known = NULL;
    ratings_call_token_t token;
    int64_t until = ratings_earlier(ratings_monotonic() + source->timeout, call->deadline);
    if (!may_ask(call, source, &token)) {
        if (*must_read)
            ratings_known_cache_put(source->cache, NULL);
        *must_read = false;
        return NULL;
    }
    if (!*must_read)
        known = ratings_known_cache_get(source->cache, source->ttl, came_at, until, must_read);
    if (*must_read && !known) {
        *must_read = false;
        return read_into_cache(call, source, &token);
    }
    ratings_call_policy_abandon(&token, known != NULL);
    if (!known)
        (void)ratings_result_set(&call->failure.why, APR_TIMEUP,
                                 "another request did not read it in time");
    return known;
}

static ratings_known_t *get_known(ratings_call_t *call, const source_t *source)
{
    int64_t came_at = ratings_monotonic();
    bool must_read;
    ratings_known_t *known =
        ratings_known_cache_get(source->cache, source->ttl, came_at, came_at, &must_read);
    if (!known)
        known = read_or_await(call, source, came_at, &must_read);
    if (must_read)
        read_in_background(call, source);
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

typedef struct {
    const char *talk_id;
    int64_t rank; /* the best talk has the lowest */
} ranked_t;

typedef struct {
    ratings_known_t known;
    apr_array_header_t *ranked; /* ranked_t, in no order */
    int64_t list_read_at;       /* of the talks that the ranks are of */
    int64_t *ranks;             /* in the order of their list; RATINGS_NEVER: not ranked */
} known_ranks_t;

/* The higher score has the lower rank: as numbers, doubles above 0 are ordered as their bits are.
 */
static int64_t rank_of_score(double score)
{
    int64_t bits = 0;
    if (score > 0)
        memcpy(&bits, &score, sizeof bits);
    return -bits;
}

static void note_score(void *data, const char *talk_id, double score)
{
    apr_array_header_t *ranked = data;
    APR_ARRAY_PUSH(ranked, ranked_t) = (ranked_t){
        .talk_id = apr_pstrdup(ranked->pool, talk_id),
        .rank = rank_of_score(score),
    };
}

/* In the order of the list. A talk of the ranking that is in no list was deleted. */
static int64_t *ranks_of_talks(const ratings_known_talks_t *talks, const apr_array_header_t *ranked,
                               apr_pool_t *pool)
{
    const ratings_talk_list_t *list = &talks->list;
    int64_t *ranks = apr_palloc(pool, ((apr_size_t)list->count + 1) * sizeof *ranks);
    for (int i = 0; i <= list->count; i++)
        ranks[i] = RATINGS_NEVER;
    for (int i = 0; i < ranked->nelts; i++) {
        const ranked_t *one = &APR_ARRAY_IDX(ranked, i, ranked_t);
        const ratings_talk_t *talk = apr_hash_get(talks->by_id, one->talk_id, APR_HASH_KEY_STRING);
        if (talk)
            ranks[talk - list->talks] = one->rank;
    }
    return ranks;
}

static apr_status_t read_ranks(ratings_call_t *call, const source_t *source,
                               ratings_known_t **known)
{
    ratings_result_t *why = &call->failure.why;
    const ratings_known_talks_t *talks = source->talks;
    known_ranks_t *ranks = make_known(sizeof *ranks, why);
    if (!ranks)
        return why->status;
    apr_pool_t *pool = ranks->known.pool;
    ranks->ranked = apr_array_make(pool, talks->list.count + 1, sizeof(ranked_t));
    if (ratings_store_read_top(call->child->store, call->deadline, note_score, ranks->ranked,
                               why) != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return why->status;
    }
    ranks->list_read_at = talks->known.read_at;
    ranks->ranks = ranks_of_talks(talks, ranks->ranked, pool);
    *known = &ranks->known;
    return APR_SUCCESS;
}

/* The ranking may have been read for the list before this one, or for the one after it. */
static int64_t *copy_ranks(const known_ranks_t *known, const ratings_known_talks_t *talks,
                           apr_pool_t *pool)
{
    return known->list_read_at == talks->known.read_at
               ? apr_pmemdup(pool, known->ranks,
                             ((apr_size_t)talks->list.count + 1) * sizeof *known->ranks)
               : ranks_of_talks(talks, known->ranked, pool);
}

int64_t *ratings_known_ranks(ratings_call_t *call, ratings_known_talks_t *talks)
{
    const ratings_config_t *config = call->child->service->config;
    const source_t source = {.cache = &call->child->talk_ranks,
                             .backend = RATINGS_BACKEND_STORE,
                             .ttl = ratings_earlier(config->cache_ttl, RANKS_TTL_US),
                             .timeout = config->store_timeout,
                             .talks = talks,
                             .read = read_ranks};
    ratings_known_t *known = get_known(call, &source);
    if (!known)
        return NULL;
    int64_t *ranks =
        copy_ranks(RATINGS_CONTAINER_OF(known, known_ranks_t, known), talks, call->pool);
    ratings_known_cache_release(source.cache, known);
    return ranks;
}
