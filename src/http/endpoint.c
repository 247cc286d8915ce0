#include "endpoint.h"

#include "../module.h"
#include "handlers.h"
#include "reply.h"

#include <apr_strings.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_core.h>

#include <string.h>

#define HANDLER "ratings"

static const ratings_endpoint_t endpoints[] = {
    {"ratings", ratings_get_ratings, ratings_post_ratings, {NULL}},
    {"metadata", ratings_get_metadata, NULL, {NULL}},
    {"health", ratings_get_health, NULL, {"live", "ready", NULL}},
};

/* ---- for the configuration ---- */

static int find_variant(const ratings_endpoint_t *endpoint, const char *variant)
{
    for (int i = 0; endpoint->variants[i]; i++)
        if (strcasecmp(endpoint->variants[i], variant) == 0)
            return i;
    return -1;
}

static int ends_with(const char *text, const char *end)
{
    size_t length = text ? strlen(text) : 0;
    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

const char *ratings_endpoint_find(const char *name, const char *variant, const char *path,
                                  const ratings_endpoint_t **endpoint, int *found_variant)
{
    *endpoint = NULL;
    *found_variant = 0;
    if (strcasecmp(name, "none") == 0 && !variant)
        return NULL;
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++)
        if (strcasecmp(endpoints[i].name, name) == 0)
            *endpoint = &endpoints[i];
    if (!variant && (ends_with(path, "readyz") || ends_with(path, "readyz$")))
        variant = *endpoint && (*endpoint)->variants[0] ? "ready" : NULL;
    if (*endpoint && variant)
        *found_variant = find_variant(*endpoint, variant);
    return *endpoint && *found_variant >= 0
               ? NULL
               : "it takes ratings, metadata, health [live|ready], or none";
}

/* ---- which location answers ---- */

/* httpd authorises a request by the walk over the <Location> sections that follows map_to_storage.
 * This is the same walk, made in advance: httpd's own then finds its result. The URL that counts is
 * the one that mod_rewrite left. A proxied request, "*", and what a forward proxy was asked for are
 * no URL of this server. */
static int is_ours_in_advance(request_rec *r)
{
    ap_conf_vector_t *before = r->per_dir_config;
    if (!ratings_config_of_server(r->server)->needed_by || r->proxyreq != PROXYREQ_NONE ||
        !r->uri || r->uri[0] != '/')
        return 0;
    r->per_dir_config = r->server->lookup_defaults;
    int found = ap_location_walk(r) == OK && ratings_location_of_request(r)->endpoint;
    r->per_dir_config = before;
    return found;
}

/* Once httpd has made that walk. */
static int is_ours(const request_rec *r)
{
    return ratings_location_of_request(r)->endpoint && r->proxyreq == PROXYREQ_NONE;
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
    if (is_ours_in_advance(r) && !apr_table_get(r->subprocess_env, no_proxy))
        apr_table_setn(r->subprocess_env, no_proxy, set_here);
    return DECLINED;
}

/* No file of the same path has a say, and none is walked to. So that no other module takes the
 * request for one on a file whose <Directory> was not asked, it has no file's name. TRACE is
 * httpd's own to answer or refuse. */
int ratings_map_to_storage(request_rec *r)
{
    forget_no_proxy(r);
    if (r->method_number == M_TRACE || !is_ours_in_advance(r))
        return DECLINED;
    r->filename = apr_pstrcat(r->pool, HANDLER ":", r->uri, NULL);
    return OK;
}

/* OK: the media type is not one of a file's name, nor is there anything to negotiate. */
int ratings_type_checker(request_rec *r)
{
    return is_ours(r) ? OK : DECLINED;
}

/* After SetHandler, before the rules of mod_rewrite within a section. */
int ratings_fixups(request_rec *r)
{
    if (!is_ours(r))
        return DECLINED;
    r->handler = HANDLER;
    return OK;
}

/* ---- the handler ---- */

/* What of the path is more than the location, "" if nothing is. */
static const char *rest_of_path(request_rec *r, const char *location)
{
    size_t length = location ? strlen(location) : 0;
    char *path = apr_pstrdup(r->pool, r->uri);
    if (!location)
        return "";
    ap_no2slash(path); /* as httpd did to find the location */
    return strncmp(path, location, length) == 0 ? path + length : path;
}

/* Of OPTIONS and of a 405. Not TRACE, which is no method of the endpoint. */
static const char *allowed_methods(const ratings_endpoint_t *endpoint)
{
    return endpoint->post ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS";
}

static int refuse_method(request_rec *r, const char *allowed)
{
    apr_table_setn(r->headers_out, "Allow", allowed);
    return ratings_reply_problem(r, HTTP_METHOD_NOT_ALLOWED,
                                 apr_pstrcat(r->pool, "This resource takes ", allowed, ".", NULL));
}

/* No body. Not ap_send_http_options, which makes an Allow of its own. */
static int send_options(request_rec *r, const char *allowed)
{
    apr_table_setn(r->headers_out, "Allow", allowed);
    ap_set_content_length(r, 0);
    return OK;
}

static int answer_method(request_rec *r, const ratings_location_t *location)
{
    const ratings_endpoint_t *endpoint = location->endpoint;
    const ratings_config_t *config = ratings_config_of_server(r->server);
    if (r->method_number == M_GET)
        return endpoint->get(r, config, location->variant);
    if (r->method_number == M_POST && endpoint->post)
        return endpoint->post(r, config, location->variant);
    if (r->method_number == M_OPTIONS)
        return send_options(r, allowed_methods(endpoint));
    return refuse_method(r, allowed_methods(endpoint));
}

/* An endpoint is no ErrorDocument: it would answer a request that failed as a GET. httpd then
 * sends its own text, with the status of the failure. */
int ratings_handler(request_rec *r)
{
    if (!is_ours(r) || !r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    if (r->status != HTTP_OK)
        return HTTP_NOT_FOUND;
    const ratings_location_t *location = ratings_location_of_request(r);
    if (rest_of_path(r, location->location)[0])
        return ratings_reply_problem(r, HTTP_NOT_FOUND, "There is nothing at this path.");
    return answer_method(r, location);
}
