/* The clock that all deadlines go by, CLOCK_MONOTONIC in microseconds, and waits that end by it.
 *
 * Not APR's clock and its timed waits, and not the POSIX ones without a clock in their name: they
 * go by the wall clock, and a wait that lasts an hour longer because somebody set that is a thread
 * lost (build/lint/hygiene refuses them). pthread_cond_clockwait and its like (glibc 2.30) take the
 * clock as an argument, so that no condition needs an attribute.
 *
 * Any thread. Nothing is allocated, and nothing here fails but by its time. */
#ifndef RATINGS_CORE_CLOCK_H
#define RATINGS_CORE_CLOCK_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

/* Microseconds since some moment before the machine started; the same for all its processes. */
int64_t ratings_monotonic(void);

/* The clock on the wall: microseconds since 1970, UTC. For what people set by it, such as a talk's
 * window (window.h); never for a wait. */
int64_t ratings_wall_clock(void);

/* Of two points in time. */
static inline int64_t ratings_earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A lock, and a condition that ratings_wait_until waits for. */
void ratings_lock_init(pthread_mutex_t *lock, pthread_cond_t *changed);
void ratings_lock_destroy(pthread_mutex_t *lock, pthread_cond_t *changed);

/* With the lock held: waits for the condition, until `deadline` (of ratings_monotonic) at the
 * latest. False when that has passed; true may also be a spurious wake-up. */
bool ratings_wait_until(pthread_cond_t *changed, pthread_mutex_t *lock, int64_t deadline);

/* Takes the lock, within `timeout` microseconds; false: it did not get it. For the end of a process
 * that serves one request at a time: the signal that ends it may have interrupted, on this very
 * thread, whoever holds the lock. */
bool ratings_lock_within(pthread_mutex_t *lock, int64_t timeout);

/* Joins the thread, if that ends within `timeout` microseconds; false: it is still to be joined. */
bool ratings_join_within(pthread_t thread, int64_t timeout);

/* Decrements the semaphore, within `timeout` microseconds; false: nobody posted. */
bool ratings_sem_wait_within(sem_t *semaphore, int64_t timeout);

#endif
