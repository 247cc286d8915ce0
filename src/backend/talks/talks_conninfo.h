/* Private to talks: connection strings, as libpq reads them. Pure functions, any thread. */
#ifndef RATINGS_TALKS_CONNINFO_H
#define RATINGS_TALKS_CONNINFO_H

#include <apr_pools.h>
#include <apr_time.h>
#include <libpq-fe.h>

#include <stdbool.h>

/* The parameters that the string gives, for PQconninfoFree; NULL if libpq cannot read it. */
PQconninfoOption *talks_conninfo_parse(const char *connection);

/* The value of a parameter, owned by `options`; NULL if it is not given. */
const char *talks_conninfo_value(const PQconninfoOption *options, const char *keyword);

/* How many hosts there are, which libpq tries one after the other, and the name of one, or its
 * address, in `pool`. */
int talks_conninfo_hosts(const PQconninfoOption *options);
const char *talks_conninfo_host(apr_pool_t *pool, const PQconninfoOption *options, int index);

/* `conninfo`, which is of words, with one of the hosts alone, in `pool`. */
const char *talks_conninfo_of_host(apr_pool_t *pool, const char *conninfo,
                                   const PQconninfoOption *options, int index);

/* Whether libpq takes the string for a URI, not for words. */
bool talks_is_uri(const char *connection);

/* The value as a word takes it: within quotes, in `pool`. */
const char *talks_quote(apr_pool_t *pool, const char *value);

/* The administrator's connection string (URI or words) as key='value' words, with what bounds and
 * names a connection added where it is not set there: connect_timeout, tcp_user_timeout,
 * keepalives, client_encoding, fallback_application_name. A parameter that this libpq does not know
 * is not added. In `pool`; NULL if libpq cannot read `connection`. `timeout` in microseconds. */
const char *talks_conninfo(apr_pool_t *pool, const char *connection, apr_interval_time_t timeout);

#endif
