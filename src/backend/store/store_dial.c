#include "store_dial.h"

#include <apr_strings.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Of this process or this host, before anything was sent. EADDRNOTAVAIL means that this host has no
 * free port; with IPv6 it may also have no address, and then the store cannot be reached. */
static bool is_shortage_of_this_host(int error, int family)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
           (error == EADDRNOTAVAIL && family == AF_INET);
}

static apr_status_t unreachable(int error, int family, ratings_result_t *why)
{
    bool is_ours = is_shortage_of_this_host(error, family);
    return ratings_result_set(why, is_ours ? RATINGS_NOT_ASKED : APR_ECONNREFUSED, "connecting: %s",
                              strerror(error));
}

/* ---- to a host ---- */

/* Small writes go at once, and a peer that has gone without a word is noticed. */
static void set_tcp_options(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {{IPPROTO_TCP, TCP_NODELAY, 1},
                   {SOL_SOCKET, SO_KEEPALIVE, 1},
                   {IPPROTO_TCP, TCP_KEEPIDLE, 15},
                   {IPPROTO_TCP, TCP_KEEPINTVL, 5},
                   {IPPROTO_TCP, TCP_KEEPCNT, 3}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof options[i].value);
}

static apr_status_t end_of_connect(int fd, int family, const ratings_deadline_t *deadline,
                                   ratings_result_t *why)
{
    int error = 0;
    socklen_t len = sizeof error;
    apr_status_t status = ratings_deadline_poll(fd, POLLOUT, deadline, "timed out connecting", why);
    if (status != APR_SUCCESS)
        return status;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    return error ? unreachable(error, family, why) : APR_SUCCESS;
}

static apr_status_t connect_to_one(const struct addrinfo *address,
                                   const ratings_deadline_t *deadline, int *fd,
                                   ratings_result_t *why)
{
    int family = address->ai_family;
    apr_status_t status = APR_SUCCESS;
    *fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return unreachable(errno, family, why);
    set_tcp_options(*fd);
    if (connect(*fd, address->ai_addr, address->ai_addrlen) != 0)
        status = errno == EINPROGRESS ? end_of_connect(*fd, family, deadline, why)
                                      : unreachable(errno, family, why);
    if (status != APR_SUCCESS)
        (void)close(*fd);
    return status;
}

/* Each address may take its share of the time: one that swallows what it is sent must not keep the
 * others from being tried. */
static ratings_deadline_t share_of(const ratings_deadline_t *deadline,
                                   const struct addrinfo *addresses)
{
    int count = 0;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next)
        count++;
    int64_t left = deadline->expires_at - ratings_monotonic();
    return ratings_deadline_make(deadline->expires_at, left / count, deadline->cancel_fd);
}

/* `why` names the last address that was asked, or the first one if this host could ask none. */
static apr_status_t connect_to_any(const struct addrinfo *addresses,
                                   const ratings_deadline_t *deadline, int *fd,
                                   ratings_result_t *why)
{
    ratings_result_t one;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
        ratings_deadline_t part = share_of(deadline, a);
        apr_status_t status = connect_to_one(a, &part, fd, &one);
        if (status == APR_SUCCESS)
            return ratings_result_ok(why);
        if (ratings_deadline_is_cancelled(deadline))
            return ratings_deadline_cancelled(why);
        if (a == addresses || status != RATINGS_NOT_ASKED)
            *why = one;
    }
    return why->status;
}

apr_status_t store_dial(ratings_resolver_t *host, const ratings_deadline_t *deadline, int *fd,
                        ratings_result_t *why)
{
    ratings_resolution_t *lookup;
    if (ratings_resolver_resolve(host, deadline, &lookup, why) != APR_SUCCESS)
        return why->status;
    apr_status_t status = connect_to_any(ratings_resolution_addresses(lookup), deadline, fd, why);
    ratings_resolution_unref(lookup);
    return status;
}

/* ---- to a Unix socket ---- */

#define FULL_BACKLOG_RETRY_US 5000

/* Of a Unix socket whose backlog is full, connect says so at once, and poll never says that there
 * is room. */
static apr_status_t wait_for_backlog(const ratings_deadline_t *deadline, ratings_result_t *why)
{
    ratings_deadline_t moment =
        ratings_deadline_make(deadline->expires_at, FULL_BACKLOG_RETRY_US, deadline->cancel_fd);
    apr_status_t status = ratings_deadline_poll(-1, 0, &moment, "timed out connecting", why);
    return status == APR_TIMEUP && ratings_monotonic() < deadline->expires_at ? APR_SUCCESS
                                                                              : status;
}

apr_status_t store_dial_socket(const char *path, const ratings_deadline_t *deadline, int *fd,
                               ratings_result_t *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    apr_status_t status = APR_SUCCESS;
    (void)apr_cpystrn(address.sun_path, path, sizeof address.sun_path);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return unreachable(errno, AF_UNIX, why);
    while (status == APR_SUCCESS &&
           connect(*fd, (const struct sockaddr *)&address, sizeof address) != 0)
        status =
            errno == EAGAIN ? wait_for_backlog(deadline, why) : unreachable(errno, AF_UNIX, why);
    if (status != APR_SUCCESS)
        (void)close(*fd);
    return status == APR_SUCCESS ? ratings_result_ok(why) : status;
}
