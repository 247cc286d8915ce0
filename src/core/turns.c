#include "turns.h"

#include <stddef.h>

bool ratings_turns_come(ratings_turns_t *turns, ratings_turn_t *turn)
{
    if (!turns->first && turns->under_way < RATINGS_TURNS_AT_ONCE) {
        turns->under_way++;
        return true;
    }
    turn->next = NULL;
    *(turns->first ? &turns->last->next : &turns->first) = turn;
    turns->last = turn;
    return false;
}

bool ratings_turns_ready(const ratings_turns_t *turns)
{
    return turns->first && turns->under_way == 0;
}

bool ratings_turns_done(ratings_turns_t *turns)
{
    turns->under_way--;
    return ratings_turns_ready(turns);
}

ratings_turn_t *ratings_turns_take(ratings_turns_t *turns)
{
    ratings_turn_t *taken = turns->first;

    for (const ratings_turn_t *turn = taken; turn; turn = turn->next)
        turns->under_way++;
    turns->first = turns->last = NULL;
    return taken;
}
