#include "topic_watch.h"

#include "../core/clock.h"

#define TOPIC_POLL_US INT64_C(5000000)
#define TOPIC_TIMEOUT_US INT64_C(500000)

void topic_watch_init(topic_watch_t *watch, const ratings_projector_options_t *options)
{
    watch->options = options;
}

static void publish_append_time(topic_watch_t *watch, ratings_append_time_e kept)
{
    const ratings_projector_options_t *options = watch->options;
    if (atomic_exchange(&options->shared->append_time, kept) == kept ||
        kept != RATINGS_APPEND_TIME_NOT_KEPT || !options->has_idempotency_keys)
        return;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, options->server,
                 "RT0307: topic '%s' keeps no append times (message.timestamp.type is not "
                 "LogAppendTime): ratings with an Idempotency-Key are refused",
                 options->topic);
}

void topic_watch_publish(topic_watch_t *watch, const ratings_topic_t *topic)
{
    ratings_shm_t *shared = watch->options->shared;
    if (topic->append_time != RATINGS_APPEND_TIME_UNKNOWN)
        publish_append_time(watch, topic->append_time);
    if (topic->in_sync > 0)
        atomic_store(&shared->min_insync, topic->in_sync);
    if (atomic_exchange(&shared->topic_fault, topic->fault) != topic->fault && topic->fault)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, watch->options->server, "RT0303: %s",
                     ratings_topic_fault_text(topic->fault));
}

void topic_watch_poll(topic_watch_t *watch)
{
    ratings_result_t why;
    ratings_topic_t topic;
    int64_t now = ratings_monotonic();
    if (now < watch->poll_at)
        return;
    watch->poll_at = now + TOPIC_POLL_US;
    if (ratings_stream_topic_describe(watch->options->stream, TOPIC_TIMEOUT_US, &topic, &why) ==
        APR_SUCCESS)
        topic_watch_publish(watch, &topic);
}
