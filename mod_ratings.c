/* mod_ratings: a talk-rating service inside Apache httpd.
 *
 * This file is the table of contents: the module's record and its hooks.
 *
 *   src/http        a request in, a reply out: the endpoints, and the page of a talk
 *   src/config      the directives, and the checks of what they say together
 *   src/check       whether the backends are as the service needs them (ratingsctl check)
 *   src/service     a child's life, the use cases (submit, read, list, metadata, health)
 *   src/projector   from the log to the store
 *   src/shm         what the children of a host share
 *   src/backend     PostgreSQL, Redis, Kafka and the Lambda, one client library each
 *   src/core        ratings, histograms, events: plain C, shared with the Lambda and the tools
 */
#include "src/check/check_run.h"
#include "src/config/config.h"
#include "src/http/endpoint.h"
#include "src/http/page.h"
#include "src/http/status_section.h"
#include "src/service/service.h"

#include <apr_optional_hooks.h>
#include <dlfcn.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_status.h>

/* Threads of the client libraries can outlive the module's unloading at a graceful restart, so it
 * stays mapped; pinned in the child, not by the linker, so that the parent loads a newer file. */
static void pin_module(void)
{
    Dl_info self;
    if (dladdr((void *)(uintptr_t)pin_module, &self))
        (void)dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/* httpd reads its configuration twice at start: nothing is made in the first pass. */
static int on_post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    (void)plog, (void)ptemp;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG)
        return OK;
    return ratings_service_setup(pconf, main) == APR_SUCCESS ? OK : HTTP_INTERNAL_SERVER_ERROR;
}

static void on_child_init(apr_pool_t *pchild, server_rec *main)
{
    pin_module();
    ratings_service_start(pchild, main);
}

static void register_hooks(apr_pool_t *pool)
{
    static const char *const core[] = {"core.c", NULL},
                             *const mod_negotiation[] = {"mod_negotiation.c", NULL},
                             *const mod_rewrite[] = {"mod_rewrite.c", NULL},
                             *const mod_proxy[] = {"mod_proxy.c", NULL};
    (void)pool;
    ap_hook_check_config(ratings_config_finish, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_test_config(ratings_check_run, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(on_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(on_child_init, NULL, NULL, APR_HOOK_MIDDLE);

    ap_hook_pre_translate_name(ratings_translate_name, NULL, mod_proxy, APR_HOOK_FIRST);
    ap_hook_translate_name(ratings_translate_name, mod_rewrite, mod_proxy, APR_HOOK_FIRST);
    ap_hook_map_to_storage(ratings_map_to_storage, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_header_parser(ratings_header_parser, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_type_checker(ratings_type_checker, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_type_checker(ratings_page_fill, NULL, mod_negotiation, APR_HOOK_REALLY_FIRST);
    ap_hook_fixups(ratings_fixups, core, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(ratings_handler, NULL, NULL, APR_HOOK_FIRST);
    APR_OPTIONAL_HOOK(ap, status_hook, ratings_status_section, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_log_transaction(ratings_log_transaction, NULL, NULL, APR_HOOK_MIDDLE);
}

/* The one symbol that httpd looks up; all others are hidden. */
extern module AP_MODULE_DECLARE_DATA ratings_module __attribute__((visibility("default")));

AP_DECLARE_MODULE(ratings) = {
    STANDARD20_MODULE_STUFF, ratings_location_create, ratings_location_merge, ratings_server_create,
    ratings_server_merge,    ratings_directives,      register_hooks,
#if defined(AP_MODULE_FLAG_NONE)
    AP_MODULE_FLAG_NONE,
#endif
};
