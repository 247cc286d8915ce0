#include "deadline.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#define US_PER_S 1000000
#define MS_PER_WAIT 60000

static struct timespec timespec_of(int64_t us)
{
    struct timespec at = {us / US_PER_S, (us % US_PER_S) * 1000};
    return at;
}

int64_t ratings_monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

ratings_deadline_t ratings_deadline(int64_t deadline, int64_t timeout, int stop)
{
    int64_t own = ratings_monotonic() + timeout;
    ratings_deadline_t limit = {deadline < own ? deadline : own, stop};
    return limit;
}

int ratings_ms_left(const ratings_deadline_t *limit)
{
    int64_t left = limit->deadline - ratings_monotonic();
    if (left <= 0)
        return 0;
    left = (left + 999) / 1000;
    return left > MS_PER_WAIT ? MS_PER_WAIT : (int)left;
}

apr_status_t ratings_deadline_check(const ratings_deadline_t *limit, const char *late,
                                    ratings_result_t *why)
{
    return limit->deadline > ratings_monotonic()
               ? APR_SUCCESS
               : ratings_result_set(why, RATINGS_NOT_ASKED, "%s", late);
}

bool ratings_is_stopped(const ratings_deadline_t *limit)
{
    struct pollfd stop = {limit->stop, POLLIN, 0};
    return poll(&stop, 1, 0) == 1;
}

apr_status_t ratings_stopped(ratings_result_t *why)
{
    return ratings_result_set(why, RATINGS_NOT_ASKED, "ended, as the service stops");
}

apr_status_t ratings_await(int fd, short events, const ratings_deadline_t *limit, const char *late,
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

bool ratings_lock_within(pthread_mutex_t *lock, int64_t limit)
{
    struct timespec at = timespec_of(ratings_monotonic() + limit);
    return pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, &at) == 0;
}

bool ratings_join_within(pthread_t thread, int64_t limit)
{
    struct timespec at = timespec_of(ratings_monotonic() + limit);
    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &at) == 0;
}

bool ratings_sem_wait_within(sem_t *semaphore, int64_t limit)
{
    struct timespec at = timespec_of(ratings_monotonic() + limit);
    int error;
    do
        error = sem_clockwait(semaphore, CLOCK_MONOTONIC, &at) == 0 ? 0 : errno;
    while (error == EINTR);
    return error == 0;
}
