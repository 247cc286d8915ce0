/* What can only be judged once all directives are read. */
#include "config.h"

#include <apr_strings.h>
#include <http_log.h>

#include <string.h>

#include "../module.h"

static int complain(const server_rec *server, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int complain(const server_rec *server, const char *tag, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)apr_vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ap_log_error(APLOG_MARK, APLOG_CRIT, 0, server, "%s: %s", tag, text);
    return HTTP_INTERNAL_SERVER_ERROR;
}

static int is_configured(const ratings_config_t *config)
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

static int check_complete(const server_rec *server, const ratings_config_t *config)
{
    const char *missing = missing_backend(config);
    if (!missing)
        return OK;
    if (is_configured(config))
        return complain(server, "RT0101",
                        "%s is not set: a service needs RatingsTalks, RatingsStore, RatingsStream "
                        "and RatingsStats",
                        missing);
    if (config->needed_by)
        return complain(server, "RT0102", "RatingsEndpoint at %s needs %s, which is not set",
                        config->needed_by, missing);
    return OK;
}

/* Two servers either share a service, and then agree on it, or keep apart: one store holds the read
 * model of one topic. */
static int check_pair(const server_rec *server, const ratings_config_t *a,
                      const ratings_config_t *b)
{
    if (ratings_config_same_backends(a, b)) {
        const char *difference = ratings_config_difference(a, b);
        if (difference)
            return complain(server, "RT0103",
                            "%s differs from that of another server with the same backends and "
                            "topic: they share one service, so set it in the main server",
                            difference);
    } else if (strcmp(a->store, b->store) == 0 &&
               (strcmp(a->topic, b->topic) != 0 || strcmp(a->stream, b->stream) != 0)) {
        return complain(server, "RT0104",
                        "RatingsStore is also that of a server with another RatingsStream or "
                        "RatingsTopic: a store holds the ratings of one topic, so use another "
                        "database");
    }
    return OK;
}

int ratings_config_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main)
{
    (void)pconf, (void)plog, (void)ptemp;
    for (server_rec *server = main; server; server = server->next)
        ratings_config_apply_defaults(ratings_config_of_server(server));

    for (server_rec *server = main; server; server = server->next) {
        const ratings_config_t *config = ratings_config_of_server(server);
        if (check_complete(server, config) != OK)
            return HTTP_INTERNAL_SERVER_ERROR;
        for (server_rec *other = main; other != server; other = other->next) {
            const ratings_config_t *earlier = ratings_config_of_server(other);
            if (is_configured(config) && is_configured(earlier) &&
                check_pair(server, config, earlier) != OK)
                return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return OK;
}
