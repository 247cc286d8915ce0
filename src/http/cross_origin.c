#include "cross_origin.h"

#include "../config/config.h"
#include "../core/origin.h"
#include "../core/trace_context.h"
#include "request_tls.h"

#include <string.h>

static bool is_allowed(const request_rec *r, const apr_array_header_t *origins)
{
    const char *origin = apr_table_get(r->headers_in, "Origin");
    bool allowed = false;
    for (int i = 0; origin && origins && i < origins->nelts && !allowed; i++)
        allowed = strcmp(APR_ARRAY_IDX(origins, i, const char *), origin) == 0;
    return allowed;
}

/* A page without TLS may be anybody's on the network: over TLS it is none of this origin. */
static bool is_of_this_origin(const request_rec *r, const char *origin)
{
    static const char plain[] = "http://";
    if (ratings_request_has_tls(r) && strncmp(origin, plain, sizeof plain - 1) == 0)
        return false;
    return ratings_origin_is_of_host(origin, apr_table_get(r->headers_in, "Host"));
}

/* "none": no page, but the user, as by a bookmark. */
bool ratings_cross_origin_may_write(const request_rec *r, const apr_array_header_t *origins)
{
    const char *origin = apr_table_get(r->headers_in, "Origin");
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    if (is_allowed(r, origins))
        return true;
    if (site)
        return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    return !origin || is_of_this_origin(r, origin);
}

/* In err_headers_out, which httpd sends with its own responses as well. Vary also for a page that
 * is not allowed: a cache must not give its response to one that is. */
bool ratings_cross_origin_share(request_rec *r, const apr_array_header_t *origins)
{
    if (!origins || origins->nelts == 0)
        return false;
    apr_table_mergen(r->err_headers_out, "Vary", "Origin");
    if (!is_allowed(r, origins))
        return false;
    apr_table_setn(r->err_headers_out, "Access-Control-Allow-Origin",
                   apr_table_get(r->headers_in, "Origin"));
    apr_table_setn(r->err_headers_out, "Access-Control-Allow-Credentials", "true");
    apr_table_setn(r->err_headers_out, "Access-Control-Expose-Headers",
                   "ETag, Ratings-Position, Retry-After");
    return true;
}

bool ratings_cross_origin_is_preflight(const request_rec *r)
{
    return r->method_number == M_OPTIONS &&
           apr_table_get(r->headers_in, "Access-Control-Request-Method");
}

#define PERMITTED                                                                                  \
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Ratings-Position"

void ratings_cross_origin_permit(request_rec *r, const char *methods)
{
    bool has_traces = ratings_config_of_server(r->server)->trace_context;
    apr_table_setn(r->headers_out, "Access-Control-Allow-Methods", methods);
    apr_table_setn(r->headers_out, "Access-Control-Allow-Headers",
                   has_traces ? PERMITTED ", " RATINGS_TRACE_PARENT ", " RATINGS_TRACE_STATE
                              : PERMITTED);
    apr_table_setn(r->headers_out, "Access-Control-Max-Age", "600");
}
