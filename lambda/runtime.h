/* A client of the Lambda Runtime API
 * (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), version 2018-06-01, over one
 * libcurl handle, whose connection stays open. For one thread. What goes wrong is said on stderr,
 * which is the function's log. */
#ifndef RATINGS_LAMBDA_RUNTIME_H
#define RATINGS_LAMBDA_RUNTIME_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>

#define LAMBDA_REQUEST_ID_MAX 128

typedef struct lambda_runtime_t lambda_runtime_t;

typedef struct {
    char id[LAMBDA_REQUEST_ID_MAX + 1];
    lambda_buffer_t event;
} lambda_invocation_t;

typedef enum {
    LAMBDA_NEXT_INVOCATION, /* there is one: answer it by its id */
    LAMBDA_NEXT_TOO_LARGE,  /* there is one, with more bytes than `event` may have */
    LAMBDA_NEXT_NONE,       /* 204, as some emulators answer: ask again */
    LAMBDA_NEXT_FAILED,     /* no answer that could be used: ask again, after a pause */
    LAMBDA_NEXT_BROKEN,     /* 500: the API says that this environment cannot be used further */
} lambda_next_t;

/* `address` is that of AWS_LAMBDA_RUNTIME_API, host:port. NULL when memory ran out, or the address
 * is empty or longer than any. */
lambda_runtime_t *lambda_runtime_open(const char *address);
void lambda_runtime_close(lambda_runtime_t *runtime);

/* Waits for an invocation, for as long as it takes. `event` is emptied first. */
lambda_next_t lambda_runtime_next(lambda_runtime_t *runtime, lambda_invocation_t *invocation);

/* Sends the answer / the error (static texts without quotes or backslashes). Tried some times when
 * the API cannot be reached. False when it was not taken. */
bool lambda_runtime_respond(lambda_runtime_t *runtime, const char *id, const char *text,
                            size_t len);
bool lambda_runtime_fail(lambda_runtime_t *runtime, const char *id, const char *type,
                         const char *message);

/* Says that the function could not start; the process is expected to end. */
bool lambda_runtime_fail_init(lambda_runtime_t *runtime, const char *type, const char *message);

#endif
