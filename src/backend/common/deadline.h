/* Waiting for a descriptor with a deadline, by the clock of core/clock.h. Any thread. */
#ifndef RATINGS_COMMON_DEADLINE_H
#define RATINGS_COMMON_DEADLINE_H

#include "../../core/clock.h"
#include "result.h"

#include <stdbool.h>
#include <stdint.h>

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

#endif
