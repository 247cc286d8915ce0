/* Single-flight (as of Go's golang.org/x/sync/singleflight): threads that ask for the statistics of
 * the same histogram at the same time share one call of the statistics function. The first one
 * makes it, the others wait for its result.
 *
 * Not the response cache, which has the results of before: this is for what no cache has yet, and
 * many ask for at once. Linear lists, and no hash table: calls in flight are bounded by the
 * bulkhead before them.
 *
 * Ownership: a call and its waiters are on the stacks of their threads; nothing is allocated.
 * Threads: any. No function fails. */
#ifndef RATINGS_CORE_SINGLEFLIGHT_H
#define RATINGS_CORE_SINGLEFLIGHT_H

#include "histogram.h"

#include <pthread.h>
#include <sys/queue.h>

/* What a call got. */
typedef struct {
    bool has_statistics;
    ratings_statistics_t statistics;
} ratings_singleflight_result_t;

typedef struct ratings_singleflight_waiter_t ratings_singleflight_waiter_t;

/* A call in flight. The memory is that of the thread that makes it; the members are the group's. */
typedef struct ratings_singleflight_call_t {
    const ratings_histogram_t *histogram; /* NULL: not in flight */
    LIST_HEAD(, ratings_singleflight_waiter_t) waiters;
    LIST_ENTRY(ratings_singleflight_call_t) link;
} ratings_singleflight_call_t;

/* The calls of a child. */
typedef struct {
    pthread_mutex_t lock; /* never held while a call is made */
    LIST_HEAD(, ratings_singleflight_call_t) calls;
} ratings_singleflight_t;

void ratings_singleflight_init(ratings_singleflight_t *group);

/* No call may be in flight. */
void ratings_singleflight_destroy(ratings_singleflight_t *group);

/* True: the caller makes the call, and finishes it, whatever it gets; `histogram` lives as long.
 * False: another thread made the call, and `*result` is what that one got; without statistics also
 * when `deadline` (of ratings_monotonic) came first. */
bool ratings_singleflight_begin(ratings_singleflight_t *group, ratings_singleflight_call_t *call,
                                const ratings_histogram_t *histogram, int64_t deadline,
                                ratings_singleflight_result_t *result);

/* Gives the result to all threads that wait for this call. */
void ratings_singleflight_finish(ratings_singleflight_t *group, ratings_singleflight_call_t *call,
                                 const ratings_singleflight_result_t *result);

#endif
