/* Connection strings that could not be read. Pure functions, any thread. */
#ifndef RATINGS_CORE_REDACT_H
#define RATINGS_CORE_REDACT_H

/* What may be shown of a connection string that its own parser refuses: a scheme that this service
 * knows, and *** for the rest, since nobody can say what of it is a password. Static. Those that
 * can be read are shown as they were read: ratings_talks_redact, ratings_redis_url_redact and
 * ratings_stats_url_redact. */
const char *ratings_redact(const char *connection);

#endif
