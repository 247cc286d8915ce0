#include "ctl_postgres.h"
#include "ctl_probe.h"

bool ctl_probe_talks(const char *url, int timeout_ms, audit_failure_t *why)
{
    ctl_postgres_t connection;
    PGresult *row = NULL;
    bool good = ctl_postgres_open(&connection, url, timeout_ms, why) &&
                (row = ctl_postgres_query(&connection, "SELECT 1", NULL, 0, why));
    PQclear(row);
    ctl_postgres_close(&connection);
    return good;
}
