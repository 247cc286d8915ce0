/* Private to the store: a bounded pool of hiredis connections, and calls over them. The only header
 * besides store_connection.c that knows hiredis. */
#ifndef RATINGS_BACKEND_STORE_CONNECTION_H
#define RATINGS_BACKEND_STORE_CONNECTION_H

#include "store.h"

#include <hiredis/hiredis.h>

/* One command: words with their lengths, as they may hold any byte. */
typedef struct {
    int argc;
    const char **argv;
    size_t *argvlen;
} store_command_t;

/* Sends `count` commands in one write and reads as many replies; `replies` receives them and the
 * caller frees each. On a failure none is left to free. A connection that had been idle and turns
 * out to be closed is replaced once: what is sent may be sent twice, so it must bear that. */
apr_status_t store_pipeline(ratings_store_t *store, const store_command_t *commands, int count,
                            redisReply **replies, int64_t deadline, ratings_result_t *why);

/* One command of words that end in 0. An error reply is a failure: `*reply` is set only on
 * APR_SUCCESS. */
apr_status_t store_command(ratings_store_t *store, redisReply **reply, int64_t deadline,
                           ratings_result_t *why, const char *word, ...) __attribute__((sentinel));

/* Now and the timeout of create: for calls that have no deadline of their own. */
int64_t store_deadline(const ratings_store_t *store);

/* An error reply as failure: NOAUTH, OOM, READONLY, LOADING ... */
apr_status_t store_error_reply(const redisReply *reply, ratings_result_t *why);

#endif
