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

/* ---- hooks ---- */

static const ratings_location_t *marked(const request_rec *r)
{
    return ap_get_module_config(r->request_config, &ratings_module);
}

/* DECLINED: what others do with the URL (a redirect to https, say) is theirs. */
int ratings_translate_name(request_rec *r)
{
    const ratings_location_t *location = ratings_location_of_request(r);
    if (location->endpoint)
        ap_set_module_config(r->request_config, &ratings_module, (void *)(uintptr_t)location);
    return DECLINED;
}

/* TRACE is httpd's own to answer or refuse. */
int ratings_map_to_storage(request_rec *r)
{
    return marked(r) && r->method_number != M_TRACE ? OK : DECLINED;
}

int ratings_type_checker(request_rec *r)
{
    if (!marked(r))
        return DECLINED;
    r->handler = HANDLER;
    return OK;
}

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

static int refuse_method(request_rec *r, const ratings_endpoint_t *endpoint)
{
    const char *allowed = endpoint->post ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS";
    apr_table_setn(r->headers_out, "Allow", allowed);
    return ratings_reply_problem(r, HTTP_METHOD_NOT_ALLOWED,
                                 apr_pstrcat(r->pool, "This resource takes ", allowed, ".", NULL));
}

static int send_options(request_rec *r, const ratings_endpoint_t *endpoint)
{
    if (endpoint->post)
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, M_POST, M_OPTIONS, -1);
    else
        ap_allow_standard_methods(r, REPLACE_ALLOW, M_GET, M_OPTIONS, -1);
    return ap_send_http_options(r);
}

int ratings_handler(request_rec *r)
{
    const ratings_location_t *location = marked(r);
    if (!location || !r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    const ratings_endpoint_t *endpoint = location->endpoint;
    const ratings_config_t *config = ratings_config_of_server(r->server);
    if (rest_of_path(r, location->location)[0])
        return ratings_reply_problem(r, HTTP_NOT_FOUND, "There is nothing at this path.");
    if (r->method_number == M_GET)
        return endpoint->get(r, config, location->variant);
    if (r->method_number == M_POST && endpoint->post)
        return endpoint->post(r, config, location->variant);
    if (r->method_number == M_OPTIONS)
        return send_options(r, endpoint);
    return refuse_method(r, endpoint);
}
