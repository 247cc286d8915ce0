/* The votes of a batch, one of each voter and talk: a table of 32 bytes a vote, and at most three
 * quarters full, as a rebuild folds a million of them and more. A hash of APR's for each talk takes
 * twice the time and several times the memory. For one thread. */
#ifndef RATINGS_PROJECTOR_BALLOTS_H
#define RATINGS_PROJECTOR_BALLOTS_H

#include "../backend/store/store.h"

typedef struct {
    ratings_vote_t *votes; /* NULL until there is one */
    size_t room;           /* a power of two */
    int count;
} ballots_t;

/* The vote of a voter on the talk with that number (from 0), which is added if there is none, with
 * offset -1. NULL: no memory. Valid until the next one is added. */
ratings_vote_t *ballots_vote(ballots_t *ballots, uint32_t talk, const ratings_voter_t *voter);

/* Puts the votes in the order of their talks, and points each talk's votes to them: `vote_count` of
 * each of `count` talks says how many it has. `next` is room for a number of each. Nothing can be
 * found or added afterwards. */
void ballots_sort(ballots_t *ballots, ratings_increment_t *const *talks, int count, int *next);

/* How many places the table has once `more` votes are added; growing takes half as many besides. */
size_t ballots_room_with(const ballots_t *ballots, int more);

void ballots_free(ballots_t *ballots);

#endif
