/* Only what hiredis 0.14 and 1.x both have is used. */
#include "store_wire.h"

#include "store.h"

#include <apr_strings.h>

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool store_wire_init(store_wire_t *wire, store_channel_t channel)
{
    *wire = (store_wire_t){.context = redisConnectFd(channel.fd), .tls = channel.tls};
    if (wire->context)
        wire->context->flags &= ~REDIS_BLOCK; /* "try again" is no error */
    return wire->context != NULL;
}

static int fail_wire(store_wire_t *wire, int error, const char *text)
{
    wire->context->err = error;
    (void)apr_cpystrn(wire->context->errstr, text, sizeof wire->context->errstr);
    return REDIS_ERR;
}

/* ---- what is to be sent ---- */

#define ECHO_ROOM 64 /* bytes of the command that ends an exchange (store_link.h) */

static void forget_out(store_wire_t *wire)
{
    if (wire->out)
        explicit_bzero(wire->out, wire->length);
    free(wire->out);
    wire->out = NULL;
    wire->room = wire->length = wire->sent = 0;
}

/* For so many bytes more. Not by realloc(), which would leave a copy behind. */
static bool reserve_out(store_wire_t *wire, size_t more)
{
    store_wire_t larger = *wire;
    if (wire->length + more <= wire->room)
        return true;
    larger.room = wire->length + more + ECHO_ROOM;
    if (larger.room <
        2 * wire->room) /* so that many small commands are not copied again for each */
        larger.room = 2 * wire->room;
    larger.out = malloc(larger.room);
    if (!larger.out)
        return false;
    if (wire->out)
        memcpy(larger.out, wire->out, wire->length);
    forget_out(wire);
    *wire = larger;
    return true;
}

int store_wire_append(store_wire_t *wire, int argc, const char **argv, const size_t *argvlen)
{
    char *command = NULL;
    int64_t length = redisFormatCommandArgv(&command, argc, argv, argvlen);
    bool is_good = length >= 0 && reserve_out(wire, (size_t)length);
    if (is_good) {
        memcpy(wire->out + wire->length, command, (size_t)length);
        wire->length += (size_t)length;
    }
    if (length >= 0) {
        explicit_bzero(command, (size_t)length);
        redisFreeCommand(command);
    }
    return is_good ? REDIS_OK : fail_wire(wire, REDIS_ERR_OOM, "Out of memory");
}

/* ---- by TLS ---- */

static int end_of_step(store_wire_t *wire, ratings_tls_e step, const ratings_tls_failure_t *failure,
                       short *events)
{
    *events = step == RATINGS_TLS_WANTS_WRITE ? POLLOUT : POLLIN;
    if (step != RATINGS_TLS_CLOSED && step != RATINGS_TLS_FAILED)
        return REDIS_OK;
    if (failure->cause != RATINGS_TLS_OTHER)
        wire->fault = store_channel_fault(failure);
    return fail_wire(wire, step == RATINGS_TLS_CLOSED ? REDIS_ERR_EOF : REDIS_ERR_IO,
                     failure->text);
}

/* Sends some. False: it took nothing, and what store_wire_write returns. */
static bool send_by_tls(store_wire_t *wire, int *result, short *events)
{
    ratings_tls_failure_t failure;
    size_t count;
    ratings_tls_e step = ratings_tls_write(wire->tls, wire->out + wire->sent,
                                           wire->length - wire->sent, &count, &failure);
    wire->sent += count;
    if (step != RATINGS_TLS_DONE)
        *result = end_of_step(wire, step, &failure, events);
    return step == RATINGS_TLS_DONE;
}

#define TLS_RECORD_MAX (16 * 1024)

static int read_by_tls(store_wire_t *wire, short *events)
{
    char bytes[TLS_RECORD_MAX];
    ratings_tls_failure_t failure;
    size_t count;
    ratings_tls_e step = ratings_tls_read(wire->tls, bytes, sizeof bytes, &count, &failure);
    if (step != RATINGS_TLS_DONE)
        return end_of_step(wire, step, &failure, events);
    return redisReaderFeed(wire->context->reader, bytes, count) == REDIS_OK
               ? REDIS_OK
               : fail_wire(wire, REDIS_ERR_OOM, "Out of memory");
}

/* ---- without ---- */

/* As send_by_tls. */
static bool send_plainly(store_wire_t *wire, int *result, short *events)
{
    ssize_t count =
        send(wire->context->fd, wire->out + wire->sent, wire->length - wire->sent, MSG_NOSIGNAL);
    if (count >= 0) {
        wire->sent += (size_t)count;
        return true;
    }
    *events = POLLOUT;
    if (errno != EAGAIN && errno != EINTR)
        *result = fail_wire(wire, REDIS_ERR_IO, strerror(errno));
    return false;
}

/* ---- by either ---- */

void store_wire_destroy(store_wire_t *wire)
{
    ratings_tls_free(wire->tls);
    redisFree(wire->context);
    forget_out(wire);
}

int store_wire_write(store_wire_t *wire, int *done, short *events)
{
    int result = REDIS_OK;
    bool goes_on = true;
    while (goes_on && wire->sent < wire->length)
        goes_on =
            wire->tls ? send_by_tls(wire, &result, events) : send_plainly(wire, &result, events);
    *done = goes_on;
    if (goes_on)
        forget_out(wire);
    return result;
}

int store_wire_read(store_wire_t *wire, short *events)
{
    *events = POLLIN;
    return wire->tls ? read_by_tls(wire, events) : redisBufferRead(wire->context);
}

bool store_wire_has_pending(const store_wire_t *wire)
{
    return wire->tls && ratings_tls_has_pending(wire->tls);
}
