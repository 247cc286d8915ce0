/* How librdkafka is configured: what the module settles, and what the administrator adds. */
#include "stream_conf.h"

#include <apr_network_io.h>
#include <apr_strings.h>

#include <stdio.h>
#include <string.h>

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

/* Never negative: that is for ever to librdkafka. */
int stream_ms(apr_interval_time_t us)
{
    return us > 0 ? (int)((us + 999) / 1000) : 0;
}

/* ---- errors ---- */

apr_status_t stream_failure(rd_kafka_resp_err_t code, const char *doing, ratings_result_t *why)
{
    static const struct {
        rd_kafka_resp_err_t code;
        apr_status_t status;
    } map[] = {
        {RD_KAFKA_RESP_ERR__TRANSPORT, APR_ECONNREFUSED},
        {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, APR_ECONNREFUSED},
        {RD_KAFKA_RESP_ERR__RESOLVE, APR_ECONNREFUSED},
        {RD_KAFKA_RESP_ERR__QUEUE_FULL, RATINGS_NOT_ASKED},
        {RD_KAFKA_RESP_ERR__FATAL, RATINGS_NOT_ASKED}, /* the handle is about to be replaced */
        {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, APR_ECONNREFUSED},
        {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, APR_ECONNREFUSED},
        {RD_KAFKA_RESP_ERR__TIMED_OUT, APR_TIMEUP},
        {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, APR_TIMEUP},
        {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, APR_TIMEUP},
        {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, APR_EAGAIN},
        {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, APR_EAGAIN}, /* just created, or between leaders */
        {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, APR_EAGAIN},
    };
    apr_status_t status = APR_EGENERAL;
    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++)
        if (map[i].code == code)
            status = map[i].status;
    return ratings_result_set(why, status, "%s: %s", doing, rd_kafka_err2str(code));
}

/* ---- handles ---- */

static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *text)
{
    const ratings_stream_options_t *const *options = rd_kafka_opaque(handle);
    (void)facility;
    (*options)->log((*options)->log_context, level, text);
}

static bool set(rd_kafka_conf_t *conf, const char *key, const char *value, ratings_result_t *why)
{
    char text[STREAM_TEXT];
    if (rd_kafka_conf_set(conf, key, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return true;
    ratings_result_set(why, APR_EINVAL, "%s: %s", key, text);
    return false;
}

static bool set_all(rd_kafka_conf_t *conf, const ratings_stream_options_t *options,
                    const stream_property_t *ours, ratings_result_t *why)
{
    const apr_array_header_t *array = apr_table_elts(options->kafka);
    const apr_table_entry_t *theirs = (const apr_table_entry_t *)(const void *)array->elts;
    for (; ours->key; ours++)
        if (!set(conf, ours->key, ours->value, why))
            return false;
    for (int i = 0; i < array->nelts; i++)
        if (!set(conf, theirs[i].key, theirs[i].val, why))
            return false;
    return !options->brokers || set(conf, "bootstrap.servers", options->brokers, why);
}

/* `opaque` begins with a pointer to the options, which on_log takes from there. */
apr_status_t stream_handle(rd_kafka_t **handle, rd_kafka_type_t type,
                           const ratings_stream_options_t *options, const stream_property_t *ours,
                           void (*setup)(rd_kafka_conf_t *conf, void *opaque), void *opaque,
                           ratings_result_t *why)
{
    char text[STREAM_TEXT];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!set_all(conf, options, ours, why)) {
        rd_kafka_conf_destroy(conf);
        return why->status;
    }
    rd_kafka_conf_set_opaque(conf, opaque);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (setup)
        setup(conf, opaque);
    *handle = rd_kafka_new(type, conf, text, sizeof text);
    if (*handle)
        return ratings_result_ok(why);
    /* librdkafka may have freed a producer's interceptors already, and would once more */
    if (type != RD_KAFKA_PRODUCER)
        rd_kafka_conf_destroy(conf);
    return ratings_result_set(why, APR_EINVAL, "librdkafka refuses its configuration: %s", text);
}
