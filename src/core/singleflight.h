/* One call of the statistics function for all who ask for the statistics of the same histogram at
 * the same time: the first makes it, the others wait for its result. Any thread; nothing is
 * allocated. */
#ifndef RATINGS_CORE_SINGLEFLIGHT_H
#define RATINGS_CORE_SINGLEFLIGHT_H

#include "histogram.h"

#include <pthread.h>
#include <sys/queue.h>

/* What came of a call. */
typedef struct {
    bool has_statistics;
    ratings_statistics_t statistics;
} ratings_singleflight_result_t;

typedef struct ratings_singleflight_call_t ratings_singleflight_call_t;
typedef struct ratings_singleflight_waiter_t ratings_singleflight_waiter_t;

/* A call under way; of the caller's, who makes it. */
struct ratings_singleflight_call_t {
    const ratings_histogram_t *histogram;
    LIST_HEAD(, ratings_singleflight_waiter_t) passengers;
    LIST_ENTRY(ratings_singleflight_call_t) link;
};

typedef struct {
    pthread_mutex_t lock; /* never held while a call is made */
    LIST_HEAD(, ratings_singleflight_call_t) flights;
} ratings_singleflight_t;

void ratings_singleflight_init(ratings_singleflight_t *flights);

/* No call may be under way any more. */
void ratings_singleflight_destroy(ratings_singleflight_t *flights);

/* True: the caller is to make the call, and then, whatever comes of it, to land `flight`. False:
 * another thread made it, and `*landing` is what came of that; without statistics also if nothing
 * came by `deadline` (of CLOCK_MONOTONIC, microseconds). */
bool ratings_singleflight_begin(ratings_singleflight_t *flights,
                                ratings_singleflight_call_t *flight,
                                const ratings_histogram_t *histogram, int64_t deadline,
                                ratings_singleflight_result_t *landing);

void ratings_singleflight_finish(ratings_singleflight_t *flights,
                                 ratings_singleflight_call_t *flight,
                                 const ratings_singleflight_result_t *landing);

#endif
