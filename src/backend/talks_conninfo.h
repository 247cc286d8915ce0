/* Private to talks: what libpq is told. Pure functions, any thread. */
#ifndef RATINGS_BACKEND_TALKS_CONNINFO_H
#define RATINGS_BACKEND_TALKS_CONNINFO_H

#include <apr_pools.h>
#include <apr_time.h>

/* The administrator's connection string (URI or words) as key='value' words, with what bounds and
 * names a connection added where it is not set there: connect_timeout, tcp_user_timeout,
 * keepalives, client_encoding, fallback_application_name. A parameter that this libpq does not know
 * is not added. NULL if libpq cannot read `connection`. `*password`
 * is set to the password in it, or NULL. */
const char *talks_conninfo(apr_pool_t *pool, const char *connection, apr_interval_time_t timeout,
                           const char **password);

/* `text` with each `secret` in it replaced by ***. NULL or "" as secret changes nothing. */
const char *talks_conceal(apr_pool_t *pool, const char *text, const char *secret);

#endif
