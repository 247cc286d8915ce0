/* What a client would rather be sent (RFC 9110, 12.5.1). In the thread that has the request. */
#ifndef RATINGS_HTTP_ACCEPT_H
#define RATINGS_HTTP_ACCEPT_H

#include <httpd.h>

#include <stdbool.h>

/* Whether the request's Accept gives `type` a higher quality than `other`; both are media types in
 * lower case, without parameters. False without Accept, and where it takes either alike. */
bool ratings_accepts_rather(request_rec *r, const char *type, const char *other);

#endif
