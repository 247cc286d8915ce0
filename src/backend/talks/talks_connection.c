#include "talks_connection.h"

#include "../../core/clock.h"
#include "talks.h"
#include "talks_certificate.h"
#include "talks_list.h"
#include "talks_redact.h"

#include <dlfcn.h>
#include <poll.h>
#include <string.h>

/* The first comparison finds the row by its index. A column may hold other spellings equal to the
 * one that was asked for (type uuid, integer, citext, a collation that is not deterministic), which
 * are different talks to everybody else: the second compares bytes. */
#define FROM_TALKS "FROM talks WHERE uuid = %s AND uuid::text COLLATE \"C\" = %s"
#define FIND_TALK "SELECT uuid::text " FROM_TALKS " LIMIT 1"

/* The same with the talk's window, whether the table has columns for it or not: a name that is no
 * column of talks is one of the query around it, which is NULL. So one query looks the talk up and
 * tells whether the columns are there, by the table that a column of the result comes from; neither
 * the catalogue is asked nor an error provoked. It takes the server 1.4 to 1.7 times the CPU of
 * FIND_TALK, in planning: so it is sent now and then alone while the columns are not there. The
 * columns as they are tell their type; the times are read from numbers, since the text of a
 * timestamptz depends on DateStyle and TimeZone. */
#define FIND_TALK_WITH_WINDOW                                                                      \
    "SELECT talk.id, talk.opens_at, extract(epoch FROM talk.opens_at), "                           \
    "talk.closes_at, extract(epoch FROM talk.closes_at) "                                          \
    "FROM (SELECT NULL::timestamptz AS opens_at, NULL::timestamptz AS closes_at) AS unbounded, "   \
    "LATERAL (SELECT uuid::text AS id, opens_at, closes_at " FROM_TALKS ") AS talk LIMIT 1"

enum { COLUMN_ID, COLUMN_OPENS, COLUMN_OPENS_EPOCH, COLUMN_CLOSES, COLUMN_CLOSES_EPOCH, COLUMNS };

#define TYPE_TIMESTAMPTZ 1184 /* TIMESTAMPTZOID, which a client has no header for: pg_type.dat */

/* ---- driver ---- */

/* A thread may be inside the driver when the process ends: APR unloads it then, and must not. */
static void pin_driver(const apr_dbd_driver_t *driver)
{
    Dl_info info;
    if (dladdr(driver, &info) && info.dli_fname)
        (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

const apr_dbd_driver_t *talks_driver(apr_pool_t *pool, ratings_result_t *why)
{
    const apr_dbd_driver_t *driver = NULL;
    char text[128];
    /* both use the topmost pool, which outlives each reading of the configuration: what is loaded
     * there stays, also for mod_dbd, and is found again by the driver's own name */
    apr_status_t status = apr_dbd_init(pool);
    if (status == APR_SUCCESS)
        status = apr_dbd_get_driver(pool, "pgsql", &driver);
    if (status != APR_SUCCESS) {
        (void)ratings_result_set(why, APR_EGENERAL,
                                 "APR-util's driver for PostgreSQL cannot be loaded (%s): install "
                                 "libaprutil1-dbd-pgsql, or apr-util-pgsql",
                                 apr_strerror(status, text, sizeof text));
        return NULL;
    }
    pin_driver(driver);
    return driver;
}

/* ---- create and destroy ---- */

/* libpq would print what the server says by the way to stderr; a call that fails has its reason. */
static void ignore_notice(void *context, const char *text)
{
    (void)context, (void)text;
}

/* Without a label: a statement prepared on the server would be lost with the connection, and a
 * pooler between would not find it again. */
static bool prepare(talks_connection_t *connection, const char *query,
                    apr_dbd_prepared_t **statement)
{
    return apr_dbd_prepare(connection->driver, connection->pool, connection->handle, query, NULL,
                           statement) == 0;
}

static bool set_up_connection(talks_connection_t *connection, ratings_result_t *why)
{
    connection->pq = apr_dbd_native_handle(connection->driver, connection->handle);
    (void)PQsetNoticeProcessor(connection->pq, ignore_notice, NULL);
    if (PQsetnonblocking(connection->pq, 1) == 0 &&
        prepare(connection, FIND_TALK, &connection->find) &&
        prepare(connection, FIND_TALK_WITH_WINDOW, &connection->find_with_window) &&
        prepare(connection, talks_list_query, &connection->list) &&
        prepare(connection, talks_listed_query, &connection->listed) &&
        prepare(connection, talks_key_query, &connection->key))
        return true;
    (void)ratings_result_set(why, RATINGS_NOT_ASKED, "a new connection could not be set up");
    return false;
}

/* `error`: libpq's, which ends in a newline, or NULL. */
static void tell_refusal(apr_pool_t *pool, const char *conninfo, const char *error,
                         const char *const *secrets, ratings_result_t *why)
{
    const char *text = talks_redact_text(pool, error ? error : "no reason", secrets);
    const char *problem = strstr(text, "certificate verify failed")
                              ? talks_certificate_problem(pool, conninfo)
                              : NULL;
    (void)ratings_result_set(why, APR_ECONNREFUSED, "%s%s%s%s", text, problem ? "(" : "",
                             problem ? problem : "", problem ? ")" : "");
}

talks_connection_t *talks_connection_open(const apr_dbd_driver_t *driver, const char *conninfo,
                                          const char *const *secrets, ratings_result_t *why)
{
    apr_pool_t *pool;
    const char *error = NULL;
    if (apr_pool_create_unmanaged(&pool) != APR_SUCCESS) {
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
        return NULL;
    }
    talks_connection_t *connection = apr_pcalloc(pool, sizeof *connection);
    connection->pool = pool;
    connection->driver = driver;
    if (apr_dbd_open_ex(driver, pool, conninfo, &connection->handle, &error) != APR_SUCCESS) {
        tell_refusal(pool, conninfo, error, secrets, why);
        connection->handle = NULL;
    }
    if (connection->handle && set_up_connection(connection, why))
        return connection;
    talks_connection_close(connection);
    return NULL;
}

void talks_connection_close(talks_connection_t *connection)
{
    if (!connection)
        return;
    if (connection->handle)
        apr_dbd_close(connection->driver, connection->handle);
    apr_pool_destroy(connection->pool);
}

/* libpq 17 encrypts the request if the connection is encrypted; before that it never is, and shows
 * who listens the key of a session that is closed right after. */
#ifdef LIBPQ_HAS_ASYNC_CANCEL
void talks_connection_cancel(talks_connection_t *connection)
{
    PGcancelConn *cancel = PQcancelCreate(connection->pq);
    (void)PQcancelBlocking(cancel);
    PQcancelFinish(cancel);
}
#else
void talks_connection_cancel(talks_connection_t *connection)
{
    char unused[256];
    PGcancel *cancel = PQgetCancel(connection->pq);
    (void)PQcancel(cancel, unused, sizeof unused);
    PQfreeCancel(cancel);
}
#endif

/* ---- state ---- */

bool talks_connection_is_reusable(const talks_connection_t *connection)
{
    return PQtransactionStatus(connection->pq) == PQTRANS_IDLE;
}

bool talks_connection_is_busy(const talks_connection_t *connection)
{
    return PQtransactionStatus(connection->pq) == PQTRANS_ACTIVE;
}

bool talks_connection_is_lost(const talks_connection_t *connection)
{
    return PQstatus(connection->pq) != CONNECTION_OK;
}

/* Where a signal ends it, poll has found nothing. */
bool talks_connection_is_quiet(const talks_connection_t *connection)
{
    struct pollfd fd = {PQsocket(connection->pq), POLLIN, 0};
    return fd.fd >= 0 && poll(&fd, 1, 0) != 1;
}

/* ---- waiting ---- */

static apr_status_t connection_error(const talks_connection_t *connection, ratings_result_t *why)
{
    return ratings_result_set(why, APR_EGENERAL, "%s", PQerrorMessage(connection->pq));
}

/* Until PQgetResult will not block. */
static apr_status_t await_result(talks_connection_t *connection, const ratings_deadline_t *deadline,
                                 ratings_result_t *why)
{
    while (PQisBusy(connection->pq)) {
        short events = PQflush(connection->pq) == 1 ? POLLIN | POLLOUT : POLLIN;
        int fd = PQsocket(connection->pq);
        if (fd < 0)
            return connection_error(connection, why);
        apr_status_t status =
            ratings_deadline_poll(fd, events, deadline, "the server did not answer in time", why);
        if (status != APR_SUCCESS)
            return status;
        if (!PQconsumeInput(connection->pq))
            return connection_error(connection, why);
    }
    return APR_SUCCESS;
}

/* ---- asking ---- */

/* apr_dbd_get_row would do, but it sleeps for 100 ms when no row is found (apr_dbd_pgsql.c), and
 * blocks. The first result is the answer; what follows says that the server is ready again. */
static apr_status_t read_answer(talks_connection_t *connection, const talks_question_t *question,
                                const ratings_deadline_t *deadline, ratings_result_t *why)
{
    ratings_result_t rest;
    apr_status_t status = await_result(connection, deadline, why);
    PGresult *result = status == APR_SUCCESS ? PQgetResult(connection->pq) : NULL;
    if (status != APR_SUCCESS)
        return status;
    if (!result)
        return connection_error(connection, why);
    status = question->read(connection, result, question->context, why);
    while (result) {
        PQclear(result);
        result = await_result(connection, deadline, &rest) == APR_SUCCESS
                     ? PQgetResult(connection->pq)
                     : NULL;
    }
    return status;
}

apr_status_t talks_connection_ask(talks_connection_t *connection, const talks_question_t *question,
                                  apr_pool_t *pool, const ratings_deadline_t *deadline,
                                  ratings_result_t *why)
{
    apr_dbd_results_t *unused = NULL;
    /* not random access, which makes it PQsendQueryParams: sent, and not waited for */
    if (apr_dbd_pselect(connection->driver, pool, connection->handle, &unused, question->statement,
                        0, question->count, (const char **)(uintptr_t)question->arguments) != 0)
        return connection_error(connection, why);
    return read_answer(connection, question, deadline, why);
}

/* ---- a talk looked up ---- */

/* Class 22 is about the value that was asked for: no uuid, no integer or one out of range, a
 * character that the database's encoding does not have. No row has such a key.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html */
apr_status_t talks_status_of_sqlstate(const char *sqlstate)
{
    if (sqlstate && strncmp(sqlstate, "22", 2) == 0)
        return APR_NOTFOUND;
    if (sqlstate && strcmp(sqlstate, "57014") == 0) /* statement_timeout, if the server has one */
        return APR_TIMEUP;
    return APR_EGENERAL;
}

/* The server compared in the database's encoding, into which two ids of UTF-8 may be converted
 * alike: the row's id is the talk's, and comes back as it was asked for. */
static bool is_the_talk(const PGresult *result, const char *talk_id)
{
    return PQntuples(result) > 0 && strcmp(PQgetvalue(result, 0, 0), talk_id) == 0;
}

typedef struct {
    const char *talk_id;
    bool with_window; /* which of the queries it is */
    ratings_window_t *window;
} query_t;

/* A bound of the window, from its number; NULL is none. */
static bool read_bound(const PGresult *result, int column, int64_t unbounded, int64_t *bound)
{
    *bound = unbounded;
    return PQgetisnull(result, 0, column) ||
           ratings_time_from_epoch(PQgetvalue(result, 0, column), bound);
}

static apr_status_t read_window(const PGresult *result, const query_t *query, ratings_result_t *why)
{
    *query->window = RATINGS_WINDOW_UNBOUNDED;
    if (!query->with_window ||
        (read_bound(result, COLUMN_OPENS_EPOCH, RATINGS_ALWAYS, &query->window->opens_at) &&
         read_bound(result, COLUMN_CLOSES_EPOCH, RATINGS_NEVER, &query->window->closes_at)))
        return ratings_result_ok(why);
    return ratings_result_set(why, APR_EINVAL, "opens_at or closes_at is no time");
}

static apr_status_t status_of_rows(const PGresult *result, const query_t *query,
                                   ratings_result_t *why)
{
    int columns = query->with_window ? COLUMNS : COLUMN_ID + 1;
    if (PQnfields(result) != columns) /* without a column there is no value to look at */
        return ratings_result_set(why, APR_EINVAL, "an answer of %d columns in the place of %d",
                                  PQnfields(result), columns);
    if (query->with_window && (PQftype(result, COLUMN_OPENS) != TYPE_TIMESTAMPTZ ||
                               PQftype(result, COLUMN_CLOSES) != TYPE_TIMESTAMPTZ))
        return ratings_result_set(why, APR_EINVAL,
                                  "opens_at and closes_at of table talks must be timestamptz");
    return is_the_talk(result, query->talk_id) ? read_window(result, query, why)
                                               : ratings_result_set(why, APR_NOTFOUND, "%s", "");
}

static apr_status_t status_of_result(const PGresult *result, const query_t *query,
                                     ratings_result_t *why)
{
    apr_status_t status;
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return status_of_rows(result, query, why);
    status = talks_status_of_sqlstate(PQresultErrorField(result, PG_DIAG_SQLSTATE));
    return ratings_result_set(why, status, "%s",
                              status == APR_NOTFOUND ? "" : PQresultErrorMessage(result));
}

/* The next look-ups do without a window that the table does not have. */
static void learn_columns(talks_connection_t *connection, const PGresult *result)
{
    bool has_window = PQftable(result, COLUMN_OPENS) != InvalidOid ||
                      PQftable(result, COLUMN_CLOSES) != InvalidOid;
    connection->window_asked_from =
        has_window ? 0 : ratings_monotonic() + RATINGS_TALKS_COLUMNS_S * INT64_C(1000000);
}

static apr_status_t read_found(talks_connection_t *connection, const PGresult *result,
                               void *context, ratings_result_t *why)
{
    const query_t *query = context;
    apr_status_t status = status_of_result(result, query, why);
    if (query->with_window && PQresultStatus(result) == PGRES_TUPLES_OK)
        learn_columns(connection, result);
    return status;
}

apr_status_t talks_connection_find(talks_connection_t *connection, const char *talk_id,
                                   apr_pool_t *pool, const ratings_deadline_t *deadline,
                                   ratings_window_t *window, ratings_result_t *why)
{
    const char *const arguments[] = {talk_id, talk_id};
    query_t query = {talk_id, ratings_monotonic() >= connection->window_asked_from, window};
    const talks_question_t question = {query.with_window ? connection->find_with_window
                                                         : connection->find,
                                       2, arguments, read_found, &query};
    return talks_connection_ask(connection, &question, pool, deadline, why);
}
