/* The result of a call of a backend: an apr_status_t, and beside it a line for the error log. The
 * line may name hosts and quote the client library, never a password, and never goes to a client.
 *
 * Every backend maps its library's codes to these:
 *   APR_SUCCESS       done
 *   APR_NOTFOUND      the backend is healthy, and there is no such thing
 *   APR_TIMEUP        the deadline passed while the backend was asked; what was asked may have
 *                     happened
 *   RATINGS_NOT_ASKED for a reason of this process: no connection came free, no time, memory,
 *                     thread or descriptor was left, or the call was cancelled. It says nothing of
 *                     the backend, and no circuit breaker counts it
 *   APR_ECONNREFUSED  the backend could not be reached; nothing happened
 *   APR_EAGAIN        not at this moment; it passes by itself, and is no failure of the backend
 *   APR_EINVAL        the backend answered what it must not; see detail
 *   RATINGS_REBUILD_NEEDED  of the store: it answers, and holds what this module never writes
 *   APR_INCOMPLETE    the backend answers, and cannot do a part of what is needed; see detail
 *   APR_EGENERAL      anything else that failed
 *
 * Plain data of one thread; nothing is allocated. */
#ifndef RATINGS_COMMON_RESULT_H
#define RATINGS_COMMON_RESULT_H

#include <apr_errno.h>

#define RATINGS_DETAIL_MAX 256
#define RATINGS_NOT_ASKED (APR_OS_START_USERERR + 1)
#define RATINGS_REBUILD_NEEDED (APR_OS_START_USERERR + 2)

typedef struct {
    apr_status_t status;
    int fault; /* what is known to be wrong, of the backend's own list (store.h); 0: nothing */
    char detail[RATINGS_DETAIL_MAX]; /* one line without control characters; "" on success */
} ratings_result_t;

/* Sets status and detail, no fault, and returns `status`, so that a failing call can end in one
 * line. */
apr_status_t ratings_result_set(ratings_result_t *result, apr_status_t status, const char *format,
                                ...) __attribute__((format(printf, 3, 4)));

/* Sets APR_SUCCESS, no fault, and an empty detail. */
apr_status_t ratings_result_ok(ratings_result_t *result);

#endif
