#include "turns.h"

#include <stddef.h>

static bool goes_at_once(const ratings_turns_t *turns)
{
    return !turns->first && turns->under_way == 0 && turns->together <= 1;
}

bool ratings_turns_come(ratings_turns_t *turns, ratings_turn_t *turn, int64_t now)
{
    if (goes_at_once(turns)) {
        turns->together = turns->under_way = 1;
        return true;
    }
    if (!turns->first)
        turns->since = now;
    turn->next = NULL;
    *(turns->first ? &turns->last->next : &turns->first) = turn;
    turns->last = turn;
    turns->waiting++;
    return false;
}

void ratings_turns_done(ratings_turns_t *turns)
{
    turns->under_way--;
}

int64_t ratings_turns_ready_at(const ratings_turns_t *turns)
{
    if (!turns->first || turns->under_way > 0)
        return INT64_MAX;
    return turns->waiting >= turns->together ? turns->since
                                             : turns->since + RATINGS_TURNS_LINGER_US;
}

ratings_turn_t *ratings_turns_take(ratings_turns_t *turns)
{
    ratings_turn_t *taken = turns->first;

    turns->under_way += turns->waiting;
    turns->together = turns->waiting;
    turns->waiting = 0;
    turns->first = turns->last = NULL;
    return taken;
}
