#include "ctl_postgres.h"

#include "../core/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* Texts of libpq end with an end of line, and may have more lines. None has the password, unless
 * the server repeats it. */
static bool fail_postgres(const ctl_postgres_t *it, audit_failure_t *why)
{
    const char *text = PQerrorMessage(it->handle), *password = PQpass(it->handle);
    if (password && password[0] && strstr(text, password))
        return audit_fail(why, "PostgreSQL: it fails with a text that has the password in it");
    return audit_fail(why, "PostgreSQL: %.*s", (int)strcspn(text, "\n"), text);
}

static int64_t deadline_of(const ctl_postgres_t *it)
{
    return ratings_monotonic() + (int64_t)it->timeout_ms * 1000;
}

static bool wait_for_socket(const ctl_postgres_t *it, short events, int64_t deadline,
                            audit_failure_t *why)
{
    struct pollfd socket = {PQsocket(it->handle), events, 0};
    int count;
    do {
        int64_t left = (deadline - ratings_monotonic()) / 1000;
        count = poll(&socket, 1, left > 0 ? (int)left : 0);
    } while (count < 0 && errno == EINTR);
    return count == 1 || audit_fail(why, "PostgreSQL: no answer in time");
}

static bool log_in(const ctl_postgres_t *it, audit_failure_t *why)
{
    int64_t deadline = deadline_of(it);
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
        if (!wait_for_socket(it, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline, why))
            return false;
        next = PQconnectPoll(it->handle);
    }
    return next == PGRES_POLLING_OK || fail_postgres(it, why);
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

static void ignore_notice(void *self, const PGresult *notice)
{
    (void)self, (void)notice;
}

bool ctl_postgres_open(ctl_postgres_t *it, const char *url, int timeout_ms, audit_failure_t *why)
{
    *it = (ctl_postgres_t){.timeout_ms = timeout_ms};
    if (!is_readable(url))
        return audit_fail(
            why, "PostgreSQL: its address cannot be read (in a password @ is %%40 and / is %%2F)");
    it->handle = PQconnectStart(url);
    if (!it->handle)
        return audit_no_memory(why);
    (void)PQsetNoticeReceiver(it->handle, ignore_notice, NULL);
    return PQstatus(it->handle) == CONNECTION_BAD ? fail_postgres(it, why) : log_in(it, why);
}

void ctl_postgres_close(ctl_postgres_t *it)
{
    PQfinish(it->handle);
    it->handle = NULL;
}

static bool await_result(const ctl_postgres_t *it, int64_t deadline, audit_failure_t *why)
{
    while (PQisBusy(it->handle)) {
        if (!wait_for_socket(it, POLLIN, deadline, why))
            return false;
        if (!PQconsumeInput(it->handle))
            return fail_postgres(it, why);
    }
    return true;
}

/* The last result of what was sent. */
static PGresult *take_result(const ctl_postgres_t *it, audit_failure_t *why)
{
    int64_t deadline = deadline_of(it);
    PGresult *last = NULL, *next = NULL;
    do {
        PQclear(last);
        last = next;
        if (!await_result(it, deadline, why)) {
            PQclear(last);
            return NULL;
        }
        next = PQgetResult(it->handle);
        if (next && PQresultStatus(next) != PGRES_TUPLES_OK &&
            PQresultStatus(next) != PGRES_COMMAND_OK) {
            (void)fail_postgres(it, why);
            PQclear(last);
            PQclear(next);
            return NULL;
        }
    } while (next);
    if (!last)
        (void)fail_postgres(it, why);
    return last;
}

PGresult *ctl_postgres_query(ctl_postgres_t *it, const char *sql, const char *const *values,
                             int count, audit_failure_t *why)
{
    if (PQsendQueryParams(it->handle, sql, count, NULL, values, NULL, NULL, 0))
        return take_result(it, why);
    (void)fail_postgres(it, why);
    return NULL;
}

bool ctl_postgres_run(ctl_postgres_t *it, const char *sql, audit_failure_t *why)
{
    PGresult *last = PQsendQuery(it->handle, sql) ? take_result(it, why) : NULL;
    PQclear(last);
    return last || (why->text[0] ? false : fail_postgres(it, why));
}
