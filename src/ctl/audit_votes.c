#include "audit_votes.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare_voters(const void *a, const void *b)
{
    const audit_vote_t *left = a, *right = b;
    return memcmp(&left->voter, &right->voter, sizeof left->voter);
}

const audit_vote_t *audit_votes_find(const audit_votes_t *votes, const ratings_voter_t *voter)
{
    const audit_vote_t wanted = {.voter = *voter};
    audit_vote_t *const *found = tfind(&wanted, &votes->tree, compare_voters);
    return found ? *found : NULL;
}

audit_vote_t *audit_votes_of(audit_votes_t *votes, const ratings_voter_t *voter)
{
    audit_vote_t *vote = calloc(1, sizeof *vote);
    if (!vote)
        return NULL;
    vote->voter = *voter;
    audit_vote_t **found = tsearch(vote, &votes->tree, compare_voters);
    if (!found || *found != vote) {
        free(vote);
        return found ? *found : NULL;
    }
    SLIST_INSERT_HEAD(&votes->all, vote, link);
    return vote;
}

void audit_votes_free(audit_votes_t *votes)
{
    while (!SLIST_EMPTY(&votes->all)) {
        audit_vote_t *vote = SLIST_FIRST(&votes->all);
        SLIST_REMOVE_HEAD(&votes->all, link);
        (void)tdelete(vote, &votes->tree, compare_voters);
        free(vote);
    }
}
