#include "stream_inspect.h"

#include "../../core/clock.h"
#include "../../core/container_of.h"
#include "stream_admin.h"
#include "stream_parts.h"
#include "stream_reader.h"
#include "stream_topic.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ratings_stream_options_t options; /* with a log of ours */
    ratings_findings_t *findings;
    ratings_stream_t *stream;
    int timeout_ms;

    ratings_stream_log_t log;
    pthread_mutex_t lock;
    char said[RATINGS_FINDING_TEXT]; /* with the lock held, since the question began: see
                                        keep_error; or "" */
    int said_level;                  /* of syslog */
} inspection_t;

/* ---- what librdkafka says by the way: why a login fails is nowhere else ---- */

static bool says_more(const inspection_t *inspection, int level)
{
    return !inspection->said[0] || level < inspection->said_level ||
           (level == inspection->said_level && level > STREAM_CRITICAL);
}

/* The worst, and of its kind the last; but the first of what does not pass by itself: what follows
 * from a certificate that is refused blames ssl.ca.location. */
static void keep_error(ratings_stream_log_t *log, int level, const char *text)
{
    inspection_t *inspection = RATINGS_CONTAINER_OF(log, inspection_t, log);
    if (level > 4) /* of syslog: beyond a warning */
        return;
    pthread_mutex_lock(&inspection->lock);
    if (says_more(inspection, level)) {
        (void)snprintf(inspection->said, sizeof inspection->said, "%s", text);
        inspection->said_level = level;
    }
    pthread_mutex_unlock(&inspection->lock);
}

/* It is an error of the connection: syslog's level 3. */
static void keep_outage(ratings_stream_log_t *log, const char *broker, const char *text)
{
    (void)broker;
    keep_error(log, 3, text);
}

static void ignore_reached(ratings_stream_log_t *log, const char *broker)
{
    (void)log, (void)broker; /* calls succeed then */
}

static void ignore_refusal(ratings_stream_log_t *log, const char *text)
{
    (void)log, (void)text; /* the call that needs the handle fails with it */
}

/* Why it fails, nothing that was said before it can tell. */
static void begin_question(inspection_t *inspection)
{
    pthread_mutex_lock(&inspection->lock);
    inspection->said[0] = '\0';
    pthread_mutex_unlock(&inspection->lock);
    ratings_findings_ask(inspection->findings);
}

static void report_kafka_failure(inspection_t *inspection, const char *subject, const char *words)
{
    pthread_mutex_lock(&inspection->lock);
    ratings_finding(inspection->findings, RATINGS_FINDING_FAULT, subject, "%s%s%s", words,
                    inspection->said[0] ? ": " : "", inspection->said);
    pthread_mutex_unlock(&inspection->lock);
}

/* ---- the brokers ---- */

/* The handle connects as soon as it is made: what was said since then belongs to the question. */
static bool inspect_brokers(inspection_t *inspection, rd_kafka_t *handle, int *brokers)
{
    ratings_result_t why;
    ratings_findings_ask(inspection->findings);
    apr_status_t status = stream_admin_brokers(handle, inspection->timeout_ms, brokers, &why);
    ratings_findings_answered(inspection->findings);
    if (status == APR_SUCCESS)
        ratings_finding(inspection->findings, RATINGS_FINDING_GOOD, "connection",
                        "%s: a cluster of %d broker%s", inspection->options.brokers, *brokers,
                        *brokers == 1 ? "" : "s");
    else
        report_kafka_failure(inspection, "connection", why.detail);
    return status == APR_SUCCESS;
}

/* ---- a topic that is missing ---- */

static void inspect_creation(inspection_t *inspection, rd_kafka_t *handle, int brokers)
{
    ratings_result_t why;
    rd_kafka_resp_err_t refusal;
    ratings_findings_ask(inspection->findings);
    apr_status_t status = stream_admin_create(handle, &inspection->options, brokers, true,
                                              inspection->timeout_ms, &refusal, &why);
    ratings_findings_answered(inspection->findings);
    if (status == APR_SUCCESS)
        ratings_finding(inspection->findings, RATINGS_FINDING_WARNING, "topic",
                        "there is no topic '%s': the service makes one, with %d partitions",
                        inspection->options.topic, inspection->options.partitions);
    else
        ratings_finding(inspection->findings, RATINGS_FINDING_FAULT, "topic",
                        "there is no topic '%s', and the service cannot make it: %s. Create it "
                        "(docs/operations.md, The topic), or allow the service's user to",
                        inspection->options.topic, why.detail);
}

/* ---- its settings ---- */

static void report_retention(inspection_t *inspection, const ratings_topic_t *topic)
{
    const char *fault = ratings_topic_fault_text(topic->fault);
    if (fault)
        ratings_finding(inspection->findings, RATINGS_FINDING_FAULT, "retention", "%s", fault);
    else
        ratings_finding(inspection->findings, RATINGS_FINDING_GOOD, "retention",
                        "the topic keeps all records");
}

static void report_times(inspection_t *inspection, const ratings_topic_t *topic)
{
    if (topic->append_time == RATINGS_APPEND_TIME_KEPT)
        ratings_finding(inspection->findings, RATINGS_FINDING_GOOD, "timestamps", "LogAppendTime");
    else if (topic->append_time == RATINGS_APPEND_TIME_NOT_KEPT)
        ratings_finding(inspection->findings, RATINGS_FINDING_WARNING, "timestamps",
                        "message.timestamp.type is not LogAppendTime: ratings with an "
                        "Idempotency-Key are refused. Set it, or RatingsIdempotencyWindow 0");
}

/* Kafka's numbers for errors are librdkafka's. False: there is no such topic. */
static bool inspect_topic_settings(inspection_t *inspection, ratings_topic_t *topic)
{
    ratings_result_t why;
    begin_question(inspection);
    apr_status_t status =
        ratings_stream_topic_describe(inspection->stream, inspection->options.timeout, topic, &why);
    ratings_findings_answered(inspection->findings);
    if (topic->refusal == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return false;
    if (status == APR_SUCCESS) {
        report_retention(inspection, topic);
        report_times(inspection, topic);
    } else if (topic->refusal) {
        ratings_finding(inspection->findings, RATINGS_FINDING_WARNING, "settings",
                        "Kafka does not say what the topic is like (%s): allow DescribeConfigs, "
                        "or see by yourself that it keeps all records",
                        rd_kafka_err2str((rd_kafka_resp_err_t)topic->refusal));
    } else {
        report_kafka_failure(inspection, "settings", why.detail);
    }
    return true;
}

/* ---- its partitions ---- */

typedef struct {
    int partitions, least_replicas;
} shape_t;

static void read_shape(const rd_kafka_metadata_topic_t *topic, shape_t *shape)
{
    *shape = (shape_t){topic->partition_cnt, INT32_MAX};
    for (int i = 0; i < topic->partition_cnt; i++)
        if (topic->partitions[i].replica_cnt < shape->least_replicas)
            shape->least_replicas = topic->partitions[i].replica_cnt;
}

/* Of a topic that is there: a producer's handle that asks for another could make a broker create
 * it. */
static bool ask_shape(inspection_t *inspection, rd_kafka_t *handle, shape_t *shape)
{
    ratings_result_t why;
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, inspection->options.topic, NULL);
    if (!topic)
        return false;
    begin_question(inspection);
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(handle, 0, topic, &metadata, inspection->timeout_ms);
    ratings_findings_answered(inspection->findings);
    if (!code && metadata->topic_cnt == 1)
        code = metadata->topics[0].err;
    if (code) {
        (void)stream_failure(code, "asking for the topic", &why);
        report_kafka_failure(inspection, "topic", why.detail);
    } else if (metadata->topic_cnt == 1) {
        read_shape(&metadata->topics[0], shape);
    }
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(topic);
    return !code && shape->partitions > 0;
}

static void report_shape(inspection_t *inspection, const ratings_topic_t *topic,
                         const shape_t *shape)
{
    ratings_findings_t *findings = inspection->findings;
    if (shape->partitions > RATINGS_PARTITIONS_MAX)
        ratings_finding(findings, RATINGS_FINDING_FAULT, "topic",
                        "%d partitions: 1 to %d can be served", shape->partitions,
                        RATINGS_PARTITIONS_MAX);
    else if (topic->in_sync > 0)
        ratings_finding(findings, RATINGS_FINDING_GOOD, "topic",
                        "partitions: %d, replicas of each: %d, min.insync.replicas: %d",
                        shape->partitions, shape->least_replicas, topic->in_sync);
    else /* its settings may not be read, which was said */
        ratings_finding(findings, RATINGS_FINDING_GOOD, "topic",
                        "partitions: %d, replicas of each: %d", shape->partitions,
                        shape->least_replicas);
    if (shape->least_replicas < 2)
        ratings_finding(findings, RATINGS_FINDING_NOTE, "replicas",
                        "one copy: with that broker's disk the ratings are lost");
    else if (topic->in_sync == 1)
        ratings_finding(findings, RATINGS_FINDING_WARNING, "replicas",
                        "min.insync.replicas is 1: a rating that was answered with 200 may be on "
                        "one broker alone. Set it to 2");
}

/* By the check of readiness: a leader that answers, and enough replicas in sync. */
static bool inspect_leaders(inspection_t *inspection, const ratings_topic_t *topic, int partitions)
{
    ratings_result_t why;
    begin_question(inspection);
    apr_status_t status = ratings_stream_check(inspection->stream, partitions, topic->in_sync,
                                               inspection->options.timeout, &why);
    ratings_findings_answered(inspection->findings);
    if (status == APR_SUCCESS)
        ratings_finding(inspection->findings, RATINGS_FINDING_GOOD, "leaders",
                        "each partition has one that answers");
    else
        report_kafka_failure(inspection, "leaders", why.detail);
    return status == APR_SUCCESS;
}

/* ---- reading ---- */

/* At the end there is nothing to read, and librdkafka says so: the broker has answered a fetch. */
static apr_status_t read_to_end(ratings_reader_t *reader, int64_t expires_at, ratings_result_t *why)
{
    ratings_record_t record;
    int count = 0;
    while (count == 0 && ratings_monotonic() < expires_at)
        if (ratings_reader_read(reader, expires_at - ratings_monotonic(), &record, 1, &count,
                                why) != APR_SUCCESS)
            return why->status;
    return count > 0 ? ratings_result_ok(why)
                     : ratings_result_set(why, APR_TIMEUP, "reading: no answer in time");
}

static apr_status_t read_at_end(inspection_t *inspection, int partitions, int64_t *ends,
                                ratings_result_t *why)
{
    ratings_reader_t *reader;
    int64_t *first = ends + partitions;
    apr_interval_time_t timeout = inspection->options.timeout;
    begin_question(inspection);
    if (ratings_stream_ends(inspection->stream, partitions, timeout, first, ends, why) !=
            APR_SUCCESS ||
        ratings_reader_create(&reader, &inspection->options, why) != APR_SUCCESS)
        return why->status;
    ratings_findings_ask(inspection->findings); /* the time is that of reading alone */
    if (ratings_reader_connect(reader, partitions, timeout, why) == APR_SUCCESS &&
        ratings_reader_assign(reader, ends, partitions, why) == APR_SUCCESS)
        (void)read_to_end(reader, ratings_monotonic() + timeout, why);
    ratings_findings_answered(inspection->findings);
    return why->status;
}

static void inspect_reading(inspection_t *inspection, int partitions)
{
    ratings_result_t why;
    int64_t *ends = calloc((size_t)partitions * 2, sizeof *ends);
    if (!ends)
        return;
    if (read_at_end(inspection, partitions, ends, &why) == APR_SUCCESS)
        ratings_finding(inspection->findings, RATINGS_FINDING_GOOD, "reading",
                        "the topic can be read");
    else
        report_kafka_failure(inspection, "reading", why.detail);
    free(ends);
}

/* ---- all of it ---- */

static void inspect_topic(inspection_t *inspection, rd_kafka_t *handle, int brokers)
{
    shape_t shape = {0, 0};
    ratings_topic_t topic = {.refusal = 0};
    if (!inspect_topic_settings(inspection, &topic)) {
        inspect_creation(inspection, handle, brokers);
        return;
    }
    if (!ask_shape(inspection, handle, &shape))
        return;
    report_shape(inspection, &topic, &shape);
    if (shape.partitions <= RATINGS_PARTITIONS_MAX &&
        inspect_leaders(inspection, &topic, shape.partitions))
        inspect_reading(inspection, shape.partitions);
}

void ratings_stream_inspect(const ratings_stream_options_t *options, apr_pool_t *pool,
                            ratings_findings_t *findings)
{
    int brokers = 0;
    ratings_result_t why;
    inspection_t *inspection = apr_pcalloc(pool, sizeof *inspection);
    inspection->options = *options;
    inspection->options.log = &inspection->log;
    inspection->findings = findings;
    inspection->timeout_ms = stream_ms(options->timeout);
    inspection->log =
        (ratings_stream_log_t){keep_error, keep_outage, ignore_reached, ignore_refusal};
    (void)pthread_mutex_init(&inspection->lock, NULL);
    inspection->stream = ratings_stream_create(&inspection->options, pool);
    ratings_findings_ask(findings);
    rd_kafka_t *handle = stream_producer_acquire(inspection->stream->producer, &why);
    if (!handle)
        ratings_finding(findings, RATINGS_FINDING_FAULT, "connection", "%s", why.detail);
    else if (inspect_brokers(inspection, handle, &brokers))
        inspect_topic(inspection, handle, brokers);
}
