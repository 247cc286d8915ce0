/* What an invocation carries, and what it is answered: an HTTP request that came by the function
 * URL (payload format 2.0, https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html), or
 * the bare {"ratings":{...}} of who invokes the function directly. Pure functions. */
#ifndef RATINGS_LAMBDA_PAYLOAD_H
#define RATINGS_LAMBDA_PAYLOAD_H

#include <stddef.h>

/* AWS's own limit on an invocation and on its answer: 6 MiB and a little. */
#define LAMBDA_PAYLOAD_MAX (6 * 1024 * 1024 + 100)

/* The answer, malloc()ed, owned by the caller. Of a request over HTTP it is a response with a
 * status, also when the request is wrong (405, 400 with application/problem+json); of a direct
 * invocation the statistics. NULL, with `*problem` (static, without quotes or backslashes), when
 * there is nothing to respond to or with: the event is not JSON or no request of format 2.0, or a
 * direct invocation is wrong. */
char *lambda_payload_answer(const char *event, size_t len, const char **problem);

#endif
