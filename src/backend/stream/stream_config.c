#include "stream_config.h"

#include "../common/log_record.h"
#include "stream_producer.h"
#include "stream_reader.h"

#include <apr_network_io.h>
#include <apr_strings.h>

#include <string.h>
#include <strings.h>

/* ---- names ---- */

const char *ratings_stream_topic_problem(const char *topic)
{
    size_t length = strlen(topic);
    if (length == 0 || length > RATINGS_TOPIC_MAX || strcmp(topic, ".") == 0 ||
        strcmp(topic, "..") == 0 ||
        strspn(topic, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") !=
            length)
        return "a topic's name is 1 to 249 letters, digits, '.', '_' and '-'";
    return NULL;
}

static const char *broker_problem(char *broker)
{
    char *host, *scope;
    apr_port_t port = 0;
    apr_pool_t *pool;
    apr_pool_create(&pool, NULL);
    apr_status_t status = apr_parse_addr_port(&host, &scope, &port, broker, pool);
    bool good = status == APR_SUCCESS && host && host[0] && port != 0 && !strpbrk(broker, "/@");
    apr_pool_destroy(pool);
    return good ? NULL : "it takes host:port[,host:port...]";
}

const char *ratings_stream_brokers_problem(const char *brokers)
{
    char copy[1024], *last, *broker;
    const char *problem = NULL;
    if (strlen(brokers) >= sizeof copy)
        return "it is longer than 1023 bytes";
    memcpy(copy, brokers, strlen(brokers) + 1);
    broker = apr_strtok(copy, ", ", &last);
    if (!broker)
        return "it takes host:port[,host:port...]";
    for (; broker && !problem; broker = apr_strtok(NULL, ", ", &last))
        problem = broker_problem(broker);
    return problem;
}

/* ---- properties that only together are wrong ---- */

static bool is_set_to(const apr_table_t *kafka, const char *key, const char *value)
{
    const char *given = apr_table_get(kafka, key);
    return given && strcasecmp(given, value) == 0;
}

/* librdkafka asks its application for a token, and waits for ever: this one has none. */
static bool has_token_source(const apr_table_t *kafka)
{
    const char *metadata = apr_table_get(kafka, "sasl.oauthbearer.metadata.authentication.type");
    return is_set_to(kafka, "sasl.oauthbearer.method", "oidc") ||
           is_set_to(kafka, "enable.sasl.oauthbearer.unsecure.jwt", "true") ||
           (metadata && strcasecmp(metadata, "none") != 0);
}

static bool asks_for_token(const apr_table_t *kafka)
{
    return is_set_to(kafka, "sasl.mechanisms", "OAUTHBEARER") ||
           is_set_to(kafka, "sasl.mechanism", "OAUTHBEARER");
}

static apr_status_t need_token_source(ratings_result_t *why)
{
    char text[STREAM_TEXT];
    bool good = ratings_stream_property_ok("sasl.oauthbearer.method", "oidc", text, sizeof text);
    return ratings_result_set(
        why, APR_EINVAL, "`sasl.mechanisms` OAUTHBEARER takes `sasl.oauthbearer.method` oidc%s%s%s",
        good ? "" : ", which librdkafka ", good ? "" : rd_kafka_version_str(),
        good ? "" : " is built without here: use another mechanism");
}

apr_status_t ratings_stream_try(const ratings_stream_options_t *options, apr_pool_t *pool,
                                ratings_result_t *why)
{
    ratings_reader_t *reader;
    if (asks_for_token(options->kafka) && !has_token_source(options->kafka))
        return need_token_source(why);
    apr_status_t status = stream_producer_try(options, pool, why);
    return status == APR_SUCCESS ? ratings_reader_create(&reader, options, why) : status;
}
