#include "voter_set.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16

/* Where the voter is, or would be. */
static size_t place_of_voter(const ratings_voter_set_t *set, const ratings_voter_t *voter)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(&set->voter[middle], voter, sizeof *voter) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const ratings_voter_set_t *set, size_t place, const ratings_voter_t *voter)
{
    return place < set->count && memcmp(&set->voter[place], voter, sizeof *voter) == 0;
}

bool ratings_voter_set_has(const ratings_voter_set_t *set, const ratings_voter_t *voter)
{
    return set->count > 0 && is_at(set, place_of_voter(set, voter), voter);
}

static bool make_voter_room(ratings_voter_set_t *set)
{
    size_t room = set->room ? 2 * set->room : ROOM_MIN;
    if (set->count < set->room)
        return true;
    ratings_voter_t *voter = realloc(set->voter, room * sizeof *voter);
    if (!voter)
        return false;
    set->voter = voter;
    set->room = room;
    return true;
}

bool ratings_voter_set_add(ratings_voter_set_t *set, const ratings_voter_t *voter)
{
    size_t place = place_of_voter(set, voter);
    if (is_at(set, place, voter))
        return true;
    if (!make_voter_room(set))
        return false;
    memmove(&set->voter[place + 1], &set->voter[place], (set->count - place) * sizeof *voter);
    set->voter[place] = *voter;
    set->count++;
    return true;
}

void ratings_voter_set_remove(ratings_voter_set_t *set, const ratings_voter_t *voter)
{
    size_t place = place_of_voter(set, voter);
    if (!is_at(set, place, voter))
        return;
    set->count--;
    memmove(&set->voter[place], &set->voter[place + 1], (set->count - place) * sizeof *voter);
}

void ratings_voter_set_free(ratings_voter_set_t *set)
{
    free(set->voter);
    *set = (ratings_voter_set_t){NULL, 0, 0};
}
