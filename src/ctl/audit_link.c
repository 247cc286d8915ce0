#include "audit_link.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- as hiredis reports it ---- */

static bool fail_link(audit_link_t *link, int error, const char *text)
{
    link->context->err = error;
    (void)snprintf(link->context->errstr, sizeof link->context->errstr, "%.*s",
                   (int)sizeof link->context->errstr - 1, text);
    return false;
}

static bool lacks_memory(audit_link_t *link)
{
    return fail_link(link, REDIS_ERR_OOM, "Out of memory");
}

/* ---- by TLS ---- */

/* The socket blocks: a step that wants more has waited for as long as it may. */
static bool has_ended_well(audit_link_t *link, ratings_tls_e step,
                           const ratings_tls_failure_t *failure)
{
    bool has_failed = step == RATINGS_TLS_CLOSED || step == RATINGS_TLS_FAILED;
    if (step == RATINGS_TLS_DONE)
        return true;
    (void)fail_link(link, REDIS_ERR_IO, has_failed ? failure->text : "timed out");
    errno = has_failed ? ECONNRESET : EAGAIN;
    return false;
}

static bool shake_hands(audit_link_t *link)
{
    ratings_tls_failure_t failure;
    return has_ended_well(link, ratings_tls_handshake(link->tls, &failure), &failure);
}

static bool send_by_tls(audit_link_t *link, const char *bytes, size_t length)
{
    bool is_good = true;
    for (size_t sent = 0, count; sent < length && is_good; sent += count) {
        ratings_tls_failure_t failure;
        is_good = has_ended_well(
            link, ratings_tls_write(link->tls, bytes + sent, length - sent, &count, &failure),
            &failure);
    }
    return is_good;
}

#define TLS_RECORD_MAX (16 * 1024)

static bool receive_by_tls(audit_link_t *link)
{
    char bytes[TLS_RECORD_MAX];
    ratings_tls_failure_t failure;
    size_t count;
    return has_ended_well(link, ratings_tls_read(link->tls, bytes, sizeof bytes, &count, &failure),
                          &failure) &&
           (redisReaderFeed(link->context->reader, bytes, count) == REDIS_OK || lacks_memory(link));
}

static redisReply *receive_reply_by_tls(audit_link_t *link)
{
    void *reply = NULL;
    bool is_good = true;
    while (is_good && !reply)
        is_good = redisGetReplyFromReader(link->context, &reply) == REDIS_OK &&
                  (reply || receive_by_tls(link));
    return reply;
}

/* ---- without ---- */

static bool send_plainly(audit_link_t *link, const char *bytes, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t count = send(link->context->fd, bytes + sent, length - sent, MSG_NOSIGNAL);
        int error = errno;
        if (count < 0 && error != EINTR) {
            (void)fail_link(link, REDIS_ERR_IO, strerror(error));
            errno = error;
            return false;
        }
        sent += count > 0 ? (size_t)count : 0;
    }
    return true;
}

static redisReply *receive_reply_plainly(audit_link_t *link)
{
    void *reply = NULL;
    return redisGetReply(link->context, &reply) == REDIS_OK ? reply : NULL;
}

/* ---- by either ---- */

/* hiredis would free what it has sent as it is: the password may be in it. */
static bool send_command(audit_link_t *link, int argc, const char **argv, const size_t *argvlen)
{
    char *command = NULL;
    int64_t length = redisFormatCommandArgv(&command, argc, argv, argvlen);
    if (length < 0)
        return lacks_memory(link);
    bool is_sent = link->tls ? send_by_tls(link, command, (size_t)length)
                             : send_plainly(link, command, (size_t)length);
    explicit_bzero(command, (size_t)length);
    redisFreeCommand(command);
    return is_sent;
}

static redisContext *connect_context(const audit_address_t *address)
{
    redisContext *context =
        address->socket[0]
            ? redisConnectUnixWithTimeout(address->socket, address->timeout)
            : redisConnectWithTimeout(address->host.name, address->host.port, address->timeout);
    if (context && !context->err)
        (void)redisSetTimeout(context, address->timeout);
    return context;
}

audit_link_t *audit_link_open(const audit_address_t *address)
{
    audit_link_t *link = calloc(1, sizeof *link);
    if (link)
        link->context = connect_context(address);
    bool is_connected = link && link->context && !link->context->err;
    if (is_connected && address->tls)
        link->tls = ratings_tls_over(address->tls, link->context->fd, address->host.name);
    if (!link || !link->context || (is_connected && address->tls && !link->tls)) {
        audit_link_close(link);
        return NULL;
    }
    if (link->tls)
        (void)shake_hands(link);
    return link;
}

void audit_link_close(audit_link_t *link)
{
    if (!link)
        return;
    ratings_tls_free(link->tls);
    if (link->context)
        redisFree(link->context);
    free(link);
}

redisReply *audit_link_command(audit_link_t *link, int argc, const char **argv,
                               const size_t *argvlen)
{
    if (link->context->err || !send_command(link, argc, argv, argvlen))
        return NULL;
    return link->tls ? receive_reply_by_tls(link) : receive_reply_plainly(link);
}
