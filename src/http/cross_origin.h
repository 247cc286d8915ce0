/* Pages of other origins: which may have a browser write with its user's identity, and which may
 * read the answers (CORS: https://fetch.spec.whatwg.org/#http-cors-protocol). In the thread that
 * has the request. `origins`: those of others that RatingsOrigin allows, const char *; NULL is
 * none. */
#ifndef RATINGS_HTTP_CROSS_ORIGIN_H
#define RATINGS_HTTP_CROSS_ORIGIN_H

#include <apr_tables.h>
#include <httpd.h>

#include <stdbool.h>

/* Whether the request may write for its voter, as far as a browser has sent it: for a page of this
 * origin, or of one that is allowed. What is of no browser names no page, and may. Browsers tell by
 * Sec-Fetch-Site where they trust the connection, else by Origin alone. */
bool ratings_cross_origin_may_write(const request_rec *r, const apr_array_header_t *origins);

/* Lets the page that has sent the request read its response, whoever makes it. False: it is of no
 * origin that is allowed. */
bool ratings_cross_origin_share(request_rec *r, const apr_array_header_t *origins);

/* Whether a browser asks by the request whether it may send another one. */
bool ratings_cross_origin_is_preflight(const request_rec *r);

/* Tells it that it may, with these methods. */
void ratings_cross_origin_permit(request_rec *r, const char *methods);

#endif
