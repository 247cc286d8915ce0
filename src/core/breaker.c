#include "breaker.h"

void ratings_breaker_init(ratings_breaker_t *b, unsigned threshold, int64_t cooldown_us,
                          uint64_t seed)
{
    *b = (ratings_breaker_t){
        .threshold = threshold,
        .cooldown_us = cooldown_us,
        .state = RATINGS_BREAKER_CLOSED,
        .seed = seed,
    };
    pthread_mutex_init(&b->lock, NULL);
}

void ratings_breaker_destroy(ratings_breaker_t *b)
{
    pthread_mutex_destroy(&b->lock);
}

/* SplitMix64: any seed will do, 0 and 1 included. */
static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9E3779B97F4A7C15;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

static int64_t jitter(ratings_breaker_t *b)
{
    uint64_t quarter = (uint64_t)b->cooldown_us / 4;

    return (int64_t)(next_random(&b->seed) % (quarter + 1));
}

static void open_until_probe(ratings_breaker_t *b, int64_t now_us)
{
    b->state = RATINGS_BREAKER_OPEN;
    b->probe_at_us = now_us + b->cooldown_us + jitter(b);
}

static bool start_probe(ratings_breaker_t *b, int64_t now_us)
{
    if (now_us < b->probe_at_us)
        return false;
    b->state = RATINGS_BREAKER_HALF_OPEN;
    b->probe_at_us = now_us + b->cooldown_us;
    return true;
}

bool ratings_breaker_allow(ratings_breaker_t *b, int64_t now_us)
{
    bool allowed;

    pthread_mutex_lock(&b->lock);
    allowed = b->state == RATINGS_BREAKER_CLOSED || start_probe(b, now_us);
    pthread_mutex_unlock(&b->lock);
    return allowed;
}

bool ratings_breaker_success(ratings_breaker_t *b)
{
    bool closed;

    pthread_mutex_lock(&b->lock);
    closed = b->state != RATINGS_BREAKER_CLOSED;
    b->state = RATINGS_BREAKER_CLOSED;
    b->failures = 0;
    pthread_mutex_unlock(&b->lock);
    return closed;
}

/* A call that was allowed before it opened may fail after: that neither opens it again nor makes
 * the pause longer. */
static bool count_failure(ratings_breaker_t *b, int64_t now_us)
{
    if (b->state == RATINGS_BREAKER_HALF_OPEN)
        open_until_probe(b, now_us);
    if (b->state != RATINGS_BREAKER_CLOSED || ++b->failures < b->threshold)
        return false;
    open_until_probe(b, now_us);
    return true;
}

bool ratings_breaker_failure(ratings_breaker_t *b, int64_t now_us)
{
    bool opened;

    pthread_mutex_lock(&b->lock);
    opened = count_failure(b, now_us);
    pthread_mutex_unlock(&b->lock);
    return opened;
}

ratings_breaker_state_t ratings_breaker_state(ratings_breaker_t *b)
{
    ratings_breaker_state_t state;

    pthread_mutex_lock(&b->lock);
    state = b->state;
    pthread_mutex_unlock(&b->lock);
    return state;
}
