/* Web origins as browsers write them: scheme://host[:port] (RFC 6454, 6.2). Pure functions, any
 * thread. */
#ifndef RATINGS_CORE_ORIGIN_H
#define RATINGS_CORE_ORIGIN_H

#include <stdbool.h>

/* Whether a browser may send this as the origin of a page, so that it can be compared byte by byte:
 * in lower case, without a path and without the port that http and https have anyway. NULL if so;
 * else a sentence that says what is taken (static). */
const char *ratings_origin_problem(const char *origin);

/* Whether an origin is of the host that a request names (the field Host: host[:port], in any case,
 * with or without the port that the origin's scheme has anyway). The schemes are not compared:
 * behind a proxy that ends TLS the browser's may not be the server's. `host` NULL: the request
 * names none. */
bool ratings_origin_is_of_host(const char *origin, const char *host);

#endif
