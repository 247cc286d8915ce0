/* Events on their way to librdkafka.
 *
 * librdkafka sends no more of a partition while five messages of an idempotent producer are in
 * flight, and until then its thread does not sleep if there are others (seen in 2.0.2: with
 * linger.ms 0 the time to wake up has always come). So they are not given to it while they would
 * have to wait: they wait here, and go together as soon as all before them are reported, or, when
 * many come, a moment later (core/batcher.h). */
#include "../../core/batcher.h"
#include "../../core/clock.h"
#include "../../core/container_of.h"
#include "../../core/routing_record.h"
#include "stream_producer.h"

#include <apr_time.h>
#include <apr_uuid.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX 10000 /* as many as librdkafka may have */

/* Who is told what became of it. */
typedef struct {
    ratings_delivery_fn *delivered;
    void *ticket;
} receiver_t;

typedef struct {
    ratings_batcher_item_t item;
    receiver_t receiver;
    int partition;
    int64_t until; /* of ratings_monotonic: who has waited until then has waited in vain */
    rd_kafka_headers_t *headers;
    char *value;
    size_t length;
    char key[RATINGS_TALK_ID_MAX + 1];
} outgoing_t;

struct stream_appender_t {
    ratings_stream_t *stream;
    ratings_delivery_fn *delivered;
    int64_t patience; /* microseconds */
    pthread_t sender;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t ready; /* somebody's turn has come */
    ratings_batcher_t turns[RATINGS_PARTITIONS_MAX];
    int partitions; /* beyond them nobody ever waited */
    unsigned waiting;
    bool stop;
};

/* ---- an event as a message ---- */

/* CloudEvents 1.0, Kafka protocol binding, binary mode:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md */
static rd_kafka_headers_t *make_headers(const char *type)
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
        {"ce_specversion", "1.0"},     {"ce_id", id},     {"ce_type", type},
        {"ce_source", "/mod_ratings"}, {"ce_time", when}, {"content-type", "application/json"},
    };
    rd_kafka_headers_t *list = rd_kafka_headers_new(sizeof headers / sizeof headers[0]);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        rd_kafka_header_add(list, headers[i].key, -1, headers[i].value, -1);
    return list;
}

static void outgoing_free(outgoing_t *event)
{
    if (!event)
        return;
    if (event->headers)
        rd_kafka_headers_destroy(event->headers);
    free(event->value);
    free(event);
}

/* Takes over the value, which may be NULL: memory ran out. */
static outgoing_t *outgoing_of(const char *key, char *value, size_t length, const char *type)
{
    outgoing_t *outgoing = value ? calloc(1, sizeof *outgoing) : NULL;
    if (!outgoing) {
        free(value);
        return NULL;
    }
    outgoing->value = value;
    outgoing->length = length;
    outgoing->headers = make_headers(type);
    memcpy(outgoing->key, key, strlen(key) + 1);
    return outgoing;
}

/* On success librdkafka owns value and headers, and the event is reported, maybe before this
 * returns. */
static rd_kafka_resp_err_t give(rd_kafka_t *handle, rd_kafka_topic_t *topic, outgoing_t *event)
{
    if (!topic)
        return rd_kafka_last_error();
    return rd_kafka_producev(
        handle, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(event->partition),
        RD_KAFKA_V_KEY(event->key, strlen(event->key)),
        RD_KAFKA_V_VALUE(event->value, event->length), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_FREE),
        RD_KAFKA_V_HEADERS(event->headers), RD_KAFKA_V_OPAQUE(event), RD_KAFKA_V_END);
}

/* After a fatal error a handle refuses events with that error's code, until it is replaced: it says
 * nothing of Kafka. */
static bool is_dead(rd_kafka_t *handle)
{
    char text[STREAM_TEXT];
    return rd_kafka_fatal_error(handle, text, sizeof text) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static apr_status_t produce(ratings_stream_t *stream, outgoing_t *event, ratings_result_t *why)
{
    rd_kafka_topic_t *topic;
    rd_kafka_t *handle = stream_producer_topic(stream, &topic);
    rd_kafka_resp_err_t code = give(handle, topic, event);
    bool dead = code != RD_KAFKA_RESP_ERR_NO_ERROR && is_dead(handle);
    stream_producer_release(stream);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return ratings_result_ok(why);
    stream_failure(code, "appending", why);
    if (why->status != RATINGS_NOT_ASKED) /* whatever the reason, nothing was recorded */
        why->status = dead ? RATINGS_NOT_ASKED : APR_ECONNREFUSED;
    return why->status;
}

/* ---- turns ---- */

static void done(stream_appender_t *appender, int partition)
{
    ratings_batcher_t *turns = &appender->turns[partition];
    pthread_mutex_lock(&appender->lock);
    ratings_batcher_acked(turns, ratings_monotonic());
    if (ratings_batcher_flush_at(turns) != INT64_MAX)
        pthread_cond_signal(&appender->ready);
    pthread_mutex_unlock(&appender->lock);
}

void stream_appender_reported(stream_appender_t *appender, void *message_opaque,
                              const ratings_delivery_t *delivery)
{
    outgoing_t *event = message_opaque;
    receiver_t receiver = event->receiver;
    done(appender, event->partition);
    free(event);
    receiver.delivered(receiver.ticket, delivery);
}

/* Sends one whose turn has come, or reports that it was not recorded. */
static void send_one(stream_appender_t *appender, outgoing_t *event)
{
    ratings_delivery_t delivery = {.partition = event->partition, .offset = -1};
    receiver_t receiver = event->receiver;
    if (ratings_monotonic() >= event->until)
        ratings_result_set(&delivery.result, APR_ECONNREFUSED,
                           "the events before it were not acknowledged in time");
    else if (produce(appender->stream, event, &delivery.result) == APR_SUCCESS)
        return;
    done(appender, event->partition);
    outgoing_free(event);
    receiver.delivered(receiver.ticket, &delivery);
}

static void send_all(stream_appender_t *appender, ratings_batcher_items_t *batch)
{
    ratings_batcher_item_t *item;
    while ((item = STAILQ_FIRST(batch))) {
        STAILQ_REMOVE_HEAD(batch, link);
        send_one(appender, RATINGS_CONTAINER_OF(item, outgoing_t, item));
    }
}

/* With the lock held. */
static void take(stream_appender_t *appender, int partition, ratings_batcher_items_t *batch)
{
    appender->waiting -= appender->turns[partition].waiting;
    ratings_batcher_drain(&appender->turns[partition], batch);
}

/* With the lock held: the partition whose events may go first, and when; -1: none. */
static int next_partition(const stream_appender_t *appender, int64_t *at)
{
    int next = -1;
    *at = INT64_MAX;
    for (int i = 0; i < appender->partitions && appender->waiting > 0; i++) {
        int64_t ready_at = ratings_batcher_flush_at(&appender->turns[i]);
        if (ready_at >= *at)
            continue;
        *at = ready_at;
        next = i;
    }
    return next;
}

/* With the lock held, which it lets go meanwhile. */
static void send_next(stream_appender_t *appender)
{
    int64_t at;
    int partition = next_partition(appender, &at);
    if (partition < 0) {
        pthread_cond_wait(&appender->ready, &appender->lock);
    } else if (at > ratings_monotonic()) {
        (void)ratings_wait_until(&appender->ready, &appender->lock, at);
    } else {
        ratings_batcher_items_t batch;
        take(appender, partition, &batch);
        pthread_mutex_unlock(&appender->lock);
        send_all(appender, &batch);
        pthread_mutex_lock(&appender->lock);
    }
}

static void *send_in_turn(void *data)
{
    stream_appender_t *appender = data;
    pthread_mutex_lock(&appender->lock);
    while (!appender->stop)
        send_next(appender);
    pthread_mutex_unlock(&appender->lock);
    return NULL;
}

/* ---- life ---- */

int stream_appender_create(stream_appender_t **out, ratings_stream_t *stream,
                           ratings_delivery_fn *delivered, int64_t patience, apr_pool_t *pool)
{
    stream_appender_t *appender = apr_pcalloc(pool, sizeof *appender);
    appender->stream = stream;
    appender->delivered = delivered;
    appender->patience = patience;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++)
        ratings_batcher_init(&appender->turns[i]);
    ratings_lock_init(&appender->lock, &appender->ready);
    *out = appender;
    return pthread_create(&appender->sender, NULL, send_in_turn, appender);
}

void stream_appender_stop(stream_appender_t *appender)
{
    pthread_mutex_lock(&appender->lock);
    appender->stop = true;
    pthread_cond_signal(&appender->ready);
    pthread_mutex_unlock(&appender->lock);
    pthread_join(appender->sender, NULL);
    for (int i = 0; i < appender->partitions; i++) {
        ratings_batcher_items_t batch;
        pthread_mutex_lock(&appender->lock);
        take(appender, i, &batch);
        pthread_mutex_unlock(&appender->lock);
        send_all(appender, &batch);
    }
}

void stream_appender_destroy(stream_appender_t *appender)
{
    ratings_lock_destroy(&appender->lock, &appender->ready);
}

/* ---- appending ---- */

int ratings_stream_partition(const char *talk_id, int partitions)
{
    return rd_kafka_msg_partitioner_murmur2(NULL, talk_id, strlen(talk_id), partitions, NULL, NULL);
}

typedef enum { GOES, WAITS, TOO_MANY } turn_e;

/* With the lock held. One that makes the sender wait for less time than it thinks wakes it. */
static turn_e take_turn(stream_appender_t *appender, outgoing_t *event, int64_t now)
{
    ratings_batcher_t *turns = &appender->turns[event->partition];
    int64_t before = ratings_batcher_flush_at(turns);
    if (ratings_batcher_admit(turns, &event->item, now))
        return GOES;
    appender->waiting++;
    if (appender->partitions <= event->partition)
        appender->partitions = event->partition + 1;
    if (ratings_batcher_flush_at(turns) < before)
        pthread_cond_signal(&appender->ready);
    return WAITS;
}

static turn_e come(stream_appender_t *appender, outgoing_t *event)
{
    turn_e turn = TOO_MANY;
    pthread_mutex_lock(&appender->lock);
    int64_t now = ratings_monotonic(); /* with the lock: turns see no time that goes back */
    event->until = now + appender->patience;
    if (appender->waiting < WAITING_MAX)
        turn = take_turn(appender, event, now);
    pthread_mutex_unlock(&appender->lock);
    return turn;
}

static apr_status_t send_now(stream_appender_t *appender, outgoing_t *event, ratings_result_t *why)
{
    int partition = event->partition;
    apr_status_t status = produce(appender->stream, event, why);
    if (status == APR_SUCCESS)
        return status;
    outgoing_free(event);
    done(appender, partition);
    return status;
}

/* Takes over the event; NULL: memory ran out. */
static apr_status_t append(ratings_stream_t *stream, outgoing_t *outgoing, int partition,
                           receiver_t receiver, ratings_result_t *why)
{
    stream_appender_t *appender = stream_producer_appender(stream);
    if (!outgoing)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    outgoing->partition = partition;
    outgoing->receiver = receiver;
    switch (come(appender, outgoing)) {
    case GOES:
        return send_now(appender, outgoing, why);
    case WAITS:
        return ratings_result_ok(why);
    case TOO_MANY:
        break;
    }
    outgoing_free(outgoing);
    return ratings_result_set(why, RATINGS_NOT_ASKED, "too many events wait for Kafka already");
}

apr_status_t ratings_stream_append(ratings_stream_t *stream, const ratings_event_t *event,
                                   int partition, void *ticket, ratings_result_t *why)
{
    size_t length;
    char *value = ratings_event_encode(event, &length);
    receiver_t receiver = {stream_producer_appender(stream)->delivered, ticket};
    return append(stream, outgoing_of(event->rating.talk_id, value, length, RATINGS_EVENT_TYPE),
                  partition, receiver, why);
}

apr_status_t ratings_stream_append_routing(ratings_stream_t *stream, int partitions,
                                           ratings_delivery_fn *delivered, void *ticket,
                                           ratings_result_t *why)
{
    size_t length;
    char *value = ratings_routing_encode(partitions, &length);
    receiver_t receiver = {delivered, ticket};
    return append(stream, outgoing_of(RATINGS_ROUTING_KEY, value, length, RATINGS_ROUTING_TYPE), 0,
                  receiver, why);
}
