/* What a child has read last of something that many requests need: one of them at a time reads it
 * anew, or has it read by another thread, for all. It is replaced as a whole; requests that use the
 * one before keep it until they release it. Half of its time over, one gets it with the duty to
 * have the next one read.
 *
 * Any thread; no lock is held while something is read. Points in time are those of
 * ratings_monotonic, microseconds. */
#ifndef RATINGS_SERVICE_KNOWN_CACHE_H
#define RATINGS_SERVICE_KNOWN_CACHE_H

#include <apr_pools.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* The head of what was read. */
typedef struct {
    apr_pool_t *pool; /* its own: all of it */
    int64_t read_at;  /* or before */
    int references;   /* with the cache's lock held */
} ratings_known_t;

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_reading;
    ratings_known_t *newest; /* NULL: nothing was read yet */
} ratings_known_cache_t;

void ratings_known_cache_init(ratings_known_cache_t *cache);
void ratings_known_cache_destroy(ratings_known_cache_t *cache); /* no request is left */

/* What was read no longer than `ttl` ago, or since `came_at`; to be released. NULL: there is
 * nothing, although the call has waited until `until` for what is being read. `*must_read`: the
 * caller has to read, or has another thread read, whether it has got the one before or not; who
 * reads ends that by ratings_known_cache_put. */
ratings_known_t *ratings_known_cache_get(ratings_known_cache_t *cache, int64_t ttl, int64_t came_at,
                                         int64_t until, bool *must_read);

/* Ends reading. `known`, of which the caller has set all but `references`, is the newest from now
 * on, and the caller's until released; NULL: it could not be read. */
void ratings_known_cache_put(ratings_known_cache_t *cache, ratings_known_t *known);

/* One more release is due by whoever has got it already. */
void ratings_known_cache_share(ratings_known_cache_t *cache, ratings_known_t *known);

void ratings_known_cache_release(ratings_known_cache_t *cache,
                                 ratings_known_t *known); /* NULL is allowed */

#endif
