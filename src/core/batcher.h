/* Whose turn it is, where those who come while others are under way go together once all of these
 * are done: batches form by themselves. Who comes alone goes at once. Where others came within a
 * moment, who goes next waits a moment for as many: fewer and larger batches cost less, and where
 * all cores are busy that is sooner, too. Where it is in vain again and again, it is tried less and
 * less often. The links are the caller's own, part of what waits. Not thread-safe. Times are
 * microseconds of any clock that does not go back. */
#ifndef RATINGS_CORE_BATCHER_H
#define RATINGS_CORE_BATCHER_H

#include <stdbool.h>
#include <stdint.h>

/* A moment: how long those who come wait for others while nobody is under way. */
#define RATINGS_BATCHER_LINGER_US 1000

typedef struct ratings_batcher_item_t {
    struct ratings_batcher_item_t *next;
} ratings_batcher_item_t;

/* All zero is nobody. */
typedef struct {
    unsigned under_way, waiting;
    unsigned wanted; /* how many went together last, and came after them within their moment */
    ratings_batcher_item_t *first, *last; /* of those that wait */
    int64_t since; /* when the moment began that is now, or was last; or when all were done */
    bool lingers;  /* those that wait do so for others */
    unsigned rest, next_rest; /* how many batches are not waited for, now and after a failure */
} ratings_batcher_t;

/* True: it may go, and counts as under way. False: it waits. */
bool ratings_batcher_admit(ratings_batcher_t *turns, ratings_batcher_item_t *turn, int64_t now);

/* One of those under way is done. */
void ratings_batcher_acked(ratings_batcher_t *turns, int64_t now);

/* When those that wait may be taken, if nothing changes before: a time that has passed, or one to
 * come; INT64_MAX while nobody waits, or while others are under way. */
int64_t ratings_batcher_flush_at(const ratings_batcher_t *turns);

/* Those that wait, in the order in which they came, under way from now on; NULL: nobody. */
ratings_batcher_item_t *ratings_batcher_drain(ratings_batcher_t *turns);

#endif
