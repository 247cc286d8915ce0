#include "stream_producer.h"

#include "../../core/clock.h"
#include "../../core/container_of.h"
#include "../../core/kafka_refusal.h"
#include "../common/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_MS 100
#define GIVE_UP_POLLS 100
#define REPLACE_RETRY_MS 1000
#define SOCKET_MIN_MS 10000
#define MAKE_RETRY_US INT64_C(1000000)
#define IDLE_US INT64_C(10000000) /* unused for so long, a handle is freed */

struct stream_producer_t {
    stream_handle_owner_t handle_owner;
    stream_producer_owner_t *owner;
    pthread_mutex_t making; /* held while a handle is made, by whoever needs it */
    pthread_cond_t made;
    int64_t make_at; /* not before, as it could not be made; of ratings_monotonic */
    ratings_result_t refusal;
    bool has_poller; /* from the first handle on */
    pthread_t poller;
    atomic_bool stops;
    atomic_bool is_made, is_refused;
    pthread_rwlock_t lock; /* of what follows: written when a handle is made, replaced or freed */
    rd_kafka_t *handle;    /* NULL: there is none */
    _Atomic(rd_kafka_topic_t *) topic; /* NULL until it is asked for */
    _Atomic(int64_t) used_at;          /* when the handle was acquired last */
    atomic_bool is_dead;
    char message_timeout[16], socket_timeout[16];
};

/* ---- delivery reports ---- */

/* What waits in a handle that is given up, or comes to one that is dead, fails in this child alone:
 * it says nothing of Kafka. */
static bool is_of_this_child(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__FATAL;
}

/* librdkafka knows whether a message that failed may yet be in the log:
 * rd_kafka_message_status() */
static apr_status_t delivery_failure(const rd_kafka_message_t *message, ratings_result_t *why)
{
    apr_status_t status = APR_ECONNREFUSED;
    if (rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
        status = APR_TIMEUP;
    else if (is_of_this_child(message->err))
        status = RATINGS_NOT_ASKED;
    return ratings_result_set(why, status, "delivery: %s", rd_kafka_err2str(message->err));
}

/* Where the topic has append times, librdkafka reports the broker's. */
static void record_of_report(const rd_kafka_message_t *report, const ratings_ticket_t *ticket,
                             ratings_record_t *record)
{
    rd_kafka_timestamp_type_t type;
    *record = (ratings_record_t){
        .partition = report->partition,
        .offset = report->offset,
        .timestamp = rd_kafka_message_timestamp(report, &type),
        .key = report->key,
        .key_len = report->key_len,
        .value = report->payload,
        .value_len = report->len,
        .ticket = *ticket,
    };
    record->has_append_time = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
}

/* Value and headers are librdkafka's since it took the message. */
static void report_delivery(stream_handle_owner_t *handle_owner, const rd_kafka_message_t *report)
{
    const stream_producer_t *producer =
        RATINGS_CONTAINER_OF(handle_owner, stream_producer_t, handle_owner);
    stream_message_t *message = report->_private;
    ratings_delivery_t delivery = {
        .code = report->err, .partition = report->partition, .offset = report->offset};
    ratings_record_t record;
    if (report->err) {
        delivery_failure(report, &delivery.result);
    } else if (report->offset >= 0) {
        record_of_report(report, &message->ticket, &record);
        delivery.record = &record;
    }
    message->headers = NULL;
    message->value = NULL;
    producer->owner->reported(producer->owner, message, &delivery);
}

/* A failure, on the poller's thread. */
static void on_delivery_failure(rd_kafka_t *handle, const rd_kafka_message_t *report, void *opaque)
{
    (void)handle;
    report_delivery(opaque, report);
}

/* A success, as soon as Kafka's answer is read, on the thread that reads it: a report would have to
 * wake the poller first. It learns too little of failures (no rd_kafka_message_status), and
 * also on the thread that appends. */
static rd_kafka_resp_err_t on_acknowledgement(rd_kafka_t *handle, rd_kafka_message_t *message,
                                              void *opaque)
{
    (void)handle;
    if (!message->err)
        report_delivery(opaque, message);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* ---- brokers ---- */

#define BROKER_SIZE 280 /* the longest name of a host, and its port */

/* By librdkafka's thread of the broker. */
static rd_kafka_resp_err_t on_broker_state(rd_kafka_t *handle, int32_t id, const char *protocol,
                                           const char *host, int port, const char *state,
                                           void *opaque)
{
    const stream_handle_owner_t *owner = opaque;
    ratings_stream_log_t *log = owner->options->log;
    char broker[BROKER_SIZE];
    (void)handle, (void)id, (void)protocol;
    (void)snprintf(broker, sizeof broker, "%s:%d", host, port);
    if (strcmp(state, "UP") == 0)
        log->reached(log, broker);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* The broker that an error is of, which librdkafka names at its beginning:
 * [ssl://]host:port/id: ... False: it is of none. */
static bool read_broker(const char *reason, char broker[BROKER_SIZE])
{
    const char *scheme = strstr(reason, "://"), *host = reason;
    size_t length = strcspn(reason, " ");
    if (scheme && (size_t)(scheme - reason) < length)
        host = scheme + strlen("://");
    length = strcspn(host, "/ ");
    if (host[length] != '/' || !memchr(host, ':', length) || length >= BROKER_SIZE)
        return false;
    memcpy(broker, host, length);
    broker[length] = '\0';
    return true;
}

static rd_kafka_resp_err_t on_new_handle(rd_kafka_t *handle, const rd_kafka_conf_t *conf,
                                         void *opaque, char *text, size_t size)
{
    (void)conf, (void)text, (void)size;
    (void)rd_kafka_interceptor_add_on_broker_state_change(handle, "mod_ratings", on_broker_state,
                                                          opaque);
    return rd_kafka_interceptor_add_on_acknowledgement(handle, "mod_ratings", on_acknowledgement,
                                                       opaque);
}

/* What does not pass by itself; that brokers come and go does. To librdkafka a broker that takes no
 * client without a certificate, or not this one, is one that goes: TLS 1.3 tells of it when the
 * handshake is over. */
static bool needs_attention(int code, const char *reason)
{
    return code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
           code == RD_KAFKA_RESP_ERR__SSL || strstr(reason, "SSL alert number");
}

/* That all brokers are down follows from what was reported of each. */
static void report_passing(const stream_handle_owner_t *owner, int code, const char *reason)
{
    ratings_stream_log_t *log = owner->options->log;
    char broker[BROKER_SIZE];
    if (read_broker(reason, broker))
        log->unreachable(log, broker, reason);
    else
        stream_log(owner, code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ? STREAM_DEBUG : STREAM_INFO,
                   reason);
}

static void on_producer_error(stream_handle_owner_t *owner, rd_kafka_t *handle, int code,
                              const char *reason)
{
    stream_producer_t *producer = RATINGS_CONTAINER_OF(owner, stream_producer_t, handle_owner);
    char text[STREAM_TEXT];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(handle, text, sizeof text);
        atomic_store(&producer->is_dead, true);
        reason = text;
    } else if (ratings_kafka_scram_is_too_old(rd_kafka_version(), reason)) {
        (void)snprintf(text, sizeof text,
                       "%s; to Kafka 4 nobody can log in so by librdkafka %s: "
                       "it takes 2.6.1, or sasl.mechanisms PLAIN",
                       reason, rd_kafka_version_str());
        reason = text;
    }
    if (needs_attention(code, reason))
        stream_log(owner, STREAM_CRITICAL, reason);
    else
        report_passing(owner, code, reason);
}

static void configure_producer(stream_handle_owner_t *owner, rd_kafka_conf_t *conf)
{
    rd_kafka_conf_interceptor_add_on_new(conf, "mod_ratings", on_new_handle, owner);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery_failure);
}

/* ---- the handle ---- */

/* linger.ms 0, as batches form before (stream_appender.c), and few requests in flight: each is of
 * one partition, and a broker takes up the next of a connection when it has answered the one
 * before, so that a second one is there when it does. The topic is created by us, so one that is
 * not known yet appears soon: look for it often, give up early. A question about the topic that got
 * lost, as the broker had just started or was frozen, librdkafka holds to be under way for
 * socket.timeout.ms, a minute by default, and asks no other (rd_kafka_metadata_cache_hint). */
static apr_status_t make_producer_handle(stream_producer_t *producer, rd_kafka_t **handle,
                                         ratings_result_t *why)
{
    const stream_property_t ours[] = {
        {"client.id", "mod_ratings"},
        {"acks", "all"},
        {"enable.idempotence", "true"},
        {"linger.ms", "0"},
        {"max.in.flight.requests.per.connection", "2"},
        {"delivery.report.only.error", "true"}, /* on_acknowledgement reports the others */
        {"socket.nagle.disable", "true"},
        {"message.timeout.ms", producer->message_timeout},
        {"socket.timeout.ms", producer->socket_timeout},
        {"queue.buffering.max.messages", "10000"},
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "1000"},
        {"topic.metadata.refresh.fast.interval.ms", "100"},
        {"topic.metadata.propagation.max.ms", "1000"},
        {"log.connection.close", "false"},
        {NULL, NULL},
    };
    return stream_handle_create(handle, RD_KAFKA_PRODUCER, &producer->handle_owner, ours, why);
}

/* Gives up what is queued or in flight, which librdkafka reports within milliseconds, and which
 * must be: an event without a report would keep those after it waiting for ever. */
static void destroy_handle(rd_kafka_t *handle, rd_kafka_topic_t *topic)
{
    rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (int i = 0; i < GIVE_UP_POLLS && rd_kafka_outq_len(handle) > 0; i++)
        rd_kafka_flush(handle, POLL_MS);
    if (topic)
        rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(handle);
}

/* After a fatal error (an idempotent producer that lost its sequence) librdkafka's handle is dead:
 * https://github.com/confluentinc/librdkafka/blob/master/INTRODUCTION.md, "Fatal errors". So is one
 * that has lost the topic (stream_topic.c). */
static bool replace_handle(stream_producer_t *producer)
{
    ratings_result_t why;
    rd_kafka_t *fresh = NULL, *dead;
    rd_kafka_topic_t *topic;
    if (make_producer_handle(producer, &fresh, &why) != APR_SUCCESS) {
        stream_log(&producer->handle_owner, 3, why.detail);
        return false;
    }
    atomic_store(&producer->is_dead, false);
    pthread_rwlock_wrlock(&producer->lock);
    dead = producer->handle;
    topic = atomic_exchange(&producer->topic, NULL);
    producer->handle = fresh;
    pthread_rwlock_unlock(&producer->lock);
    destroy_handle(dead, topic);
    return true;
}

/* A handle connects only when it has something to send, and then looks after its producer id and
 * the topic on a timer of up to a second: asked for the brokers at once, it is ready for the first
 * event. That they are unavailable is no matter here. */
static void connect_ahead(rd_kafka_t *handle)
{
    const struct rd_kafka_metadata *metadata = NULL;
    if (rd_kafka_metadata(handle, 0, NULL, &metadata, POLL_MS) == RD_KAFKA_RESP_ERR_NO_ERROR)
        rd_kafka_metadata_destroy(metadata);
}

/* Nothing is under way, and nobody has needed it for a while. */
static bool is_idle(const stream_producer_t *producer)
{
    return ratings_monotonic() - atomic_load(&producer->used_at) > IDLE_US &&
           rd_kafka_outq_len(producer->handle) == 0;
}

/* A child needs a handle only while it appends for its host, or asks Kafka in the place of the one
 * that does: it is not to keep threads and connections for ever. Whoever holds the lock uses it. */
static bool free_idle_handle(stream_producer_t *producer)
{
    rd_kafka_t *idle = NULL;
    rd_kafka_topic_t *topic = NULL;
    if (pthread_rwlock_trywrlock(&producer->lock) != 0)
        return false;
    if (is_idle(producer)) {
        idle = producer->handle;
        topic = atomic_exchange(&producer->topic, NULL);
        producer->handle = NULL;
        atomic_store(&producer->is_made, false);
    }
    pthread_rwlock_unlock(&producer->lock);
    if (idle)
        destroy_handle(idle, topic);
    return idle != NULL;
}

/* Until it is freed, or the poller is to end. */
static void serve_handle(stream_producer_t *producer)
{
    int wait_ms = POLL_MS;
    connect_ahead(producer->handle);
    while (!atomic_load(&producer->stops)) {
        rd_kafka_poll(producer->handle, wait_ms);
        wait_ms = POLL_MS;
        if (atomic_load(&producer->is_dead) && !replace_handle(producer))
            wait_ms = REPLACE_RETRY_MS;
        else if (free_idle_handle(producer))
            return;
    }
}

/* False: the poller is to end. */
static bool wait_for_handle(stream_producer_t *producer)
{
    pthread_mutex_lock(&producer->making);
    while (!atomic_load(&producer->is_made) && !atomic_load(&producer->stops))
        pthread_cond_wait(&producer->made, &producer->making);
    pthread_mutex_unlock(&producer->making);
    return !atomic_load(&producer->stops);
}

static void *run_poller(void *data)
{
    stream_producer_t *producer = data;
    while (wait_for_handle(producer))
        serve_handle(producer);
    return NULL;
}

/* librdkafka looks for messages that timed out once a second, so it is given a second less: its
 * verdict, whether the event may have been recorded, is to come within the timeout. */
static int message_timeout_ms(apr_interval_time_t timeout)
{
    int ms = stream_ms(timeout);
    return ms >= 2000 ? ms - 1000 : ms / 2;
}

int64_t stream_producer_message_timeout(const ratings_stream_options_t *options)
{
    return 1000 * (int64_t)message_timeout_ms(options->timeout);
}

/* ---- create and destroy ---- */

static stream_producer_t *allocate_producer(const ratings_stream_options_t *options,
                                            apr_pool_t *pool)
{
    stream_producer_t *producer = apr_pcalloc(pool, sizeof *producer);
    producer->handle_owner = (stream_handle_owner_t){
        .options = options, .failed = on_producer_error, .configure = configure_producer};
    int timeout_ms = message_timeout_ms(options->timeout);
    (void)snprintf(producer->message_timeout, sizeof producer->message_timeout, "%d", timeout_ms);
    (void)snprintf(producer->socket_timeout, sizeof producer->socket_timeout, "%d",
                   timeout_ms > SOCKET_MIN_MS ? timeout_ms : SOCKET_MIN_MS);
    return producer;
}

apr_status_t stream_producer_try(const ratings_stream_options_t *options, apr_pool_t *pool,
                                 ratings_result_t *why)
{
    stream_producer_t *producer = allocate_producer(options, pool);
    return make_producer_handle(producer, &producer->handle, why);
}

stream_producer_t *stream_producer_create(const ratings_stream_options_t *options,
                                          stream_producer_owner_t *owner, apr_pool_t *pool)
{
    stream_producer_t *producer = allocate_producer(options, pool);
    producer->owner = owner;
    ratings_lock_init(&producer->making, &producer->made);
    pthread_rwlock_init(&producer->lock, NULL);
    return producer;
}

/* A child that takes its time to end makes a graceful restart wait for it. */
static void wake_poller(stream_producer_t *producer)
{
    pthread_mutex_lock(&producer->making);
    atomic_store(&producer->stops, true);
    pthread_cond_signal(&producer->made);
    pthread_mutex_unlock(&producer->making);
    pthread_rwlock_rdlock(&producer->lock);
    if (producer->handle) {
        rd_kafka_queue_t *queue = rd_kafka_queue_get_main(producer->handle);
        rd_kafka_queue_yield(queue);
        rd_kafka_queue_destroy(queue);
    }
    pthread_rwlock_unlock(&producer->lock);
}

static void end_poller(stream_producer_t *producer)
{
    wake_poller(producer);
    pthread_join(producer->poller, NULL);
}

static void end_handle(stream_producer_t *producer, apr_interval_time_t timeout)
{
    rd_kafka_flush(producer->handle, stream_ms(timeout));
    destroy_handle(producer->handle, atomic_load(&producer->topic));
}

void stream_producer_destroy(stream_producer_t *producer, apr_interval_time_t timeout)
{
    if (producer->has_poller)
        end_poller(producer);
    if (producer->handle)
        end_handle(producer, timeout);
    pthread_rwlock_destroy(&producer->lock);
    ratings_lock_destroy(&producer->making, &producer->made);
}

/* ---- making the handle ---- */

static apr_status_t start_poller(stream_producer_t *producer, ratings_result_t *why)
{
    int error =
        producer->has_poller ? 0 : ratings_thread_create(&producer->poller, run_poller, producer);
    producer->has_poller = error == 0;
    return error ? ratings_result_set(why, error, "no thread for the producer: %s", strerror(error))
                 : ratings_result_ok(why);
}

static apr_status_t make_handle(stream_producer_t *producer, ratings_result_t *why)
{
    rd_kafka_t *handle;
    if (start_poller(producer, why) != APR_SUCCESS ||
        make_producer_handle(producer, &handle, why) != APR_SUCCESS)
        return why->status;
    atomic_store(&producer->is_dead, false);
    atomic_store(&producer->used_at, ratings_monotonic());
    pthread_rwlock_wrlock(&producer->lock);
    producer->handle = handle;
    atomic_store(&producer->is_made, true);
    pthread_rwlock_unlock(&producer->lock);
    pthread_cond_signal(&producer->made);
    return APR_SUCCESS;
}

/* It says nothing of Kafka. */
static void note_refusal(stream_producer_t *producer)
{
    ratings_stream_log_t *log = producer->handle_owner.options->log;
    producer->refusal.status = RATINGS_NOT_ASKED;
    producer->make_at = ratings_monotonic() + MAKE_RETRY_US;
    if (!atomic_exchange(&producer->is_refused, true))
        log->refused(log, producer->refusal.detail);
}

/* Without the lock under which the handle is used: the first thread makes it, and those that come
 * meanwhile need it as well. Nothing here waits for Kafka. False: there is none, for the reason of
 * `why`. */
static bool make_once(stream_producer_t *producer, ratings_result_t *why)
{
    sigset_t before;
    ratings_thread_block_signals(&before);
    pthread_mutex_lock(&producer->making);
    if (!atomic_load(&producer->is_made) && ratings_monotonic() >= producer->make_at) {
        if (make_handle(producer, &producer->refusal) == APR_SUCCESS)
            atomic_store(&producer->is_refused, false);
        else
            note_refusal(producer);
    }
    *why = producer->refusal;
    bool is_made = atomic_load(&producer->is_made);
    pthread_mutex_unlock(&producer->making);
    ratings_thread_restore_signals(&before);
    return is_made;
}

void stream_producer_replace(stream_producer_t *producer)
{
    atomic_store(&producer->is_dead, true);
}

bool stream_producer_is_made(const stream_producer_t *producer)
{
    return atomic_load(&producer->is_made);
}

bool stream_producer_is_refused(const stream_producer_t *producer)
{
    return atomic_load(&producer->is_refused);
}

/* ---- using the handle ---- */

/* NULL, without the lock: there is none. */
static rd_kafka_t *lock_handle(stream_producer_t *producer)
{
    pthread_rwlock_rdlock(&producer->lock);
    rd_kafka_t *handle = producer->handle;
    if (handle)
        atomic_store(&producer->used_at, ratings_monotonic());
    else
        pthread_rwlock_unlock(&producer->lock);
    return handle;
}

rd_kafka_t *stream_producer_acquire(stream_producer_t *producer, ratings_result_t *why)
{
    rd_kafka_t *handle;
    while (!(handle = lock_handle(producer)))
        if (!make_once(producer, why))
            return NULL;
    return handle;
}

void stream_producer_release(stream_producer_t *producer)
{
    pthread_rwlock_unlock(&producer->lock);
}

/* The topic to send to; NULL when librdkafka refuses it, for the reason of rd_kafka_last_error. By
 * its name, librdkafka would look for it under a lock with each message. Not before the first
 * message: it is a topic that is there by then. */
static rd_kafka_topic_t *topic_of_handle(stream_producer_t *producer)
{
    rd_kafka_topic_t *none = NULL, *topic = atomic_load(&producer->topic);
    if (topic)
        return topic;
    topic = rd_kafka_topic_new(producer->handle, producer->handle_owner.options->topic, NULL);
    if (!topic || atomic_compare_exchange_strong(&producer->topic, &none, topic))
        return topic;
    rd_kafka_topic_destroy(topic); /* another thread was faster */
    return none;
}

/* ---- sending ---- */

/* On success librdkafka owns value and headers, and the message is reported, maybe before this
 * returns. */
static rd_kafka_resp_err_t produce_message(rd_kafka_t *handle, rd_kafka_topic_t *topic,
                                           stream_message_t *message)
{
    if (!topic)
        return rd_kafka_last_error();
    return rd_kafka_producev(
        handle, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(message->partition),
        RD_KAFKA_V_KEY(message->key, strlen(message->key)),
        RD_KAFKA_V_VALUE(message->value, message->length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_FREE),
        RD_KAFKA_V_HEADERS(message->headers), RD_KAFKA_V_OPAQUE(message), RD_KAFKA_V_END);
}

/* After a fatal error a handle refuses messages with that error's code, until it is replaced: it
 * says nothing of Kafka. */
static bool is_dead_handle(rd_kafka_t *handle)
{
    char text[STREAM_TEXT];
    return rd_kafka_fatal_error(handle, text, sizeof text) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

apr_status_t stream_producer_send(stream_producer_t *producer, stream_message_t *message,
                                  ratings_delivery_t *failure)
{
    ratings_result_t *why = &failure->result;
    rd_kafka_t *handle = stream_producer_acquire(producer, why);
    if (!handle)
        return why->status;
    rd_kafka_resp_err_t code = produce_message(handle, topic_of_handle(producer), message);
    bool dead = code != RD_KAFKA_RESP_ERR_NO_ERROR && is_dead_handle(handle);
    stream_producer_release(producer);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ratings_result_ok(why);
    failure->code = code;
    stream_failure(code, "appending", why);
    if (why->status != RATINGS_NOT_ASKED) /* whatever the reason, nothing was recorded */
        why->status = dead ? RATINGS_NOT_ASKED : APR_ECONNREFUSED;
    return why->status;
}
