/* The directives: one row each, with its field, default and range. The setters, the merge and the
 * comparison of servers all walk this table. */
#include "config.h"

#include "../backend/stats/stats.h"
#include "../backend/store/store.h"
#include "../backend/stream/stream.h"
#include "../backend/talks/talks.h"
#include "../core/number.h"
#include "../http/endpoint.h"
#include "../module.h"

#include <apr_fnmatch.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include <stddef.h>
#include <string.h>

#define MS(n) ((n)*INT64_C(1000))
#define SECONDS(n) MS((n)*INT64_C(1000))

typedef enum { SCOPE_SERVICE, SCOPE_HOST } scope_e; /* who may differ in it */
typedef enum { FIELD_TEXT, FIELD_NUMBER } field_e;

typedef struct {
    size_t offset; /* in ratings_config_t */
    field_e field;
    scope_e scope;
    int64_t preset; /* default of a number */
    int64_t min, max;
    const char *text;                     /* default of a text, NULL: none */
    const char *(*problem)(const char *); /* of a text: NULL, or what is wrong with it */
} setting_t;

static const char **text_field(ratings_config_t *config, const setting_t *setting)
{
    return (const char **)(void *)((char *)config + setting->offset);
}

static int64_t *number_field(ratings_config_t *config, const setting_t *setting)
{
    return (int64_t *)(void *)((char *)config + setting->offset);
}

/* ---- values ---- */

static const char *refuse(cmd_parms *cmd, const char *value, const char *allowed)
{
    return apr_psprintf(cmd->pool, "%s: '%s' is not allowed: %s", cmd->cmd->name, value, allowed);
}

/* httpd leaves ${NAME} in place, with a warning, when the variable does not exist. */
static const char *unknown_variable(const char *value)
{
    const char *open = strstr(value, "${");
    return open && strchr(open, '}')
               ? "a variable in it is neither defined nor in httpd's environment"
               : NULL;
}

static const char *set_text(cmd_parms *cmd, void *dir, const char *value)
{
    const setting_t *setting = cmd->info;
    const char *problem = unknown_variable(value);
    (void)dir;
    if (!problem)
        problem = setting->problem(value);
    if (problem) /* not the value: it may hold a password */
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, problem);
    *text_field(ratings_config_of_server(cmd->server), setting) = value;
    return NULL;
}

static const char *set_number(cmd_parms *cmd, void *dir, const char *value)
{
    const setting_t *setting = cmd->info;
    int64_t *field = number_field(ratings_config_of_server(cmd->server), setting);
    (void)dir;
    if (ratings_parse_int(value, strlen(value), setting->min, setting->max, field))
        return NULL;
    return refuse(cmd, value,
                  apr_psprintf(cmd->pool,
                               "it takes a whole number from %" APR_INT64_T_FMT
                               " to %" APR_INT64_T_FMT,
                               setting->min, setting->max));
}

/* A time as the documents write it: hours, seconds or milliseconds, the largest that it is a
 * multiple of. */
static const char *time_text(apr_pool_t *pool, int64_t time)
{
    static const struct {
        int64_t length;
        const char *name;
    } units[] = {{SECONDS(3600), "h"}, {SECONDS(1), "s"}, {MS(1), "ms"}};
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof *units && (time == 0 || time % units[i].length != 0))
        i++;
    return apr_psprintf(pool, "%" APR_INT64_T_FMT "%s", time / units[i].length, units[i].name);
}

/* A digit comes first: ap_timeout_parameter_parse takes blanks, signs and no number at all. */
static const char *set_duration(cmd_parms *cmd, void *dir, const char *value)
{
    const setting_t *setting = cmd->info;
    apr_interval_time_t parsed = -1;
    (void)dir;
    if (apr_isdigit(value[0]) && ap_timeout_parameter_parse(value, &parsed, "s") == APR_SUCCESS &&
        parsed >= setting->min && parsed <= setting->max) {
        *number_field(ratings_config_of_server(cmd->server), setting) = parsed;
        return NULL;
    }
    return refuse(
        cmd, value,
        apr_psprintf(cmd->pool,
                     "it takes a time from %s to %s, in seconds or with a unit (ms, s, min, h)",
                     time_text(cmd->pool, setting->min), time_text(cmd->pool, setting->max)));
}

static const char *set_flag(cmd_parms *cmd, void *dir, int on)
{
    (void)dir;
    *number_field(ratings_config_of_server(cmd->server), cmd->info) = on ? 1 : 0;
    return NULL;
}

static const char *place_of(const cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
}

static const char *set_kafka(cmd_parms *cmd, void *dir, const char *key, const char *value)
{
    char why[RATINGS_DETAIL_MAX];
    const char *problem = unknown_variable(value);
    (void)dir;
    if (!problem && !ratings_stream_property_ok(key, value, why, sizeof why))
        problem = why;
    if (problem)
        return apr_psprintf(cmd->pool, "%s %s: %s", cmd->cmd->name, key, problem);
    apr_table_set(ratings_config_of_server(cmd->server)->kafka, key, value);
    apr_table_setn(ratings_config_of_server(cmd->server)->kafka_places, key, place_of(cmd));
    return NULL;
}

/* ---- RatingsEndpoint ---- */

/* The section that the directive stands in, if it is a <Location> of a plain path: what comes
 * after that path in a request is more than the location. NULL if it is a pattern. */
static const char *plain_location(const cmd_parms *cmd)
{
    const ap_directive_t *section = cmd->directive->parent;
    if (!section || ap_cstr_casecmp(section->directive, "<Location") != 0 ||
        section->args[0] == '~' || apr_fnmatch_test(cmd->path))
        return NULL;
    return cmd->path;
}

static const char *set_endpoint(cmd_parms *cmd, void *dir, const char *name, const char *variant)
{
    ratings_location_t *location = dir;
    const char *problem = ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT & ~NOT_IN_LOCATION);
    if (problem)
        return problem;
    location->endpoint_set = 1;
    location->location = plain_location(cmd);
    problem =
        ratings_endpoint_find(name, variant, cmd->path, &location->endpoint, &location->variant);
    if (problem)
        return apr_psprintf(cmd->pool, "%s: '%s%s%s' is not allowed: %s", cmd->cmd->name, name,
                            variant ? " " : "", variant ? variant : "", problem);
    if (location->endpoint)
        ratings_config_of_server(cmd->server)->needed_by = place_of(cmd);
    return NULL;
}

/* ---- the table ---- */

/* clang-format off */
#define FIELD(name) .offset = offsetof(ratings_config_t, name)
#define TEXT(name, field_, problem_, preset_, help) \
    AP_INIT_TAKE1(name, set_text, (&(setting_t){FIELD(field_), .field = FIELD_TEXT, \
        .text = preset_, .problem = problem_}), RSRC_CONF, help)
#define VALUE(init, setter, name, field_, scope_, preset_, min_, max_, help) \
    init(name, setter, (&(setting_t){FIELD(field_), .field = FIELD_NUMBER, .scope = scope_, \
        .preset = preset_, .min = min_, .max = max_}), RSRC_CONF, help)
#define NUMBER(...)   VALUE(AP_INIT_TAKE1, set_number, __VA_ARGS__)
#define DURATION(...) VALUE(AP_INIT_TAKE1, set_duration, __VA_ARGS__)
#define FLAG(...)     VALUE(AP_INIT_FLAG, set_flag, __VA_ARGS__)

const command_rec ratings_directives[] = {
    AP_INIT_TAKE12("RatingsEndpoint", set_endpoint, NULL, ACCESS_CONF,
        "What this location answers: ratings, metadata, health [live|ready], or none"),

    TEXT("RatingsTalks",  talks,  ratings_talks_connection_problem, NULL, "PostgreSQL: postgres://user:password@host:port/database"),
    TEXT("RatingsStore",  store,  ratings_store_url_problem,        NULL, "Redis: redis://[[user]:password@]host[:port][/database]"),
    TEXT("RatingsStream", stream, ratings_stream_brokers_problem,   NULL, "Kafka: host:port[,host:port...]"),
    TEXT("RatingsStats",  stats,  ratings_stats_url_problem,        NULL, "The Lambda's function URL: http(s)://host[:port]/"),
    TEXT("RatingsStatsProxy", stats_proxy, ratings_stats_proxy_problem, "none", "The proxy by which the Lambda is called: http://[user:password@]host:port"),
    TEXT("RatingsTopic",  topic,  ratings_stream_topic_problem,     "ratings", "The topic that holds the events"),
    AP_INIT_TAKE2("RatingsKafka", set_kafka, NULL, RSRC_CONF, "A librdkafka property and its value"),

    NUMBER("RatingsTopicPartitions",  topic_partitions,  SCOPE_SERVICE, 1, 1, RATINGS_PARTITIONS_MAX, "Partitions of the topic, if it is created"),
    NUMBER("RatingsTopicReplication", topic_replication, SCOPE_SERVICE, 0, 0, 32, "Replicas of each partition, if the topic is created; 0: three, or one where there are fewer brokers"),

    DURATION("RatingsTalksTimeout",  talks_timeout,  SCOPE_SERVICE, MS(1000), MS(10),  SECONDS(60), "How long a look-up in PostgreSQL may take"),
    DURATION("RatingsStoreTimeout",  store_timeout,  SCOPE_SERVICE, MS(1000), MS(10),  SECONDS(60), "How long a read of Redis may take"),
    DURATION("RatingsStreamTimeout", stream_timeout, SCOPE_SERVICE, MS(3000), MS(100), SECONDS(60), "How long Kafka may take to acknowledge an event"),
    DURATION("RatingsStatsTimeout",  stats_timeout,  SCOPE_SERVICE, MS(1000), MS(10),  SECONDS(60), "How long the Lambda may take"),
    NUMBER("RatingsTalksPool", talks_pool, SCOPE_SERVICE, 8, 1, 1024, "Connections to PostgreSQL of a child, at most"),
    NUMBER("RatingsStorePool", store_pool, SCOPE_SERVICE, 8, 1, 1024, "Connections to Redis of a child, at most"),
    NUMBER("RatingsStatsPool", stats_pool, SCOPE_SERVICE, 8, 1, 64,   "Calls of the Lambda under way in a child, at most"),
    NUMBER("RatingsBreakerFailures",   breaker_failures, SCOPE_SERVICE, 5, 1, 1000000, "Failures in a row that open the circuit breaker of a backend"),
    DURATION("RatingsBreakerCooldown", breaker_cooldown, SCOPE_SERVICE, MS(1000), MS(10), SECONDS(60), "How long a circuit breaker stays open before the backend is probed"),
    NUMBER("RatingsWaitersMax", waiters_max, SCOPE_SERVICE, 0, 0, 100000, "Threads of a child that may wait for one backend that is slow; 0: three quarters of them"),
    DURATION("RatingsTalkTTL",  talk_ttl,  SCOPE_SERVICE, SECONDS(60), 0, SECONDS(86400), "How long a talk that exists is not looked up again; 0: it always is"),
    DURATION("RatingsCacheTTL", cache_ttl, SCOPE_SERVICE, SECONDS(10), 0, SECONDS(3600),  "How long an answer is given again while nothing is known to have changed; 0: never"),
    FLAG("RatingsStatsMemo",    stats_memo, SCOPE_SERVICE, 1, 0, 1, "Whether statistics of the same counts are asked for once"),
    DURATION("RatingsLease", lease, SCOPE_SERVICE, MS(1000), MS(300), SECONDS(RATINGS_LEASE_MAX_S), "How long the right to project lasts if it is not renewed"),

    DURATION("RatingsVisibilityTimeout", visibility_timeout, SCOPE_HOST, MS(1000), 0, SECONDS(60), "How long a POST waits until its rating is visible, after Kafka has it"),
    DURATION("RatingsDeadline",          deadline,           SCOPE_HOST, MS(5000), MS(100), SECONDS(60), "How long a request may take, once it has been read, whatever hangs"),
    DURATION("RatingsIdempotencyWindow", idempotency_window, SCOPE_HOST, SECONDS(86400), 0, SECONDS(2678400), "How long an Idempotency-Key holds; 0: requests that have one are refused"),
    NUMBER("RatingsBodyLimit",      body_limit,       SCOPE_HOST, 4096, 64, 1048576, "The longest body of a POST, in bytes"),
    FLAG("RatingsMetadataSecrets",  metadata_secrets, SCOPE_HOST, 0, 0, 1, "Whether GET / shows passwords"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};
/* clang-format on */

/* ---- walks over the table ---- */

/* The rows that hold a setting_t: all but RatingsEndpoint and RatingsKafka. */
static const setting_t *setting_of(const command_rec *row)
{
    return row->cmd_data;
}

static int is_unset(ratings_config_t *config, const setting_t *setting)
{
    return setting->field == FIELD_TEXT ? *text_field(config, setting) == NULL
                                        : *number_field(config, setting) == RATINGS_UNSET;
}

static void copy(ratings_config_t *to, ratings_config_t *from, const setting_t *setting)
{
    if (setting->field == FIELD_TEXT)
        *text_field(to, setting) = *text_field(from, setting);
    else
        *number_field(to, setting) = *number_field(from, setting);
}

#define FOR_EACH_SETTING(row, setting)                                                             \
    for (const command_rec *row = ratings_directives; row->name; row++)                            \
        for (const setting_t *setting = setting_of(row); setting; setting = NULL)

void *ratings_config_create(apr_pool_t *pool, server_rec *server)
{
    ratings_config_t *config = apr_pcalloc(pool, sizeof *config);
    (void)server;
    FOR_EACH_SETTING(row, setting)
    {
        if (setting->field == FIELD_NUMBER)
            *number_field(config, setting) = RATINGS_UNSET;
    }
    config->kafka = apr_table_make(pool, 4);
    config->kafka_places = apr_table_make(pool, 4);
    return config;
}

static apr_table_t *overlay(apr_pool_t *pool, const apr_table_t *base, const apr_table_t *over)
{
    apr_table_t *merged = apr_table_overlay(pool, base, over); /* of two, the last is kept */
    apr_table_compress(merged, APR_OVERLAP_TABLES_SET);
    return merged;
}

void *ratings_config_merge(apr_pool_t *pool, void *parent, void *child)
{
    ratings_config_t *base = parent, *merged = apr_pmemdup(pool, child, sizeof *merged);
    FOR_EACH_SETTING(row, setting)
    {
        if (is_unset(merged, setting))
            copy(merged, base, setting);
    }
    merged->kafka = overlay(pool, base->kafka, merged->kafka);
    merged->kafka_places = overlay(pool, base->kafka_places, merged->kafka_places);
    if (!merged->needed_by) /* a virtual host inherits the main server's locations as well */
        merged->needed_by = base->needed_by;
    return merged;
}

void ratings_config_apply_defaults(ratings_config_t *config)
{
    FOR_EACH_SETTING(row, setting)
    {
        if (!is_unset(config, setting))
            continue;
        if (setting->field == FIELD_TEXT)
            *text_field(config, setting) = setting->text;
        else
            *number_field(config, setting) = setting->preset;
    }
}

static int same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

int ratings_config_same_backends(const ratings_config_t *a, const ratings_config_t *b)
{
    return same_text(a->talks, b->talks) && same_text(a->store, b->store) &&
           same_text(a->stream, b->stream) && same_text(a->stats, b->stats) &&
           same_text(a->topic, b->topic);
}

static int contained(void *other, const char *key, const char *value)
{
    return same_text(apr_table_get(other, key), value);
}

static int same_table(const apr_table_t *a, const apr_table_t *b)
{
    return apr_table_elts(a)->nelts == apr_table_elts(b)->nelts &&
           (apr_is_empty_table(a) || apr_table_do(contained, (void *)(uintptr_t)b, a, NULL));
}

static int same_setting(ratings_config_t *x, ratings_config_t *y, const setting_t *setting)
{
    return setting->field == FIELD_TEXT
               ? same_text(*text_field(x, setting), *text_field(y, setting))
               : *number_field(x, setting) == *number_field(y, setting);
}

const char *ratings_config_difference(const ratings_config_t *a, const ratings_config_t *b)
{
    ratings_config_t *x = (ratings_config_t *)(uintptr_t)a, *y = (ratings_config_t *)(uintptr_t)b;
    FOR_EACH_SETTING(row, setting)
    {
        if (setting->scope == SCOPE_SERVICE && !same_setting(x, y, setting))
            return row->name;
    }
    return same_table(a->kafka, b->kafka) ? NULL : "RatingsKafka";
}

/* ---- locations ---- */

void *ratings_location_create(apr_pool_t *pool, char *path)
{
    (void)path;
    return apr_pcalloc(pool, sizeof(ratings_location_t));
}

void *ratings_location_merge(apr_pool_t *pool, void *parent, void *child)
{
    const ratings_location_t *base = parent, *inner = child;
    return apr_pmemdup(pool, inner->endpoint_set ? inner : base, sizeof *base);
}

/* ---- access ---- */

ratings_config_t *ratings_config_of_server(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &ratings_module);
}

const ratings_location_t *ratings_location_of_request(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &ratings_module);
}
