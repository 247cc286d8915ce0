/* Private to talks: one connection to PostgreSQL. apr_dbd opens it, sends and closes; libpq, which
 * it wraps, waits, as apr_dbd has no deadline. One thread at a time uses a connection. */
#ifndef RATINGS_TALKS_CONNECTION_H
#define RATINGS_TALKS_CONNECTION_H

#include "../../core/window.h"
#include "../common/pool.h"

#include <apr_dbd.h>
#include <libpq-fe.h>

#include <stdbool.h>

typedef struct {
    ratings_pooled_t pooled;
    apr_pool_t *pool; /* with an allocator of its own, as threads pass the connection on */
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_dbd_prepared_t *find, *find_with_window;
    apr_dbd_prepared_t *list, *listed, *key; /* talks_list.h */
    int64_t window_asked_from; /* of ratings_monotonic: until then the table has no window */
    PGconn *pq;                /* what `handle` wraps */
} talks_connection_t;

/* The driver, in `pool`'s topmost parent, never unloaded; or NULL and `why`. */
const apr_dbd_driver_t *talks_driver(apr_pool_t *pool, ratings_result_t *why);

/* NULL and `why` (APR_ECONNREFUSED, RATINGS_NOT_ASKED) if it cannot be opened. Blocks for as long
 * as libpq does: connect_timeout for each address of the host, and the resolver before that.
 * `secrets` (of talks_secrets) are kept out of `why`. */
talks_connection_t *talks_connection_open(const apr_dbd_driver_t *driver, const char *conninfo,
                                          const char *const *secrets, ratings_result_t *why);
void talks_connection_close(talks_connection_t *connection); /* NULL is allowed */

/* After a call that was given up: asks the server to end the query, which it would otherwise go on
 * with after the connection is closed, until it has something to send. Blocks as libpq's connecting
 * does, and until the server has taken the request. */
void talks_connection_cancel(talks_connection_t *connection);

/* A statement with its arguments, and what reads the server's answer, which may be an error:
 * returns, and sets in `why`, the status of the call. */
typedef struct {
    apr_dbd_prepared_t *statement;
    int count; /* of the arguments */
    const char *const *arguments;
    apr_status_t (*read)(talks_connection_t *connection, const PGresult *result, void *context,
                         ratings_result_t *why);
    void *context;
} talks_question_t;

/* Asks the server, and waits for its answer until the deadline. `pool` is for the call alone. */
apr_status_t talks_connection_ask(talks_connection_t *connection, const talks_question_t *question,
                                  apr_pool_t *pool, const ratings_deadline_t *deadline,
                                  ratings_result_t *why);

/* The status of an error of the server that is about what it was asked; not of one of the table. */
apr_status_t talks_status_of_sqlstate(const char *sqlstate);

/* APR_SUCCESS and the window if there is such a talk, APR_NOTFOUND, or a failure (result.h). `pool`
 * is for the call alone. */
apr_status_t talks_connection_find(talks_connection_t *connection, const char *talk_id,
                                   apr_pool_t *pool, const ratings_deadline_t *deadline,
                                   ratings_window_t *window, ratings_result_t *why);

/* After a call: can it serve another one / is the query of a call that was given up still under
 * way / have the server or the network dropped it? */
bool talks_connection_is_reusable(const talks_connection_t *connection);
bool talks_connection_is_busy(const talks_connection_t *connection);
bool talks_connection_is_lost(const talks_connection_t *connection);

/* While it is idle: false if the server has said something unasked, which as a rule is that it
 * closes the connection. */
bool talks_connection_is_quiet(const talks_connection_t *connection);

#endif
