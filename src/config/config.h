/* What the administrator may set: the settings of a server (or virtual host) and of a location; and
 * the record that httpd keeps of a server for this module.
 *
 * A setting that was not given holds its unset value (NULL or RATINGS_UNSET) until
 * ratings_config_finish, so that a virtual host inherits what its parent was given. Everything
 * lives in httpd's configuration pool and is read-only once a child runs: any thread may read it.
 */
#ifndef RATINGS_CONFIG_CONFIG_H
#define RATINGS_CONFIG_CONFIG_H

#include "../core/aws_source.h"
#include "../core/hiding.h"
#include "../core/secret.h"
#include "../core/tls.h"
#include "../core/voter_rate.h"
#include "endpoint_names.h"

#include <apr_tables.h>
#include <apr_time.h>
#include <httpd.h>

#include <ap_expr.h>     /* needs httpd.h before it */
#include <http_config.h> /* and so does this */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define RATINGS_UNSET INT64_MIN

struct ratings_service_t;

/* The settings of a server. Durations are microseconds, sizes bytes, flags 0 or 1. */
typedef struct {
    const char
        *talks; /* the four connection strings, as configured or read, with their passwords */
    const char *store;
    const char *stream;
    const char *stats;
    const char *topic;
    const char *store_ca; /* of TLS: a file or directory of authorities, or "system" */
    const char *store_certificate, *store_key; /* of TLS: files, or "none" */
    const char *store_name;    /* of TLS: what the server's certificate must name, or "host" */
    const char *stats_proxy;   /* the proxy by which stats is called, or "none" */
    const char *stats_auth;    /* how calls of stats are signed, or "off" */
    const char *stats_header;  /* "Name: value" of them, or "none" */
    const char *voter_secret;  /* where the secret of the voters' hashes is; NULL: none was given */
    const char *ranking_prior; /* by which talks are ranked, or "off" */
    const char *page; /* the path below which talks have pages, with its slashes; NULL: none has */
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
    int64_t trace_context;
    int64_t notes;
    apr_table_t *kafka;        /* librdkafka properties; never NULL */
    apr_table_t *kafka_places; /* where each was set, "file:line"; never NULL */

    /* where a directive stands that needs the one named, "file:line"; NULL: nowhere */
    const char *needed_by;        /* RatingsEndpoint: the backends */
    const char *secret_needed_by; /* RatingsVoter: RatingsVoterSecret */

    const char
        *ratings_path; /* of a <Location> with RatingsEndpoint ratings; NULL: there is none */

    /* the rules of RatingsHide that a location has: RATINGS_HIDE_UNTIL_CLOSED or 0, and the largest
     * number or 0 */
    ratings_hide_t hides_until_closed, hides_below;

    bool uses_voter_rate; /* whether a location has RatingsVoterRate, other than off */
    bool uses_metrics;    /* whether a location has RatingsEndpoint metrics */
} ratings_config_t;

/* httpd's record of a server: its settings, and what was made of them. */
typedef struct {
    ratings_config_t config;
    const ratings_secret_t *secret; /* of config.voter_secret; NULL: none was given */
    const ratings_aws_source_t *stats_credentials; /* of config.stats_auth; NULL: it is off */
    const ratings_tls_context_t *store_tls; /* of the service that begins here; NULL: without */
    ratings_electorate_t electorate; /* of all who vote under that; none: there is no secret */
    struct ratings_service_t
        *service; /* shared with servers of the same backends and topic; NULL: none is configured */
    const char *metadata; /* the reply of GET metadata; NULL: no service */
} ratings_server_t;

/* By what a request's voter is known. */
typedef enum {
    RATINGS_VOTER_SOURCE_UNSET, /* as in the section around it; in the outermost one: not at all */
    RATINGS_VOTER_SOURCE_OFF,
    RATINGS_VOTER_SOURCE_COOKIE,
    RATINGS_VOTER_SOURCE_EXPRESSION
} ratings_voter_source_e;

/* The settings of a location. What is unset is as in the section around it. */
typedef struct {
    bool is_set; /* the endpoint and the path */
    ratings_endpoint_e endpoint;
    const char
        *path; /* of its <Location>; NULL: the section is a pattern, or has no RatingsEndpoint */
    ratings_hide_t hide; /* the rule, or RATINGS_UNSET, which is RATINGS_HIDE_NEVER */
    ratings_voter_source_e voter_source;
    const ap_expr_info_t *voter_expression; /* of RATINGS_VOTER_SOURCE_EXPRESSION: the identity */
    int64_t voter_required;                 /* flag, or RATINGS_UNSET, which is off */
    ratings_voter_rate_t voter_rate;        /* its count may be RATINGS_UNSET, which is no limit */
    apr_array_header_t *origins; /* const char *: of others that are allowed; NULL: unset, none */
} ratings_location_t;

/* Whether requests for the location have voters. */
static inline bool ratings_location_has_voters(const ratings_location_t *location)
{
    return location->voter_source == RATINGS_VOTER_SOURCE_COOKIE ||
           location->voter_source == RATINGS_VOTER_SOURCE_EXPRESSION;
}

/* Whether the location limits how often a voter writes. */
static inline bool ratings_location_has_rate(const ratings_location_t *location)
{
    return location->voter_rate.count > 0;
}

/* The rule by which the location hides results. */
static inline ratings_hide_t ratings_location_hide(const ratings_location_t *location)
{
    return location->hide == RATINGS_UNSET ? RATINGS_HIDE_NEVER : location->hide;
}

/* The rules by which a location that lists talks hides their results: its own; or, so that a list
 * does not show what is hidden elsewhere, where it has none, all those of the server. A rule that
 * there is not is RATINGS_HIDE_NEVER. */
static inline ratings_hide_rules_t ratings_location_hide_rules(const ratings_location_t *location,
                                                               const ratings_config_t *config)
{
    return location->hide == RATINGS_UNSET
               ? (ratings_hide_rules_t){{config->hides_until_closed, config->hides_below}}
               : (ratings_hide_rules_t){{location->hide, RATINGS_HIDE_NEVER}};
}

/* The header of calls of stats, "Name: value"; NULL: there is none. */
static inline const char *ratings_stats_header_of(const ratings_config_t *config)
{
    return strcmp(config->stats_header, "none") == 0 ? NULL : config->stats_header;
}

extern const command_rec ratings_directives[];

/* httpd's callbacks: they make a ratings_server_t, and a ratings_location_t. */
void *ratings_server_create(apr_pool_t *pool, server_rec *server);
void *ratings_server_merge(apr_pool_t *pool, void *parent, void *child);
void *ratings_location_create(apr_pool_t *pool, char *path);
void *ratings_location_merge(apr_pool_t *pool, void *parent, void *child);

/* Finishes the configuration once all directives are read: gives every setting that was not given
 * its default, then checks, over all servers, what more than one directive says together. The hook
 * check_config runs it, so that `apachectl configtest` runs it too. Logs what is wrong. OK, or
 * HTTP_INTERNAL_SERVER_ERROR. */
int ratings_config_finish(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main);

/* Whether two servers use the same four backends and topic, and so one service. */
bool ratings_config_same_backends(const ratings_config_t *a, const ratings_config_t *b);

/* The record of a server, its settings, and the settings of the location that a request is for.
 * Never NULL. */
ratings_server_t *ratings_server_of(const server_rec *server);
const ratings_config_t *ratings_config_of_server(const server_rec *server);
const ratings_location_t *ratings_location_of_request(const request_rec *r);

#endif
