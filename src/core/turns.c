#include "turns.h"

#include <stddef.h>

static bool goes_at_once(const ratings_turns_t *turns)
{
    return !turns->first && turns->under_way == 0 && turns->wanted <= 1;
}

static void join(ratings_turns_t *turns, ratings_turn_t *turn)
{
    turn->next = NULL;
    *(turns->first ? &turns->last->next : &turns->first) = turn;
    turns->last = turn;
    turns->waiting++;
}

bool ratings_turns_come(ratings_turns_t *turns, ratings_turn_t *turn, int64_t now)
{
    bool at_once = goes_at_once(turns);
    if (!turns->first && turns->under_way == 0)
        turns->since = now;
    if (at_once) {
        turns->wanted = turns->under_way = 1;
        return true;
    }
    if (turns->under_way > 0 && now < turns->since + RATINGS_TURNS_LINGER_US)
        turns->wanted++; /* it would have gone along, had they waited */
    join(turns, turn);
    return false;
}

void ratings_turns_done(ratings_turns_t *turns, int64_t now)
{
    if (--turns->under_way == 0 && turns->first)
        turns->since = now;
}

int64_t ratings_turns_ready_at(const ratings_turns_t *turns)
{
    if (!turns->first || turns->under_way > 0)
        return INT64_MAX;
    return turns->waiting >= turns->wanted ? turns->since : turns->since + RATINGS_TURNS_LINGER_US;
}

ratings_turn_t *ratings_turns_take(ratings_turns_t *turns)
{
    ratings_turn_t *taken = turns->first;

    turns->under_way += turns->waiting;
    turns->wanted = turns->waiting;
    turns->waiting = 0;
    turns->first = turns->last = NULL;
    return taken;
}
