#include "service.h"

#include "../module.h"
#include "../shm/applied_counts.h"
#include "../shm/response_cache.h"
#include "child.h"
#include "core_dump.h"
#include "health.h"
#include "metadata.h"
#include "shutdown.h"
#include "statistics.h"
#include "talk_cache.h"

#include <ap_mpm.h>
#include <apr_strings.h>

#include <signal.h>

/* ---- in the parent ---- */

/* Nothing here is read by people: it only has to differ where the segment must. */
static const char *shared_key(const ratings_config_t *config, apr_pool_t *pool)
{
    return apr_pstrcat(pool, config->talks, "\n", config->store, "\n", config->stream, "\n",
                       config->stats, "\n", config->topic, NULL);
}

static const ratings_shm_cache_geometry_t *const cache_geometry[RATINGS_CACHES] = {
    [RATINGS_CACHE_TALKS] = &ratings_talk_cache_geometry,
    [RATINGS_CACHE_RESPONSES] = &ratings_response_cache_geometry,
    [RATINGS_CACHE_COUNTS] = &ratings_applied_counts_geometry,
    [RATINGS_CACHE_STATISTICS] = &ratings_statistics_cache_geometry,
    [RATINGS_CACHE_HEALTH] = &ratings_health_cache_geometry,
};

static apr_status_t make_service(ratings_service_t **out, const ratings_config_t *config,
                                 const server_rec *server, apr_pool_t *pconf)
{
    ratings_service_t *service = apr_pcalloc(pconf, sizeof *service);
    service->config = config;
    service->server = server;
    ratings_core_dump_settle();
    ap_mpm_query(AP_MPMQ_GENERATION, &service->generation);
    *out = service;
    const char *key = shared_key(config, pconf);
    apr_status_t status =
        ratings_shm_attach(&service->shared, key, cache_geometry, server->process->pool, pconf);
    return status == APR_SUCCESS
               ? ratings_shm_attach_rings(&service->rings, key, server->process->pool, pconf)
               : status;
}

/* One for all servers of the service, of which any may have the endpoint. */
static apr_status_t attach_metrics(ratings_service_t *service, const ratings_config_t *config,
                                   apr_pool_t *pconf)
{
    if (!config->uses_metrics || service->metrics)
        return APR_SUCCESS;
    return ratings_shm_attach_metrics(&service->metrics, shared_key(config, pconf),
                                      service->server->process->pool, pconf);
}

/* One table for all servers of the service. */
static apr_status_t attach_rates(ratings_service_t *service, const ratings_config_t *config,
                                 apr_pool_t *pconf)
{
    if (!config->uses_voter_rate || service->rates)
        return APR_SUCCESS;
    return ratings_shm_attach_rates(&service->rates, shared_key(config, pconf),
                                    service->server->process->pool, pconf);
}

static ratings_service_t *service_of_earlier(const server_rec *main, const server_rec *server)
{
    const ratings_config_t *config = ratings_config_of_server(server);
    for (const server_rec *other = main; other != server; other = other->next) {
        const ratings_server_t *earlier = ratings_server_of(other);
        if (earlier->service && ratings_config_same_backends(config, &earlier->config))
            return earlier->service;
    }
    return NULL;
}

apr_status_t ratings_service_setup(apr_pool_t *pconf, server_rec *main)
{
    apr_status_t status = APR_SUCCESS;
    ratings_shm_release_all(main->process->pool);
    for (server_rec *server = main; server && status == APR_SUCCESS; server = server->next) {
        ratings_server_t *record = ratings_server_of(server);
        const ratings_config_t *config = &record->config;
        if (!config->talks)
            continue;
        record->metadata = ratings_metadata_text(config, (int)config->metadata_secrets, pconf);
        if (!record->metadata)
            status = APR_ENOMEM;
        record->service = service_of_earlier(main, server);
        if (!record->service && status == APR_SUCCESS)
            status = make_service(&record->service, config, server, pconf);
        if (status == APR_SUCCESS)
            status = attach_rates(record->service, config, pconf);
        if (status == APR_SUCCESS)
            status = attach_metrics(record->service, config, pconf);
    }
    ratings_shm_destroy_released(main->process->pool);
    if (status != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, main,
                     "RT0105: no shared memory for the service");
    return status;
}

/* ---- in the child ---- */

/* The service that was made for the server; NULL: it has none, or shares one with an earlier
 * server.
 */
static ratings_service_t *own_service(const server_rec *server)
{
    ratings_service_t *service = ratings_server_of(server)->service;
    return service && service->server == server ? service : NULL;
}

static void for_each_child(const server_rec *main, void (*act)(ratings_child_t *child))
{
    for (const server_rec *server = main; server; server = server->next) {
        const ratings_service_t *service = own_service(server);
        if (service)
            act(service->child);
    }
}

/* By the shutdown thread. All stop at once, then end one after the other; freeing may take longer
 * than the thread is waited for. */
static void shut_down_children(void *data)
{
    const server_rec *main = data;
    for_each_child(main, ratings_child_stop);
    for_each_child(main, ratings_child_shut_down);
    for_each_child(main, ratings_child_free);
}

/* The threads that are made here inherit the signal mask: signals are for httpd's own. */
void ratings_service_start(apr_pool_t *pchild, server_rec *main)
{
    sigset_t all, before;
    bool any = false;
    apr_status_t status = APR_SUCCESS;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (const server_rec *server = main; server; server = server->next) {
        ratings_service_t *service = own_service(server);
        if (service)
            service->child = ratings_child_create(service);
        any |= service != NULL;
    }
    if (any) {
        ratings_core_dump_settle();
        status = ratings_shutdown_register(pchild, shut_down_children, main);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, main,
                     "RT0207: no thread to end the service with");
}
