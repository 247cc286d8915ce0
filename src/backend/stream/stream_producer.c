/* The producer: its handle, and the thread that serves the callbacks. */
#include "stream_conf.h"

#include "stream_producer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS 100
#define GIVE_UP_POLLS 100
#define REPLACE_RETRY_MS 1000

struct ratings_stream_t {
    const ratings_stream_options_t *options; /* first: see stream_handle */
    pthread_rwlock_t lock; /* of what follows: written only when a fatal error makes a new handle */
    rd_kafka_t *handle;
    _Atomic(rd_kafka_topic_t *) topic; /* NULL until it is asked for */
    stream_appender_t *appender;
    pthread_t poller;
    atomic_bool stop;
    atomic_bool fatal;
    char message_timeout[16];
};

/* ---- delivery reports ---- */

/* What waits in a handle that is given up, or comes to one that is dead, fails in this child alone:
 * it says nothing of Kafka. */
static bool is_of_this_child(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__FATAL;
}

/* librdkafka tells whether a message that failed may yet be in the log:
 * rd_kafka_message_status() */
static apr_status_t failure_of(const rd_kafka_message_t *message, ratings_result_t *why)
{
    apr_status_t status = APR_ECONNREFUSED;
    if (rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
        status = APR_TIMEUP;
    else if (is_of_this_child(message->err))
        status = RATINGS_NOT_ASKED;
    return ratings_result_set(why, status, "delivery: %s", rd_kafka_err2str(message->err));
}

static void report(const ratings_stream_t *stream, const rd_kafka_message_t *message)
{
    ratings_delivery_t delivery = {.partition = message->partition, .offset = message->offset};
    if (message->err)
        failure_of(message, &delivery.result);
    stream_appender_reported(stream->appender, message->_private, &delivery);
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

/* linger.ms 0, as batches form before (stream_append.c), and few requests in flight: each is of one
 * partition, and a broker takes up the next of a connection when it has answered the one before, so
 * that a second one is there when it does. The topic is created by us, so one that is not known yet
 * appears soon: look for it often, give up early. */
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

/* Gives up what is queued or in flight, which librdkafka reports within milliseconds, and which
 * must be: an event without a report would keep those after it waiting for ever. */
static void give_up(rd_kafka_t *handle, rd_kafka_topic_t *topic)
{
    rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int i = 0; i < GIVE_UP_POLLS && rd_kafka_outq_len(handle) > 0; i++)
        rd_kafka_flush(handle, POLL_MS);
    if (topic)
        rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
}

/* After a fatal error (an idempotent producer that lost its sequence) librdkafka's handle is dead:
 * https://github.com/confluentinc/librdkafka/blob/master/INTRODUCTION.md, "Fatal errors" */
static bool replace_handle(ratings_stream_t *stream)
{
    ratings_result_t why;
    rd_kafka_t *fresh = NULL, *dead;
    rd_kafka_topic_t *topic;
    if (make_handle(stream, &fresh, &why) != APR_SUCCESS) {
        stream->options->log(stream->options->log_context, 3, why.detail);
        return false;
    }
    atomic_store(&stream->fatal, false);
    pthread_rwlock_wrlock(&stream->lock);
    dead = stream->handle;
    topic = atomic_exchange(&stream->topic, NULL);
    stream->handle = fresh;
    pthread_rwlock_unlock(&stream->lock);
    give_up(dead, topic);
    return true;
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
    int wait_ms = POLL_MS;
    warm_up(stream->handle);
    while (!atomic_load(&stream->stop)) {
        rd_kafka_poll(stream->handle, wait_ms);
        wait_ms = POLL_MS;
        if (atomic_load(&stream->fatal) && !replace_handle(stream))
            wait_ms = REPLACE_RETRY_MS;
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

static int start_threads(ratings_stream_t *stream, ratings_delivery_fn *delivered, apr_pool_t *pool)
{
    int64_t patience = 1000 * (int64_t)message_timeout_ms(stream->options->timeout);
    int failed = stream_appender_create(&stream->appender, stream, delivered, patience, pool);
    if (failed)
        return failed;
    failed = pthread_create(&stream->poller, NULL, poll_handle, stream);
    if (failed) {
        stream_appender_stop(stream->appender);
        stream_appender_destroy(stream->appender);
    }
    return failed;
}

static void set_timeout(ratings_stream_t *stream)
{
    (void)snprintf(stream->message_timeout, sizeof stream->message_timeout, "%d",
                   message_timeout_ms(stream->options->timeout));
}

apr_status_t stream_producer_try(const ratings_stream_options_t *options, apr_pool_t *pool,
                                 ratings_result_t *why)
{
    ratings_stream_t *stream = apr_pcalloc(pool, sizeof *stream); /* the handle's threads read it */
    stream->options = options;
    set_timeout(stream);
    return make_handle(stream, &stream->handle, why);
}

apr_status_t ratings_stream_create(ratings_stream_t **out, const ratings_stream_options_t *options,
                                   ratings_delivery_fn *delivered, apr_pool_t *pool,
                                   ratings_result_t *why)
{
    ratings_stream_t *stream = apr_pcalloc(pool, sizeof *stream);
    stream->options = options;
    set_timeout(stream);
    apr_status_t status = make_handle(stream, &stream->handle, why);
    if (status != APR_SUCCESS)
        return status;
    pthread_rwlock_init(&stream->lock, NULL);
    int failed = start_threads(stream, delivered, pool);
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

/* By its name, librdkafka would look for it under a lock with each event. Not before the first
 * event: it is a topic that is there by then. */
rd_kafka_t *stream_producer_topic(ratings_stream_t *stream, rd_kafka_topic_t **topic)
{
    rd_kafka_t *handle = stream_producer_handle(stream);
    rd_kafka_topic_t *none = NULL;
    *topic = atomic_load(&stream->topic);
    if (*topic)
        return handle;
    *topic = rd_kafka_topic_new(handle, stream->options->topic, NULL);
    if (!*topic || atomic_compare_exchange_strong(&stream->topic, &none, *topic))
        return handle;
    rd_kafka_topic_destroy(*topic); /* another thread was faster */
    *topic = none;
    return handle;
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
    stream_appender_stop(stream->appender);
    rd_kafka_flush(stream->handle, stream_ms(timeout));
    give_up(stream->handle, atomic_load(&stream->topic));
    stream_appender_destroy(stream->appender);
    pthread_rwlock_destroy(&stream->lock);
}

stream_appender_t *stream_producer_appender(const ratings_stream_t *stream)
{
    return stream->appender;
}

const ratings_stream_options_t *stream_producer_options(const ratings_stream_t *stream)
{
    return stream->options;
}
