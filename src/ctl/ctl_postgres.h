/* PostgreSQL by libpq, each wait with a deadline. A connection belongs to one thread. Errors are
 * sentences that name PostgreSQL, and have no password. */
#ifndef RATINGS_CTL_POSTGRES_H
#define RATINGS_CTL_POSTGRES_H

#include "audit_failure.h"

#include <libpq-fe.h>

#include <stdint.h>

typedef struct {
    PGconn *handle;
    int timeout_ms; /* of each statement, and of connecting */
} ctl_postgres_t;

/* `url` is a URI of libpq, or its words. To be closed in any case. */
bool ctl_postgres_open(ctl_postgres_t *it, const char *url, int timeout_ms, audit_failure_t *why);
void ctl_postgres_close(ctl_postgres_t *it);

/* Runs one statement. `values` (texts) stand for its $1, $2...; NULL and 0: it has none. The rows,
 * of which there may be none; the caller clears them. NULL: it failed, or did not answer in time.
 */
PGresult *ctl_postgres_query(ctl_postgres_t *it, const char *sql, const char *const *values,
                             int count, audit_failure_t *why);

/* Runs statements, whose rows nobody needs. */
bool ctl_postgres_run(ctl_postgres_t *it, const char *sql, audit_failure_t *why);

#endif
