#include "topic_watch.h"

#include "../core/clock.h"
#include "../core/container_of.h"
#include "../shm/append_time.h"

#define TOPIC_POLL_US INT64_C(5000000)
#define TOPIC_TIMEOUT_US INT64_C(500000)
#define CHECK_POLL_US INT64_C(400000)     /* so that what is known is never a second old */
#define CHECK_WANTED_US INT64_C(60000000) /* after an answer of readiness, and at the start */
#define PROVE_US INT64_C(1000000)
#define PROVE_MAX_US INT64_C(3600000000)

/* ---- append times ---- */

/* On a thread of the producer's. */
static void on_proof_delivered(ratings_receiver_t *receiver, const ratings_delivery_t *delivery)
{
    const topic_watch_t *watch = RATINGS_CONTAINER_OF(receiver, topic_watch_t, receiver);
    if (delivery->record)
        ratings_append_time_note_record(watch->options->shared, delivery->record->has_append_time);
}

static bool is_proof_wanted(const topic_watch_t *watch, int partitions)
{
    ratings_append_time_e known = ratings_append_time(watch->options->shared);
    return watch->options->has_idempotency_keys && partitions > 0 &&
           known != RATINGS_APPEND_TIME_KEPT && known != RATINGS_APPEND_TIME_NOT_KEPT;
}

/* Not at once, as the log may tell soon. A repeated record says nothing new to whoever reads the
 * log; a broker that keeps the producer's times is given fewer and fewer. */
static void prove_if_due(topic_watch_t *watch, int64_t now)
{
    ratings_delivery_t failure;
    int partitions = atomic_load(&watch->options->shared->routing_partitions);
    if (!is_proof_wanted(watch, partitions)) {
        watch->prove_at = 0;
    } else if (!watch->prove_at) {
        watch->prove_at = now + PROVE_US;
        watch->prove_pause = PROVE_US;
    } else if (now >= watch->prove_at) {
        watch->prove_pause = ratings_earlier(2 * watch->prove_pause, PROVE_MAX_US);
        watch->prove_at = now + watch->prove_pause;
        (void)ratings_stream_append_routing(watch->options->stream, partitions, &watch->receiver,
                                            &failure);
    }
}

static void log_no_append_time(const topic_watch_t *watch, const char *because)
{
    const ratings_projector_options_t *options = watch->options;
    if (options->has_idempotency_keys)
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, options->server,
                     "RT0307: topic '%s' keeps no append times (%s): ratings with an "
                     "Idempotency-Key are refused",
                     options->topic, because);
}

/* `known` when the topic was asked for its settings: what these have altered just now a record may
 * show before they are asked for again. */
static void log_if_denied(topic_watch_t *watch, ratings_append_time_e known)
{
    bool is_denied = known == RATINGS_APPEND_TIME_DENIED;
    if (is_denied && !watch->was_denied)
        log_no_append_time(watch, watch->said == RATINGS_APPEND_TIME_KEPT
                                      ? "message.timestamp.type is LogAppendTime, and its records "
                                        "have the producer's times"
                                      : "its records have the producer's times");
    watch->was_denied = is_denied;
}

static void publish_append_time(topic_watch_t *watch, ratings_append_time_e said)
{
    ratings_append_time_e known = ratings_append_time_note_settings(watch->options->shared, said);
    if (said != RATINGS_APPEND_TIME_UNKNOWN)
        watch->said = said;
    if (said == RATINGS_APPEND_TIME_NOT_KEPT && known != said)
        log_no_append_time(watch, "message.timestamp.type is not LogAppendTime");
    log_if_denied(watch, said == RATINGS_APPEND_TIME_NOT_KEPT ? said : known);
}

void topic_watch_note_log(topic_watch_t *watch, bool has_append_times)
{
    if (has_append_times && watch->said == RATINGS_APPEND_TIME_KEPT)
        ratings_append_time_note_log(watch->options->shared);
}

/* ---- settings ---- */

void topic_watch_publish(topic_watch_t *watch, const ratings_topic_t *topic)
{
    ratings_shm_t *shared = watch->options->shared;
    publish_append_time(watch, topic->append_time);
    if (topic->in_sync > 0)
        atomic_store(&shared->min_insync, topic->in_sync);
    if (atomic_exchange(&shared->topic_fault, topic->fault) != topic->fault && topic->fault)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, watch->options->server, "RT0303: %s",
                     ratings_topic_fault_text(topic->fault));
}

/* ---- whether it takes events ---- */

static bool is_check_wanted(topic_watch_t *watch, int64_t now)
{
    uint32_t answers = atomic_load(&watch->options->shared->health_answers);
    if (answers != watch->health_answers) {
        watch->health_answers = answers;
        watch->wanted_until = now + CHECK_WANTED_US;
    }
    return now < watch->wanted_until;
}

/* What readiness would ask, so that a child which has no producer need not make one for it. It
 * publishes success alone: of a failure readiness makes sure itself, within its own time. */
static void check_if_wanted(topic_watch_t *watch, int64_t now)
{
    ratings_shm_t *shared = watch->options->shared;
    ratings_result_t why;
    int partitions = atomic_load(&shared->routing_partitions);
    if (now < watch->check_at || partitions == 0 || !is_check_wanted(watch, now))
        return;
    if (ratings_stream_check(watch->options->stream, partitions, atomic_load(&shared->min_insync),
                             TOPIC_TIMEOUT_US, &why) == APR_SUCCESS)
        atomic_store(&shared->topic_checked_at, now);
    watch->check_at = ratings_monotonic() + CHECK_POLL_US;
}

/* ---- all of it ---- */

void topic_watch_init(topic_watch_t *watch, const ratings_projector_options_t *options)
{
    watch->options = options;
    watch->health_answers = atomic_load(&options->shared->health_answers);
    watch->wanted_until = ratings_monotonic() + CHECK_WANTED_US;
    watch->receiver.delivered = on_proof_delivered;
}

void topic_watch_poll(topic_watch_t *watch)
{
    ratings_result_t why;
    ratings_topic_t topic;
    int64_t now = ratings_monotonic();
    check_if_wanted(watch, now);
    prove_if_due(watch, now);
    if (now < watch->poll_at)
        return;
    watch->poll_at = now + TOPIC_POLL_US;
    if (ratings_stream_topic_describe(watch->options->stream, TOPIC_TIMEOUT_US, &topic, &why) ==
        APR_SUCCESS)
        topic_watch_publish(watch, &topic);
    else
        log_if_denied(watch, ratings_append_time(watch->options->shared));
}
