/* The checks that need more than one directive, once all are read. */
#include "config.h"

#include "../backend/talks/talks.h"
#include "../module.h"
#include "kafka_trial.h"
#include "secrets.h"
#include "settings.h"

#include <apr_strings.h>
#include <http_core.h>

#include <stdbool.h>
#include <string.h>

int ratings_config_complain(const server_rec *server, const char *tag, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)apr_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, server, "%s: %s", tag, text);
    return HTTP_INTERNAL_SERVER_ERROR;
}

static bool is_configured(const ratings_config_t *config)
{
    return config->talks || config->store || config->stream || config->stats;
}

static const char *missing_backend(const ratings_config_t *config)
{
    return !config->talks    ? "RatingsTalks"
           : !config->store  ? "RatingsStore"
           : !config->stream ? "RatingsStream"
           : !config->stats  ? "RatingsStats"
                             : NULL;
}

/* ---- RatingsKafka, whose properties librdkafka takes one by one, and refuses together ---- */

typedef struct {
    const char *text;  /* librdkafka's */
    const char *named; /* a property that it names; NULL: none so far */
} naming_t;

static int find_named_property(void *data, const char *key, const char *value)
{
    naming_t *naming = data;
    (void)value;
    if (strstr(naming->text, key))
        naming->named = key;
    return naming->named == NULL;
}

/* "property at file:line" of what librdkafka complains of, else of what was set last. */
static const char *place_of_problem(const ratings_config_t *config, const char *text,
                                    apr_pool_t *pool)
{
    const apr_array_header_t *all = apr_table_elts(config->kafka);
    naming_t naming = {.text = text};
    apr_table_do(find_named_property, &naming, config->kafka, NULL);
    if (!naming.named)
        naming.named = APR_ARRAY_IDX(all, all->nelts - 1, apr_table_entry_t).key;
    return apr_pstrcat(pool, naming.named, " at ",
                       apr_table_get(config->kafka_places, naming.named), NULL);
}

static int check_kafka(server_rec *main, const server_rec *server, apr_pool_t *pool)
{
    const ratings_config_t *config = ratings_config_of_server(server);
    ratings_result_t why;
    apr_status_t status = ratings_kafka_try(main, config, pool, &why);
    if (status == APR_EINVAL)
        return ratings_config_complain(server, "RT0106", "RatingsKafka %s: %s",
                                       place_of_problem(config, why.detail, pool), why.detail);
    if (status != APR_SUCCESS)
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, server,
            "RT0107: whether librdkafka takes what RatingsKafka sets could not be tried: %s",
            why.detail);
    return OK;
}

/* ---- times ---- */

/* httpd reads its configuration twice at start: a warning is logged in one of the two. */
static bool is_first_of_two(void)
{
    return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG &&
           ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST;
}

static void warn_of_times(const server_rec *server, const ratings_config_t *config)
{
    const struct {
        const char *directive;
        int64_t us;
    } times[] = {
        {"RatingsTalksTimeout", config->talks_timeout},
        {"RatingsStoreTimeout", config->store_timeout},
        {"RatingsStreamTimeout", config->stream_timeout},
        {"RatingsStatsTimeout", config->stats_timeout},
        {"RatingsVisibilityTimeout", config->visibility_timeout},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (times[i].us > config->deadline)
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, server,
                         "RT0108: %s (%" APR_INT64_T_FMT " ms) is beyond RatingsDeadline "
                         "(%" APR_INT64_T_FMT " ms), which ends the request first",
                         times[i].directive, times[i].us / 1000, config->deadline / 1000);
}

/* ---- what a server lacks ---- */

static int check_complete(const server_rec *server, const ratings_config_t *config)
{
    const char *missing = missing_backend(config);
    if (!missing)
        return OK;
    if (is_configured(config))
        return ratings_config_complain(
            server, "RT0101",
            "%s is not set: a service needs RatingsTalks, RatingsStore, RatingsStream "
            "and RatingsStats",
            missing);
    if (config->needed_by)
        return ratings_config_complain(server, "RT0102",
                                       "RatingsEndpoint at %s needs %s, which is not set",
                                       config->needed_by, missing);
    if (config->page)
        return ratings_config_complain(server, "RT0112", "RatingsPage needs %s, which is not set",
                                       missing);
    return OK;
}

static int check_driver(const server_rec *server, apr_pool_t *pool)
{
    ratings_result_t why;
    if (ratings_talks_load(pool, &why) == APR_SUCCESS)
        return OK;
    return ratings_config_complain(server, "RT0109", "RatingsTalks cannot be used: %s", why.detail);
}

/* A service is tried once, however many servers share it. */
static int check_service(server_rec *main, server_rec *server, apr_pool_t *pool)
{
    const ratings_config_t *config = ratings_config_of_server(server);
    if (!is_configured(config))
        return OK;
    if (!is_first_of_two())
        warn_of_times(server, config);
    for (server_rec *other = main; other != server; other = other->next) {
        const ratings_config_t *earlier = ratings_config_of_server(other);
        if (is_configured(earlier) && ratings_config_same_backends(config, earlier))
            return OK;
    }
    if (check_driver(server, pool) != OK ||
        ratings_config_load_store_tls(server, server->process->pconf) != OK)
        return HTTP_INTERNAL_SERVER_ERROR;
    return check_kafka(main, server, pool);
}

/* Two servers either share a service, and then agree on it, or keep apart: one store holds the read
 * model of one topic. */
static int check_pair(const server_rec *server, const ratings_config_t *a,
                      const ratings_config_t *b)
{
    if (ratings_config_same_backends(a, b)) {
        const char *difference = ratings_config_difference(a, b);
        if (difference)
            return ratings_config_complain(
                server, "RT0103",
                "%s differs from that of another server with the same backends and "
                "topic: they share one service, so set it in the main server",
                difference);
    } else if (strcmp(a->store, b->store) == 0 &&
               (strcmp(a->topic, b->topic) != 0 || strcmp(a->stream, b->stream) != 0)) {
        return ratings_config_complain(
            server, "RT0104",
            "RatingsStore is also that of a server with another RatingsStream or "
            "RatingsTopic: a store holds the ratings of one topic, so use another "
            "database");
    }
    return OK;
}

/* ---- all of it ---- */

static int check_server(server_rec *main, server_rec *server, apr_pool_t *ptemp)
{
    const ratings_config_t *config = ratings_config_of_server(server);
    if (check_complete(server, config) != OK)
        return HTTP_INTERNAL_SERVER_ERROR;
    for (const server_rec *other = main; other != server; other = other->next) {
        const ratings_config_t *earlier = ratings_config_of_server(other);
        if (is_configured(config) && is_configured(earlier) &&
            check_pair(server, config, earlier) != OK)
            return HTTP_INTERNAL_SERVER_ERROR;
    }
    return check_service(main, server, ptemp);
}

/* Defaults come before all checks, which compare servers. */
int ratings_config_finish(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    (void)plog;
    for (server_rec *server = main; server; server = server->next)
        ratings_config_apply_defaults(&ratings_server_of(server)->config);
    for (server_rec *server = main; server; server = server->next)
        if (check_server(main, server, ptemp) != OK ||
            ratings_config_load_secrets(server, pconf) != OK)
            return HTTP_INTERNAL_SERVER_ERROR;
    return OK;
}
