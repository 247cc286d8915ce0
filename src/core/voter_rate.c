#include "voter_rate.h"

#include "number.h"

#include <stdatomic.h>
#include <string.h>

#define SETS 8192 /* a power of two */
#define WAYS 8
#define LONGEST_DEBT_US (RATINGS_VOTER_RATE_SECONDS_MAX * INT64_C(1000000))

/* Two words, each with 16 bits of a sequence below and 48 others above:
 *
 *     owner   48 bits of the voter's hash; the sequence says when the slot was taken
 *     state   the voter's TAT; the sequence says for which owner
 *
 * A slot is its owner's while both sequences are the same. Whoever takes a slot raises that of the
 * owner, with the new owner's hash: from then on the slot is nobody's, until the state has
 * followed, with no debt. Each who meets such a slot does that, so that nobody waits for anybody,
 * and a thread that was killed in between is missed by nobody. Whoever charges a slot has read the
 * state first and the owner then, and compares and swaps the state: since that changes with each
 * owner, no request is charged to another's slot. (A sequence that comes round while a thread is
 * between two instructions would break that: the slot would have to be taken 65,536 times
 * meanwhile.) */
typedef struct {
    _Atomic uint64_t owner, state;
} slot_t;

struct ratings_voter_rates_t {
    slot_t slot[SETS][WAYS]; /* a set is two cache lines */
};

_Static_assert(sizeof(ratings_voter_rates_t) == 1048576,
               "rates lie in shared memory and have changed: raise RATINGS_SHM_LAYOUT");

size_t ratings_voter_rates_size(void)
{
    return sizeof(ratings_voter_rates_t);
}

bool ratings_voter_rate_parse(const char *text, ratings_voter_rate_t *rate)
{
    const char *slash = strchr(text, '/');
    int64_t count, seconds;

    if (!slash ||
        !ratings_parse_int(text, (size_t)(slash - text), 1, RATINGS_VOTER_RATE_COUNT_MAX, &count) ||
        !ratings_parse_int(slash + 1, strlen(slash + 1), 1, RATINGS_VOTER_RATE_SECONDS_MAX,
                           &seconds))
        return false;
    *rate = (ratings_voter_rate_t){count, seconds * 1000000 / count};
    return true;
}

/* ---- words ---- */

#define SEQUENCE UINT64_C(0xffff)

static uint64_t rate_word(uint64_t above, uint64_t sequence)
{
    return (above & ~SEQUENCE) | (sequence & SEQUENCE);
}

static bool of_one_sequence(uint64_t a, uint64_t b)
{
    return ((a ^ b) & SEQUENCE) == 0;
}

/* 48 bits of microseconds come round after nine years: so by the difference. One that no rate can
 * bring about is of a time long gone. */
static int64_t debt_of(uint64_t state, int64_t now)
{
    int64_t debt = (int64_t)((state & ~SEQUENCE) - ((uint64_t)now << 16)) / 65536;

    return debt > 0 && debt <= LONGEST_DEBT_US ? debt : 0;
}

static uint64_t rate_state(int64_t tat, uint64_t sequence)
{
    return rate_word((uint64_t)tat << 16, sequence);
}

/* ---- slots ---- */

/* Ends what somebody may have begun: the state follows the owner. */
static void settle_slot(slot_t *slot, int64_t now)
{
    uint64_t state = atomic_load(&slot->state), owner = atomic_load(&slot->owner);

    if (!of_one_sequence(owner, state))
        (void)atomic_compare_exchange_strong(&slot->state, &state, rate_state(now, owner));
}

/* May do nothing, when another thread is faster. */
static void take_slot(slot_t *slot, uint64_t who, int64_t now)
{
    uint64_t owner = atomic_load(&slot->owner);

    if (of_one_sequence(owner, atomic_load(&slot->state)))
        (void)atomic_compare_exchange_strong(&slot->owner, &owner, rate_word(who, owner + 1));
    settle_slot(slot, now);
}

/* Whether it is the voter's; `state` was read from it before. */
static bool is_slot_of(slot_t *slot, uint64_t state, uint64_t who)
{
    return atomic_load(&slot->owner) == rate_word(who, state);
}

/* The voter's, or the first of those whose owners owe least, taken. Perhaps another's by now. */
static slot_t *slot_for(slot_t *set, uint64_t who, int64_t now)
{
    slot_t *least = NULL;
    int64_t least_debt = INT64_MAX;

    for (slot_t *slot = set; slot < set + WAYS; slot++) {
        settle_slot(slot, now);
        uint64_t state = atomic_load(&slot->state);
        if (is_slot_of(slot, state, who))
            return slot;
        if (debt_of(state, now) < least_debt) {
            least = slot;
            least_debt = debt_of(state, now);
        }
    }
    take_slot(least, who, now);
    return least;
}

/* ---- use ---- */

/* False: the slot is another's, or somebody has changed it meanwhile. */
static bool charge_slot(slot_t *slot, uint64_t who, const ratings_voter_rate_t *rate, int64_t now,
                        int64_t *wait)
{
    uint64_t state = atomic_load(&slot->state);
    int64_t debt = debt_of(state, now);

    if (!is_slot_of(slot, state, who))
        return false;
    *wait = debt - (rate->count - 1) * rate->interval_us;
    if (*wait > 0)
        return true;
    *wait = 0;
    return atomic_compare_exchange_strong(&slot->state, &state,
                                          rate_state(now + debt + rate->interval_us, state));
}

/* Another one under each rate: two odd numbers mix it into all bits. */
static uint64_t bits_of(const ratings_voter_t *voter, const ratings_voter_rate_t *rate)
{
    uint64_t bits;

    memcpy(&bits, voter->hash, sizeof bits);
    return bits ^ (uint64_t)rate->count * UINT64_C(0x9e3779b97f4a7c15) ^
           (uint64_t)rate->interval_us * UINT64_C(0xc2b2ae3d27d4eb4f);
}

static slot_t *set_of(ratings_voter_rates_t *rates, const ratings_voter_t *voter)
{
    const unsigned char *other = voter->hash + sizeof(uint64_t); /* not those of the owner */

    return rates->slot[(other[0] | (unsigned)other[1] << 8) % SETS];
}

/* Lock-free: when a thread has to look again, another one has got on. */
int64_t ratings_voter_rates_admit(ratings_voter_rates_t *rates, const ratings_voter_rate_t *rate,
                                  const ratings_voter_t *voter, int64_t now)
{
    uint64_t who = bits_of(voter, rate);
    slot_t *set = set_of(rates, voter);
    int64_t wait = 0;

    while (!charge_slot(slot_for(set, who, now), who, rate, now, &wait))
        ;
    return wait;
}
