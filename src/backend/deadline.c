#include "deadline.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define US_PER_S 1000000
#define MS_PER_WAIT 60000

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

ratings_limit_t ratings_limit(int64_t deadline, int64_t timeout, int stop)
{
    int64_t own = ratings_monotonic() + timeout;
    ratings_limit_t limit = {deadline < own ? deadline : own, stop};
    return limit;
}

int ratings_ms_left(const ratings_limit_t *limit)
{
    int64_t left = limit->deadline - ratings_monotonic();
    if (left <= 0)
        return 0;
    left = (left + 999) / 1000;
    return left > MS_PER_WAIT ? MS_PER_WAIT : (int)left;
}

apr_status_t ratings_in_time(const ratings_limit_t *limit, const char *late, ratings_result_t *why)
{
    return limit->deadline > ratings_monotonic()
               ? APR_SUCCESS
               : ratings_result_set(why, RATINGS_NOT_ASKED, "%s", late);
}

apr_status_t ratings_stopped(ratings_result_t *why)
{
    return ratings_result_set(why, RATINGS_NOT_ASKED, "ended, as the service stops");
}

apr_status_t ratings_await(int fd, short events, const ratings_limit_t *limit, const char *late,
                           ratings_result_t *why)
{
    for (int ms; (ms = ratings_ms_left(limit)) > 0;) {
        struct pollfd fds[] = {{fd, events, 0}, {limit->stop, POLLIN, 0}};
        int ready = poll(fds, 2, ms);
        if (ready < 0 && errno != EINTR)
            return ratings_result_set(why, RATINGS_NOT_ASKED, "poll failed: %s", strerror(errno));
        if (ready > 0)
            return fds[1].revents ? ratings_stopped(why) : APR_SUCCESS;
    }
    return ratings_result_set(why, APR_TIMEUP, "%s", late);
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
