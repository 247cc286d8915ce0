#include "talks_inspect.h"

#include "talks_connection.h"
#include "talks_conninfo.h"
#include "talks_list.h"
#include "talks_redact.h"

#include <apr_strings.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const ratings_talks_options_t *options;
    apr_pool_t *pool;
    ratings_findings_t *findings;
    const apr_dbd_driver_t *driver;
    const char *conninfo;
    const char *const *secrets; /* kept out of every text */
    talks_connection_t *connection;
} inspection_t;

static talks_connection_t *open_timed(const inspection_t *inspection, const char *conninfo,
                                      ratings_result_t *why)
{
    ratings_findings_ask(inspection->findings);
    talks_connection_t *connection =
        talks_connection_open(inspection->driver, conninfo, inspection->secrets, why);
    ratings_findings_answered(inspection->findings);
    return connection;
}

/* ---- each host ---- */

/* The connection of the options, to one of its hosts, whatever that is for the others. */
static const char *conninfo_of_host(const inspection_t *inspection, const PQconninfoOption *given,
                                    int index)
{
    return apr_pstrcat(inspection->pool,
                       talks_conninfo_of_host(inspection->pool, inspection->conninfo, given, index),
                       " target_session_attrs=any", NULL);
}

/* libpq goes on to the next host by itself, so that one of several that does not answer is no fault
 * as long as another does. */
static void inspect_host(const inspection_t *inspection, const PQconninfoOption *given, int index)
{
    ratings_result_t why;
    const char *name = talks_conninfo_host(inspection->pool, given, index);
    talks_connection_t *connection =
        open_timed(inspection, conninfo_of_host(inspection, given, index), &why);
    if (connection)
        ratings_finding(inspection->findings, RATINGS_FINDING_GOOD, "host", "%s answers", name);
    else
        ratings_finding(inspection->findings, RATINGS_FINDING_WARNING, "host",
                        "%s cannot be used, another one has to answer: %s", name, why.detail);
    talks_connection_close(connection);
}

static void inspect_hosts(const inspection_t *inspection)
{
    PQconninfoOption *given = talks_conninfo_parse(inspection->options->connection);
    int count = talks_conninfo_hosts(given);
    for (int i = 0; i < count && count > 1; i++)
        inspect_host(inspection, given, i);
    PQconninfoFree(given);
}

/* ---- a query of ours: one row, each value as text ---- */

typedef struct {
    const inspection_t *inspection;
    const char **values; /* "" for a NULL */
    int count;
} row_t;

static apr_status_t read_row(talks_connection_t *connection, const PGresult *result, void *context,
                             ratings_result_t *why)
{
    const row_t *row = context;
    (void)connection;
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        return ratings_result_set(why, APR_EGENERAL, "%s", PQresultErrorMessage(result));
    if (PQntuples(result) != 1 || PQnfields(result) != row->count)
        return ratings_result_set(why, APR_EINVAL, "an answer of another shape than was asked for");
    for (int i = 0; i < row->count; i++)
        row->values[i] = apr_pstrdup(row->inspection->pool, PQgetvalue(result, 0, i));
    return ratings_result_ok(why);
}

static ratings_deadline_t deadline_of(const inspection_t *inspection)
{
    return ratings_deadline_make(INT64_MAX, inspection->options->timeout, -1);
}

static apr_status_t ask_row(const inspection_t *inspection, const char *query, const char **values,
                            int count, ratings_result_t *why)
{
    talks_connection_t *connection = inspection->connection;
    row_t row = {inspection, values, count};
    talks_question_t question = {.read = read_row, .context = &row};
    const ratings_deadline_t deadline = deadline_of(inspection);
    if (apr_dbd_prepare(connection->driver, inspection->pool, connection->handle, query, NULL,
                        &question.statement) != 0)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    ratings_findings_ask(inspection->findings);
    apr_status_t status =
        talks_connection_ask(connection, &question, inspection->pool, &deadline, why);
    ratings_findings_answered(inspection->findings);
    return status;
}

/* What PostgreSQL says, without the line of the query that it quotes. */
static const char *server_words(const inspection_t *inspection, const ratings_result_t *why)
{
    const char *text = talks_redact_text(inspection->pool, why->detail, inspection->secrets);
    const char *quoted = strstr(text, " LINE 1:");
    return quoted ? apr_pstrmemdup(inspection->pool, text, (apr_size_t)(quoted - text)) : text;
}

/* ---- the server ---- */

enum {
    SERVER_VERSION,
    SERVER_DATABASE,
    SERVER_USER,
    SERVER_ENCODING,
    SERVER_COLLATION,
    SERVER_PID,
    SERVER_VALUES
};

static const char server_query[] =
    "SELECT current_setting('server_version'), current_database(), current_user, "
    "current_setting('server_encoding'), (SELECT datcollate FROM pg_catalog.pg_database "
    "WHERE datname = current_database()), pg_catalog.pg_backend_pid()";

static bool is_in_utf8(const char *encoding)
{
    return strcmp(encoding, "UTF8") == 0;
}

/* A pooler tells its client a process that is none of PostgreSQL's. */
static bool is_pooled(const inspection_t *inspection, const char *pid)
{
    return strtol(pid, NULL, 10) != PQbackendPID(inspection->connection->pq);
}

static void report_server(const inspection_t *inspection, const char *const *values)
{
    ratings_findings_t *findings = inspection->findings;
    ratings_finding(findings, RATINGS_FINDING_GOOD, "server", "PostgreSQL %s, database %s, user %s",
                    values[SERVER_VERSION], values[SERVER_DATABASE], values[SERVER_USER]);
    if (is_pooled(inspection, values[SERVER_PID]))
        ratings_finding(findings, RATINGS_FINDING_NOTE, "pooler",
                        "connections go through a pooler, which the service bears");
    if (is_in_utf8(values[SERVER_ENCODING]))
        ratings_finding(findings, RATINGS_FINDING_GOOD, "encoding", "UTF8, collation %s",
                        values[SERVER_COLLATION]);
    else
        ratings_finding(findings, RATINGS_FINDING_WARNING, "encoding",
                        "the database is in %s: talks whose ids or titles it cannot hold are not "
                        "found. Make a database with ENCODING 'UTF8'",
                        values[SERVER_ENCODING]);
}

static void inspect_server(const inspection_t *inspection)
{
    ratings_result_t why;
    const char *values[SERVER_VALUES];
    if (ask_row(inspection, server_query, values, SERVER_VALUES, &why) == APR_SUCCESS)
        report_server(inspection, values);
    else
        ratings_finding(inspection->findings, RATINGS_FINDING_FAULT, "server",
                        "it answers no query: %s", server_words(inspection, &why));
}

/* ---- the table ---- */

enum { TABLE_EXISTS, TABLE_MISSING, TABLE_WRONG, TABLE_INDEXED, TABLE_VALUES };

/* The columns of conf/schema.sql that may be missing, with the types of those whose type matters.
 */
#define WANTED                                                                                     \
    "unnest(ARRAY['title', 'speakers', 'room', 'track', 'starts_at', 'ends_at', 'opens_at', "      \
    "'closes_at', 'language', 'url'], ARRAY['', 'text[]', '', '', 'timestamp with time zone', "    \
    "'timestamp with time zone', 'timestamp with time zone', 'timestamp with time zone', '', "     \
    "'']) WITH ORDINALITY AS wanted(name, type, place)"

#define COLUMN_OF_TALKS                                                                            \
    "pg_catalog.pg_attribute AS a WHERE a.attrelid = it.oid AND NOT a.attisdropped AND a.attname "

/* By the search path, as the service's own queries find the table. */
static const char table_query[] =
    "SELECT it.oid IS NOT NULL, (SELECT string_agg(name, ', ' ORDER BY place) FROM " WANTED
    " WHERE NOT EXISTS (SELECT FROM " COLUMN_OF_TALKS "= wanted.name)), "
    "(SELECT string_agg(name || ' is ' || format_type(a.atttypid, NULL) || ' in the place of ' || "
    "type, ', ' ORDER BY place) FROM " WANTED ", " COLUMN_OF_TALKS
    "= wanted.name AND CASE type WHEN '' THEN false WHEN 'text[]' THEN (SELECT typcategory <> 'A' "
    "FROM pg_catalog.pg_type WHERE pg_type.oid = a.atttypid) ELSE "
    "format_type(a.atttypid, NULL) <> type END), "
    "(SELECT relkind FROM pg_catalog.pg_class WHERE pg_class.oid = it.oid) NOT IN ('r', 'p', 'm') "
    "OR EXISTS (SELECT FROM pg_catalog.pg_index AS i, " COLUMN_OF_TALKS
    "= 'uuid' AND i.indrelid = it.oid AND i.indkey[0] = a.attnum AND i.indisvalid "
    "AND i.indpred IS NULL) "
    "FROM (SELECT to_regclass('talks')::oid AS oid) AS it";

static void report_table(const inspection_t *inspection, const char *const *values)
{
    ratings_findings_t *findings = inspection->findings;
    if (values[TABLE_EXISTS][0] != 't')
        return; /* which the look-up has found */
    if (values[TABLE_WRONG][0])
        ratings_finding(findings, RATINGS_FINDING_FAULT, "columns",
                        "%s: give each the type of conf/schema.sql", values[TABLE_WRONG]);
    else if (values[TABLE_MISSING][0])
        ratings_finding(findings, RATINGS_FINDING_NOTE, "columns",
                        "the table has no %s, which may be so; ratingsctl talks migrate adds them",
                        values[TABLE_MISSING]);
    else
        ratings_finding(findings, RATINGS_FINDING_GOOD, "columns", "all of conf/schema.sql");
    if (values[TABLE_INDEXED][0] != 't')
        ratings_finding(findings, RATINGS_FINDING_WARNING, "index",
                        "no index begins with uuid: each look-up reads the whole table. Make one");
}

static void inspect_columns(const inspection_t *inspection)
{
    ratings_result_t why;
    const char *values[TABLE_VALUES];
    if (ask_row(inspection, table_query, values, TABLE_VALUES, &why) == APR_SUCCESS)
        report_table(inspection, values);
    else
        ratings_finding(inspection->findings, RATINGS_FINDING_WARNING, "columns",
                        "the catalogue cannot be read: %s", server_words(inspection, &why));
}

/* By the service's look-up of a talk that cannot be, which needs the table and its right to it all
 * the same. */
static bool inspect_look_up(const inspection_t *inspection)
{
    ratings_result_t why;
    ratings_window_t window;
    const ratings_deadline_t deadline = deadline_of(inspection);
    ratings_findings_ask(inspection->findings);
    apr_status_t status = talks_connection_find(inspection->connection, "", inspection->pool,
                                                &deadline, &window, &why);
    ratings_findings_answered(inspection->findings);
    if (status == APR_NOTFOUND)
        return true;
    ratings_finding(inspection->findings, RATINGS_FINDING_FAULT, "table",
                    "a talk cannot be looked up: %s (the user needs SELECT on table talks, which "
                    "has a column uuid: ratingsctl talks migrate makes it)",
                    server_words(inspection, &why));
    return false;
}

/* By the service's own query, which is that of GET /talks and of the page. */
static void inspect_list(const inspection_t *inspection)
{
    ratings_result_t why;
    ratings_talk_list_t list;
    const ratings_deadline_t deadline = deadline_of(inspection);
    ratings_findings_ask(inspection->findings);
    apr_status_t status =
        talks_list_ask(inspection->connection, NULL, inspection->pool, &deadline, &list, &why);
    ratings_findings_answered(inspection->findings);
    if (status != APR_SUCCESS)
        ratings_finding(inspection->findings, RATINGS_FINDING_FAULT, "table",
                        "talks can be rated, and not be listed: %s",
                        server_words(inspection, &why));
    else if (list.count == 0)
        ratings_finding(inspection->findings, RATINGS_FINDING_WARNING, "table",
                        "it has no talks, so that nothing can be rated: ratingsctl talks import");
    else
        ratings_finding(inspection->findings, RATINGS_FINDING_GOOD, "table", "%d talks",
                        (int)list.count);
}

/* ---- all of it ---- */

static void inspect_over_connection(const inspection_t *inspection)
{
    inspect_server(inspection);
    if (inspect_look_up(inspection))
        inspect_list(inspection);
    inspect_columns(inspection);
}

void ratings_talks_inspect(const ratings_talks_options_t *options, apr_pool_t *pool,
                           ratings_findings_t *findings)
{
    ratings_result_t why;
    inspection_t inspection = {.options = options,
                               .pool = pool,
                               .findings = findings,
                               .driver = talks_driver(pool, &why),
                               .conninfo =
                                   talks_conninfo(pool, options->connection, options->timeout),
                               .secrets = talks_secrets(pool, options->connection)};
    const char *place = ratings_talks_redact(options->connection, pool);
    if (inspection.driver) {
        inspect_hosts(&inspection);
        inspection.connection = open_timed(&inspection, inspection.conninfo, &why);
    }
    if (!inspection.connection) {
        ratings_finding(findings, RATINGS_FINDING_FAULT, "connection", "%s: %s", place, why.detail);
        return;
    }
    ratings_finding(findings, RATINGS_FINDING_GOOD, "connection", "%s", place);
    inspect_over_connection(&inspection);
    talks_connection_close(inspection.connection);
}
