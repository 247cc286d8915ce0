/* What a client would rather be sent (RFC 9110, 12.5.1). In the thread that has the request. */
#ifndef RATINGS_HTTP_ACCEPT_H
#define RATINGS_HTTP_ACCEPT_H

#include <httpd.h>

#include <stdbool.h>

/* Whether the request's Accept gives `type` a higher quality than `other`; both are media types in
 * lower case, without parameters. False without Accept, and where it takes either alike. */
bool ratings_accepts_rather(request_rec *r, const char *type, const char *other);

/* Which of `count` such media types the request's Accept gives the highest quality, the first of
 * those that it takes alike; -1: it takes none of them. Without Accept it is the first. */
int ratings_accepts_best(request_rec *r, const char *const *types, int count);

#endif
