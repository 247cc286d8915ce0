/* Only what hiredis 0.14 and 1.x both have is used. */
#include "store_wire.h"

#include "store.h"

#include <apr_strings.h>

#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool store_wire_init(store_wire_t *wire, store_channel_t channel)
{
    *wire = (store_wire_t){.context = redisConnectFd(channel.fd), .tls = channel.tls};
    if (wire->context)
        wire->context->flags &= ~REDIS_BLOCK; /* "try again" is no error */
    return wire->context != NULL;
}

void store_wire_destroy(store_wire_t *wire)
{
    ratings_tls_free(wire->tls);
    redisFree(wire->context);
    free(wire->out);
}

/* ---- by TLS ---- */

static int wire_lacks_memory(store_wire_t *wire)
{
    wire->context->err = REDIS_ERR_OOM;
    (void)apr_cpystrn(wire->context->errstr, "Out of memory", sizeof wire->context->errstr);
    return REDIS_ERR;
}

static int append_by_tls(store_wire_t *wire, int argc, const char **argv, const size_t *argvlen)
{
    char *command = NULL;
    int64_t length = redisFormatCommandArgv(&command, argc, argv, argvlen);
    char *out = length < 0 ? NULL : realloc(wire->out, wire->length + (size_t)length);
    if (out) {
        memcpy(out + wire->length, command, (size_t)length);
        wire->out = out;
        wire->length += (size_t)length;
    }
    if (length >= 0)
        redisFreeCommand(command);
    return out ? REDIS_OK : wire_lacks_memory(wire);
}

static int end_of_step(store_wire_t *wire, ratings_tls_e step, const ratings_tls_failure_t *failure,
                       short *events)
{
    redisContext *context = wire->context;
    *events = step == RATINGS_TLS_WANTS_WRITE ? POLLOUT : POLLIN;
    if (step != RATINGS_TLS_CLOSED && step != RATINGS_TLS_FAILED)
        return REDIS_OK;
    if (failure->cause != RATINGS_TLS_OTHER)
        wire->fault = store_channel_fault(failure);
    context->err = step == RATINGS_TLS_CLOSED ? REDIS_ERR_EOF : REDIS_ERR_IO;
    (void)apr_cpystrn(context->errstr, failure->text, sizeof context->errstr);
    return REDIS_ERR;
}

static int write_by_tls(store_wire_t *wire, int *done, short *events)
{
    while (wire->sent < wire->length) {
        ratings_tls_failure_t failure;
        size_t count;
        ratings_tls_e step = ratings_tls_write(wire->tls, wire->out + wire->sent,
                                               wire->length - wire->sent, &count, &failure);
        wire->sent += count;
        if (step != RATINGS_TLS_DONE)
            return end_of_step(wire, step, &failure, events);
    }
    free(wire->out);
    wire->out = NULL;
    wire->length = wire->sent = 0;
    *done = 1;
    return REDIS_OK;
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
               : wire_lacks_memory(wire);
}

/* ---- by either ---- */

int store_wire_append(store_wire_t *wire, int argc, const char **argv, const size_t *argvlen)
{
    return wire->tls ? append_by_tls(wire, argc, argv, argvlen)
                     : redisAppendCommandArgv(wire->context, argc, argv, argvlen);
}

int store_wire_write(store_wire_t *wire, int *done, short *events)
{
    *events = POLLOUT;
    return wire->tls ? write_by_tls(wire, done, events) : redisBufferWrite(wire->context, done);
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
