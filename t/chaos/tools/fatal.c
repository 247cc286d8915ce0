/* Preloaded into httpd: when the file that RATINGS_TEST_FATAL names appears, the next event that is
 * appended, in whichever child, ends its producer with a fatal error, as brokers bring about by
 * losing its sequence; the file is removed. Everything else goes its usual way.
 *
 * What rd_kafka_producev was given goes on as a list: a function of variable arguments cannot hand
 * them to another. */
#include <librdkafka/rdkafka.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define ARGUMENTS_MAX 16

/* The next argument of its kind; false at the end, and where the kind is not known. */
static bool take(rd_kafka_vu_t *argument, va_list *rest)
{
    argument->vtype = va_arg(*rest, rd_kafka_vtype_t);
    switch (argument->vtype) {
    case RD_KAFKA_VTYPE_TOPIC:
    case RD_KAFKA_VTYPE_RKT:
    case RD_KAFKA_VTYPE_OPAQUE:
    case RD_KAFKA_VTYPE_HEADERS:
        argument->u.ptr = va_arg(*rest, void *);
        return true;
    case RD_KAFKA_VTYPE_PARTITION:
    case RD_KAFKA_VTYPE_MSGFLAGS:
        argument->u.i = va_arg(*rest, int);
        return true;
    case RD_KAFKA_VTYPE_TIMESTAMP:
        argument->u.i64 = va_arg(*rest, int64_t);
        return true;
    case RD_KAFKA_VTYPE_VALUE:
    case RD_KAFKA_VTYPE_KEY:
        argument->u.mem.ptr = va_arg(*rest, void *);
        argument->u.mem.size = va_arg(*rest, size_t);
        return true;
    case RD_KAFKA_VTYPE_HEADER:
        argument->u.header.name = va_arg(*rest, const char *);
        argument->u.header.val = va_arg(*rest, const void *);
        argument->u.header.size = va_arg(*rest, ssize_t);
        return true;
    default:
        return false;
    }
}

/* Several children look: one of them removes the file. */
static bool is_due(void)
{
    const char *file = getenv("RATINGS_TEST_FATAL");
    return file && unlink(file) == 0;
}

/* The event is queued first, so that it is one of those whose fate the producer leaves open. */
__attribute__((visibility("default"))) rd_kafka_resp_err_t rd_kafka_producev(rd_kafka_t *handle,
                                                                             ...)
{
    rd_kafka_vu_t arguments[ARGUMENTS_MAX];
    size_t count = 0;
    va_list rest;
    va_start(rest, handle);
    while (count < ARGUMENTS_MAX && take(&arguments[count], &rest))
        count++;
    bool whole = count < ARGUMENTS_MAX && arguments[count].vtype == RD_KAFKA_VTYPE_END;
    va_end(rest);
    if (!whole)
        abort();
    bool due = is_due();
    rd_kafka_error_t *error = rd_kafka_produceva(handle, arguments, count);
    rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    if (error)
        rd_kafka_error_destroy(error);
    if (due)
        (void)rd_kafka_test_fatal_error(handle, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                                        "brought about by a test");
    return code;
}
