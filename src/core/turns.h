/* Whose turn it is, where those who come while others are under way go together once all of these
 * are done: batches form by themselves, and who comes alone never waits. The links are the caller's
 * own, part of what waits. Not thread-safe. */
#ifndef RATINGS_CORE_TURNS_H
#define RATINGS_CORE_TURNS_H

#include <stdbool.h>

#define RATINGS_TURNS_AT_ONCE 2 /* so many may be under way before others have to wait */

typedef struct ratings_turn_t {
    struct ratings_turn_t *next;
} ratings_turn_t;

typedef struct {
    unsigned under_way;
    ratings_turn_t *first, *last; /* of those that wait; all zero is nobody */
} ratings_turns_t;

/* True: it may go, and counts as under way. False: it waits. */
bool ratings_turns_come(ratings_turns_t *turns, ratings_turn_t *turn);

/* One of those under way is done. True: others wait, and may be taken now. */
bool ratings_turns_done(ratings_turns_t *turns);

/* Those that wait, in the order in which they came, under way from now on; NULL: nobody. */
ratings_turn_t *ratings_turns_take(ratings_turns_t *turns);

/* Whether there are some to take whose turn it is. */
bool ratings_turns_ready(const ratings_turns_t *turns);

#endif
