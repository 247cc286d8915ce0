/* The topic: created if it is missing, described, never altered. */
#include "stream_topic.h"

#include "../../core/clock.h"
#include "../common/log_record.h"
#include "stream_admin.h"
#include "stream_parts.h"

#include <stdlib.h>
#include <string.h>

#define LOST_US INT64_C(5000000)
#define LOST_ASK_MS 500

/* ---- metadata ---- */

static apr_status_t count_partitions(const struct rd_kafka_metadata *metadata, int *partitions,
                                     ratings_result_t *why)
{
    const rd_kafka_metadata_topic_t *topic = metadata->topics;
    if (metadata->topic_cnt != 1)
        return ratings_result_set(why, APR_EGENERAL, "asking for the topic: no answer about it");
    if (topic->err)
        return stream_failure(topic->err, "asking for the topic", why);
    if (topic->partition_cnt < 1 || topic->partition_cnt > RATINGS_PARTITIONS_MAX)
        return ratings_result_set(why, APR_EINVAL,
                                  "the topic has %d partitions: 1 to %d can be served",
                                  topic->partition_cnt, RATINGS_PARTITIONS_MAX);
    *partitions = topic->partition_cnt;
    return ratings_result_ok(why);
}

/* What is to be read from Kafka's answer about a topic. */
typedef apr_status_t read_fn(const struct rd_kafka_metadata *metadata, int *number,
                             ratings_result_t *why);

static apr_status_t ask_about_topic(rd_kafka_t *handle, const char *name, int timeout_ms,
                                    read_fn *read, int *number, ratings_result_t *why)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, name, NULL);
    if (!topic)
        return stream_failure(rd_kafka_last_error(), "asking for the topic", why);
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, topic, &metadata, timeout_ms);
    apr_status_t status =
        code ? stream_failure(code, "asking for the topic", why) : read(metadata, number, why);
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return status;
}

/* ---- describing ---- */

/* What the truth must be like, and what to say of a topic that is otherwise. */
static const struct {
    const char *key, *value;
    ratings_topic_fault_e fault;
    const char *text;
} required[] = {
    {"cleanup.policy", "delete", RATINGS_TOPIC_COMPACTED,
     "the topic is compacted (cleanup.policy): old ratings would be lost"},
    {"retention.ms", "-1", RATINGS_TOPIC_FINITE_RETENTION_TIME,
     "the topic has a finite retention (retention.ms): old ratings would be lost"},
    {"retention.bytes", "-1", RATINGS_TOPIC_FINITE_RETENTION_SIZE,
     "the topic has a finite retention (retention.bytes): old ratings would be lost"},
};

#define REQUIRED (sizeof required / sizeof required[0])

const char *ratings_topic_fault_text(ratings_topic_fault_e fault)
{
    for (size_t i = 0; i < REQUIRED; i++)
        if (required[i].fault == fault)
            return required[i].text;
    return NULL;
}

static ratings_topic_fault_e fault_of_entry(const rd_kafka_ConfigEntry_t *entry)
{
    const char *name = rd_kafka_ConfigEntry_name(entry), *value = rd_kafka_ConfigEntry_value(entry);
    for (size_t i = 0; i < REQUIRED; i++)
        if (strcmp(name, required[i].key) == 0 && value && strcmp(value, required[i].value) != 0)
            return required[i].fault;
    return RATINGS_TOPIC_GOOD;
}

static int in_sync_of_config(const rd_kafka_ConfigEntry_t **entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "min.insync.replicas") == 0 && value)
            return (int)strtol(value, NULL, 10);
    }
    return 0;
}

static ratings_append_time_e append_time_of_config(const rd_kafka_ConfigEntry_t **entries,
                                                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), "message.timestamp.type") == 0 && value)
            return strcmp(value, "LogAppendTime") == 0 ? RATINGS_APPEND_TIME_KEPT
                                                       : RATINGS_APPEND_TIME_NOT_KEPT;
    }
    return RATINGS_APPEND_TIME_UNKNOWN;
}

static ratings_topic_fault_e fault_of_config(const rd_kafka_ConfigEntry_t **entries, size_t count)
{
    ratings_topic_fault_e fault = RATINGS_TOPIC_GOOD;
    for (size_t i = 0; i < count && fault == RATINGS_TOPIC_GOOD; i++)
        fault = fault_of_entry(entries[i]);
    return fault;
}

/* A topic whose settings we may not read is taken as good. False: they could not be read, so that
 * it may be missing: Kafka answers with an error then, Tansu 0.6 with no settings at all. */
static bool read_topic_settings(rd_kafka_event_t *event, ratings_topic_t *topic)
{
    size_t count = 0, entries = 0;
    const rd_kafka_DescribeConfigs_result_t *result = rd_kafka_event_DescribeConfigs_result(event);
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(result, &count);
    topic->refusal = count == 1 ? (int)rd_kafka_ConfigResource_error(resources[0]) : 0;
    if (count != 1 || topic->refusal)
        return false;
    const rd_kafka_ConfigEntry_t **configs =
        rd_kafka_ConfigResource_configs(resources[0], &entries);
    topic->fault = fault_of_config(configs, entries);
    topic->append_time = append_time_of_config(configs, entries);
    topic->in_sync = in_sync_of_config(configs, entries);
    return entries > 0;
}

static apr_status_t describe_topic(rd_kafka_t *handle, const char *name, int timeout_ms,
                                   ratings_topic_t *topic, bool *exists, ratings_result_t *why)
{
    rd_kafka_ConfigResource_t *resource =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name);
    stream_admin_t admin =
        stream_admin_begin(handle, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
    rd_kafka_DescribeConfigs(handle, &resource, 1, admin.options, admin.queue);
    rd_kafka_event_t *event = stream_admin_end(&admin, timeout_ms);
    rd_kafka_ConfigResource_destroy(resource);
    apr_status_t status = stream_admin_status(event, "asking for the topic's settings", why);
    topic->fault = RATINGS_TOPIC_GOOD;
    topic->append_time = RATINGS_APPEND_TIME_UNKNOWN;
    topic->in_sync = 0;
    topic->refusal = 0;
    *exists = status == APR_SUCCESS && read_topic_settings(event, topic);
    if (event)
        rd_kafka_event_destroy(event);
    return status;
}

/* ---- the steps ---- */

/* A topic that is there already is what is wanted; so may be one that we may not create. */
static bool may_be_there(rd_kafka_resp_err_t refusal)
{
    return refusal == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS ||
           refusal == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           refusal == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

static apr_status_t create_missing_topic(rd_kafka_t *handle,
                                         const ratings_stream_options_t *options, int ms,
                                         ratings_topic_t *topic, ratings_result_t *why)
{
    int brokers = 0;
    bool exists;
    rd_kafka_resp_err_t refusal = RD_KAFKA_RESP_ERR_NO_ERROR;
    apr_status_t status = stream_admin_brokers(handle, ms, &brokers, why);
    if (status == APR_SUCCESS)
        status = stream_admin_create(handle, options, brokers, false, ms, &refusal, why);
    return status == APR_SUCCESS || may_be_there(refusal)
               ? describe_topic(handle, options->topic, ms, topic, &exists, why)
               : status;
}

/* Its settings are asked for first, and its partitions last: asking a producer's handle for the
 * partitions of a topic that is missing could make the broker create it by itself, with settings
 * that are not ours. Nothing is created that is there, so that a controller is not needed then. */
static apr_status_t ensure_topic(rd_kafka_t *handle, const ratings_stream_options_t *options,
                                 int ms, ratings_topic_t *topic, ratings_result_t *why)
{
    bool exists;
    apr_status_t status = describe_topic(handle, options->topic, ms, topic, &exists, why);
    if (status == APR_SUCCESS && !exists)
        status = create_missing_topic(handle, options, ms, topic, why);
    if (status == APR_SUCCESS)
        status =
            ask_about_topic(handle, options->topic, ms, count_partitions, &topic->partitions, why);
    return status;
}

apr_status_t ratings_stream_topic_ensure(ratings_stream_t *stream, apr_interval_time_t timeout,
                                         ratings_topic_t *topic, ratings_result_t *why)
{
    rd_kafka_t *handle = stream_producer_acquire(stream->producer, why);
    if (!handle)
        return why->status;
    apr_status_t status = ensure_topic(handle, stream->options, stream_ms(timeout), topic, why);
    stream_producer_release(stream->producer);
    return status;
}

apr_status_t ratings_stream_topic_describe(ratings_stream_t *stream, apr_interval_time_t timeout,
                                           ratings_topic_t *topic, ratings_result_t *why)
{
    bool exists;
    rd_kafka_t *handle = stream_producer_acquire(stream->producer, why);
    if (!handle)
        return why->status;
    apr_status_t status =
        describe_topic(handle, stream->options->topic, stream_ms(timeout), topic, &exists, why);
    stream_producer_release(stream->producer);
    return status == APR_SUCCESS && !exists
               ? ratings_result_set(why, APR_NOTFOUND, "the topic's settings cannot be read")
               : status;
}

/* ---- whether it takes events ---- */

/* `*needed`: how many replicas have to be in sync. Of a partition that has fewer, all do: newer
 * brokers append to it then (seen in 4.1). */
static apr_status_t check_in_sync(const struct rd_kafka_metadata *metadata, int *needed,
                                  ratings_result_t *why)
{
    int partitions = 0;
    if (count_partitions(metadata, &partitions, why) != APR_SUCCESS)
        return why->status;
    for (int i = 0; i < partitions; i++) {
        const rd_kafka_metadata_partition_t *partition = &metadata->topics[0].partitions[i];
        if (partition->leader < 0)
            return ratings_result_set(why, APR_INCOMPLETE, "partition %d has no leader",
                                      (int)partition->id);
        int least = *needed < partition->replica_cnt ? *needed : partition->replica_cnt;
        if (partition->isr_cnt < least)
            return ratings_result_set(why, APR_INCOMPLETE,
                                      "partition %d has %d replicas in sync, and needs %d",
                                      (int)partition->id, partition->isr_cnt, least);
    }
    return ratings_result_ok(why);
}

static const char lost_topic[] =
    "it has lost the topic, which was deleted and created again: another handle takes its place";

/* librdkafka 2.4 to 2.9 can lose a topic that is deleted and created again: its brokers answer who
 * leads the partitions, it does not take that over, and every question for offsets times out for as
 * long as the handle lives (https://github.com/confluentinc/librdkafka/issues/4778). */
void stream_note_offsets(ratings_stream_t *stream, rd_kafka_t *handle, apr_status_t status)
{
    ratings_result_t why;
    int replicas = 0;
    int64_t now = ratings_monotonic(), since = atomic_load(&stream->unanswered);
    if (status != APR_TIMEUP)
        atomic_store(&stream->unanswered, 0);
    else if (!since)
        atomic_store(&stream->unanswered, now);
    else if (now - since > LOST_US &&
             ask_about_topic(handle, stream->options->topic, LOST_ASK_MS, check_in_sync, &replicas,
                             &why) == APR_SUCCESS) {
        atomic_store(&stream->unanswered, 0);
        stream->options->log->write(stream->options->log, STREAM_INFO, lost_topic);
        stream_producer_replace(stream->producer);
    }
}

/* The leaders first, which does not create a topic that is missing (see ensure_topic). */
static apr_status_t check_partitions_writable(ratings_stream_t *stream, rd_kafka_t *handle,
                                              int count, int in_sync, int64_t end,
                                              ratings_result_t *why)
{
    const char *name = stream->options->topic;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int i = 0; i < count; i++)
        rd_kafka_topic_partition_list_add(list, name, i)->offset = RD_KAFKA_OFFSET_END;
    apr_status_t status = stream_offsets(handle, list, stream_ms(end - ratings_monotonic()), why);
    rd_kafka_topic_partition_list_destroy(list);
    stream_note_offsets(stream, handle, status);
    if (status != APR_SUCCESS)
        return status;
    int64_t left = end - ratings_monotonic();
    return left > 0 ? ask_about_topic(handle, name, stream_ms(left), check_in_sync, &in_sync, why)
                    : ratings_result_set(why, APR_TIMEUP, "asking for the topic: no time was left");
}

apr_status_t ratings_stream_check(ratings_stream_t *stream, int count, int in_sync,
                                  apr_interval_time_t timeout, ratings_result_t *why)
{
    int brokers;
    rd_kafka_t *handle = stream_producer_acquire(stream->producer, why);
    if (!handle)
        return why->status;
    apr_status_t status = count > 0
                              ? check_partitions_writable(stream, handle, count, in_sync,
                                                          ratings_monotonic() + timeout, why)
                              : stream_admin_brokers(handle, stream_ms(timeout), &brokers, why);
    stream_producer_release(stream->producer);
    if (status == APR_EAGAIN) /* a partition is between leaders, or gone */
        why->status = APR_INCOMPLETE;
    return why->status;
}
