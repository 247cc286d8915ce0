#include "../core/clock.h"
#include "ctl_probe.h"

#include <libpq-fe.h>

#include <poll.h>
#include <string.h>

/* Texts of libpq end with an end of line, and may have more lines. None has the password, unless
 * the server repeats it. */
static bool fail_talks(const PGconn *connection, audit_failure_t *why)
{
    const char *text = PQerrorMessage(connection), *password = PQpass(connection);
    if (password && password[0] && strstr(text, password))
        return audit_fail(why, "PostgreSQL: it fails with a text that has the password in it");
    return audit_fail(why, "PostgreSQL: %.*s", (int)strcspn(text, "\n"), text);
}

static bool wait_for_socket(const PGconn *connection, short events, int64_t deadline,
                            audit_failure_t *why)
{
    struct pollfd socket = {PQsocket(connection), events, 0};
    int64_t left = (deadline - ratings_monotonic()) / 1000;
    return poll(&socket, 1, left > 0 ? (int)left : 0) == 1 ||
           audit_fail(why, "PostgreSQL: no answer in time");
}

static bool log_in(PGconn *connection, int64_t deadline, audit_failure_t *why)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
        if (!wait_for_socket(connection, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline,
                             why))
            return false;
        next = PQconnectPoll(connection);
    }
    return next == PGRES_POLLING_OK || fail_talks(connection, why);
}

static bool has_rows(PGconn *connection, audit_failure_t *why)
{
    PGresult *result = PQgetResult(connection);
    bool good = PQresultStatus(result) == PGRES_TUPLES_OK || fail_talks(connection, why);
    PQclear(result);
    return good;
}

static bool run_query(PGconn *connection, int64_t deadline, audit_failure_t *why)
{
    if (!PQsendQuery(connection, "SELECT 1"))
        return fail_talks(connection, why);
    while (PQisBusy(connection)) {
        if (!wait_for_socket(connection, POLLIN, deadline, why))
            return false;
        if (!PQconsumeInput(connection))
            return fail_talks(connection, why);
    }
    return has_rows(connection, why);
}

/* A URI with a / or an @ in its password, which must be %2F and %40 there, is read as one with
 * another host, port or database, and errors name those. */
static bool is_ambiguous(const char *url)
{
    const char *rest = strstr(url, "://");
    if (!rest)
        return false;
    rest += strlen("://");
    rest += strcspn(rest, "@/");
    return *rest && strchr(rest + 1, '@');
}

/* What libpq says of an address that it cannot read may repeat it, with its password. */
static bool is_readable(const char *url)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    PQconninfoFree(options);
    return options && !is_ambiguous(url);
}

bool ctl_probe_talks(const char *url, int timeout_ms, audit_failure_t *why)
{
    int64_t deadline = ratings_monotonic() + (int64_t)timeout_ms * 1000;
    if (!is_readable(url))
        return audit_fail(
            why, "PostgreSQL: its address cannot be read (in a password @ is %%40 and / is %%2F)");
    PGconn *connection = PQconnectStart(url);
    if (!connection)
        return audit_no_memory(why);
    bool good = PQstatus(connection) == CONNECTION_BAD
                    ? fail_talks(connection, why)
                    : log_in(connection, deadline, why) && run_query(connection, deadline, why);
    PQfinish(connection);
    return good;
}
