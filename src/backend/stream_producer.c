/* Appending events: librdkafka's producer, and the thread that serves its callbacks. */
#include "stream_conf.h"

#include "../core/event.h"
#include "stream_producer.h"

#include <apr_strings.h>
#include <apr_uuid.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS 100

struct ratings_stream_t {
    const ratings_stream_options_t *options; /* first: see stream_handle */
    ratings_delivery_fn *delivered;
    pthread_rwlock_t lock; /* of `handle`: written only when a fatal error makes a new one */
    rd_kafka_t *handle;
    pthread_t poller;
    atomic_bool stop;
    atomic_bool fatal;
    char message_timeout[16];
};

/* ---- delivery reports ---- */

/* librdkafka tells whether a message that failed may yet be in the log:
 * rd_kafka_message_status() */
static apr_status_t failure_of(const rd_kafka_message_t *message, ratings_result_t *why)
{
    bool maybe = rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
    return ratings_result_set(why, maybe ? APR_TIMEUP : APR_ECONNREFUSED, "delivery: %s",
                              rd_kafka_err2str(message->err));
}

static void report(const ratings_stream_t *stream, const rd_kafka_message_t *message)
{
    ratings_delivery_t delivery = {.partition = message->partition, .offset = message->offset};
    if (message->err)
        failure_of(message, &delivery.result);
    stream->delivered(message->_private, &delivery);
}

/* A failure, on the poller's thread. */
static void on_failure(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    (void)handle;
    report(opaque, message);
}

/* A success, as soon as Kafka's answer is read, on the thread that reads it: a report would have to
 * wake the poller first. Of failures this one is told too little (no rd_kafka_message_status), and
 * also on the thread that appends. */
static rd_kafka_resp_err_t on_acknowledgement(rd_kafka_t *handle, rd_kafka_message_t *message,
                                              void *opaque)
{
    (void)handle;
    if (!message->err)
        report(opaque, message);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t on_new(rd_kafka_t *handle, const rd_kafka_conf_t *conf, void *opaque,
                                  char *text, size_t size)
{
    (void)conf, (void)text, (void)size;
    return rd_kafka_interceptor_add_on_acknowledgement(handle, "mod_ratings", on_acknowledgement,
                                                       opaque);
}

/* What does not pass by itself; that brokers come and go does. */
static bool needs_attention(int code)
{
    return code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           code == RD_KAFKA_RESP_ERR__SSL;
}

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    ratings_stream_t *stream = opaque;
    char text[STREAM_TEXT];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(handle, text, sizeof text);
        atomic_store(&stream->fatal, true);
        reason = text;
    }
    stream->options->log(stream->options->log_context, needs_attention(code) ? 2 : 6, reason);
}

static void set_callbacks(rd_kafka_conf_t *conf, void *opaque)
{
    rd_kafka_conf_interceptor_add_on_new(conf, "mod_ratings", on_new, opaque);
    rd_kafka_conf_set_dr_msg_cb(conf, on_failure);
    rd_kafka_conf_set_error_cb(conf, on_error);
}

/* ---- the handle ---- */

/* linger.ms 0 and few requests in flight: batches form by themselves while requests are under way,
 * and nothing waits when none is. Two, since a broker takes up the next request of a connection
 * when it has answered the one before: the second is there when it does. The topic is created by
 * us, so one that is not known yet appears soon: look for it often, give up early. */
static apr_status_t make_handle(ratings_stream_t *stream, rd_kafka_t **handle,
                                ratings_result_t *why)
{
    const stream_property_t ours[] = {
        {"client.id", "mod_ratings"},
        {"acks", "all"},
        {"enable.idempotence", "true"},
        {"linger.ms", "0"},
        {"max.in.flight.requests.per.connection", "2"},
        {"delivery.report.only.error", "true"}, /* on_acknowledgement tells the others */
        {"socket.nagle.disable", "true"},
        {"message.timeout.ms", stream->message_timeout},
        {"queue.buffering.max.messages", "10000"},
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "1000"},
        {"topic.metadata.refresh.fast.interval.ms", "100"},
        {"topic.metadata.propagation.max.ms", "1000"},
        {"log.connection.close", "false"},
        {NULL, NULL},
    };
    return stream_handle(handle, RD_KAFKA_PRODUCER, stream->options, ours, set_callbacks, stream,
                         why);
}

/* Gives up what is queued or in flight; every event is reported before this returns. */
static void give_up(rd_kafka_t *handle)
{
    rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(handle, POLL_MS);
    rd_kafka_destroy(handle);
}

/* After a fatal error (an idempotent producer that lost its sequence) librdkafka's handle is dead:
 * https://github.com/confluentinc/librdkafka/blob/master/INTRODUCTION.md, "Fatal errors" */
static void replace_handle(ratings_stream_t *stream)
{
    ratings_result_t why;
    rd_kafka_t *fresh = NULL, *dead;
    if (make_handle(stream, &fresh, &why) != APR_SUCCESS) {
        stream->options->log(stream->options->log_context, 3, why.detail);
        return; /* tried again by the next turn of the poller */
    }
    atomic_store(&stream->fatal, false);
    pthread_rwlock_wrlock(&stream->lock);
    dead = stream->handle;
    stream->handle = fresh;
    pthread_rwlock_unlock(&stream->lock);
    give_up(dead);
}

/* A handle connects only when it has something to send, and then looks after its producer id and
 * the topic on a timer of up to a second: asked for the brokers at once, it is ready for the first
 * event. That they are away is no matter here. */
static void warm_up(rd_kafka_t *handle)
{
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(handle, 0, NULL, &metadata, POLL_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
}

static void *poll_handle(void *data)
{
    ratings_stream_t *stream = data;
    warm_up(stream->handle);
    while (!atomic_load(&stream->stop)) {
        rd_kafka_poll(stream->handle, POLL_MS);
        if (atomic_load(&stream->fatal))
            replace_handle(stream);
    }
    return NULL;
}

/* librdkafka looks for messages that timed out once a second, so it is given a second less: its
 * verdict, whether the event may have been recorded, is to come within the timeout. */
static int message_timeout_ms(apr_interval_time_t timeout)
{
    int ms = stream_ms(timeout);
    return ms >= 2000 ? ms - 1000 : ms / 2;
}

apr_status_t ratings_stream_create(ratings_stream_t **out, const ratings_stream_options_t *options,
                                   ratings_delivery_fn *delivered, apr_pool_t *pool,
                                   ratings_result_t *why)
{
    ratings_stream_t *stream = apr_pcalloc(pool, sizeof *stream);
    stream->options = options;
    stream->delivered = delivered;
    (void)snprintf(stream->message_timeout, sizeof stream->message_timeout, "%d",
                   message_timeout_ms(options->timeout));
    apr_status_t status = make_handle(stream, &stream->handle, why);
    if (status != APR_SUCCESS)
        return status;
    pthread_rwlock_init(&stream->lock, NULL);
    int failed = pthread_create(&stream->poller, NULL, poll_handle, stream);
    if (failed) {
        rd_kafka_destroy(stream->handle);
        return ratings_result_set(why, failed, "no thread for the producer");
    }
    *out = stream;
    return APR_SUCCESS;
}

rd_kafka_t *stream_producer_handle(ratings_stream_t *stream)
{
    pthread_rwlock_rdlock(&stream->lock);
    return stream->handle;
}

void stream_producer_release(ratings_stream_t *stream)
{
    pthread_rwlock_unlock(&stream->lock);
}

/* A child that takes its time to end makes a graceful restart wait for it. */
static void wake_poller(ratings_stream_t *stream)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_get_main(stream_producer_handle(stream));
    rd_kafka_queue_yield(queue);
    rd_kafka_queue_destroy(queue);
    stream_producer_release(stream);
}

void ratings_stream_destroy(ratings_stream_t *stream, apr_interval_time_t timeout)
{
    atomic_store(&stream->stop, true);
    wake_poller(stream);
    pthread_join(stream->poller, NULL);
    rd_kafka_flush(stream->handle, stream_ms(timeout));
    give_up(stream->handle);
    pthread_rwlock_destroy(&stream->lock);
}

const ratings_stream_options_t *stream_producer_options(const ratings_stream_t *stream)
{
    return stream->options;
}

/* ---- appending ---- */

int ratings_stream_partition(const char *talk_id, int partitions)
{
    return rd_kafka_msg_partitioner_murmur2(NULL, talk_id, strlen(talk_id), partitions, NULL, NULL);
}

/* CloudEvents 1.0, Kafka protocol binding, binary mode:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md */
static rd_kafka_headers_t *make_headers(void)
{
    char id[APR_UUID_FORMATTED_LENGTH + 1], when[96];
    apr_uuid_t uuid;
    apr_time_exp_t now;
    apr_uuid_get(&uuid);
    apr_uuid_format(id, &uuid);
    apr_time_exp_gmt(&now, apr_time_now());
    (void)snprintf(when, sizeof when, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", now.tm_year + 1900,
                   now.tm_mon + 1, now.tm_mday, now.tm_hour, now.tm_min, now.tm_sec, now.tm_usec);
    const stream_property_t headers[] = {
        {"ce_specversion", "1.0"},     {"ce_id", id},     {"ce_type", RATINGS_EVENT_TYPE},
        {"ce_source", "/mod_ratings"}, {"ce_time", when}, {"content-type", "application/json"},
    };
    rd_kafka_headers_t *list = rd_kafka_headers_new(sizeof headers / sizeof headers[0]);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        rd_kafka_header_add(list, headers[i].key, -1, headers[i].value, -1);
    return list;
}

/* On success librdkafka owns value and headers. */
static rd_kafka_resp_err_t produce(ratings_stream_t *stream, const char *talk_id, int partition,
                                   char *value, size_t length, rd_kafka_headers_t *headers,
                                   void *ticket)
{
    rd_kafka_t *handle = stream_producer_handle(stream);
    rd_kafka_resp_err_t code =
        rd_kafka_producev(handle, RD_KAFKA_V_TOPIC(stream->options->topic),
                          RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY(talk_id, strlen(talk_id)),
                          RD_KAFKA_V_VALUE(value, length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_FREE),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(ticket), RD_KAFKA_V_END);
    stream_producer_release(stream);
    return code;
}

apr_status_t ratings_stream_append(ratings_stream_t *stream, const ratings_event_t *event,
                                   int partition, void *ticket, ratings_result_t *why)
{
    size_t length = 0;
    char *value = ratings_event_encode(event, &length);
    if (!value)
        return ratings_result_set(why, APR_ENOMEM, "out of memory");
    rd_kafka_headers_t *headers = make_headers();
    rd_kafka_resp_err_t code =
        produce(stream, event->rating.talk_id, partition, value, length, headers, ticket);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ratings_result_ok(why);
    free(value);
    rd_kafka_headers_destroy(headers);
    stream_failure(code, "appending", why);
    return why->status = APR_ECONNREFUSED; /* whatever the reason, nothing was recorded */
}
