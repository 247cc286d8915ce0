#include "breaker.h"

#include "assertion.h"

/* The word: the state in its lowest two bits; above them, while closed, the failures in a row;
 * while open, when the next probe may begin; while half-open, when the probe in flight counts as
 * lost and another one may begin. */
#define STATE_BITS 2
#define STATE_MASK ((UINT64_C(1) << STATE_BITS) - 1)

static uint64_t word_of(ratings_breaker_state_t state, int64_t value)
{
    RATINGS_ASSERT(value >= 0);
    return (uint64_t)value << STATE_BITS | (uint64_t)state;
}

static ratings_breaker_state_t state_of(uint64_t word)
{
    RATINGS_ASSERT((word & STATE_MASK) <= RATINGS_BREAKER_HALF_OPEN);
    return (ratings_breaker_state_t)(word & STATE_MASK);
}

static int64_t value_of(uint64_t word)
{
    return (int64_t)(word >> STATE_BITS);
}

/* SplitMix64's finalizer: another number for each time, whatever the seed, 0 and 1 included.
 * https://prng.di.unimi.it/splitmix64.c */
static uint64_t random_of(uint64_t seed, int64_t now_us)
{
    uint64_t z = seed + (uint64_t)now_us * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

static uint64_t open_word(const ratings_breaker_limits_t *limits, int64_t now_us)
{
    uint64_t quarter = (uint64_t)limits->cooldown_us / 4;
    int64_t jitter = (int64_t)(random_of(limits->seed, now_us) % (quarter + 1));

    return word_of(RATINGS_BREAKER_OPEN, now_us + limits->cooldown_us + jitter);
}

ratings_breaker_state_t ratings_breaker_state(const ratings_breaker_t *breaker)
{
    return state_of(atomic_load(&breaker->word));
}

bool ratings_breaker_due(const ratings_breaker_t *breaker, int64_t at_us)
{
    uint64_t word = atomic_load(&breaker->word);

    return state_of(word) != RATINGS_BREAKER_CLOSED && at_us >= value_of(word);
}

bool ratings_breaker_allow(ratings_breaker_t *breaker, const ratings_breaker_limits_t *limits,
                           int64_t now_us)
{
    uint64_t word = atomic_load(&breaker->word);

    RATINGS_ASSERT(limits->threshold >= 1 && limits->cooldown_us >= 0);
    if (state_of(word) == RATINGS_BREAKER_CLOSED)
        return true;
    return now_us >= value_of(word) &&
           atomic_compare_exchange_strong(
               &breaker->word, &word,
               word_of(RATINGS_BREAKER_HALF_OPEN, now_us + limits->cooldown_us));
}

bool ratings_breaker_success(ratings_breaker_t *breaker)
{
    const uint64_t closed = word_of(RATINGS_BREAKER_CLOSED, 0);

    if (atomic_load(&breaker->word) == closed)
        return false;
    return state_of(atomic_exchange(&breaker->word, closed)) != RATINGS_BREAKER_CLOSED;
}

/* A call that was allowed before the breaker opened may fail after: that neither opens it again nor
 * prolongs the cool-down. */
static uint64_t after_failure(uint64_t word, const ratings_breaker_limits_t *limits, int64_t now_us)
{
    switch (state_of(word)) {
    case RATINGS_BREAKER_CLOSED:
        return value_of(word) + 1 < limits->threshold
                   ? word_of(RATINGS_BREAKER_CLOSED, value_of(word) + 1)
                   : open_word(limits, now_us);
    case RATINGS_BREAKER_HALF_OPEN:
        return open_word(limits, now_us);
    default:
        return word;
    }
}

bool ratings_breaker_failure(ratings_breaker_t *breaker, const ratings_breaker_limits_t *limits,
                             int64_t now_us)
{
    uint64_t before = atomic_load(&breaker->word), after;

    do
        after = after_failure(before, limits, now_us);
    while (after != before && !atomic_compare_exchange_weak(&breaker->word, &before, after));
    return state_of(before) == RATINGS_BREAKER_CLOSED && state_of(after) == RATINGS_BREAKER_OPEN;
}
