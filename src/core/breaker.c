#include "breaker.h"

/* The word: the state in its last two bits; above them, while closed, the failures in a row; while
 * open, when the next probe may start; half open: when the one that is under way counts as lost,
 * and another may start. */
#define STATE_BITS 2
#define STATE_MASK ((UINT64_C(1) << STATE_BITS) - 1)

static uint64_t word_of(ratings_breaker_state_t state, int64_t value)
{
    return (uint64_t)value << STATE_BITS | (uint64_t)state;
}

static ratings_breaker_state_t state_of(uint64_t word)
{
    return (ratings_breaker_state_t)(word & STATE_MASK);
}

static int64_t value_of(uint64_t word)
{
    return (int64_t)(word >> STATE_BITS);
}

/* SplitMix64's finalizer: of any seed, 0 and 1 included, and of each time another number. */
static uint64_t random_of(uint64_t seed, int64_t now_us)
{
    uint64_t z = seed + (uint64_t)now_us * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
}

static uint64_t open_word(const ratings_breaker_limits_t *policy, int64_t now_us)
{
    uint64_t quarter = (uint64_t)policy->cooldown_us / 4;
    int64_t jitter = (int64_t)(random_of(policy->seed, now_us) % (quarter + 1));

    return word_of(RATINGS_BREAKER_OPEN, now_us + policy->cooldown_us + jitter);
}

ratings_breaker_state_t ratings_breaker_state(const ratings_breaker_t *b)
{
    return state_of(atomic_load(&b->word));
}

bool ratings_breaker_due(const ratings_breaker_t *b, int64_t at_us)
{
    uint64_t word = atomic_load(&b->word);

    return state_of(word) != RATINGS_BREAKER_CLOSED && at_us >= value_of(word);
}

bool ratings_breaker_allow(ratings_breaker_t *b, const ratings_breaker_limits_t *policy,
                           int64_t now_us)
{
    uint64_t word = atomic_load(&b->word);

    if (state_of(word) == RATINGS_BREAKER_CLOSED)
        return true;
    return now_us >= value_of(word) &&
           atomic_compare_exchange_strong(
               &b->word, &word, word_of(RATINGS_BREAKER_HALF_OPEN, now_us + policy->cooldown_us));
}

bool ratings_breaker_success(ratings_breaker_t *b)
{
    const uint64_t closed = word_of(RATINGS_BREAKER_CLOSED, 0);

    if (atomic_load(&b->word) == closed)
        return false;
    return state_of(atomic_exchange(&b->word, closed)) != RATINGS_BREAKER_CLOSED;
}

/* A call that was allowed before it opened may fail after: that neither opens it again nor makes
 * the pause longer. */
static uint64_t after_failure(uint64_t word, const ratings_breaker_limits_t *policy, int64_t now_us)
{
    switch (state_of(word)) {
    case RATINGS_BREAKER_CLOSED:
        return value_of(word) + 1 < policy->threshold
                   ? word_of(RATINGS_BREAKER_CLOSED, value_of(word) + 1)
                   : open_word(policy, now_us);
    case RATINGS_BREAKER_HALF_OPEN:
        return open_word(policy, now_us);
    default:
        return word;
    }
}

bool ratings_breaker_failure(ratings_breaker_t *b, const ratings_breaker_limits_t *policy,
                             int64_t now_us)
{
    uint64_t before = atomic_load(&b->word), after;

    do
        after = after_failure(before, policy, now_us);
    while (after != before && !atomic_compare_exchange_weak(&b->word, &before, after));
    return state_of(before) == RATINGS_BREAKER_CLOSED && state_of(after) == RATINGS_BREAKER_OPEN;
}
