/* Private to talks: one connection to PostgreSQL. apr_dbd opens it, sends and closes; libpq, which
 * it wraps, waits, as apr_dbd knows no deadline. One thread at a time uses a connection. */
#ifndef RATINGS_TALKS_CONNECTION_H
#define RATINGS_TALKS_CONNECTION_H

#include "../common/deadline.h"
#include "talks.h"

#include <apr_dbd.h>

#include <stdbool.h>

typedef struct talks_connection_t talks_connection_t;

/* The driver, or NULL and why not. It is never unloaded. */
const apr_dbd_driver_t *talks_driver(apr_pool_t *pool, ratings_result_t *why);

/* NULL if it cannot be opened. Blocks for as long as libpq does: connect_timeout for each address
 * of the host, and the resolver before that. `secrets` (of talks_secrets) are kept out of `why`. */
talks_connection_t *talks_connection_open(const apr_dbd_driver_t *driver, const char *conninfo,
                                          const char *const *secrets, ratings_result_t *why);
void talks_connection_close(talks_connection_t *connection); /* NULL is allowed */

/* After a call that was given up: asks the server to end the query, which it would otherwise go on
 * with after the connection is closed, until it has something to send. Blocks as libpq's connecting
 * does, and until the server has taken the request. */
void talks_connection_cancel(talks_connection_t *connection);

/* APR_SUCCESS if there is such a talk, APR_NOTFOUND, or a failure. `pool` is for the call alone. */
apr_status_t talks_connection_find(talks_connection_t *connection, const char *talk_id,
                                   apr_pool_t *pool, const ratings_deadline_t *deadline,
                                   ratings_result_t *why);

/* After a call: could it serve another one / is the query of a call that was given up under way /
 * has the server or the network dropped it? */
bool talks_connection_reusable(const talks_connection_t *connection);
bool talks_connection_busy(const talks_connection_t *connection);
bool talks_connection_lost(const talks_connection_t *connection);

/* While it is idle: false if the server has said something unasked, which as a rule is that it
 * closes the connection. */
bool talks_connection_quiet(const talks_connection_t *connection);

#endif
