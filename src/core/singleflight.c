#include "singleflight.h"

#include "clock.h"

#include <string.h>

/* One who waits for the call that another makes. */
struct ratings_singleflight_waiter_t {
    pthread_cond_t landed;
    bool has_landed;
    ratings_singleflight_result_t landing;
    LIST_ENTRY(ratings_singleflight_waiter_t) link;
};

void ratings_singleflight_init(ratings_singleflight_t *flights)
{
    *flights = (ratings_singleflight_t){0};
    pthread_mutex_init(&flights->lock, NULL);
}

void ratings_singleflight_destroy(ratings_singleflight_t *flights)
{
    pthread_mutex_destroy(&flights->lock);
}

/* ---- with the lock held ---- */

static ratings_singleflight_call_t *find(const ratings_singleflight_t *flights,
                                         const ratings_histogram_t *histogram)
{
    ratings_singleflight_call_t *flight;

    LIST_FOREACH(flight, &flights->flights, link) {
        if (memcmp(flight->histogram, histogram, sizeof *histogram) == 0)
            return flight;
    }
    return NULL;
}

/* One who waits no longer gets off: the call goes on without him. */
static void travel(ratings_singleflight_t *flights, ratings_singleflight_call_t *flight,
                   int64_t deadline, ratings_singleflight_result_t *landing)
{
    ratings_singleflight_waiter_t self = {.has_landed = false};
    bool in_time = true;

    pthread_cond_init(&self.landed, NULL);
    LIST_INSERT_HEAD(&flight->passengers, &self, link);
    while (!self.has_landed && in_time)
        in_time = ratings_wait_until(&self.landed, &flights->lock, deadline);
    if (!self.has_landed)
        LIST_REMOVE(&self, link);
    *landing = self.landing;
    pthread_cond_destroy(&self.landed);
}

/* ---- use ---- */

bool ratings_singleflight_begin(ratings_singleflight_t *flights,
                                ratings_singleflight_call_t *flight,
                                const ratings_histogram_t *histogram, int64_t deadline,
                                ratings_singleflight_result_t *landing)
{
    pthread_mutex_lock(&flights->lock);
    ratings_singleflight_call_t *other = find(flights, histogram);

    if (other) {
        travel(flights, other, deadline, landing);
    } else {
        *flight = (ratings_singleflight_call_t){.histogram = histogram};
        LIST_INSERT_HEAD(&flights->flights, flight, link);
    }
    pthread_mutex_unlock(&flights->lock);
    return !other;
}

void ratings_singleflight_finish(ratings_singleflight_t *flights,
                                 ratings_singleflight_call_t *flight,
                                 const ratings_singleflight_result_t *landing)
{
    ratings_singleflight_waiter_t *passenger;

    pthread_mutex_lock(&flights->lock);
    LIST_REMOVE(flight, link);
    LIST_FOREACH(passenger, &flight->passengers, link) {
        passenger->landing = *landing;
        passenger->has_landed = true;
        pthread_cond_signal(&passenger->landed);
    }
    pthread_mutex_unlock(&flights->lock);
}
