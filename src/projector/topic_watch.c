#include "topic_watch.h"

#include "../core/clock.h"

#define TOPIC_POLL_US INT64_C(5000000)
#define TOPIC_TIMEOUT_US INT64_C(500000)
#define CHECK_POLL_US INT64_C(400000)     /* so that what is known is never a second old */
#define CHECK_WANTED_US INT64_C(60000000) /* after an answer of readiness, and at the start */

void topic_watch_init(topic_watch_t *watch, const ratings_projector_options_t *options)
{
    watch->options = options;
    watch->health_answers = atomic_load(&options->shared->health_answers);
    watch->wanted_until = ratings_monotonic() + CHECK_WANTED_US;
}

static void log_no_append_time(const topic_watch_t *watch, bool is_said)
{
    const ratings_projector_options_t *options = watch->options;
    if (!options->has_idempotency_keys)
        return;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, options->server,
                 "RT0307: topic '%s' keeps no append times (%s): ratings with an Idempotency-Key "
                 "are refused",
                 options->topic,
                 is_said ? "message.timestamp.type is not LogAppendTime"
                         : "message.timestamp.type is LogAppendTime, and its records have the "
                           "producer's times");
}

static bool denies_append_time(uint32_t known, ratings_append_time_e kept)
{
    return known == RATINGS_APPEND_TIME_DENIED && kept == RATINGS_APPEND_TIME_KEPT;
}

/* What the topic says of itself, unless its records have shown otherwise. */
static void publish_append_time(topic_watch_t *watch, ratings_append_time_e kept)
{
    ratings_shm_t *shared = watch->options->shared;
    uint32_t known = atomic_load(&shared->append_time);
    while (!denies_append_time(known, kept) &&
           !atomic_compare_exchange_weak(&shared->append_time, &known, kept))
        ; /* a record shows it just now, or a request doubts it */
    if (denies_append_time(known, kept) && !watch->was_denied)
        log_no_append_time(watch, false);
    watch->was_denied = denies_append_time(known, kept);
    if (known != kept && kept == RATINGS_APPEND_TIME_NOT_KEPT)
        log_no_append_time(watch, true);
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

void topic_watch_poll(topic_watch_t *watch)
{
    ratings_result_t why;
    ratings_topic_t topic;
    int64_t now = ratings_monotonic();
    check_if_wanted(watch, now);
    if (now < watch->poll_at)
        return;
    watch->poll_at = now + TOPIC_POLL_US;
    if (ratings_stream_topic_describe(watch->options->stream, TOPIC_TIMEOUT_US, &topic, &why) ==
        APR_SUCCESS)
        topic_watch_publish(watch, &topic);
}
