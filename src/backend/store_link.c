/* hiredis writes, reads and parses; connecting and all waiting is done here, since its own
 * deadlines are for each wait alone, and none can be interrupted. Only what hiredis 0.14 and 1.x
 * both have is used. */
#include "store_link.h"

#include "store_refusal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LATE_CONNECT "timed out connecting"
#define LATE_ANSWER "timed out waiting for an answer"

/* ---- connecting ---- */

/* Of this process or this host, before anything was sent. */
static bool is_of_this_host(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
           error == EADDRNOTAVAIL;
}

static apr_status_t unreachable(int error, ratings_result_t *why)
{
    return ratings_result_set(why, is_of_this_host(error) ? RATINGS_NOT_ASKED : APR_ECONNREFUSED,
                              "connecting: %s", strerror(error));
}

static apr_status_t end_of_connect(int fd, const ratings_limit_t *limit, ratings_result_t *why)
{
    int error = 0;
    socklen_t len = sizeof error;
    apr_status_t status = ratings_await(fd, POLLOUT, limit, LATE_CONNECT, why);
    if (status != APR_SUCCESS)
        return status;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    return error ? unreachable(error, why) : APR_SUCCESS;
}

static apr_status_t connect_to(const struct addrinfo *address, const ratings_limit_t *limit,
                               int *fd, ratings_result_t *why)
{
    int one = 1;
    apr_status_t status = APR_SUCCESS;
    *fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return unreachable(errno, why);
    (void)setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(*fd, address->ai_addr, address->ai_addrlen) != 0)
        status = errno == EINPROGRESS ? end_of_connect(*fd, limit, why) : unreachable(errno, why);
    if (status != APR_SUCCESS)
        (void)close(*fd);
    return status;
}

/* Each address may take its share of the time: one that swallows what it is sent must not keep the
 * others from being tried. */
static ratings_limit_t share(const ratings_limit_t *limit, const struct addrinfo *addresses)
{
    int count = 0;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next)
        count++;
    int64_t left = limit->deadline - ratings_monotonic();
    return ratings_limit(limit->deadline, left / count, limit->stop);
}

/* The reason of the last one is told. */
static apr_status_t connect_to_any(const struct addrinfo *addresses, const ratings_limit_t *limit,
                                   int *fd, ratings_result_t *why)
{
    apr_status_t status = APR_ECONNREFUSED;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
        ratings_limit_t part = share(limit, a);
        status = connect_to(a, &part, fd, why);
        if (status != APR_ECONNREFUSED && status != APR_TIMEUP)
            break; /* done, or interrupted */
    }
    return status;
}

/* A context over the socket, which is its own from then on. */
static redisContext *wrap(int fd, ratings_result_t *why)
{
    redisContext *context = redisConnectFd(fd);
    if (!context) {
        (void)close(fd);
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
        return NULL;
    }
    context->flags &= ~REDIS_BLOCK; /* "try again" is no error */
    (void)redisEnableKeepAlive(context);
    return context;
}

static redisContext *dial(ratings_host_t *host, const ratings_limit_t *limit, ratings_result_t *why)
{
    ratings_lookup_t *lookup;
    int fd;
    if (ratings_host_look_up(host, limit, &lookup, why) != APR_SUCCESS)
        return NULL;
    apr_status_t status = connect_to_any(ratings_lookup_addresses(lookup), limit, &fd, why);
    ratings_lookup_leave(lookup);
    return status == APR_SUCCESS ? wrap(fd, why) : NULL;
}

/* ---- commands and replies ---- */

static bool is_lost(const redisContext *context)
{
    return context->err == REDIS_ERR_EOF || context->err == REDIS_ERR_IO;
}

static apr_status_t broken(const redisContext *context, ratings_result_t *why)
{
    return ratings_result_set(
        why, context->err == REDIS_ERR_OOM ? RATINGS_NOT_ASKED : APR_EGENERAL, "%s: %s",
        context->err == REDIS_ERR_PROTOCOL ? "not a Redis answer" : "waiting for an answer",
        context->errstr);
}

static apr_status_t send_commands(redisContext *context, const store_command_t *commands, int count,
                                  const ratings_limit_t *limit, ratings_result_t *why)
{
    for (int i = 0; i < count; i++)
        if (redisAppendCommandArgv(context, commands[i].argc, commands[i].argv,
                                   commands[i].argvlen) != REDIS_OK)
            return broken(context, why);
    for (int done = 0;;) {
        if (redisBufferWrite(context, &done) != REDIS_OK)
            return broken(context, why);
        if (done)
            return APR_SUCCESS;
        apr_status_t status = ratings_await(context->fd, POLLOUT, limit, LATE_ANSWER, why);
        if (status != APR_SUCCESS)
            return status;
    }
}

/* `*heard`: something came. */
static apr_status_t receive(redisContext *context, const ratings_limit_t *limit, void **reply,
                            bool *heard, ratings_result_t *why)
{
    for (;;) {
        if (redisGetReplyFromReader(context, reply) != REDIS_OK)
            return broken(context, why);
        if (*reply)
            return APR_SUCCESS;
        apr_status_t status = ratings_await(context->fd, POLLIN, limit, LATE_ANSWER, why);
        if (status != APR_SUCCESS)
            return status;
        if (redisBufferRead(context) != REDIS_OK)
            return broken(context, why);
        *heard = true;
    }
}

static void drop_replies(redisReply **replies, int count)
{
    for (int i = 0; i < count; i++) {
        freeReplyObject(replies[i]);
        replies[i] = NULL;
    }
}

apr_status_t store_link_exchange(redisContext *context, const store_command_t *commands, int count,
                                 redisReply **replies, const ratings_limit_t *limit, bool *closed,
                                 ratings_result_t *why)
{
    bool heard = false;
    int received = 0;
    apr_status_t status = send_commands(context, commands, count, limit, why);
    while (status == APR_SUCCESS && received < count) {
        void *reply = NULL;
        status = receive(context, limit, &reply, &heard, why);
        if (status == APR_SUCCESS)
            replies[received++] = reply;
    }
    *closed = !heard && is_lost(context);
    if (status == APR_SUCCESS)
        return ratings_result_ok(why);
    drop_replies(replies, received);
    return status;
}

apr_status_t store_error_reply(const redisReply *reply, ratings_result_t *why)
{
    (void)ratings_result_set(why, APR_EGENERAL, "Redis refused: %.*s", (int)reply->len, reply->str);
    why->refused = store_refused(reply->str);
    return why->status;
}

/* ---- logging in ---- */

/* The words of a refused login may hold the password (an unknown command is repeated with its
 * arguments): only the first is told. */
static apr_status_t refused(const char *command, const redisReply *reply, ratings_result_t *why)
{
    if (strcmp(command, "AUTH") != 0)
        return store_error_reply(reply, why);
    return ratings_result_set(why, APR_EGENERAL, "Redis refused the login: %.*s",
                              (int)strcspn(reply->str, " "), reply->str);
}

/* A connection that breaks here was none. */
static apr_status_t greet(redisContext *context, int argc, const char **argv,
                          const ratings_limit_t *limit, ratings_result_t *why)
{
    size_t argvlen[3];
    const store_command_t command = {argc, argv, argvlen};
    redisReply *reply;
    bool closed;
    for (int i = 0; i < argc; i++)
        argvlen[i] = strlen(argv[i]);
    apr_status_t status = store_link_exchange(context, &command, 1, &reply, limit, &closed, why);
    if (status != APR_SUCCESS)
        return is_lost(context) ? why->status = APR_ECONNREFUSED : status;
    if (reply->type == REDIS_REPLY_ERROR)
        status = refused(argv[0], reply, why);
    freeReplyObject(reply);
    return status;
}

static apr_status_t authenticate(redisContext *context, const store_login_t *login,
                                 const ratings_limit_t *limit, ratings_result_t *why)
{
    const char *with_user[] = {"AUTH", login->user, login->password};
    const char *without[] = {"AUTH", login->password};
    if (!login->password)
        return APR_SUCCESS;
    return login->user ? greet(context, 3, with_user, limit, why)
                       : greet(context, 2, without, limit, why);
}

static apr_status_t select_database(redisContext *context, const store_login_t *login,
                                    const ratings_limit_t *limit, ratings_result_t *why)
{
    char number[16];
    const char *words[] = {"SELECT", number};
    if (login->database == 0)
        return APR_SUCCESS;
    (void)snprintf(number, sizeof number, "%d", login->database);
    return greet(context, 2, words, limit, why);
}

redisContext *store_link_open(ratings_host_t *host, const store_login_t *login,
                              const ratings_limit_t *limit, ratings_result_t *why)
{
    redisContext *context = dial(host, limit, why);
    if (!context)
        return NULL;
    if (authenticate(context, login, limit, why) == APR_SUCCESS &&
        select_database(context, login, limit, why) == APR_SUCCESS)
        return context;
    redisFree(context);
    return NULL;
}
