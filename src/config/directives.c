/* The directives: one row each, with its field, default and range. The setters, the merge and the
 * comparison of servers all walk this table. */
#include "settings.h"

#include "../backend/common/log_record.h"
#include "../backend/stats/stats.h"
#include "../backend/store/store.h"
#include "../backend/stream/stream_config.h"
#include "../backend/talks/talks.h"
#include "../core/ranking.h"
#include "../core/secret.h"

#define MS(n) ((n)*INT64_C(1000))
#define SECONDS(n) MS((n)*INT64_C(1000))

/* clang-format off */
#define FIELD(name) .offset = offsetof(ratings_config_t, name)
#define TEXT(name, field_, problem_, preset_, help) \
    AP_INIT_TAKE1(name, ratings_set_text, (&(ratings_setting_t){FIELD(field_), .field = FIELD_TEXT, \
        .text = preset_, .problem = problem_}), RSRC_CONF, help)
#define CONNECTION(name, field_, problem_, preset_, help) \
    AP_INIT_TAKE1(name, ratings_set_connection, (&(ratings_setting_t){FIELD(field_), .field = FIELD_TEXT, \
        .text = preset_, .problem = problem_}), RSRC_CONF, help ", or file:PATH")
#define PAIR(name, setter, field_, help) \
    AP_INIT_TAKE12(name, setter, (&(ratings_setting_t){FIELD(field_), .field = FIELD_TEXT, \
        .text = "none"}), RSRC_CONF, help)
#define HOST_TEXT(name, field_, problem_, help) \
    AP_INIT_TAKE1(name, ratings_set_text, (&(ratings_setting_t){FIELD(field_), .field = FIELD_TEXT, \
        .scope = SCOPE_HOST, .problem = problem_}), RSRC_CONF, help)
#define VALUE(init, setter, name, field_, scope_, preset_, min_, max_, help) \
    init(name, setter, (&(ratings_setting_t){FIELD(field_), .field = FIELD_NUMBER, .scope = scope_, \
        .preset = preset_, .min = min_, .max = max_}), RSRC_CONF, help)
#define NUMBER(...)   VALUE(AP_INIT_TAKE1, ratings_set_number, __VA_ARGS__)
#define DURATION(...) VALUE(AP_INIT_TAKE1, ratings_set_duration, __VA_ARGS__)
#define FLAG(...)     VALUE(AP_INIT_FLAG, ratings_set_flag, __VA_ARGS__)

const command_rec ratings_directives[] = {
    AP_INIT_TAKE12("RatingsEndpoint", ratings_set_endpoint, NULL, ACCESS_CONF,
        "What this location answers: an endpoint of the service, or none"),
    AP_INIT_TAKE1("RatingsHide", ratings_set_hide, NULL, ACCESS_CONF,
        "When this location hides results: never, until-closed, or below=N ratings"),
    AP_INIT_TAKE1("RatingsVoter", ratings_set_voter, NULL, ACCESS_CONF,
        "By what a voter is known here: off, cookie, or expr=EXPRESSION"),
    AP_INIT_FLAG("RatingsVoterRequired", ratings_set_voter_required, NULL, ACCESS_CONF,
        "Whether a request whose voter is not known is refused here"),
    AP_INIT_TAKE1("RatingsVoterRate", ratings_set_voter_rate, NULL, ACCESS_CONF,
        "How often a voter may write here: off, or COUNT/SECONDS"),
    AP_INIT_ITERATE("RatingsOrigin", ratings_set_origin, NULL, ACCESS_CONF,
        "Origins of others whose pages may send requests and read answers, or none"),

    CONNECTION("RatingsTalks",  talks,  ratings_talks_connection_problem, NULL, "PostgreSQL: postgres://user:password@host:port/database"),
    CONNECTION("RatingsStore",  store,  ratings_store_url_problem,        NULL, "Redis: redis[s]://[[user]:password@]host[:port][/database], unix://[[user]:password@]/path[?db=database] or redis[s]+sentinel://[[user]:password@]host[:port][,host[:port]...]/master[/database]"),
    CONNECTION("RatingsStream", stream, ratings_stream_brokers_problem,   NULL, "Kafka: host:port[,host:port...]"),
    CONNECTION("RatingsStats",  stats,  ratings_stats_url_problem,        NULL, "The Lambda's function URL: http(s)://host[:port]/"),
    TEXT("RatingsStoreTLSCA",   store_ca,   ratings_store_ca_problem,   "system", "The authorities that Redis's certificate may come from: system, or a file or directory"),
    TEXT("RatingsStoreTLSCertificate", store_certificate, ratings_store_file_problem, "none", "The client's certificate for Redis, with its chain: a file, or none"),
    TEXT("RatingsStoreTLSKey",  store_key,  ratings_store_file_problem, "none", "The key of RatingsStoreTLSCertificate: a file, or none"),
    TEXT("RatingsStoreTLSName", store_name, ratings_store_name_problem, "host", "The name that Redis's certificate must have: host, for that of RatingsStore, or another"),
    CONNECTION("RatingsStatsProxy", stats_proxy, ratings_stats_proxy_problem, "none", "The proxy by which the Lambda is called: http://[user:password@]host:port"),
    TEXT("RatingsStatsAuth", stats_auth, ratings_stats_auth_problem, "off", "Whether calls of the Lambda are signed: off, or aws-sigv4[:REGION]"),
    PAIR("RatingsStatsHeader", ratings_set_stats_header, stats_header, "A header by which the Lambda knows its caller: name and value, the value may be file:PATH; or none"),
    TEXT("RatingsTopic",  topic,  ratings_stream_topic_problem,     "ratings", "The topic that holds the events"),
    TEXT("RatingsVoterSecret", voter_secret, ratings_secret_source_problem, NULL, "The file of the secret under which voters are hashed and cookies signed: file:PATH"),
    TEXT("RatingsRankingPrior", ranking_prior, ratings_prior_problem, "off", "Whether talks are ranked, and the ratings of 1 to 5 that each begins with: off, or N1,N2,N3,N4,N5"),
    AP_INIT_TAKE2("RatingsKafka", ratings_set_kafka, NULL, RSRC_CONF, "A librdkafka property and its value, which may be file:PATH"),

    NUMBER("RatingsTopicPartitions",  topic_partitions,  SCOPE_SERVICE, 1, 1, RATINGS_PARTITIONS_MAX, "Partitions of the topic, if it is created"),
    NUMBER("RatingsTopicReplication", topic_replication, SCOPE_SERVICE, 0, 0, 32, "Replicas of each partition, if the topic is created; 0: three, or one where there are fewer brokers"),

    DURATION("RatingsTalksTimeout",  talks_timeout,  SCOPE_SERVICE, MS(1000), MS(10),  SECONDS(60), "How long a look-up in PostgreSQL may take"),
    DURATION("RatingsStoreTimeout",  store_timeout,  SCOPE_SERVICE, MS(1000), MS(10),  SECONDS(60), "How long a read of Redis may take"),
    DURATION("RatingsStreamTimeout", stream_timeout, SCOPE_SERVICE, MS(3000), MS(100), SECONDS(60), "How long Kafka may take to acknowledge an event"),
    DURATION("RatingsStatsTimeout",  stats_timeout,  SCOPE_SERVICE, MS(1000), MS(10),  SECONDS(60), "How long the Lambda may take"),
    NUMBER("RatingsTalksPool", talks_pool, SCOPE_SERVICE, 8, 1, 1024, "Connections to PostgreSQL of a child, at most"),
    NUMBER("RatingsStorePool", store_pool, SCOPE_SERVICE, 8, 1, 1024, "Connections to Redis of a child, at most"),
    NUMBER("RatingsStatsPool", stats_pool, SCOPE_SERVICE, 8, 1, 64,   "Concurrent calls of the Lambda by a child, at most"),
    NUMBER("RatingsBreakerFailures",   breaker_failures, SCOPE_SERVICE, 5, 1, 1000000, "Failures in a row that open the circuit breaker of a backend"),
    DURATION("RatingsBreakerCooldown", breaker_cooldown, SCOPE_SERVICE, MS(1000), MS(10), SECONDS(60), "How long a circuit breaker stays open before the backend is probed"),
    NUMBER("RatingsWaitersMax", waiters_max, SCOPE_SERVICE, 0, 0, 100000, "Threads of a child that may wait for one backend that is slow; 0: three quarters of them"),
    DURATION("RatingsTalkTTL",  talk_ttl,  SCOPE_SERVICE, SECONDS(60), 0, SECONDS(86400), "How long a successful talk look-up is cached; 0: not at all"),
    DURATION("RatingsCacheTTL", cache_ttl, SCOPE_SERVICE, SECONDS(10), 0, SECONDS(3600),  "How long a cached response stays valid while nothing is known to have changed; 0: not at all"),
    FLAG("RatingsStatsMemo",    stats_memo, SCOPE_SERVICE, 1, 0, 1, "Whether the statistics of the same five counts are cached"),
    DURATION("RatingsLease", lease, SCOPE_SERVICE, MS(1000), MS(300), SECONDS(RATINGS_LEASE_MAX_S), "How long the projector's lease lasts if it is not renewed"),

    DURATION("RatingsVisibilityTimeout", visibility_timeout, SCOPE_HOST, MS(1000), 0, SECONDS(60), "How long a POST waits until its rating is visible, after Kafka has it"),
    DURATION("RatingsDeadline",          deadline,           SCOPE_HOST, MS(5000), MS(100), SECONDS(60), "How long a request may take, once it has been read, whatever hangs"),
    DURATION("RatingsIdempotencyWindow", idempotency_window, SCOPE_HOST, SECONDS(86400), 0, SECONDS(2678400), "How long an Idempotency-Key holds; 0: requests that have one are refused"),
    NUMBER("RatingsBodyLimit",      body_limit,       SCOPE_HOST, 4096, 64, 1048576, "The longest body of a POST, in bytes"),
    HOST_TEXT("RatingsPage", page, ratings_page_problem, "The path below which each talk has its page, by its id"),
    FLAG("RatingsTraceContext",     trace_context,    SCOPE_HOST, 0, 0, 1, "Whether the headers traceparent and tracestate of requests go with the event and to the Lambda"),
    FLAG("RatingsNotes",            notes,            SCOPE_HOST, 0, 0, 1, "Whether requests have notes for access logs: outcome, cache, times of backends"),
    FLAG("RatingsMetadataSecrets",  metadata_secrets, SCOPE_HOST, 0, 0, 1, "Whether GET / shows passwords"),
    {NULL, {NULL}, NULL, 0, RAW_ARGS, NULL},
};
/* clang-format on */
