#include "talk_list_cache.h"

#include "../core/clock.h"

void ratings_talk_list_cache_init(ratings_talk_list_cache_t *cache)
{
    ratings_lock_init(&cache->lock, &cache->changed);
}

/* Out of the lock: freeing a list takes a while. */
static void free_talks(ratings_known_talks_t *talks)
{
    if (talks)
        apr_pool_destroy(talks->pool);
}

void ratings_talk_list_cache_destroy(ratings_talk_list_cache_t *cache)
{
    free_talks(cache->newest);
    ratings_lock_destroy(&cache->lock, &cache->changed);
}

ratings_known_talks_t *ratings_talk_list_cache_get(ratings_talk_list_cache_t *cache, int64_t ttl,
                                                   int64_t came_at, int64_t until, bool *must_read)
{
    ratings_known_talks_t *talks = NULL;
    bool in_time = true;
    *must_read = false;
    pthread_mutex_lock(&cache->lock);
    while (!talks && !*must_read && in_time) {
        int64_t age = cache->newest ? ratings_monotonic() - cache->newest->read_at : INT64_MAX;
        if (cache->newest && (age < ttl || cache->newest->read_at >= came_at))
            talks = cache->newest;
        *must_read = !cache->is_reading && (!talks || (age < ttl && age >= ttl / 2));
        if (!talks && !*must_read)
            in_time = ratings_wait_until(&cache->changed, &cache->lock, until);
    }
    cache->is_reading |= *must_read;
    if (talks)
        talks->references++;
    pthread_mutex_unlock(&cache->lock);
    return talks;
}

/* With the lock held: who is to be freed, or NULL. */
static ratings_known_talks_t *let_go(ratings_known_talks_t *talks)
{
    return talks && --talks->references == 0 ? talks : NULL;
}

void ratings_talk_list_cache_put(ratings_talk_list_cache_t *cache, ratings_known_talks_t *talks)
{
    ratings_known_talks_t *unused = NULL;
    pthread_mutex_lock(&cache->lock);
    cache->is_reading = false;
    if (talks) {
        talks->references = 2; /* the cache's, and the caller's */
        unused = let_go(cache->newest);
        cache->newest = talks;
    }
    pthread_cond_broadcast(&cache->changed);
    pthread_mutex_unlock(&cache->lock);
    free_talks(unused);
}

void ratings_talk_list_cache_release(ratings_talk_list_cache_t *cache, ratings_known_talks_t *talks)
{
    pthread_mutex_lock(&cache->lock);
    ratings_known_talks_t *unused = let_go(talks);
    pthread_mutex_unlock(&cache->lock);
    free_talks(unused);
}
