/* Whether the two backends answer that no other command asks. Each call ends by its timeout, but
 * for a name server's time. False, and the reason, without any password, when the backend did not
 * answer as the service needs it. */
#ifndef RATINGS_CTL_PROBE_H
#define RATINGS_CTL_PROBE_H

#include "audit_failure.h"

/* PostgreSQL (libpq): logs in, and has it answer a query. `url` is a URI or a connection string. */
bool ctl_probe_talks(const char *url, int timeout_ms, audit_failure_t *why);

/* How the statistics function is called. */
typedef struct {
    const char *url;
    const char *header; /* "Name: value", the value maybe file:PATH; NULL: none */
    const char *auth;   /* as RatingsStatsAuth; NULL: off */
} ctl_stats_options_t;

/* NULL, or what is wrong with the header or the authentication, as the directives have them
 * (static, quotes nothing of them). */
const char *ctl_stats_header_problem(const char *header);
const char *ctl_stats_auth_problem(const char *auth);

/* The statistics function, by the service's own client (../backend/stats): has it compute the
 * statistics of no ratings. */
bool ctl_probe_stats(const ctl_stats_options_t *given, int timeout_ms, audit_failure_t *why);

#endif
