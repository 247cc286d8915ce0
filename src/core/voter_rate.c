#include "voter_rate.h"

#include "number.h"

#include <stdatomic.h>
#include <string.h>

#define SETS 8192 /* a power of two */
#define WAYS 8
#define LONGEST_DEBT_US (RATINGS_VOTER_RATE_SECONDS_MAX * INT64_C(1000000))

/* Two words, each with 16 bits of a sequence below and 48 others above:
 *
 *     owner   48 bits of the voter's hash; the sequence says how often the slot was taken
 *     state   the voter's TAT; the sequence says of which owner
 *
 * Whoever takes a slot compares and swaps the owner, with the next sequence. That admits the
 * request as well, since it is a voter's first; so whenever somebody is too late, another one was
 * admitted, and nobody waits for anybody. The state follows, with the debt of that request: until
 * it does, its sequence is another one, each request of the same voter lets it follow, and others
 * take any slot rather than this one, should the thread have been killed in between.
 *
 * Whoever charges a voter compares and swaps the state: that changes with each owner, so no request
 * is charged to another's slot. (A sequence that comes round while a thread is between two
 * instructions would break that: the slot would have to be taken 65,536 times meanwhile.)
 * t/model/rates.pml explores all orders of these steps. */
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

static bool is_of(uint64_t owner, uint64_t who)
{
    return ((owner ^ who) & ~SEQUENCE) == 0;
}

/* What the owner owes: more than any other while the state is still to follow. */
static int64_t debt_in(slot_t *slot, uint64_t owner, int64_t now)
{
    uint64_t state = atomic_load(&slot->state);

    return of_one_sequence(owner, state) ? debt_of(state, now) : INT64_MAX;
}

/* The voter's, or the first of those whose owners owe least; and its owner. */
static slot_t *find_slot(slot_t *set, uint64_t who, int64_t now, uint64_t *owner)
{
    slot_t *least = NULL;
    int64_t least_debt = 0;

    for (slot_t *slot = set; slot < set + WAYS; slot++) {
        uint64_t seen = atomic_load(&slot->owner);
        int64_t debt = debt_in(slot, seen, now);
        if (!least || is_of(seen, who) || debt < least_debt) {
            least = slot;
            least_debt = debt;
            *owner = seen;
        }
        if (is_of(seen, who))
            break;
    }
    return least;
}

/* Admits a voter's first request. False: another thread was faster. */
static bool take_slot(slot_t *slot, uint64_t owner, uint64_t who, int64_t tat)
{
    uint64_t taken = rate_word(who, owner + 1);

    if (!atomic_compare_exchange_strong(&slot->owner, &owner, taken))
        return false;
    uint64_t state = atomic_load(&slot->state);
    while (!of_one_sequence(taken, state) && atomic_load(&slot->owner) == taken &&
           !atomic_compare_exchange_strong(&slot->state, &state, rate_state(tat, taken)))
        ;
    return true;
}

/* Whether the voter, who is the owner, may write (`*wait` 0). False: the slot is another's by now,
 * or another thread was faster. */
static bool charge_slot(slot_t *slot, uint64_t owner, const ratings_voter_rate_t *rate, int64_t now,
                        int64_t *wait)
{
    uint64_t state = atomic_load(&slot->state);
    int64_t debt = of_one_sequence(owner, state) ? debt_of(state, now) : rate->interval_us;

    if (atomic_load(&slot->owner) != owner)
        return false;
    *wait = debt - (rate->count - 1) * rate->interval_us;
    if (*wait > 0)
        return true;
    *wait = 0;
    return atomic_compare_exchange_strong(&slot->state, &state,
                                          rate_state(now + debt + rate->interval_us, owner));
}

/* ---- use ---- */

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

int64_t ratings_voter_rates_admit(ratings_voter_rates_t *rates, const ratings_voter_rate_t *rate,
                                  const ratings_voter_t *voter, int64_t now)
{
    uint64_t who = bits_of(voter, rate), owner = 0;
    slot_t *set = set_of(rates, voter);
    int64_t wait;

    for (;;) {
        slot_t *slot = find_slot(set, who, now, &owner);
        if (is_of(owner, who)) {
            if (charge_slot(slot, owner, rate, now, &wait))
                return wait;
        } else if (take_slot(slot, owner, who, now + rate->interval_us)) {
            return 0;
        }
    }
}
