#include "deadline.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define MS_PER_WAIT 60000

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
