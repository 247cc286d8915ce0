/* Whether the two backends answer that no other command asks. Each call ends by its timeout, but
 * for a name server's time. False, and the reason, without any password, when the backend did not
 * answer as the service needs it. */
#ifndef RATINGS_CTL_PROBE_H
#define RATINGS_CTL_PROBE_H

#include "audit_failure.h"

/* PostgreSQL (libpq): logs in, and has it answer a query. `url` is a URI or a connection string. */
bool ctl_probe_talks(const char *url, int timeout_ms, audit_failure_t *why);

/* The statistics function (libcurl): has it compute the statistics of no ratings. */
bool ctl_probe_stats(const char *url, int timeout_ms, audit_failure_t *why);

#endif
