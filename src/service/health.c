#include "health.h"

#include "../core/clock.h"
#include "../shm/futex.h"
#include "health_check.h"

#define WAIT_US INT64_C(1000000)
#define WAITERS_MAX 2 /* of a child, at a time */

RATINGS_SHM_STRUCT(ratings_health_t, 848, 12);
_Static_assert(sizeof(ratings_health_t) <= RATINGS_SHM_CACHE_RECORD_MAX,
               "it is a record of a cache");

const ratings_shm_cache_geometry_t ratings_health_cache_geometry = {1, sizeof(int64_t),
                                                                    sizeof(ratings_health_t)};

static const int64_t only_key = 0;

static bool get_answer(const ratings_child_t *child, ratings_health_t *health)
{
    const ratings_shm_cache_t *cache =
        ratings_shm_cache_of(child->service->shared, RATINGS_CACHE_HEALTH);
    return ratings_shm_cache_get(cache, 0, &only_key, health);
}

/* The right to ask the backends, until `deadline`: a request that is killed meanwhile keeps others
 * from it no longer. */
static bool claim_check(ratings_shm_t *shared, int64_t now, int64_t deadline)
{
    int64_t until = atomic_load(&shared->health_claimed_until);
    return now >= until &&
           atomic_compare_exchange_strong(&shared->health_claimed_until, &until, deadline);
}

static void publish_answer(ratings_shm_t *shared, const ratings_health_t *health, int64_t deadline)
{
    ratings_shm_cache_put(ratings_shm_cache_of(shared, RATINGS_CACHE_HEALTH), 0, health);
    (void)atomic_compare_exchange_strong(&shared->health_claimed_until, &deadline, 0);
    ratings_shm_wake(&shared->health_answers);
}

/* False at `until`, and when enough requests of the child wait already. */
static bool wait_for_answer(ratings_child_t *child, uint32_t seen, int64_t until)
{
    int64_t left = until - ratings_monotonic();
    if (left <= 0)
        return false;
    bool may_wait = atomic_fetch_add(&child->health_waiters, 1) < WAITERS_MAX;
    if (may_wait)
        ratings_shm_wait(&child->service->shared->health_answers, seen, left);
    atomic_fetch_sub(&child->health_waiters, 1);
    return may_wait;
}

/* `*known`: there is an answer, if an old one. False: it is to be waited for. */
static bool answer_at_once(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                           ratings_health_t *health, bool *known)
{
    ratings_health_t before = {.key = only_key};
    int64_t now = ratings_monotonic();
    *known = get_answer(child, &before);
    *health = before;
    if (*known && now - before.asked_at < RATINGS_HEALTH_FRESH_US)
        return true;
    if (!claim_check(child->service->shared, now, deadline))
        return *known && now - before.found_at < RATINGS_HEALTH_OLD_US;
    ratings_health_check(child, deadline, pool, *known ? &before : NULL, health);
    publish_answer(child->service->shared, health, deadline);
    return true;
}

bool ratings_health(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                    ratings_health_t *health)
{
    int64_t until = ratings_earlier(ratings_monotonic() + WAIT_US, deadline);
    bool known = false;
    for (;;) {
        uint32_t seen = atomic_load(&child->service->shared->health_answers); /* before looking */
        if (answer_at_once(child, deadline, pool, health, &known))
            return true;
        if (!wait_for_answer(child, seen, until))
            return known;
    }
}

bool ratings_health_is_ready(const ratings_health_t *health)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        if (health->reason[i][0] && i != RATINGS_BACKEND_STATS)
            return false;
    return true;
}
