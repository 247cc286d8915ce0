/* How often a voter may write: COUNT requests at once, and then one each SECONDS/COUNT.
 *
 * By the generic cell rate algorithm (ITU-T I.371, annex A, "virtual scheduling"), which needs one
 * time for each voter and no window. With T = SECONDS / COUNT, and TAT the theoretical arrival time
 * of the voter's next request (a new voter's is now), a request at time t
 *
 *     conforms if  TAT - (COUNT - 1) * T <= t,   and then  TAT = max(TAT, t) + T;
 *     otherwise    it would conform at TAT - (COUNT - 1) * T, and changes nothing.
 *
 * TAT - t is the voter's debt: T for each admitted request, paid off by the passing of time,
 * SECONDS at most. Whoever owes nothing is as if never seen, and needs no room.
 *
 * So at most 2 * COUNT - 1 pass in any SECONDS, of a voter who has rested before. Not a counter for
 * each minute, say, which lets as many pass around a minute's end, has whoever is refused wait for
 * that end, and needs both a counter and a time, which no single atomic word has.
 *
 * The table is memory that the children of a host share: 65,536 voters who owe something, at fixed
 * size (1 MB), without a lock. A voter's hash chooses a set of eight slots. When all of them are
 * taken by voters who owe, the one who owes least is forgotten, who may so write once more than the
 * rate, or a few times more: nobody is ever refused for what another has done. Whoever floods the
 * table with identities of one request each replaces these, not the voter who is at the limit, who
 * owes most. 61 bits of a voter's keyed hash tell voters apart, which nobody can choose. Two
 * requests at once of a voter who has no slot may each take one, if another voter's changes between
 * their looks: the first of the two slots is the one that counts from then on.
 *
 * Ownership: the memory is the caller's, all zero at first; no pointer is in it. Threads: any, of
 * any process; one that is killed at any point leaves nothing locked, and at worst one slot that
 * none but its voter uses any more. Times are microseconds of ratings_monotonic. */
#ifndef RATINGS_CORE_VOTER_RATE_H
#define RATINGS_CORE_VOTER_RATE_H

#include "voter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATINGS_VOTER_RATE_COUNT_MAX 1000000
#define RATINGS_VOTER_RATE_SECONDS_MAX 86400

typedef struct {
    int64_t count;       /* requests at once; 0: there is no limit */
    int64_t interval_us; /* T */
} ratings_voter_rate_t;

/* Reads "COUNT/SECONDS", whole numbers from 1 to what is above. False, with `*rate` untouched: it
 * is anything else. */
bool ratings_voter_rate_parse(const char *text, ratings_voter_rate_t *rate);

typedef struct ratings_voter_rates_t ratings_voter_rates_t;

/* Bytes of the table, which begins at a cache line. */
size_t ratings_voter_rates_size(void);

/* Counts a request of the voter at `now`, if it conforms: 0. Otherwise, in how many microseconds it
 * would. Under each rate (which has a limit) a voter is counted by itself. */
int64_t ratings_voter_rates_admit(ratings_voter_rates_t *rates, const ratings_voter_rate_t *rate,
                                  const ratings_voter_t *voter, int64_t now);

#endif
