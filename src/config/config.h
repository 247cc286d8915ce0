/* What the administrator may set: the settings of a server (or virtual host) and of a location.
 *
 * A setting that was not given holds its unset value (NULL or RATINGS_UNSET) until defaults are
 * applied after the merge, so that a virtual host inherits what its parent was given. */
#ifndef RATINGS_CONFIG_CONFIG_H
#define RATINGS_CONFIG_CONFIG_H

#include <apr_tables.h>
#include <apr_time.h>
#include <httpd.h>

#include <http_config.h> /* needs httpd.h before it */

#include <stdint.h>

#define RATINGS_UNSET INT64_MIN

struct ratings_service_t;
struct ratings_endpoint_t;

/* The settings of a server. Durations are microseconds, sizes bytes, flags 0 or 1. */
typedef struct {
    const char *talks; /* the four connection strings, as configured, with their passwords */
    const char *store;
    const char *stream;
    const char *stats;
    const char *topic;
    const char *stats_proxy; /* the proxy by which stats is called, or "none" */
    int64_t topic_partitions;
    int64_t topic_replication; /* 0: as many as the cluster has brokers for, three at most */
    int64_t talks_timeout;
    int64_t store_timeout;
    int64_t stream_timeout;
    int64_t stats_timeout;
    int64_t talks_pool;
    int64_t store_pool;
    int64_t stats_pool;
    int64_t breaker_failures;
    int64_t breaker_cooldown;
    int64_t waiters_max; /* threads that may wait for one backend; 0: three quarters */
    int64_t lease;
    int64_t visibility_timeout;
    int64_t deadline;
    int64_t idempotency_window;
    int64_t talk_ttl;
    int64_t cache_ttl;
    int64_t stats_memo;
    int64_t body_limit;
    int64_t metadata_secrets;
    apr_table_t *kafka;        /* librdkafka properties; never NULL */
    apr_table_t *kafka_places; /* where each was set, "file:line"; never NULL */

    const char *needed_by; /* where an endpoint was placed, "file:line"; NULL: nowhere */
    struct ratings_service_t *service; /* set at post_config; NULL when nothing is configured */
    const char *metadata;              /* what GET / answers; set at post_config as well */
} ratings_config_t;

/* The settings of a location. */
typedef struct {
    const struct ratings_endpoint_t *endpoint; /* NULL: not set, or none */
    int endpoint_set;
    int variant;          /* which of the endpoint's variants */
    const char *location; /* path to take off the request's, NULL if the section is a pattern */
} ratings_location_t;

extern const command_rec ratings_directives[];

void *ratings_config_create(apr_pool_t *pool, server_rec *server);
void *ratings_config_merge(apr_pool_t *pool, void *parent, void *child);
void *ratings_location_create(apr_pool_t *pool, char *path);
void *ratings_location_merge(apr_pool_t *pool, void *parent, void *child);

/* Gives every setting that was not given its default. */
void ratings_config_apply_defaults(ratings_config_t *config);

/* The name of a directive of the service (not of the virtual host alone) that the two settle
 * differently, connection strings and topic left out; NULL if there is none. */
const char *ratings_config_difference(const ratings_config_t *a, const ratings_config_t *b);

/* Whether two servers use the same four backends and topic, and so one service. */
int ratings_config_same_backends(const ratings_config_t *a, const ratings_config_t *b);

/* The checks that need more than one directive, over all servers; run by check_config, so that
 * `apachectl configtest` runs them too. Logs what is wrong; OK or HTTP_INTERNAL_SERVER_ERROR. */
int ratings_config_check(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main);

/* The settings that govern a request or a server. */
ratings_config_t *ratings_config_of_server(const server_rec *server);
const ratings_location_t *ratings_location_of_request(const request_rec *r);

#endif
