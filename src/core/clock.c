#include "clock.h"

#include <errno.h>
#include <time.h>

#define US_PER_S 1000000

static struct timespec timespec_of(int64_t us)
{
    struct timespec at = {us / US_PER_S, (us % US_PER_S) * 1000};
    return at;
}

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

int64_t ratings_monotonic(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t ratings_wall_clock(void)
{
    return clock_us(CLOCK_REALTIME);
}

void ratings_lock_init(pthread_mutex_t *lock, pthread_cond_t *changed)
{
    pthread_mutex_init(lock, NULL);
    pthread_cond_init(changed, NULL);
}

void ratings_lock_destroy(pthread_mutex_t *lock, pthread_cond_t *changed)
{
    pthread_cond_destroy(changed);
    pthread_mutex_destroy(lock);
}

bool ratings_wait_until(pthread_cond_t *changed, pthread_mutex_t *lock, int64_t deadline)
{
    struct timespec at = timespec_of(deadline);
    return pthread_cond_clockwait(changed, lock, CLOCK_MONOTONIC, &at) != ETIMEDOUT;
}

/* ---- what POSIX has with a clock, each 0 in time ---- */

#ifndef __SANITIZE_THREAD__

static int lock_until(pthread_mutex_t *lock, int64_t deadline)
{
    struct timespec at = timespec_of(deadline);
    return pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &at);
}

static int join_until(pthread_t thread, int64_t deadline)
{
    struct timespec at = timespec_of(deadline);
    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &at);
}

static int decrement_until(sem_t *semaphore, int64_t deadline)
{
    struct timespec at = timespec_of(deadline);
    int error;
    do
        error = sem_clockwait(semaphore, CLOCK_MONOTONIC, &at) == 0 ? 0 : errno;
    while (error == EINTR);
    return error;
}

#else /* ThreadSanitizer (of gcc 12) does not know these, and would report what they order as      \
       * races: their try functions, which it knows, once a millisecond */

static bool may_try_again(int64_t deadline)
{
    static const struct timespec pause = {0, 1000000};
    (void)nanosleep(&pause, NULL);
    return ratings_monotonic() < deadline;
}

static int lock_until(pthread_mutex_t *lock, int64_t deadline)
{
    int error;
    do
        error = pthread_mutex_trylock(lock);
    while (error == EBUSY && may_try_again(deadline));
    return error;
}

static int join_until(pthread_t thread, int64_t deadline)
{
    int error;
    do
        error = pthread_tryjoin_np(thread, NULL);
    while (error == EBUSY && may_try_again(deadline));
    return error;
}

static int decrement_until(sem_t *semaphore, int64_t deadline)
{
    int error;
    do
        error = sem_trywait(semaphore) == 0 ? 0 : errno;
    while (error != 0 && may_try_again(deadline));
    return error;
}

#endif

bool ratings_lock_within(pthread_mutex_t *lock, int64_t timeout)
{
    return lock_until(lock, ratings_monotonic() + timeout) == 0;
}

bool ratings_join_within(pthread_t thread, int64_t timeout)
{
    return join_until(thread, ratings_monotonic() + timeout) == 0;
}

bool ratings_sem_wait_within(sem_t *semaphore, int64_t timeout)
{
    return decrement_until(semaphore, ratings_monotonic() + timeout) == 0;
}
