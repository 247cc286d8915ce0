/* The floor of what a handler costs in httpd: it writes bytes that its location's configuration
 * gives, and does nothing else. It is placed as mod_ratings' endpoints are (src/http/endpoint.c),
 * so that httpd does for it what it does for those, and no more.
 *
 *   FloorAnswer BODY CACHE-CONTROL [ETAG] */
#include <httpd.h>

#include <apr_buckets.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <http_request.h>
#include <util_filter.h>

#include <string.h>

#define HANDLER "floor"

extern module AP_MODULE_DECLARE_DATA floor_module __attribute__((visibility("default")));

typedef struct {
    const char *body, *cache_control, *etag;
    apr_size_t length;
} answer_t;

static const answer_t *answer_of(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &floor_module);
}

/* ---- hooks ---- */

static int floor_translate_name(request_rec *r)
{
    const answer_t *answer = answer_of(r);
    if (answer->body)
        ap_set_module_config(r->request_config, &floor_module, (void *)(uintptr_t)answer);
    return DECLINED;
}

static int floor_map_to_storage(request_rec *r)
{
    return ap_get_module_config(r->request_config, &floor_module) && r->method_number != M_TRACE
               ? OK
               : DECLINED;
}

static int floor_type_checker(request_rec *r)
{
    if (!ap_get_module_config(r->request_config, &floor_module))
        return DECLINED;
    r->handler = HANDLER;
    return OK;
}

static int send_body(request_rec *r, const answer_t *answer)
{
    apr_bucket_alloc_t *alloc = r->connection->bucket_alloc;
    apr_bucket_brigade *brigade = apr_brigade_create(r->pool, alloc);
    APR_BRIGADE_INSERT_TAIL(brigade,
                            apr_bucket_immortal_create(answer->body, answer->length, alloc));
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(alloc));
    return ap_pass_brigade(r->output_filters, brigade) == APR_SUCCESS ? OK : AP_FILTER_ERROR;
}

static int floor_handler(request_rec *r)
{
    const answer_t *answer = ap_get_module_config(r->request_config, &floor_module);
    if (!answer || !r->handler || strcmp(r->handler, HANDLER) != 0)
        return DECLINED;
    const char *none = answer->etag ? apr_table_get(r->headers_in, "If-None-Match") : NULL;
    if (answer->etag)
        apr_table_setn(r->headers_out, "ETag", answer->etag);
    apr_table_setn(r->headers_out, "Cache-Control", answer->cache_control);
    if (none && strcmp(none, answer->etag) == 0) {
        r->status = HTTP_NOT_MODIFIED;
        return OK;
    }
    ap_set_content_type(r, "application/json");
    ap_set_content_length(r, (apr_off_t)answer->length);
    return send_body(r, answer);
}

static void register_hooks(apr_pool_t *pool)
{
    (void)pool;
    ap_hook_translate_name(floor_translate_name, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(floor_map_to_storage, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_type_checker(floor_type_checker, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(floor_handler, NULL, NULL, APR_HOOK_FIRST);
}

/* ---- configuration ---- */

static void *create_answer(apr_pool_t *pool, char *path)
{
    (void)path;
    return apr_pcalloc(pool, sizeof(answer_t));
}

static void *merge_answer(apr_pool_t *pool, void *base, void *add)
{
    (void)pool;
    return ((answer_t *)add)->body ? add : base;
}

static const char *set_answer(cmd_parms *command, void *config, const char *body,
                              const char *cache_control, const char *etag)
{
    (void)command;
    *(answer_t *)config = (answer_t){body, cache_control, etag, strlen(body)};
    return NULL;
}

static const command_rec directives[] = {
    AP_INIT_TAKE23("FloorAnswer", set_answer, NULL, ACCESS_CONF,
                   "the body, Cache-Control and, if it has one, ETag of every answer"),
    {.name = NULL},
};

AP_DECLARE_MODULE(floor) = {
    STANDARD20_MODULE_STUFF, create_answer, merge_answer, NULL, NULL, directives, register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE,
#endif
};
