/* Private to the store: one connection to Redis, a hiredis context that never blocks by itself. One
 * thread at a time uses it, and after any error it is good for nothing but redisFree. */
#ifndef RATINGS_BACKEND_STORE_LINK_H
#define RATINGS_BACKEND_STORE_LINK_H

#include "lookup.h"

#include <hiredis/hiredis.h>

/* One command: words with their lengths, as they may hold any byte. */
typedef struct {
    int argc;
    const char **argv;
    const size_t *argvlen;
} store_command_t;

/* Who asks for what, once connected. */
typedef struct {
    const char *user, *password; /* NULL: none */
    int database;
} store_login_t;

/* Tries the addresses of the host in turn. NULL and `why` on failure. */
redisContext *store_link_open(ratings_host_t *host, const store_login_t *login,
                              const ratings_limit_t *limit, ratings_result_t *why);

/* Sends `count` commands and reads as many replies, which the caller frees; on a failure none is
 * left to free. `*closed`: the connection was closed before anything of an answer came. */
apr_status_t store_link_exchange(redisContext *context, const store_command_t *commands, int count,
                                 redisReply **replies, const ratings_limit_t *limit, bool *closed,
                                 ratings_result_t *why);

/* An error reply as failure: NOAUTH, OOM, READONLY, LOADING ... */
apr_status_t store_error_reply(const redisReply *reply, ratings_result_t *why);

#endif
