/* A deadline with cancellation: what one call of a backend may wait for. It ends by the clock of
 * core/clock.h, or earlier when the owner of the backend cancels all of its calls.
 *
 * The cancellation is a descriptor (an eventfd of refobj.h), and no flag: a thread that waits for a
 * server in poll waits for it in the same poll, and no signal has to interrupt a system call of a
 * thread that is httpd's.
 *
 * Any thread. Plain data, copied freely; nothing is allocated. */
#ifndef RATINGS_COMMON_DEADLINE_H
#define RATINGS_COMMON_DEADLINE_H

#include "../../core/clock.h"
#include "result.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t expires_at; /* microseconds, of ratings_monotonic */
    int cancel_fd;      /* readable once the call is cancelled; -1: it never is. Not owned */
} ratings_deadline_t;

/* The earlier of `expires_at` (of ratings_monotonic; INT64_MAX: none) and `timeout` microseconds
 * from now. */
ratings_deadline_t ratings_deadline_make(int64_t expires_at, int64_t timeout, int cancel_fd);

/* What is left, for poll: milliseconds, rounded up, at most a minute; 0 when it has passed. */
int ratings_deadline_ms_left(const ratings_deadline_t *deadline);

/* Before a backend is asked: RATINGS_NOT_ASKED with `late` as the reason when the deadline has
 * passed, else APR_SUCCESS. It does not look at the cancellation. */
apr_status_t ratings_deadline_check(const ratings_deadline_t *deadline, const char *late,
                                    ratings_result_t *why);

/* Waits until poll finds one of `events`, or an error, on `fd`. APR_TIMEUP with `late` as the
 * reason at the deadline; RATINGS_NOT_ASKED when the call is cancelled, or poll itself fails. */
apr_status_t ratings_deadline_poll(int fd, short events, const ratings_deadline_t *deadline,
                                   const char *late, ratings_result_t *why);

/* Whether the call is cancelled. */
bool ratings_deadline_is_cancelled(const ratings_deadline_t *deadline);

/* The result of a call that was cancelled: RATINGS_NOT_ASKED. */
apr_status_t ratings_deadline_cancelled(ratings_result_t *why);

#endif
