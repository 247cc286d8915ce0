/* A bulkhead: bounds how many threads of a child wait for one backend at a time, so that a backend
 * that does not answer leaves threads for the requests that do not need it (Nygard, "Release It!").
 *
 * The bound alone would also refuse requests of a busy hour while the backend is healthy. So a
 * caller beyond the bound waits for another one to release, as long as calls are prompt: one has
 * succeeded within RATINGS_BULKHEAD_PROMPT_US of its begin, no longer ago than that. Once they are
 * not, it is refused at once.
 *
 * Not a semaphore: how long a caller may wait changes with each release. Not apr_thread_cond: its
 * timed wait goes by the wall clock (core/clock.h), and core is plain C. Not a pool's own bound
 * (apr_reslist): a request has to be refused before it has a place there, and some of what is
 * bounded here has no pool (waiting for visibility).
 *
 * Ownership: part of its owner's struct; nothing is allocated, no function fails. Threads: any; the
 * lock is held for a few instructions, and during a wait by nobody. Times are microseconds of
 * ratings_monotonic. */
#ifndef RATINGS_CORE_BULKHEAD_H
#define RATINGS_CORE_BULKHEAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A call that takes no longer is prompt. */
#define RATINGS_BULKHEAD_PROMPT_US INT64_C(250000)

/* The members are the bulkhead's; `max` may be read, and `usage` be set after init. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t released;
    unsigned max;
    unsigned in_use;         /* acquired and not released; more than `max` by try_acquire alone */
    _Atomic uint32_t *usage; /* `in_use` again, for whoever watches, and outlives the bulkhead;
                              * NULL: nobody does */
    int64_t prompt_at;       /* of the last prompt success, or of an acquire with nothing in use */
    int64_t succeeded_at;    /* the same of the last success, however late */
} ratings_bulkhead_t;

/* `max` >= 1. */
void ratings_bulkhead_init(ratings_bulkhead_t *bulkhead, unsigned max);

/* No thread may wait any more. */
void ratings_bulkhead_destroy(ratings_bulkhead_t *bulkhead);

/* True: the caller makes its call, and releases. With `max` in use it waits for a release while
 * calls are prompt, and until `deadline` at the latest; then false. */
bool ratings_bulkhead_acquire(ratings_bulkhead_t *bulkhead, int64_t now, int64_t deadline);

/* The same without a wait, for callers that must not block: with `max` in use it overbooks while
 * calls are prompt. `*until`: when an overbooked caller must have released again; INT64_MAX for one
 * within the bound. */
bool ratings_bulkhead_try_acquire(ratings_bulkhead_t *bulkhead, int64_t now, int64_t *until);

/* By a caller that acquired, or began its call, at `since`. `succeeded`: it got what it called for.
 * Returns for how long no caller has succeeded: since the last success, or since an acquire with
 * nothing in use. */
int64_t ratings_bulkhead_release(ratings_bulkhead_t *bulkhead, int64_t since, int64_t now,
                                 bool succeeded);

#endif
