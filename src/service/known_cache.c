#include "known_cache.h"

#include "../core/clock.h"

void ratings_known_cache_init(ratings_known_cache_t *cache)
{
    ratings_lock_init(&cache->lock, &cache->changed);
}

/* Out of the lock: freeing takes a while. */
static void free_known(ratings_known_t *known)
{
    if (known)
        apr_pool_destroy(known->pool);
}

void ratings_known_cache_destroy(ratings_known_cache_t *cache)
{
    free_known(cache->newest);
    ratings_lock_destroy(&cache->lock, &cache->changed);
}

ratings_known_t *ratings_known_cache_get(ratings_known_cache_t *cache, int64_t ttl, int64_t came_at,
                                         int64_t until, bool *must_read)
{
    ratings_known_t *known = NULL;
    bool in_time = true;
    *must_read = false;
    pthread_mutex_lock(&cache->lock);
    while (!known && !*must_read && in_time) {
        int64_t age = cache->newest ? ratings_monotonic() - cache->newest->read_at : INT64_MAX;
        if (cache->newest && (age < ttl || cache->newest->read_at >= came_at))
            known = cache->newest;
        *must_read = !cache->is_reading && (!known || (age < ttl && age >= ttl / 2));
        if (!known && !*must_read)
            in_time = ratings_wait_until(&cache->changed, &cache->lock, until);
    }
    cache->is_reading |= *must_read;
    if (known)
        known->references++;
    pthread_mutex_unlock(&cache->lock);
    return known;
}

/* With the lock held: who is to be freed, or NULL. */
static ratings_known_t *let_go(ratings_known_t *known)
{
    return known && --known->references == 0 ? known : NULL;
}

void ratings_known_cache_put(ratings_known_cache_t *cache, ratings_known_t *known)
{
    ratings_known_t *unused = NULL;
    pthread_mutex_lock(&cache->lock);
    cache->is_reading = false;
    if (known) {
        known->references = 2; /* the cache's, and the caller's */
        unused = let_go(cache->newest);
        cache->newest = known;
    }
    pthread_cond_broadcast(&cache->changed);
    pthread_mutex_unlock(&cache->lock);
    free_known(unused);
}

void ratings_known_cache_share(ratings_known_cache_t *cache, ratings_known_t *known)
{
    pthread_mutex_lock(&cache->lock);
    known->references++;
    pthread_mutex_unlock(&cache->lock);
}

void ratings_known_cache_release(ratings_known_cache_t *cache, ratings_known_t *known)
{
    pthread_mutex_lock(&cache->lock);
    ratings_known_t *unused = let_go(known);
    pthread_mutex_unlock(&cache->lock);
    free_known(unused);
}
