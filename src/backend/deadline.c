#include "deadline.h"

#include <errno.h>
#include <time.h>

#define US_PER_S 1000000

static int64_t now_by(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

static struct timespec timespec_of(int64_t us)
{
    struct timespec at = {us / US_PER_S, (us % US_PER_S) * 1000};
    return at;
}

int64_t ratings_monotonic(void)
{
    return now_by(CLOCK_MONOTONIC);
}

void ratings_lock_init(pthread_mutex_t *lock, pthread_cond_t *changed)
{
    pthread_condattr_t monotonic;
    pthread_mutex_init(lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void ratings_lock_destroy(pthread_mutex_t *lock, pthread_cond_t *changed)
{
    pthread_cond_destroy(changed);
    pthread_mutex_destroy(lock);
}

bool ratings_wait_until(pthread_cond_t *changed, pthread_mutex_t *lock, int64_t deadline)
{
    struct timespec at = timespec_of(deadline);
    return pthread_cond_timedwait(changed, lock, &at) != ETIMEDOUT;
}

/* pthread_mutex_timedlock knows the wall clock alone. */
bool ratings_lock_within(pthread_mutex_t *lock, int64_t limit)
{
    struct timespec at = timespec_of(now_by(CLOCK_REALTIME) + limit);
    return pthread_mutex_timedlock(lock, &at) == 0;
}
