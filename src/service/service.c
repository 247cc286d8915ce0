/* The life of the service: shared by servers in the parent, made in each child, ended with it. */
#include "service.h"

#include "../core/clock.h"
#include "../module.h"
#include "../projector/projector.h"
#include "../shm/response_cache.h"
#include "health.h"
#include "metadata.h"
#include "pending_write.h"
#include "prober.h"
#include "statistics.h"
#include "talk_cache.h"

#include <ap_mpm.h>
#include <apr_strings.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define END_US 2000000 /* what httpd's parent leaves a child before it sends signals again */
#define FLUSH_US INT64_C(500000) /* of which events under way have this much to be acknowledged */

/* ---- in the parent ---- */

/* Nothing here is read by people: it only has to differ where the segment must. */
static const char *shared_key(const ratings_config_t *config, apr_pool_t *pool)
{
    return apr_pstrcat(pool, config->talks, "\n", config->store, "\n", config->stream, "\n",
                       config->stats, "\n", config->topic, NULL);
}

static const ratings_shm_cache_geometry_t *const memo_shapes[RATINGS_CACHES] = {
    [RATINGS_CACHE_TALKS] = &ratings_talk_cache_geometry,
    [RATINGS_CACHE_RESPONSES] = &ratings_response_cache_geometry,
    [RATINGS_CACHE_STATISTICS] = &ratings_statistics_cache_geometry,
    [RATINGS_CACHE_HEALTH] = &ratings_health_cache_geometry,
};

static apr_status_t make_service(ratings_service_t **out, const ratings_config_t *config,
                                 const server_rec *server, apr_pool_t *pconf)
{
    ratings_service_t *service = apr_pcalloc(pconf, sizeof *service);
    service->config = config;
    service->server = server;
    ap_mpm_query(AP_MPMQ_GENERATION, &service->generation);
    *out = service;
    return ratings_shm_attach(&service->shared, shared_key(config, pconf), memo_shapes,
                              server->process->pool, pconf);
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
    }
    ratings_shm_destroy_released(main->process->pool);
    if (status != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, main,
                     "RT0105: no shared memory for the service");
    return status;
}

/* ---- in the child ---- */

/* What librdkafka says again and again, in each child, while a broker does not answer repeats what
 * the circuit breaker's line says once: it is information now and then, and at debug otherwise.
 * What does not pass by itself (a fatal error, a failed login) is an error. */
static int stream_level(const ratings_child_t *child, int level)
{
    bool fatal = level <= APLOG_CRIT;
    if (level >= APLOG_DEBUG ||
        (!fatal && ratings_call_policy_is_open(&child->policy[RATINGS_BACKEND_STREAM])) ||
        !ratings_shm_may_log(child->service->shared,
                             fatal ? RATINGS_LINE_STREAM_FATAL : RATINGS_LINE_STREAM,
                             ratings_monotonic()))
        return APLOG_DEBUG;
    return fatal ? APLOG_ERR : APLOG_INFO;
}

/* librdkafka's levels are syslog's, and so are httpd's; whose macro evaluates the level twice. */
static void log_stream(void *context, int level, const char *text)
{
    const ratings_child_t *child = context;
    int shown = stream_level(child, level);
    ap_log_error(APLOG_MARK, shown, 0, child->service->server, "RT0206: librdkafka: %s", text);
}

/* By default a quarter of the child's threads is kept for requests that need nothing of what hangs.
 */
static unsigned waiters_max(const ratings_config_t *config)
{
    int threads = 1;
    if (config->waiters_max > 0)
        return (unsigned)config->waiters_max;
    if (ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads) != APR_SUCCESS || threads < 4)
        return threads > 0 ? (unsigned)threads : 1;
    return (unsigned)(threads - threads / 4);
}

/* What the call policies of all children have in common. */
static const struct {
    const char *tag, *name, *effect;
} policy_texts[RATINGS_BACKENDS] = {
    [RATINGS_BACKEND_TALKS] = {"RT0201", "PostgreSQL (RatingsTalks)", "/ratings answers 503"},
    [RATINGS_BACKEND_STORE] = {"RT0202", "Redis (RatingsStore)", "GET /ratings answers 503"},
    [RATINGS_BACKEND_STREAM] = {"RT0203", "Kafka (RatingsStream)", "POST /ratings answers 503"},
    [RATINGS_BACKEND_STATS] = {"RT0204", "the Lambda (RatingsStats)",
                               "GET /ratings leaves out stats"},
};

/* librdkafka itself tries for no longer than half of Kafka's time. */
static int64_t timeout_of(const ratings_config_t *config, ratings_backend_e backend)
{
    const int64_t timeouts[RATINGS_BACKENDS] = {
        [RATINGS_BACKEND_TALKS] = config->talks_timeout,
        [RATINGS_BACKEND_STORE] = config->store_timeout,
        [RATINGS_BACKEND_STREAM] = config->stream_timeout / 2,
        [RATINGS_BACKEND_STATS] = config->stats_timeout,
    };
    return timeouts[backend] < config->deadline ? timeouts[backend] : config->deadline;
}

static void init_policy(ratings_child_t *child, ratings_backend_e backend)
{
    const ratings_config_t *config = child->service->config;
    ratings_call_policy_t *policy = &child->policy[backend];
    policy->tag = policy_texts[backend].tag;
    policy->name = policy_texts[backend].name;
    policy->effect = policy_texts[backend].effect;
    policy->server = child->service->server;
    policy->shared = child->service->shared;
    policy->backend = &policy->shared->backend[backend];
    policy->limits = (ratings_breaker_limits_t){
        .threshold = (unsigned)config->breaker_failures,
        .cooldown_us = config->breaker_cooldown,
        .seed = policy->shared->id + (uint64_t)backend,
    };
    policy->fair_us = timeout_of(config, backend) / 2;
    ratings_bulkhead_init(&policy->bulkhead, waiters_max(config));
}

static void init_policies(ratings_child_t *child)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        init_policy(child, (ratings_backend_e)i);
    ratings_bulkhead_init(&child->projector_bulkhead, waiters_max(child->service->config));
}

static void destroy_policies(ratings_child_t *child)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        ratings_bulkhead_destroy(&child->policy[i].bulkhead);
    ratings_bulkhead_destroy(&child->projector_bulkhead);
}

static void say_not_made(const ratings_child_t *child, const char *name, const char *effect,
                         const ratings_result_t *why)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, child->service->server,
                 "RT0205: %s cannot be used in this child, %s: %s", name, effect, why->detail);
}

static void make_talks(ratings_child_t *child)
{
    const ratings_config_t *config = child->service->config;
    const ratings_talks_options_t options = {config->talks, (int)config->talks_pool,
                                             config->talks_timeout};
    ratings_result_t why;
    if (ratings_talks_create(&child->talks, &options, child->pool, &why) != APR_SUCCESS)
        say_not_made(child, child->policy[RATINGS_BACKEND_TALKS].name,
                     child->policy[RATINGS_BACKEND_TALKS].effect, &why);
}

static void make_store(ratings_child_t *child)
{
    const ratings_config_t *config = child->service->config;
    const ratings_store_options_t options = {config->store, (int)config->store_pool,
                                             config->store_timeout,
                                             &child->service->shared->store_retired_at};
    ratings_result_t why;
    if (ratings_store_create(&child->store, &options, &why) != APR_SUCCESS)
        say_not_made(child, child->policy[RATINGS_BACKEND_STORE].name,
                     child->policy[RATINGS_BACKEND_STORE].effect, &why);
}

static void make_stats(ratings_child_t *child)
{
    const ratings_config_t *config = child->service->config;
    const ratings_stats_options_t options = {config->stats, config->stats_proxy,
                                             (int)config->stats_pool, config->stats_timeout};
    ratings_result_t why;
    if (ratings_stats_create(&child->stats, &options, &why) != APR_SUCCESS)
        say_not_made(child, child->policy[RATINGS_BACKEND_STATS].name,
                     child->policy[RATINGS_BACKEND_STATS].effect, &why);
}

static bool child_is_draining(void)
{
    int state = AP_MPMQ_RUNNING;
    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

static apr_status_t create_projector(ratings_child_t *child, ratings_result_t *why)
{
    const ratings_config_t *config = child->service->config;
    const ratings_projector_options_t options = {
        .store = {config->store, 1, config->store_timeout,
                  &child->service->shared->store_retired_at},
        .requests_store = child->store,
        .stream = child->stream,
        .reader = &child->stream_options,
        .shared = child->service->shared,
        .visibility = child->visibility,
        .topic = config->topic,
        .lease = config->lease,
        .has_idempotency_keys = config->idempotency_window > 0,
        .is_draining = child_is_draining,
        .server = child->service->server,
    };
    return ratings_projector_create(&child->projector, &options, child->pool, why);
}

/* Without the stream there is nothing to project, and the store stays as it is. */
static void make_stream(ratings_child_t *child)
{
    const ratings_config_t *config = child->service->config;
    ratings_result_t why;
    child->stream_options = (ratings_stream_options_t){
        .brokers = config->stream,
        .topic = config->topic,
        .kafka = config->kafka,
        .timeout = config->stream_timeout,
        .partitions = (int)config->topic_partitions,
        .replication = (int)config->topic_replication,
        .log = log_stream,
        .log_context = child,
    };
    apr_status_t status = ratings_visibility_create(&child->visibility, child->service->shared,
                                                    &child->projector_bulkhead, child->pool);
    if (status != APR_SUCCESS)
        ratings_result_set(&why, status, "no thread to wait for visibility");
    else
        status = ratings_stream_create(&child->stream, &child->stream_options,
                                       ratings_pending_write_complete, child->pool, &why);
    if (status == APR_SUCCESS)
        status = create_projector(child, &why);
    if (status != APR_SUCCESS)
        say_not_made(child, child->policy[RATINGS_BACKEND_STREAM].name,
                     child->policy[RATINGS_BACKEND_STREAM].effect, &why);
}

/* Without it a backend that recovers is found by the requests that need it. */
static void make_prober(ratings_child_t *child)
{
    ratings_result_t why;
    apr_status_t status = ratings_prober_create(&child->prober, child, child->pool);
    if (status == APR_SUCCESS)
        return;
    ratings_result_set(&why, status, "no thread for it");
    say_not_made(child, "the prober of open circuit breakers", "requests alone find them healed",
                 &why);
}

/* Signals are for httpd's own threads. */
static void block_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

static ratings_child_t *make_child(const ratings_service_t *service)
{
    apr_pool_t *pool;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    ratings_child_t *child = apr_pcalloc(pool, sizeof *child);
    child->pool = pool;
    child->service = service;
    child->started_at = ratings_monotonic();
    init_policies(child);
    ratings_singleflight_init(&child->flights);
    make_talks(child);
    make_store(child);
    make_stats(child);
    make_stream(child);
    make_prober(child);
    return child;
}

/* By then nobody needs these but the prober, whose calls of them this ends; it may be about to
 * begin one, so that they are there until its thread has ended. */
static void end_prober(ratings_child_t *child)
{
    if (child->stats)
        ratings_stats_cancel(child->stats);
    if (child->talks)
        ratings_talks_cancel(child->talks);
    if (child->store)
        ratings_store_cancel(child->store);
    if (child->prober)
        ratings_prober_destroy(child->prober);
    if (child->stats)
        ratings_stats_destroy(child->stats);
    if (child->talks)
        ratings_talks_destroy(child->talks);
}

/* In the order in which one needs another: the projector first, since it may give up its lease to
 * another child; then what it used. */
static void end_child(ratings_child_t *child)
{
    if (child->projector)
        ratings_projector_join(child->projector);
    end_prober(child);
    if (child->stream)
        ratings_stream_destroy(child->stream, FLUSH_US);
    if (child->visibility)
        ratings_visibility_destroy(child->visibility);
    if (child->store)
        ratings_store_destroy(child->store);
    destroy_policies(child);
    ratings_singleflight_destroy(&child->flights);
}

static void free_child(ratings_child_t *child)
{
    if (child->projector)
        ratings_projector_destroy(child->projector);
    apr_pool_destroy(child->pool);
}

/* ---- the end ---- */

/* Under prefork, httpd destroys the child's pool inside its signal handler, when any lock may be
 * held by the code that the signal interrupted. So the cleanup does nothing but ask this thread to
 * end everything, and wait for it; should it be stuck behind such a lock, the process exits without
 * it, which is harmless: the memory is not the pool's, and what is under way in Kafka goes on. */
typedef struct {
    server_rec *main;
    sem_t asked, done;
} ender_t;

static void stop_threads(ratings_child_t *child)
{
    if (child->prober)
        ratings_prober_stop(child->prober);
    if (child->projector)
        ratings_projector_stop(child->projector);
}

static void for_each_child(const server_rec *main, void (*act)(ratings_child_t *child))
{
    for (const server_rec *server = main; server; server = server->next) {
        ratings_service_t *service = ratings_server_of(server)->service;
        if (service && service->child && service->server == server)
            act(service->child);
    }
}

static void *end_when_asked(void *data)
{
    ender_t *ender = data;
    while (sem_wait(&ender->asked) != 0 && errno == EINTR)
        ;
    for_each_child(ender->main, stop_threads); /* all at once, then one after the other */
    for_each_child(ender->main, end_child);
    for_each_child(ender->main, free_child); /* which may be late: all have ended by then */
    sem_post(&ender->done);
    return NULL;
}

static apr_status_t end_all(void *data)
{
    ender_t *ender = data;
    sem_post(&ender->asked);
    (void)ratings_sem_wait_within(&ender->done, END_US);
    return APR_SUCCESS;
}

static apr_status_t register_end(apr_pool_t *pchild, server_rec *main)
{
    apr_pool_t *pool; /* outlives pchild, should the thread be late */
    pthread_t thread;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    ender_t *ender = apr_pcalloc(pool, sizeof *ender);
    ender->main = main;
    sem_init(&ender->asked, 0, 0);
    sem_init(&ender->done, 0, 0);
    apr_status_t status = pthread_create(&thread, NULL, end_when_asked, ender);
    if (status != APR_SUCCESS)
        return status;
    pthread_detach(thread);
    apr_pool_pre_cleanup_register(pchild, ender, end_all);
    return APR_SUCCESS;
}

void ratings_service_start(apr_pool_t *pchild, server_rec *main)
{
    sigset_t before;
    apr_status_t status = APR_SUCCESS;
    bool any = false;
    block_signals(&before);
    for (server_rec *server = main; server; server = server->next) {
        ratings_service_t *service = ratings_server_of(server)->service;
        if (service && service->server == server) {
            service->child = make_child(service);
            any = true;
        }
    }
    if (any)
        status = register_end(pchild, main);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != APR_SUCCESS)
        ap_log_error(APLOG_MARK, APLOG_CRIT, status, main,
                     "RT0207: no thread to end the service with");
}
