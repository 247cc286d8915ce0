/* Which talks exist, and when they may be rated: PostgreSQL by apr_dbd (APR-util), in a bounded
 * pool of connections per child.
 * https://apr.apache.org/docs/apr-util/1.6/group___a_p_r___util___d_b_d.html
 *
 * Not mod_dbd: its pool is an apr_reslist, which connects with its lock held and has no deadline
 * for one call (../common/pool.h); ap_dbd_acquire keeps a connection until the request has ended,
 * of which this look-up is a fraction; and its connection string is the whole server's.
 *
 * All calls may be made by any thread at once. Nothing is logged here: `why` carries the reason.
 * Deadlines (`expires_at`) are of ratings_monotonic, in microseconds. */
#ifndef RATINGS_TALKS_H
#define RATINGS_TALKS_H

#include "../../core/talk.h"
#include "../../core/window.h"
#include "../common/pool.h"

#include <apr_pools.h>
#include <apr_time.h>

typedef struct ratings_talks_t ratings_talks_t;

typedef struct {
    const char *connection; /* libpq: a URI (postgres:// or postgresql://) or key=value words */
    int connections_max;    /* >= 1 */
    apr_interval_time_t timeout; /* microseconds, the whole of one call; a caller may allow less */
    ratings_pool_usage_t *usage; /* of the connections, until destroy; NULL: nobody watches */
} ratings_talks_options_t;

/* NULL if libpq can read `connection`; else what is wrong with it (static, quotes nothing of it).
 * For the configuration check: may be called before create. */
const char *ratings_talks_connection_problem(const char *connection);

/* `connection` without its secrets, in `pool`: as it was configured, if libpq finds no password in
 * it; else made of what libpq has read, each password as ***, the parameters in libpq's order. */
const char *ratings_talks_redact(const char *connection, apr_pool_t *pool);

/* Loads APR-util's driver for PostgreSQL into this process, for good; APR_EGENERAL and `why` when
 * it cannot. For the configuration check: children inherit it from the parent, since they may live
 * in a directory that has no libraries (ChrootDir), and a package that is missing is found there.
 */
apr_status_t ratings_talks_load(apr_pool_t *pool, ratings_result_t *why);

/* Makes the pool of connections, without connecting: the first call finds a server unavailable. To
 * be called once threads may start (child_init or later). `*options` is copied; `pool` is for the
 * driver alone, as a thread that libpq holds may outlive it. What libpq lets a connection string
 * bound (connecting, keep-alives) is set from `timeout` where the string does not. APR_EINVAL:
 * libpq cannot read the string; APR_EGENERAL: there is no driver. */
apr_status_t ratings_talks_create(ratings_talks_t **talks, const ratings_talks_options_t *options,
                                  apr_pool_t *pool, ratings_result_t *why);

/* Cancels all calls, under way and to come: they fail within milliseconds. Before destroy, for who
 * may still begin one. */
void ratings_talks_cancel(ratings_talks_t *talks);

/* Cancels the calls under way and closes every connection. No call may begin after. Returns within
 * about half a second: what is left then (a thread that libpq holds while a server neither accepts
 * nor refuses it) owns its memory and ends when libpq lets it. */
void ratings_talks_destroy(ratings_talks_t *talks);

/* Looks a talk up. APR_SUCCESS if it exists, APR_NOTFOUND if not, else a failure (result.h);
 * RATINGS_NOT_ASKED when the calls of others had all connections. The call ends by `expires_at`,
 * and no later than the timeout of create after it began. `pool` is for the call alone. A
 * connection that turns out to be dead (the server was restarted) is opened anew once, in that
 * time. A query that is given up at the deadline costs its connection; a thread of its own asks the
 * server to end it. An id is compared byte by byte: what the column holds equal to it, or cannot
 * hold, is no such talk.
 *
 * `*window` is set by APR_SUCCESS: the row's opens_at and closes_at, of type timestamptz; what is
 * NULL, and a column that the table does not have, is no bound. A column of another type is a
 * failure: the organiser has set a time, and nobody would know. A connection that has found the
 * table without the columns looks for them again by one look-up in RATINGS_TALKS_COLUMNS_S. */
#define RATINGS_TALKS_COLUMNS_S 5
apr_status_t ratings_talks_find(ratings_talks_t *talks, const char *talk_id, int64_t expires_at,
                                apr_pool_t *pool, ratings_window_t *window, ratings_result_t *why);

/* All talks of the table, sorted; or (`talk_id` not NULL) the one that has the id, else
 * APR_NOTFOUND. The list lives in `pool`, whatever the result. Ends as ratings_talks_find does.
 *
 * Of the columns title, speakers (text[]), room, track, language, url (text), starts_at, ends_at,
 * opens_at and closes_at (timestamptz) the table may lack any: what it lacks is unknown of all
 * talks. Days are those of the session's time zone. Rows whose ids cannot be a talk's are left out.
 * APR_EAGAIN, which no circuit breaker counts: the table is longer than what follows, or a column
 * has another type, or may not be read. */
#define RATINGS_TALKS_MAX 20000
#define RATINGS_TALKS_BYTES_MAX ((size_t)32 * 1024 * 1024)
apr_status_t ratings_talks_list(ratings_talks_t *talks, const char *talk_id, int64_t expires_at,
                                apr_pool_t *pool, ratings_talk_list_t *list, ratings_result_t *why);

/* The key of a text that is searched for (../../core/talk.h), in `pool`. APR_NOTFOUND: the database
 * cannot hold such a text, so that no talk has it. */
apr_status_t ratings_talks_key(ratings_talks_t *talks, const char *text, int64_t expires_at,
                               apr_pool_t *pool, const char **key, ratings_result_t *why);

/* Whether the table of talks can be read; ends as ratings_talks_find does. */
apr_status_t ratings_talks_check(ratings_talks_t *talks, int64_t expires_at, apr_pool_t *pool,
                                 ratings_result_t *why);

#endif
