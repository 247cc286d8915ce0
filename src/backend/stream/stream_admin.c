#include "stream_admin.h"

/* ---- one call ---- */

stream_admin_t stream_admin_begin(rd_kafka_t *handle, rd_kafka_admin_op_t op, int timeout_ms)
{
    char text[STREAM_TEXT];
    stream_admin_t admin = {handle, rd_kafka_AdminOptions_new(handle, op),
                            rd_kafka_queue_new(handle)};
    (void)rd_kafka_AdminOptions_set_request_timeout(admin.options, timeout_ms, text, sizeof text);
    return admin;
}

rd_kafka_event_t *stream_admin_end(stream_admin_t *admin, int timeout_ms)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(admin->queue, timeout_ms + timeout_ms / 2);
    rd_kafka_queue_destroy(admin->queue);
    rd_kafka_AdminOptions_destroy(admin->options);
    return event;
}

apr_status_t stream_admin_status(rd_kafka_event_t *event, const char *doing, ratings_result_t *why)
{
    if (!event)
        return ratings_result_set(why, APR_TIMEUP, "%s: no answer", doing);
    if (rd_kafka_event_error(event))
        return stream_failure(rd_kafka_event_error(event), doing, why);
    return ratings_result_ok(why);
}

/* ---- creating ---- */

apr_status_t stream_admin_brokers(rd_kafka_t *handle, int timeout_ms, int *brokers,
                                  ratings_result_t *why)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, NULL, &metadata, timeout_ms);
    if (code)
        return stream_failure(code, "asking for the brokers", why);
    *brokers = metadata->broker_cnt;
    rd_kafka_metadata_destroy(metadata);
    return ratings_result_ok(why);
}

static const stream_property_t durable[] = {
    {"cleanup.policy", "delete"},
    {"retention.ms", "-1"},
    {"retention.bytes", "-1"},
    {"message.timestamp.type", "LogAppendTime"},
};

static rd_kafka_NewTopic_t *new_topic(const ratings_stream_options_t *options, int brokers,
                                      ratings_result_t *why)
{
    char text[STREAM_TEXT];
    int replication = options->replication ? options->replication : brokers >= 3 ? 3 : 1;
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(options->topic, options->partitions, replication, text, sizeof text);
    if (!topic) {
        ratings_result_set(why, APR_EINVAL, "creating the topic: %s", text);
        return NULL;
    }
    for (size_t i = 0; i < sizeof durable / sizeof durable[0]; i++)
        rd_kafka_NewTopic_set_config(topic, durable[i].key, durable[i].value);
    if (replication >= 3)
        rd_kafka_NewTopic_set_config(topic, "min.insync.replicas", "2");
    return topic;
}

static apr_status_t read_created(rd_kafka_event_t *event, rd_kafka_resp_err_t *refusal,
                                 ratings_result_t *why)
{
    size_t count = 0;
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);
    *refusal = count == 1 ? rd_kafka_topic_result_error(topics[0]) : 0;
    if (!*refusal)
        return ratings_result_ok(why);
    const char *text = rd_kafka_topic_result_error_string(topics[0]);
    return ratings_result_set(why, APR_EGENERAL, "creating the topic: %s",
                              text ? text : rd_kafka_err2str(*refusal));
}

apr_status_t stream_admin_create(rd_kafka_t *handle, const ratings_stream_options_t *options,
                                 int brokers, bool is_trial, int timeout_ms,
                                 rd_kafka_resp_err_t *refusal, ratings_result_t *why)
{
    char text[STREAM_TEXT];
    *refusal = RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_NewTopic_t *topic = new_topic(options, brokers, why);
    if (!topic)
        return why->status;
    stream_admin_t admin = stream_admin_begin(handle, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
    (void)rd_kafka_AdminOptions_set_validate_only(admin.options, is_trial, text, sizeof text);
    rd_kafka_CreateTopics(handle, &topic, 1, admin.options, admin.queue);
    rd_kafka_event_t *event = stream_admin_end(&admin, timeout_ms);
    rd_kafka_NewTopic_destroy(topic);
    apr_status_t status = stream_admin_status(event, "creating the topic", why);
    if (status == APR_SUCCESS)
        status = read_created(event, refusal, why);
    if (event)
        rd_kafka_event_destroy(event);
    return status;
}
