#include "singleflight.h"

#include "assertion.h"
#include "clock.h"

#include <string.h>

/* A thread that waits for the call of another one. Each has a condition of its own, so that a call
 * wakes the threads that wait for it alone. */
struct ratings_singleflight_waiter_t {
    pthread_cond_t finished;
    bool has_result;
    ratings_singleflight_result_t result;
    LIST_ENTRY(ratings_singleflight_waiter_t) link;
};

void ratings_singleflight_init(ratings_singleflight_t *group)
{
    LIST_INIT(&group->calls);
    pthread_mutex_init(&group->lock, NULL);
}

void ratings_singleflight_destroy(ratings_singleflight_t *group)
{
    RATINGS_ASSERT(LIST_EMPTY(&group->calls));
    pthread_mutex_destroy(&group->lock);
}

/* ---- under the lock ---- */

static ratings_singleflight_call_t *find_call(const ratings_singleflight_t *group,
                                              const ratings_histogram_t *histogram)
{
    ratings_singleflight_call_t *call;

    LIST_FOREACH(call, &group->calls, link) {
        if (memcmp(call->histogram, histogram, sizeof *histogram) == 0)
            return call;
    }
    return NULL;
}

/* A waiter whose time is over leaves the list; the call goes on without it. */
static void wait_for_result(ratings_singleflight_t *group, ratings_singleflight_call_t *call,
                            int64_t deadline, ratings_singleflight_result_t *result)
{
    ratings_singleflight_waiter_t self = {.has_result = false};
    bool in_time = true;

    pthread_cond_init(&self.finished, NULL);
    LIST_INSERT_HEAD(&call->waiters, &self, link);
    while (!self.has_result && in_time)
        in_time = ratings_wait_until(&self.finished, &group->lock, deadline);
    if (!self.has_result)
        LIST_REMOVE(&self, link);
    *result = self.result;
    pthread_cond_destroy(&self.finished);
}

/* ---- use ---- */

bool ratings_singleflight_begin(ratings_singleflight_t *group, ratings_singleflight_call_t *call,
                                const ratings_histogram_t *histogram, int64_t deadline,
                                ratings_singleflight_result_t *result)
{
    pthread_mutex_lock(&group->lock);
    ratings_singleflight_call_t *other = find_call(group, histogram);

    if (other) {
        wait_for_result(group, other, deadline, result);
    } else {
        *call = (ratings_singleflight_call_t){.histogram = histogram};
        LIST_INSERT_HEAD(&group->calls, call, link);
    }
    pthread_mutex_unlock(&group->lock);
    return !other;
}

void ratings_singleflight_finish(ratings_singleflight_t *group, ratings_singleflight_call_t *call,
                                 const ratings_singleflight_result_t *result)
{
    ratings_singleflight_waiter_t *waiter;

    pthread_mutex_lock(&group->lock);
    RATINGS_ASSERT(call->histogram);
    LIST_REMOVE(call, link);
    LIST_FOREACH(waiter, &call->waiters, link) {
        RATINGS_ASSERT(!waiter->has_result);
        waiter->result = *result;
        waiter->has_result = true;
        pthread_cond_signal(&waiter->finished);
    }
    call->histogram = NULL;
    pthread_mutex_unlock(&group->lock);
}
