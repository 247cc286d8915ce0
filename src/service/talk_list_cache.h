/* The list of all talks, as a child has read it last: one request at a time reads it anew, for all.
 * A list is replaced as a whole; requests that use the one before keep it until they end. Half of
 * its time over, one request reads the next, while others go on with it.
 *
 * Any thread; no lock is held while a list is read. Points in time are those of ratings_monotonic,
 * microseconds. */
#ifndef RATINGS_SERVICE_TALK_LIST_CACHE_H
#define RATINGS_SERVICE_TALK_LIST_CACHE_H

#include "../core/talk.h"

#include <apr_hash.h>

#include <pthread.h>

typedef struct {
    apr_pool_t *pool; /* its own, with what follows */
    ratings_talk_list_t list;
    apr_hash_t *by_id; /* ratings_talk_t of the list */
    int64_t read_at;   /* or before */
    int references;    /* with the cache's lock held */
} ratings_known_talks_t;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_reading;
    ratings_known_talks_t *newest; /* NULL: none was read yet */
} ratings_talk_list_cache_t;

void ratings_talk_list_cache_init(ratings_talk_list_cache_t *cache);
void ratings_talk_list_cache_destroy(ratings_talk_list_cache_t *cache); /* no request is left */

/* A list that was read no longer than `ttl` ago, or since `came_at`; to be released. NULL: there is
 * none, although the call has waited until `until` for one that is being read. `*must_read`: the
 * caller has to read the list, with or without this one, and to end that by
 * ratings_talk_list_cache_put. */
ratings_known_talks_t *ratings_talk_list_cache_get(ratings_talk_list_cache_t *cache, int64_t ttl,
                                                   int64_t came_at, int64_t until, bool *must_read);

/* Ends reading. `talks`, whose members but `references` the caller has set, is the newest from now
 * on, and the caller's until released; NULL: it could not be read. */
void ratings_talk_list_cache_put(ratings_talk_list_cache_t *cache, ratings_known_talks_t *talks);

void ratings_talk_list_cache_release(ratings_talk_list_cache_t *cache,
                                     ratings_known_talks_t *talks); /* NULL is allowed */

#endif
