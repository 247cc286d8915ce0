#include "deadline.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#define US_PER_MS 1000
#define POLL_MS_MAX 60000

ratings_deadline_t ratings_deadline_make(int64_t expires_at, int64_t timeout, int cancel_fd)
{
    int64_t own = ratings_monotonic() + timeout;
    return (ratings_deadline_t){expires_at < own ? expires_at : own, cancel_fd};
}

int ratings_deadline_ms_left(const ratings_deadline_t *deadline)
{
    int64_t left = deadline->expires_at - ratings_monotonic();
    if (left <= 0)
        return 0;
    left = (left + US_PER_MS - 1) / US_PER_MS;
    return left > POLL_MS_MAX ? POLL_MS_MAX : (int)left;
}

apr_status_t ratings_deadline_check(const ratings_deadline_t *deadline, const char *late,
                                    ratings_result_t *why)
{
    return deadline->expires_at > ratings_monotonic()
               ? APR_SUCCESS
               : ratings_result_set(why, RATINGS_NOT_ASKED, "%s", late);
}

bool ratings_deadline_is_cancelled(const ratings_deadline_t *deadline)
{
    struct pollfd cancel = {deadline->cancel_fd, POLLIN, 0};
    return poll(&cancel, 1, 0) == 1;
}

apr_status_t ratings_deadline_cancelled(ratings_result_t *why)
{
    return ratings_result_set(why, RATINGS_NOT_ASKED, "cancelled, as the service stops");
}

apr_status_t ratings_deadline_poll(int fd, short events, const ratings_deadline_t *deadline,
                                   const char *late, ratings_result_t *why)
{
    for (int ms; (ms = ratings_deadline_ms_left(deadline)) > 0;) {
        struct pollfd fds[] = {{fd, events, 0}, {deadline->cancel_fd, POLLIN, 0}};
        int ready = poll(fds, 2, ms);
        if (ready < 0 && errno != EINTR)
            return ratings_result_set(why, RATINGS_NOT_ASKED, "poll failed: %s", strerror(errno));
        if (ready > 0)
            return fds[1].revents ? ratings_deadline_cancelled(why) : APR_SUCCESS;
    }
    return ratings_result_set(why, APR_TIMEUP, "%s", late);
}
