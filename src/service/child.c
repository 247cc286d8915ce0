#include "child.h"

#include "../core/clock.h"
#include "../core/container_of.h"
#include "../module.h"
#include "../projector/projector.h"
#include "../shm/process.h"
#include "backend_options.h"
#include "pending_write.h"
#include "prober.h"

#include <ap_mpm.h>

#define FLUSH_US INT64_C(500000) /* what events under way have to be acknowledged at the end */

/* ---- the call policies ---- */

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

/* A client may invent a position: what waits for one leaves threads to those that wait for what was
 * recorded. */
static unsigned position_waiters_max(const ratings_config_t *config)
{
    unsigned max = waiters_max(config) / 4;
    return max > 0 ? max : 1;
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

/* `which`: of ratings_metric_bulkhead_e. */
static void init_bulkhead(const ratings_child_t *child, ratings_bulkhead_t *bulkhead, int which,
                          unsigned max)
{
    ratings_bulkhead_init(bulkhead, max);
    if (!child->use)
        return;
    bulkhead->usage = &child->use->bulkhead[which];
    atomic_store(&child->use->bulkhead_max[which], max);
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
    policy->metrics = child->service->metrics;
    policy->which = backend;
    policy->backend = &policy->shared->backend[backend];
    policy->limits = (ratings_breaker_limits_t){
        .threshold = (unsigned)config->breaker_failures,
        .cooldown_us = config->breaker_cooldown,
        .seed = policy->shared->id + (uint64_t)backend,
    };
    policy->fair_us = timeout_of(config, backend) / 2;
    init_bulkhead(child, &policy->bulkhead, (int)backend, waiters_max(config));
}

static void init_policies(ratings_child_t *child)
{
    const ratings_config_t *config = child->service->config;
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        init_policy(child, (ratings_backend_e)i);
    init_bulkhead(child, &child->projector_bulkhead, RATINGS_METRIC_BULKHEAD_PROJECTOR,
                  waiters_max(config));
    init_bulkhead(child, &child->position_bulkhead, RATINGS_METRIC_BULKHEAD_POSITION,
                  position_waiters_max(config));
}

static void destroy_policies(ratings_child_t *child)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        ratings_bulkhead_destroy(&child->policy[i].bulkhead);
    ratings_bulkhead_destroy(&child->projector_bulkhead);
    ratings_bulkhead_destroy(&child->position_bulkhead);
}

/* ---- the backends ---- */

static void log_not_made(const ratings_child_t *child, const char *name, const char *effect,
                         const char *why)
{
    ap_log_error(APLOG_MARK, APLOG_ERR, 0, child->service->server,
                 "RT0205: %s cannot be used in this child, %s: %s", name, effect, why);
}

static void set_usable(ratings_child_t *child, ratings_backend_e backend, apr_status_t status,
                       const ratings_result_t *why)
{
    ratings_call_policy_t *policy = &child->policy[backend];
    policy->is_usable = status == APR_SUCCESS;
    if (!policy->is_usable)
        log_not_made(child, policy->name, policy->effect, why->detail);
}

/* Where a backend's pool of at most `max` connections shows how it is used. */
static ratings_pool_usage_t *usage_of_pool(const ratings_child_t *child, ratings_backend_e backend,
                                           int64_t max)
{
    if (!child->use)
        return NULL;
    atomic_store(&child->use->pool_max[backend], (uint32_t)max);
    return &child->use->pool[backend];
}

static void make_talks(ratings_child_t *child)
{
    const ratings_config_t *config = child->service->config;
    ratings_talks_options_t options = ratings_talks_options_of(config);
    options.usage = usage_of_pool(child, RATINGS_BACKEND_TALKS, config->talks_pool);
    ratings_result_t why;
    apr_status_t status = ratings_talks_create(&child->talks, &options, child->pool, &why);
    set_usable(child, RATINGS_BACKEND_TALKS, status, &why);
}

static void make_store(ratings_child_t *child)
{
    const ratings_config_t *config = child->service->config;
    ratings_store_options_t options =
        ratings_store_options_of(ratings_server_of(child->service->server));
    options.retired_at = &child->service->shared->store_retired_at;
    options.usage = usage_of_pool(child, RATINGS_BACKEND_STORE, config->store_pool);
    ratings_result_t why;
    apr_status_t status = ratings_store_create(&child->store, &options, &why);
    set_usable(child, RATINGS_BACKEND_STORE, status, &why);
}

static void log_stats(ratings_stats_log_t *log, ratings_stats_log_e event, const char *why)
{
    const ratings_child_t *child = RATINGS_CONTAINER_OF(log, ratings_child_t, stats_log);
    if (event == RATINGS_STATS_LOG_REFRESHED)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, child->service->server,
                     "RT0211: credentials of AWS are obtained again");
    else
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, child->service->server,
                     "RT0210: credentials of AWS could not be obtained, and without valid ones "
                     "the Lambda is not called: %s",
                     why);
}

static void make_stats(ratings_child_t *child)
{
    const ratings_server_t *record = ratings_server_of(child->service->server);
    child->stats_log = (ratings_stats_log_t){log_stats};
    ratings_stats_options_t options = ratings_stats_options_of(record);
    options.log = &child->stats_log;
    options.usage = usage_of_pool(child, RATINGS_BACKEND_STATS, record->config.stats_pool);
    ratings_result_t why;
    apr_status_t status = ratings_stats_create(&child->stats, &options, &why);
    set_usable(child, RATINGS_BACKEND_STATS, status, &why);
}

/* ---- the stream, and the projector ---- */

/* What librdkafka reports beside outages of brokers is at info once in a while, else at debug. What
 * does not pass by itself (a fatal error, a failed login) is an error. */
static int stream_log_level(const ratings_child_t *child, int level)
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

static void write_stream_line(const ratings_child_t *child, int level, const char *text)
{
    ap_log_error(APLOG_MARK, level, 0, child->service->server, "RT0206: librdkafka: %s", text);
}

/* librdkafka's levels are syslog's, and so are httpd's. */
static void log_stream(ratings_stream_log_t *log, int level, const char *text)
{
    const ratings_child_t *child = RATINGS_CONTAINER_OF(log, ratings_child_t, stream_log);
    write_stream_line(child, stream_log_level(child, level), text);
}

static void log_unreachable(ratings_stream_log_t *log, const char *broker, const char *text)
{
    const ratings_child_t *child = RATINGS_CONTAINER_OF(log, ratings_child_t, stream_log);
    bool is_first = ratings_shm_outage_begins(child->service->shared, broker, ratings_monotonic());
    write_stream_line(child, is_first ? APLOG_INFO : APLOG_DEBUG, text);
}

static void log_reached(ratings_stream_log_t *log, const char *broker)
{
    const ratings_child_t *child = RATINGS_CONTAINER_OF(log, ratings_child_t, stream_log);
    if (ratings_shm_outage_ends(child->service->shared, broker, ratings_monotonic()))
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, child->service->server,
                     "RT0212: the broker %s of Kafka (RatingsStream) answers again", broker);
}

/* The configuration check has found what librdkafka refuses (config/kafka_trial.h): what fails here
 * is the process. */
static void log_stream_refused(ratings_stream_log_t *log, const char *text)
{
    const ratings_child_t *child = RATINGS_CONTAINER_OF(log, ratings_child_t, stream_log);
    const ratings_call_policy_t *policy = &child->policy[RATINGS_BACKEND_STREAM];
    log_not_made(child, policy->name, policy->effect, text);
}

static bool child_is_draining(void)
{
    int state = AP_MPMQ_RUNNING;
    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

static apr_status_t create_projector(ratings_child_t *child, ratings_result_t *why)
{
    const ratings_config_t *config = child->service->config;
    ratings_projector_options_t options = {
        .store = ratings_store_options_of(ratings_server_of(child->service->server)),
        .requests_store = child->store,
        .stream = child->stream,
        .reader = &child->stream_options,
        .shared = child->service->shared,
        .metrics = child->service->metrics,
        .visibility = child->visibility,
        .rings = child->service->rings,
        .topic = config->topic,
        .ranking = strcmp(config->ranking_prior, "off") == 0 ? "" : config->ranking_prior,
        .electorate = &ratings_server_of(child->service->server)->electorate,
        .lease = config->lease,
        .has_idempotency_keys = config->idempotency_window > 0,
        .is_draining = child_is_draining,
        .server = child->service->server,
    };
    options.store.connections_max = 1;
    options.store.retired_at = &child->service->shared->store_retired_at;
    return ratings_projector_create(&child->projector, &options, child->pool, why);
}

/* Without the stream there is nothing to project, and the store stays as it is. */
static void make_stream(ratings_child_t *child)
{
    const ratings_config_t *config = child->service->config;
    ratings_result_t why;
    child->stream_log = (ratings_stream_log_t){
        .write = log_stream,
        .unreachable = log_unreachable,
        .reached = log_reached,
        .refused = log_stream_refused,
    };
    child->stream_options = ratings_stream_options_of(config);
    child->stream_options.log = &child->stream_log;
    child->visibility = ratings_visibility_create(child->service->shared, child->pool);
    child->stream = ratings_stream_create(&child->stream_options, child->pool);
    apr_status_t status = create_projector(child, &why);
    set_usable(child, RATINGS_BACKEND_STREAM, status, &why);
}

/* ---- the prober ---- */

/* Without it a backend that recovers is found by the requests that need it. */
static void make_prober(ratings_child_t *child)
{
    if (ratings_prober_create(&child->prober, child, child->pool) != APR_SUCCESS)
        log_not_made(child, "the prober of open circuit breakers",
                     "requests alone find them healed", "no thread for it");
}

/* ---- life ---- */

ratings_child_t *ratings_child_create(const ratings_service_t *service)
{
    apr_pool_t *pool;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    ratings_child_t *child = apr_pcalloc(pool, sizeof *child);
    child->pool = pool;
    child->service = service;
    child->started_at = ratings_monotonic();
    child->process = ratings_process_self();
    child->use = ratings_metrics_join(service->metrics);
    init_policies(child);
    ratings_singleflight_init(&child->stats_calls);
    ratings_known_cache_init(&child->talk_list);
    ratings_known_cache_init(&child->talk_ranks);
    make_talks(child);
    make_store(child);
    make_stats(child);
    make_stream(child);
    make_prober(child);
    return child;
}

void ratings_child_stop(ratings_child_t *child)
{
    if (child->prober)
        ratings_prober_stop(child->prober);
    if (child->projector)
        ratings_projector_stop(child->projector);
}

/* By then the prober and background threads alone use these. Cancelling them ends their calls, and
 * those that they may be about to make; they are destroyed once the threads have ended. */
static void close_backends(ratings_child_t *child)
{
    if (child->stats)
        ratings_stats_cancel(child->stats);
    if (child->talks)
        ratings_talks_cancel(child->talks);
    if (child->store)
        ratings_store_cancel(child->store);
    if (child->prober)
        ratings_prober_destroy(child->prober);
    ratings_background_join(&child->background);
    if (child->stats)
        ratings_stats_destroy(child->stats);
    if (child->talks)
        ratings_talks_destroy(child->talks);
}

/* In the order in which one needs another: the projector first, since it may give up its lease to
 * another child; then what it used. */
void ratings_child_shut_down(ratings_child_t *child)
{
    if (child->projector)
        ratings_projector_join(child->projector);
    close_backends(child);
    ratings_stream_destroy(child->stream, FLUSH_US);
    ratings_visibility_destroy(child->visibility);
    if (child->store)
        ratings_store_destroy(child->store);
    destroy_policies(child);
    ratings_singleflight_destroy(&child->stats_calls);
    ratings_known_cache_destroy(&child->talk_list);
    ratings_known_cache_destroy(&child->talk_ranks);
    ratings_metrics_leave(child->use);
}

void ratings_child_free(ratings_child_t *child)
{
    if (child->projector)
        ratings_projector_destroy(child->projector);
    apr_pool_destroy(child->pool);
}
