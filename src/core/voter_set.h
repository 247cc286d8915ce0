/* A set of voters: those that are barred, in one partition. Few as a rule, so an ordered array: to
 * look one up costs nothing where there are none. All zero is an empty set; free it with
 * ratings_voter_set_free. One thread at a time. */
#ifndef RATINGS_CORE_VOTER_SET_H
#define RATINGS_CORE_VOTER_SET_H

#include "voter.h"

typedef struct {
    ratings_voter_t *voter; /* in the order of their bytes */
    size_t count, room;
} ratings_voter_set_t;

bool ratings_voter_set_has(const ratings_voter_set_t *set, const ratings_voter_t *voter);

/* Does nothing if the voter is there already. False when memory ran out. */
bool ratings_voter_set_add(ratings_voter_set_t *set, const ratings_voter_t *voter);

/* Does nothing if the voter is not there. */
void ratings_voter_set_remove(ratings_voter_set_t *set, const ratings_voter_t *voter);

/* Leaves an empty set. */
void ratings_voter_set_free(ratings_voter_set_t *set);

#endif
