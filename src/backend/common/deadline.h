/* Waiting with a deadline, by a clock that nobody sets: CLOCK_MONOTONIC, in microseconds. Any
 * thread. */
#ifndef RATINGS_COMMON_DEADLINE_H
#define RATINGS_COMMON_DEADLINE_H

#include "result.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

int64_t ratings_monotonic(void);

/* How long a call may wait. */
typedef struct {
    int64_t deadline; /* of ratings_monotonic */
    int stop;         /* a descriptor that becomes readable when nobody may wait any longer */
} ratings_deadline_t;

/* By the earlier of `deadline` and `timeout` microseconds from now. */
ratings_deadline_t ratings_deadline(int64_t deadline, int64_t timeout, int stop);

/* For poll: rounded up, at most a minute, 0 when the deadline has passed. */
int ratings_ms_left(const ratings_deadline_t *limit);

/* Before a backend is asked: RATINGS_NOT_ASKED with `late` as its reason when the deadline has
 * passed. */
apr_status_t ratings_deadline_check(const ratings_deadline_t *limit, const char *late,
                                    ratings_result_t *why);

/* Waits until poll finds one of `events`, or an error, on `fd`. APR_TIMEUP with `late` as its
 * reason at the deadline, RATINGS_NOT_ASKED when nobody may wait any longer. */
apr_status_t ratings_await(int fd, short events, const ratings_deadline_t *limit, const char *late,
                           ratings_result_t *why);

/* Whether nobody may wait any longer. */
bool ratings_is_stopped(const ratings_deadline_t *limit);

/* What a call says that was ended by `stop`: RATINGS_NOT_ASKED. */
apr_status_t ratings_stopped(ratings_result_t *why);

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

/* Joins the thread, if it ends within `limit` microseconds; else it is still to be joined. */
bool ratings_join_within(pthread_t thread, int64_t limit);

/* Takes one of what was posted, unless that takes longer than `limit` microseconds. */
bool ratings_sem_wait_within(sem_t *semaphore, int64_t limit);

#endif
