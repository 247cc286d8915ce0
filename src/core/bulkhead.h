/* How many threads may wait for one thing at a time, so that what does not answer leaves threads
 * for all else. What answers promptly is never refused: those too many then wait, briefly, for
 * others to come out. Thread-safe; the lock is held for a few instructions only. Times are
 * microseconds of CLOCK_MONOTONIC. */
#ifndef RATINGS_CORE_BULKHEAD_H
#define RATINGS_CORE_BULKHEAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define RATINGS_BULKHEAD_PROMPT_US INT64_C(250000) /* what takes no longer is prompt */

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t left;
    unsigned max, inside;
    int64_t prompt_at; /* when one came out promptly last, or went in while it was empty */
    int64_t got_at;    /* the same of one that got what it waited for, however late */
} ratings_bulkhead_t;

/* `max` >= 1. */
void ratings_bulkhead_init(ratings_bulkhead_t *gate, unsigned max);
void ratings_bulkhead_destroy(ratings_bulkhead_t *gate);

/* True: the caller is inside, and leaves after. With `max` inside it waits until one comes out, but
 * no longer than one is waited for in vain (none came out promptly for as long as the patience) or
 * until `deadline`; then false. */
bool ratings_bulkhead_acquire(ratings_bulkhead_t *gate, int64_t now, int64_t deadline);

/* Never waits: false if `max` are inside and none came out promptly of late. `*until`: who is let
 * in by that hope is one too many, and has to be out again by then; INT64_MAX for all others. */
bool ratings_bulkhead_try_acquire(ratings_bulkhead_t *gate, int64_t now, int64_t *until);

/* By one that went in at `since`; `got`: it has got what it waited for, promptly if that took no
 * longer than the patience. Returns for how long nobody has got it: since the last one that did,
 * or since one went in while the gate was empty. */
int64_t ratings_bulkhead_release(ratings_bulkhead_t *gate, int64_t since, int64_t now, bool got);

#endif
