/* The ratings of voters, of one talk in one partition: as they are where the fold is, and as they
 * were at the checkpoint at which the store was read. Not thread-safe. */
#ifndef RATINGS_AUDIT_VOTES_H
#define RATINGS_AUDIT_VOTES_H

#include "../core/voter.h"

#include <sys/queue.h>

typedef struct audit_vote_t {
    ratings_voter_t voter;
    int counted; /* at that checkpoint; RATINGS_VALUE_NONE: no rating */
    int now;
    SLIST_ENTRY(audit_vote_t) link;
} audit_vote_t;

/* All zero is an empty table. */
typedef struct {
    void *tree; /* of tsearch */
    SLIST_HEAD(, audit_vote_t) all;
} audit_votes_t;

/* That of a voter, a new one without a rating if there is none. NULL when memory ran out. */
audit_vote_t *audit_votes_of(audit_votes_t *votes, const ratings_voter_t *voter);

/* The same, or NULL if there is none. */
const audit_vote_t *audit_votes_find(const audit_votes_t *votes, const ratings_voter_t *voter);

void audit_votes_free(audit_votes_t *votes);

#endif
