/* Submitting a rating: the talk exists, the event is durable, the rating is visible, and, if it has
 * an idempotency key, it is the one that counts. */
#include "known.h"

/* Kafka's word is waited for a little longer than librdkafka tries, so that its own verdict, which
 * tells whether the event may have been recorded, comes first: unless the event had to wait for
 * others before, and is still under way. */
#define VERDICT_US INT64_C(250000)

static ratings_outcome_e failed(ratings_call_t *call, const ratings_delivery_t *delivery)
{
    call->failure.why = delivery->result;
    call->failure.part = "the event log";
    return delivery->result.status == APR_TIMEUP ? RATINGS_UNKNOWN : RATINGS_UNAVAILABLE;
}

static ratings_outcome_e accepted(ratings_call_t *call, const char *why)
{
    ratings_result_set(&call->failure.why, APR_TIMEUP, "%s", why);
    return RATINGS_ACCEPTED;
}

static ratings_outcome_e await(ratings_call_t *call, ratings_pending_write_t *ticket, int64_t since,
                               ratings_delivery_t *delivery)
{
    int64_t until = ratings_until(call, call->child->service->config->stream_timeout + VERDICT_US);
    switch (ratings_pending_write_wait(ticket, until, delivery)) {
    case RATINGS_PENDING_WRITE_VISIBLE:
        return RATINGS_DONE;
    case RATINGS_PENDING_WRITE_DURABLE:
        return accepted(call, "not visible in time");
    case RATINGS_PENDING_WRITE_FAILED:
        return failed(call, delivery);
    case RATINGS_PENDING_WRITE_SENT:
    case RATINGS_PENDING_WRITE_WAITING:
        break;
    }
    ratings_result_set(&delivery->result, APR_TIMEUP, "Kafka did not answer in time");
    (void)ratings_call_policy_end(&call->child->stream_guard, since, &delivery->result);
    return failed(call, delivery);
}

/* Within the stream's guard, which is left with Kafka's word: how long the rating then takes to be
 * visible is not its matter. */
static ratings_outcome_e append(ratings_call_t *call, const ratings_event_t *event, int partition,
                                int64_t visible_for, int64_t since, ratings_delivery_t *delivery)
{
    ratings_child_t *child = call->child;
    ratings_result_t *why = &call->failure.why;
    ratings_pending_write_t *ticket =
        ratings_pending_write_create(child->waiters, partition, since, visible_for, call->deadline);
    if (!ticket) {
        ratings_call_policy_abandon(&child->stream_guard, since, false);
        ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
        return ratings_unavailable(call, "the event log");
    }
    if (ratings_stream_append(child->stream, event, partition, ticket, why) == APR_SUCCESS)
        return await(call, ticket, since, delivery);
    ratings_pending_write_cancel(ticket);
    (void)ratings_call_policy_end(&child->stream_guard, since, why);
    return ratings_unavailable(call, "the event log");
}

static ratings_outcome_e record(ratings_call_t *call, const ratings_event_t *event, int partition,
                                int64_t visible_for, ratings_delivery_t *delivery)
{
    ratings_child_t *child = call->child;
    int64_t since;
    if (!child->projector) {
        ratings_result_set(&call->failure.why, APR_ECONNREFUSED, "%s cannot be used in this child",
                           child->stream_guard.name);
        return ratings_unavailable(call, "the event log");
    }
    return ratings_call_policy_begin(&child->stream_guard, call->deadline, &since,
                                     &call->failure.why)
               ? append(call, event, partition, visible_for, since, delivery)
               : ratings_unavailable(call, "the event log");
}

/* ---- idempotency keys ---- */

static bool keys_mean_something(const ratings_call_t *call)
{
    return atomic_load(&call->child->service->shared->append_time) != RATINGS_APPEND_TIME_NOT_KEPT;
}

/* What the use of the key says of the event at `offset`. One without a use counted without being
 * judged: the topic keeps no append times any more, which is known from now on. Or the store is
 * wrong: that the key's rating is this one is not said. */
static ratings_outcome_e judge(ratings_call_t *call, const ratings_event_t *event,
                               const ratings_use_t *use, int64_t offset)
{
    if (use->offset < 0) {
        atomic_store(&call->child->service->shared->append_time, RATINGS_APPEND_TIME_NOT_KEPT);
        return accepted(call, "the store has no use of its idempotency key");
    }
    if (use->offset > offset)
        return accepted(call, "the use of its idempotency key is forgotten");
    return use->offset == offset || use->value == event->rating.value ? RATINGS_DONE
                                                                      : RATINGS_CONFLICTING;
}

/* Where the event was applied it was decided whether it counts. A store that is not there, or not
 * there yet, cannot tell: the rating is recorded, and asking again with the same key will. */
static ratings_outcome_e verdict(ratings_call_t *call, const ratings_event_t *event,
                                 const ratings_delivery_t *delivery)
{
    ratings_child_t *child = call->child;
    int64_t position = -1, since,
            until = ratings_until(call, child->service->config->store_timeout);
    ratings_result_t *why = &call->failure.why;
    ratings_use_t use = {.offset = -1};
    if (!child->store)
        return accepted(call, "Redis cannot be used in this child");
    if (!ratings_call_policy_begin(&child->store_guard, until, &since, why))
        return RATINGS_ACCEPTED;
    (void)ratings_store_read_use(child->store, event->rating.talk_id, event->key.text,
                                 delivery->partition, until, &use, &position, why);
    if (ratings_store_leave(child, since, why) != APR_SUCCESS)
        return RATINGS_ACCEPTED;
    if (position <= delivery->offset)
        return accepted(call, "the store is being brought up to date");
    return judge(call, event, &use, delivery->offset);
}

/* ---- the use case ---- */

/* By which projecting, which tells how talks are routed, is held up. */
static const char *projecting_part(const ratings_call_t *call)
{
    return atomic_load(&call->child->service->shared->store_fault) ? "the store of ratings"
                                                                   : "the event log";
}

ratings_outcome_e ratings_submit(ratings_call_t *call, const ratings_event_t *event,
                                 int64_t visible_for)
{
    ratings_delivery_t delivery = {.offset = -1};
    bool has_key = event->key.text[0] != '\0';
    ratings_outcome_e outcome = ratings_talk_known(call, event->rating.talk_id);
    if (outcome != RATINGS_DONE)
        return outcome;
    int partition = ratings_partition_of(call, event->rating.talk_id);
    if (partition < 0)
        return ratings_unavailable(call, projecting_part(call));
    if (has_key && !keys_mean_something(call))
        return RATINGS_NO_KEYS;
    outcome = record(call, event, partition, visible_for, &delivery);
    return outcome == RATINGS_DONE && has_key ? verdict(call, event, &delivery) : outcome;
}
