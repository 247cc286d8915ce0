#include "endpoint.h"

#include "../config/config.h"
#include "../core/assertion.h"
#include "../service/service.h"
#include "../shm/metrics.h"
#include "cross_origin.h"
#include "handlers.h"
#include "reply.h"
#include "request.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>

#include <stdbool.h>
#include <string.h>

#define HANDLER "ratings"

/* A method of an endpoint. */
typedef struct {
    ratings_endpoint_fn *reply; /* NULL: the method is not allowed */
    short statuses[16]; /* those that it can reply with, as docs/api.md has them; 0 ends them */
} method_t;

/* What each endpoint of config/endpoint_names.h does. build/lint/endpoints compares the statuses
 * with the documents and with the outcomes of use_case_reply.c; left out are those that any
 * endpoint can have (405, and 404 below its path) and httpd's own. */
static const struct {
    method_t get;  /* HEAD as well */
    method_t item; /* the same, of what the path below the location names; NULL: a 404 */
    method_t post;
    method_t delete;   /* a method only where requests have voters */
    bool needs_voters; /* where requests have none, there is no such endpoint */
} endpoints[RATINGS_ENDPOINTS] = {
    [RATINGS_ENDPOINT_RATINGS] =
        {
            .get = {ratings_get_ratings, {200, 304, 400, 404, 412, 503}},
            .post = {ratings_post_ratings,
                     {200, 202, 303, 400, 401, 403, 404, 408, 413, 415, 422, 429, 501, 503, 504}},
            .delete = {ratings_delete_ratings,
                       {202, 204, 400, 401, 403, 404, 422, 429, 501, 503, 504}},
        },
    [RATINGS_ENDPOINT_MINE] = {.get = {ratings_get_mine, {200, 400, 401, 404, 503}},
                               .needs_voters = true},
    [RATINGS_ENDPOINT_TALKS] = {.get = {ratings_get_talks, {200, 304, 400, 412, 501, 503}},
                                .item = {ratings_get_talk, {200, 304, 400, 404, 412, 503}}},
    [RATINGS_ENDPOINT_METADATA] = {.get = {ratings_get_metadata, {200}}},
    [RATINGS_ENDPOINT_LIVE] = {.get = {ratings_get_live, {200}}},
    [RATINGS_ENDPOINT_READY] = {.get = {ratings_get_ready, {200, 503}}},
    [RATINGS_ENDPOINT_METRICS] = {.get = {ratings_get_metrics, {200, 406}}},
};

/* ---- which location the request is for ---- */

/* httpd authorises a request by the walk over the <Location> sections that follows map_to_storage.
 * This is the same walk, made in advance: httpd's own then finds its result. The URL that counts is
 * the one that mod_rewrite left. A proxied request, "*", and what a forward proxy was asked for are
 * no URL of this server. */
static bool will_be_endpoint(request_rec *r)
{
    ap_conf_vector_t *before = r->per_dir_config;
    if (!ratings_config_of_server(r->server)->needed_by || r->proxyreq != PROXYREQ_NONE ||
        !r->uri || r->uri[0] != '/')
        return false;
    r->per_dir_config = r->server->lookup_defaults;
    bool found = ap_location_walk(r) == OK &&
                 ratings_location_of_request(r)->endpoint != RATINGS_ENDPOINT_NONE;
    r->per_dir_config = before;
    return found;
}

/* Once httpd has made that walk. */
static bool is_endpoint(const request_rec *r)
{
    return ratings_location_of_request(r)->endpoint != RATINGS_ENDPOINT_NONE &&
           r->proxyreq == PROXYREQ_NONE;
}

/* ---- hooks ---- */

/* mod_proxy leaves a request alone that has this variable. Its address tells ours from one that the
 * administrator has set, also in a subrequest, which inherits it. */
static const char no_proxy[] = "no-proxy", set_here[] = "1";

static void forget_no_proxy(request_rec *r)
{
    if (apr_table_get(r->subprocess_env, no_proxy) == set_here)
        apr_table_unset(r->subprocess_env, no_proxy);
}

/* DECLINED: what others do with the URL (a redirect to https, say) is theirs. */
int ratings_translate_name(request_rec *r)
{
    forget_no_proxy(r);
    if (will_be_endpoint(r) && !apr_table_get(r->subprocess_env, no_proxy))
        apr_table_setn(r->subprocess_env, no_proxy, set_here);
    return DECLINED;
}

/* No file of the same path has a say, and none is walked to. So that no other module takes the
 * request for one on a file whose <Directory> was not asked, it has no file's name. TRACE is
 * httpd's own to answer or refuse. */
int ratings_map_to_storage(request_rec *r)
{
    forget_no_proxy(r);
    if (r->method_number == M_TRACE || !will_be_endpoint(r))
        return DECLINED;
    r->filename = apr_pstrcat(r->pool, HANDLER ":", r->uri, NULL);
    return OK;
}

/* OK: the media type is not one of a file's name, nor is there anything to negotiate. */
int ratings_type_checker(request_rec *r)
{
    return is_endpoint(r) ? OK : DECLINED;
}

/* After SetHandler, before the rules of mod_rewrite within a section. */
int ratings_fixups(request_rec *r)
{
    if (!is_endpoint(r))
        return DECLINED;
    r->handler = HANDLER;
    return OK;
}

/* ---- the handler ---- */

/* What the path of the request has beyond that of its location, "" if nothing. `location` NULL: a
 * pattern, which takes the whole path. */
static const char *path_below(request_rec *r, const char *location)
{
    size_t length = location ? strlen(location) : 0;
    char *path = apr_pstrdup(r->pool, r->uri);
    if (!location)
        return "";
    ap_no2slash(path); /* as httpd did to find the location */
    return strncmp(path, location, length) == 0 ? path + length : path;
}

const char *ratings_endpoint_item(request_rec *r)
{
    const char *below = path_below(r, ratings_location_of_request(r)->path);
    return below[0] == '/' ? below + 1 : below;
}

static bool has_item(const ratings_location_t *location)
{
    return endpoints[location->endpoint].item.reply != NULL;
}

/* NULL: not allowed. */
static const method_t *method_of(request_rec *r, const ratings_location_t *location)
{
    const method_t *method = NULL;
    if (has_item(location) && path_below(r, location->path)[0])
        method = r->method_number == M_GET ? &endpoints[location->endpoint].item : NULL;
    else if (r->method_number == M_GET)
        method = &endpoints[location->endpoint].get;
    else if (r->method_number == M_POST)
        method = &endpoints[location->endpoint].post;
    else if (r->method_number == M_DELETE && ratings_location_has_voters(location))
        method = &endpoints[location->endpoint].delete;
    return method && method->reply ? method : NULL;
}

/* The value of Allow, on OPTIONS and on a 405. Not TRACE, which is no method of an endpoint. */
static const char *allowed_methods(const ratings_location_t *location)
{
    if (!endpoints[location->endpoint].post.reply)
        return "GET, HEAD, OPTIONS";
    return ratings_location_has_voters(location) && endpoints[location->endpoint].delete.reply
               ? "GET, HEAD, POST, DELETE, OPTIONS"
               : "GET, HEAD, POST, OPTIONS";
}

static int refuse_method(request_rec *r, const char *allowed)
{
    apr_table_setn(r->headers_out, "Allow", allowed);
    return ratings_reply_problem(r, HTTP_METHOD_NOT_ALLOWED,
                                 apr_pstrcat(r->pool, "This resource takes ", allowed, ".", NULL));
}

/* No body. Not ap_send_http_options, which makes an Allow of its own. */
static int reply_options(request_rec *r, const char *allowed)
{
    apr_table_setn(r->headers_out, "Allow", allowed);
    ap_set_content_length(r, 0);
    return OK;
}

/* Also what httpd makes of a 200 for a request with Range. */
static bool is_listed(const method_t *method, int status)
{
    bool listed = status == HTTP_PARTIAL_CONTENT || status == HTTP_RANGE_NOT_SATISFIABLE;
    for (const short *known = method->statuses; *known && !listed; known++)
        listed = *known == status;
    return listed;
}

/* What another page has a browser send comes with its user's cookie, login or address. */
static bool is_forged(const request_rec *r, const ratings_location_t *location)
{
    return r->method_number != M_GET && ratings_location_has_voters(location) &&
           !ratings_cross_origin_may_write(r, location->origins);
}

static int dispatch_method(request_rec *r, const ratings_location_t *location)
{
    const method_t *method = method_of(r, location);
    int result;
    if (r->method_number == M_OPTIONS)
        return reply_options(r, allowed_methods(location));
    if (!method)
        return refuse_method(r, allowed_methods(location));
    if (r->method_number == M_POST &&
        !ratings_request_page_form(r, ratings_config_of_server(r->server), &result))
        return result;
    if (is_forged(r, location))
        return ratings_reply_problem(r, HTTP_FORBIDDEN,
                                     "A page of another origin has sent this, which may not.");
    result = method->reply(r, ratings_server_of(r->server));
    RATINGS_ASSERT(result != OK || is_listed(method, r->status));
    return result;
}

static bool is_there(request_rec *r, const ratings_location_t *location)
{
    return (!path_below(r, location->path)[0] || has_item(location)) &&
           (ratings_location_has_voters(location) || !endpoints[location->endpoint].needs_voters);
}

/* Before httpd authorises the request: its refusals can be read by other pages as well, and a
 * preflight, which browsers send without credentials, is answered whatever the endpoint requires.
 */
int ratings_header_parser(request_rec *r)
{
    const ratings_location_t *location = ratings_location_of_request(r);
    if (!is_endpoint(r) || !ratings_cross_origin_share(r, location->origins) ||
        !ratings_cross_origin_is_preflight(r))
        return DECLINED;
    ratings_cross_origin_permit(r, allowed_methods(location));
    (void)reply_options(r, allowed_methods(location));
    return DONE;
}

/* An endpoint is no ErrorDocument: it would answer a request that failed as a GET. httpd then
 * sends its own text, with the status of the failure. */
int ratings_handler(request_rec *r)
{
    const ratings_location_t *location = ratings_location_of_request(r);
    if (!is_endpoint(r) || !r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    if (r->status != HTTP_OK)
        return HTTP_NOT_FOUND;
    return is_there(r, location)
               ? dispatch_method(r, location)
               : ratings_reply_problem(r, HTTP_NOT_FOUND, "There is nothing at this path.");
}

/* ---- metrics ---- */

static ratings_metric_method_e counted_method(const request_rec *r)
{
    switch (r->method_number) {
    case M_GET:
        return r->header_only ? RATINGS_METRIC_HEAD : RATINGS_METRIC_GET;
    case M_POST:
        return RATINGS_METRIC_POST;
    case M_DELETE:
        return RATINGS_METRIC_DELETE;
    case M_OPTIONS:
        return RATINGS_METRIC_OPTIONS;
    default:
        return RATINGS_METRIC_OTHER_METHOD;
    }
}

/* Of a request that was redirected inside httpd (ErrorDocument, a rewrite), the first part that was
 * for an endpoint: it has that one's status. */
int ratings_log_transaction(request_rec *r)
{
    const ratings_service_t *service = ratings_server_of(r->server)->service;
    if (!service || !service->metrics)
        return DECLINED;
    while (r && !is_endpoint(r))
        r = r->next;
    if (r)
        ratings_metrics_request(service->metrics, (int)ratings_location_of_request(r)->endpoint - 1,
                                counted_method(r), r->status);
    return DECLINED;
}
