#include "stream_handle.h"

#include "../../core/kafka_refusal.h"

#include <apr_tables.h>

#include <stdbool.h>
#include <string.h>

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

/* ---- offsets ---- */

static rd_kafka_resp_err_t first_partition_error(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err)
            return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Not rd_kafka_query_watermark_offsets: before 2.3 it does not keep to its timeout (issue 2588). */
apr_status_t stream_offsets(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list,
                            int timeout_ms, ratings_result_t *why)
{
    if (list->cnt == 0)
        return ratings_result_ok(why);
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(handle, list, timeout_ms);
    if (!code)
        code = first_partition_error(list);
    return code ? stream_failure(code, "asking for the log's ends", why) : ratings_result_ok(why);
}

/* ---- handles ---- */

void stream_log(const stream_handle_owner_t *owner, int level, const char *text)
{
    owner->options->log->write(owner->options->log, level, text);
}

/* The level of a line, of librdkafka's level and kind: of a connection that failed the error
 * callback gets what there is to say as well; a certificate that is refused does not pass by
 * itself, as other failures do. */
static int level_of_line(int level, const char *facility)
{
    if (strcmp(facility, "SSLCERTVRFY") == 0)
        return STREAM_CRITICAL;
    return strcmp(facility, "FAIL") == 0 || strcmp(facility, "REQTMOUT") == 0 ? STREAM_DEBUG
                                                                              : level;
}

static void on_handle_log(const rd_kafka_t *handle, int level, const char *facility,
                          const char *text)
{
    stream_log(rd_kafka_opaque(handle), level_of_line(level, facility), text);
}

static void on_handle_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    stream_handle_owner_t *owner = opaque;
    owner->failed(owner, handle, code, reason);
}

static bool set_property(rd_kafka_conf_t *conf, const char *key, const char *value,
                         ratings_result_t *why)
{
    char text[STREAM_TEXT];
    if (rd_kafka_conf_set(conf, key, value, text, sizeof text) == RD_KAFKA_CONF_OK)
        return true;
    ratings_result_set(why, APR_EINVAL, "%s: %s", key, text);
    return false;
}

static bool set_properties(rd_kafka_conf_t *conf, const ratings_stream_options_t *options,
                           const stream_property_t *ours, ratings_result_t *why)
{
    const apr_array_header_t *array = apr_table_elts(options->kafka);
    const apr_table_entry_t *theirs = (const apr_table_entry_t *)(const void *)array->elts;
    for (; ours->key; ours++)
        if (!set_property(conf, ours->key, ours->value, why))
            return false;
    for (int i = 0; i < array->nelts; i++)
        if (!set_property(conf, theirs[i].key, theirs[i].val, why))
            return false;
    return !options->brokers || set_property(conf, "bootstrap.servers", options->brokers, why);
}

apr_status_t stream_handle_create(rd_kafka_t **handle, rd_kafka_type_t type,
                                  stream_handle_owner_t *owner, const stream_property_t *ours,
                                  ratings_result_t *why)
{
    char text[STREAM_TEXT];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!set_properties(conf, owner->options, ours, why)) {
        rd_kafka_conf_destroy(conf);
        return why->status;
    }
    rd_kafka_conf_set_opaque(conf, owner);
    rd_kafka_conf_set_log_cb(conf, on_handle_log);
    rd_kafka_conf_set_error_cb(conf, on_handle_error);
    /* if librdkafka has TLS */
    (void)rd_kafka_conf_set_ssl_cert_verify_cb(conf, ratings_kafka_verify_certificate);
    if (owner->configure)
        owner->configure(owner, conf);
    *handle = rd_kafka_new(type, conf, text, sizeof text);
    if (*handle)
        return ratings_result_ok(why);
    /* librdkafka may have freed a producer's interceptors already, and would once more */
    if (type != RD_KAFKA_PRODUCER)
        rd_kafka_conf_destroy(conf);
    return ratings_result_set(why, APR_EINVAL, "librdkafka refuses its configuration: %s", text);
}
