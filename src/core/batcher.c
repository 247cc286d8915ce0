#include "batcher.h"

#include <stddef.h>

/* After it, those who come have nothing to do with who came last. */
#define FORGET_US INT64_C(100000)
#define REST_MAX 63

/* Nobody is under way: from now on it is a moment. */
static void begin_moment(ratings_batcher_t *turns, int64_t now)
{
    turns->since = now;
    turns->lingers = turns->rest == 0 && turns->waiting < turns->wanted;
}

/* A batch begins: whether it was worth the wait says when one is waited for again. A single failure
 * says nothing. */
static void learn(ratings_batcher_t *turns)
{
    bool in_vain = turns->lingers && turns->waiting < turns->wanted;
    if (in_vain) {
        turns->rest = turns->next_rest;
        turns->next_rest = turns->rest < REST_MAX ? 2 * turns->rest + 1 : REST_MAX;
    } else if (turns->lingers) {
        turns->next_rest = 0;
    } else if (turns->rest > 0) {
        turns->rest--;
    }
    turns->lingers = false;
}

static void join(ratings_batcher_t *turns, ratings_batcher_item_t *turn)
{
    turn->next = NULL;
    *(turns->first ? &turns->last->next : &turns->first) = turn;
    turns->last = turn;
    turns->waiting++;
}

/* With nobody under way, and nobody who waits. Who goes at once has not waited in vain. */
static bool go_alone(ratings_batcher_t *turns, int64_t now)
{
    if (now >= turns->since + FORGET_US)
        turns->wanted = 0;
    begin_moment(turns, now);
    if (turns->wanted > 1 && turns->lingers)
        return false;
    turns->lingers = false;
    learn(turns);
    turns->wanted = turns->under_way = 1;
    return true;
}

bool ratings_batcher_admit(ratings_batcher_t *turns, ratings_batcher_item_t *turn, int64_t now)
{
    if (turns->under_way > 0 && now < turns->since + RATINGS_BATCHER_LINGER_US)
        turns->wanted++; /* it would have gone along, had they waited */
    else if (turns->under_way == 0 && !turns->first && go_alone(turns, now))
        return true;
    join(turns, turn);
    return false;
}

void ratings_batcher_acked(ratings_batcher_t *turns, int64_t now)
{
    if (--turns->under_way > 0)
        return;
    turns->since = now;
    if (turns->first)
        begin_moment(turns, now);
}

int64_t ratings_batcher_flush_at(const ratings_batcher_t *turns)
{
    if (!turns->first || turns->under_way > 0)
        return INT64_MAX;
    bool enough = !turns->lingers || turns->waiting >= turns->wanted;
    return enough ? turns->since : turns->since + RATINGS_BATCHER_LINGER_US;
}

ratings_batcher_item_t *ratings_batcher_drain(ratings_batcher_t *turns)
{
    ratings_batcher_item_t *taken = turns->first;

    if (taken)
        learn(turns);
    turns->under_way += turns->waiting;
    turns->wanted = turns->waiting;
    turns->waiting = 0;
    turns->first = turns->last = NULL;
    return taken;
}
