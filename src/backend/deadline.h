/* Waiting with a deadline, by a clock that nobody sets: CLOCK_MONOTONIC, in microseconds. Any
 * thread. */
#ifndef RATINGS_BACKEND_DEADLINE_H
#define RATINGS_BACKEND_DEADLINE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

int64_t ratings_monotonic(void);

/* How long a call may wait. */
typedef struct {
    int64_t deadline; /* of ratings_monotonic */
    int stop;         /* a descriptor that becomes readable when nobody may wait any longer */
} ratings_limit_t;

/* A lock, and a condition that ratings_wait_until waits for. */
void ratings_lock_init(pthread_mutex_t *lock, pthread_cond_t *changed);
void ratings_lock_destroy(pthread_mutex_t *lock, pthread_cond_t *changed);

/* With the lock held: waits for the condition, no longer than until `deadline` (of
 * ratings_monotonic). False when that has passed. */
bool ratings_wait_until(pthread_cond_t *changed, pthread_mutex_t *lock, int64_t deadline);

/* Takes the lock unless that takes longer than `limit` microseconds: where one process serves one
 * request at a time, the signal that ends it may have interrupted, on this very thread, whoever
 * holds the lock. */
bool ratings_lock_within(pthread_mutex_t *lock, int64_t limit);

#endif
