#include "ballots.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 64

/* ---- finding ---- */

/* A voter's hash is one already. */
static size_t home_of_vote(uint32_t talk, const ratings_voter_t *voter)
{
    uint64_t half;
    memcpy(&half, voter->hash, sizeof half);
    return (size_t)(((half ^ talk) * UINT64_C(0x9E3779B97F4A7C15)) >> 24);
}

/* Where the vote is, or the free place where it is to be. */
static ratings_vote_t *find_vote(const ballots_t *ballots, uint32_t talk,
                                 const ratings_voter_t *voter)
{
    for (size_t at = home_of_vote(talk, voter);; at++) {
        ratings_vote_t *vote = &ballots->votes[at & (ballots->room - 1)];
        if (vote->talk == 0 ||
            (vote->talk == talk + 1 && memcmp(&vote->voter, voter, sizeof *voter) == 0))
            return vote;
    }
}

size_t ballots_room_with(const ballots_t *ballots, int more)
{
    size_t room = ballots->room ? ballots->room : ROOM_MIN;
    while (4 * ((size_t)ballots->count + (size_t)more) > 3 * room)
        room *= 2;
    return room;
}

static bool make_room(ballots_t *ballots)
{
    ballots_t wider = {.room = ballots_room_with(ballots, 1), .count = ballots->count};
    if (wider.room == ballots->room)
        return true;
    wider.votes = calloc(wider.room, sizeof *wider.votes);
    if (!wider.votes)
        return false;
    for (size_t i = 0; i < ballots->room; i++) {
        const ratings_vote_t *vote = &ballots->votes[i];
        if (vote->talk)
            *find_vote(&wider, vote->talk - 1, &vote->voter) = *vote;
    }
    free(ballots->votes);
    *ballots = wider;
    return true;
}

ratings_vote_t *ballots_vote(ballots_t *ballots, uint32_t talk, const ratings_voter_t *voter)
{
    ratings_vote_t *vote = ballots->room ? find_vote(ballots, talk, voter) : NULL;
    if (vote && vote->talk)
        return vote;
    if (!make_room(ballots))
        return NULL;
    vote = find_vote(ballots, talk, voter);
    *vote = (ratings_vote_t){.voter = *voter, .offset = -1, .talk = talk + 1};
    ballots->count++;
    return vote;
}

/* ---- sorting ---- */

static void close_gaps(ballots_t *ballots)
{
    size_t to = 0;
    for (size_t i = 0; i < ballots->room; i++)
        if (ballots->votes[i].talk)
            ballots->votes[to++] = ballots->votes[i];
}

static void swap_votes(ratings_vote_t *a, ratings_vote_t *b)
{
    const ratings_vote_t kept = *a;
    *a = *b;
    *b = kept;
}

/* In place, by as many swaps as there are votes: `next[t]` is where the next one of talk `t` goes
 * (https://en.wikipedia.org/wiki/American_flag_sort). */
static void swap_into_order(ratings_vote_t *votes, ratings_increment_t *const *talks, int count,
                            int *next)
{
    int end = 0;
    for (int t = 0; t < count; t++) {
        end += talks[t]->vote_count;
        while (next[t] < end) {
            ratings_vote_t *vote = &votes[next[t]];
            uint32_t home = vote->talk - 1;
            if (home == (uint32_t)t)
                next[t]++;
            else
                swap_votes(vote, &votes[next[home]++]);
        }
    }
}

void ballots_sort(ballots_t *ballots, ratings_increment_t *const *talks, int count, int *next)
{
    int begin = 0;
    if (ballots->count == 0)
        return;
    close_gaps(ballots);
    for (int t = 0; t < count; begin += talks[t++]->vote_count) {
        next[t] = begin;
        talks[t]->votes = ballots->votes + begin;
    }
    swap_into_order(ballots->votes, talks, count, next);
}

void ballots_free(ballots_t *ballots)
{
    free(ballots->votes);
    *ballots = (ballots_t){0};
}
