/* Batches form before librdkafka.
 *
 * librdkafka's own batching (linger.ms) does not do, for two reasons. Any linger delays the event
 * that comes alone, too. And with linger.ms 0 librdkafka stops sending to a partition while five
 * *messages* of an idempotent producer are in flight, where the broker's window is of five requests
 * (src/rdkafka_broker.c, rd_kafka_toppar_producer_serve: RD_KAFKA_IDEMP_MAX_INFLIGHT less
 * rktp_msgs_inflight); until they are acknowledged the broker's thread does not sleep if other
 * messages wait, as the time to wake up has come already (findings/librdkafka-idempotent-spin.sh).
 *
 * So librdkafka is not given messages that would have to wait: they wait here, and are sent
 * together as soon as all before them are reported, or, when many arrive, a moment later
 * (core/batcher.h).
 *
 * https://github.com/confluentinc/librdkafka/pull/4989 makes an idempotent producer use
 * max.in.flight.requests.per.connection. It is open, and in no release up to 2.15.0 (July 2026).
 * With the first release that has it, the spinning is to be measured again; what remains of this
 * file then is the grouping by acknowledgements, which keeps the event that comes alone fast. */
#include "stream_appender.h"

#include "../../core/assertion.h"
#include "../../core/clock.h"
#include "../../core/container_of.h"
#include "../common/log_record.h"
#include "../common/thread.h"

#define WAITING_MAX 10000 /* as many as librdkafka may have */

struct stream_appender_t {
    stream_producer_owner_t owner;
    stream_producer_t *producer;
    int64_t waits_at_most; /* microseconds, until a message is given up */
    pthread_t sender;
    pthread_mutex_t lock; /* of what follows; never held while the producer is called */
    pthread_cond_t ready; /* a batch may be sent, or sooner than the sender thinks */
    ratings_batcher_t batchers[RATINGS_PARTITIONS_MAX];
    int partitions; /* beyond them nothing ever waited */
    unsigned waiting;
    bool has_sender; /* from the first message on */
    bool stops;
};

/* ---- reports ---- */

static void note_acked(stream_appender_t *appender, int partition)
{
    ratings_batcher_t *batcher = &appender->batchers[partition];
    pthread_mutex_lock(&appender->lock);
    ratings_batcher_acked(batcher, ratings_monotonic());
    if (ratings_batcher_flush_at(batcher) != INT64_MAX)
        pthread_cond_signal(&appender->ready);
    pthread_mutex_unlock(&appender->lock);
}

/* The message is freed first: its receiver may wake a request, which is over then. */
static void report_message(stream_appender_t *appender, stream_message_t *message,
                           const ratings_delivery_t *delivery)
{
    ratings_receiver_t *receiver = message->receiver;
    note_acked(appender, message->partition);
    stream_message_free(message);
    receiver->delivered(receiver, delivery);
}

static void on_message_reported(stream_producer_owner_t *owner, stream_message_t *message,
                                const ratings_delivery_t *delivery)
{
    report_message(RATINGS_CONTAINER_OF(owner, stream_appender_t, owner), message, delivery);
}

/* ---- sending what has waited ---- */

/* As librdkafka would, had it been given the message. */
static void expire_message(ratings_delivery_t *failure)
{
    failure->code = RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
    ratings_result_set(&failure->result, APR_ECONNREFUSED,
                       "the events before it were not acknowledged in time");
}

/* Or reports that it was not recorded. */
static void send_waited(stream_appender_t *appender, stream_message_t *message)
{
    ratings_delivery_t failure = {.partition = message->partition, .offset = -1};
    if (ratings_monotonic() >= message->expires_at)
        expire_message(&failure);
    else if (stream_producer_send(appender->producer, message, &failure) == APR_SUCCESS)
        return;
    report_message(appender, message, &failure);
}

static void send_batch(stream_appender_t *appender, ratings_batcher_items_t *batch)
{
    ratings_batcher_item_t *item;
    while ((item = STAILQ_FIRST(batch))) {
        STAILQ_REMOVE_HEAD(batch, link);
        send_waited(appender, RATINGS_CONTAINER_OF(item, stream_message_t, item));
    }
}

/* With the lock held. */
static void drain_partition(stream_appender_t *appender, int partition,
                            ratings_batcher_items_t *batch)
{
    RATINGS_ASSERT(appender->waiting >= appender->batchers[partition].waiting);
    appender->waiting -= appender->batchers[partition].waiting;
    ratings_batcher_drain(&appender->batchers[partition], batch);
}

/* With the lock held: the partition whose batch is sent first, and when; -1: none. */
static int next_partition(const stream_appender_t *appender, int64_t *at)
{
    int next = -1;
    *at = INT64_MAX;
    for (int i = 0; i < appender->partitions && appender->waiting > 0; i++) {
        int64_t flush_at = ratings_batcher_flush_at(&appender->batchers[i]);
        if (flush_at >= *at)
            continue;
        *at = flush_at;
        next = i;
    }
    return next;
}

/* With the lock held, which it lets go meanwhile. */
static void send_next_batch(stream_appender_t *appender)
{
    int64_t at;
    int partition = next_partition(appender, &at);
    if (partition < 0) {
        pthread_cond_wait(&appender->ready, &appender->lock);
    } else if (at > ratings_monotonic()) {
        (void)ratings_wait_until(&appender->ready, &appender->lock, at);
    } else {
        ratings_batcher_items_t batch;
        drain_partition(appender, partition, &batch);
        pthread_mutex_unlock(&appender->lock);
        send_batch(appender, &batch);
        pthread_mutex_lock(&appender->lock);
    }
}

static void *run_sender(void *data)
{
    stream_appender_t *appender = data;
    pthread_mutex_lock(&appender->lock);
    while (!appender->stops)
        send_next_batch(appender);
    pthread_mutex_unlock(&appender->lock);
    return NULL;
}

/* ---- create and destroy ---- */

stream_appender_t *stream_appender_create(const ratings_stream_options_t *options, apr_pool_t *pool)
{
    stream_appender_t *appender = apr_pcalloc(pool, sizeof *appender);
    appender->owner.reported = on_message_reported;
    appender->waits_at_most = stream_producer_message_timeout(options);
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++)
        ratings_batcher_init(&appender->batchers[i]);
    ratings_lock_init(&appender->lock, &appender->ready);
    appender->producer = stream_producer_create(options, &appender->owner, pool);
    return appender;
}

static void stop_sender(stream_appender_t *appender)
{
    if (!appender->has_sender)
        return;
    pthread_mutex_lock(&appender->lock);
    appender->stops = true;
    pthread_cond_signal(&appender->ready);
    pthread_mutex_unlock(&appender->lock);
    pthread_join(appender->sender, NULL);
}

static void send_all_that_waits(stream_appender_t *appender)
{
    for (int i = 0; i < appender->partitions; i++) {
        ratings_batcher_items_t batch;
        pthread_mutex_lock(&appender->lock);
        drain_partition(appender, i, &batch);
        pthread_mutex_unlock(&appender->lock);
        send_batch(appender, &batch);
    }
}

/* The lock outlives the producer, whose reports take it. */
void stream_appender_destroy(stream_appender_t *appender, apr_interval_time_t timeout)
{
    stop_sender(appender);
    send_all_that_waits(appender);
    stream_producer_destroy(appender->producer, timeout);
    ratings_lock_destroy(&appender->lock, &appender->ready);
}

stream_producer_t *stream_appender_producer(const stream_appender_t *appender)
{
    return appender->producer;
}

/* ---- appending ---- */

typedef enum { SEND_NOW, WAITS, REFUSED, NO_THREAD } admission_e;

/* With the lock held. Before a message is admitted, as the next may have to wait for it. */
static bool need_sender(stream_appender_t *appender)
{
    if (!appender->has_sender)
        appender->has_sender = ratings_thread_create(&appender->sender, run_sender, appender) == 0;
    return appender->has_sender;
}

/* With the lock held. A message that makes the sender wait for less time than it thinks wakes it.
 */
static admission_e admit_to_batch(stream_appender_t *appender, stream_message_t *message,
                                  int64_t now)
{
    ratings_batcher_t *batcher = &appender->batchers[message->partition];
    int64_t before = ratings_batcher_flush_at(batcher);
    if (ratings_batcher_admit(batcher, &message->item, now))
        return SEND_NOW;
    appender->waiting++;
    if (appender->partitions <= message->partition)
        appender->partitions = message->partition + 1;
    if (ratings_batcher_flush_at(batcher) < before)
        pthread_cond_signal(&appender->ready);
    return WAITS;
}

static admission_e admit_message(stream_appender_t *appender, stream_message_t *message)
{
    admission_e admission = REFUSED;
    pthread_mutex_lock(&appender->lock);
    int64_t now = ratings_monotonic(); /* with the lock: the batchers see no time that goes back */
    message->expires_at = now + appender->waits_at_most;
    if (!need_sender(appender))
        admission = NO_THREAD;
    else if (appender->waiting < WAITING_MAX)
        admission = admit_to_batch(appender, message, now);
    pthread_mutex_unlock(&appender->lock);
    return admission;
}

static apr_status_t send_now(stream_appender_t *appender, stream_message_t *message,
                             ratings_delivery_t *failure)
{
    int partition = message->partition;
    apr_status_t status = stream_producer_send(appender->producer, message, failure);
    if (status == APR_SUCCESS)
        return status;
    stream_message_free(message);
    note_acked(appender, partition);
    return status;
}

apr_status_t stream_appender_append(stream_appender_t *appender, stream_message_t *message,
                                    ratings_delivery_t *failure)
{
    admission_e admission = admit_message(appender, message);
    if (admission == SEND_NOW)
        return send_now(appender, message, failure);
    if (admission == WAITS)
        return ratings_result_ok(&failure->result);
    stream_message_free(message);
    return ratings_result_set(&failure->result, RATINGS_NOT_ASKED,
                              admission == REFUSED ? "too many events wait for Kafka already"
                                                   : "no thread to send events with");
}
