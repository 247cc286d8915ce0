/* Submitting a rating: the talk exists, the event is durable, the rating is visible. */
#include "known.h"

/* Kafka's word is waited for a little longer than librdkafka tries, so that its own verdict, which
 * tells whether the event may have been recorded, comes first. */
#define VERDICT_US INT64_C(250000)

static ratings_outcome_e failed(const ratings_delivery_t *delivery, ratings_failure_t *failure)
{
    failure->why = delivery->result;
    failure->part = "the event log";
    return delivery->result.status == APR_TIMEUP ? RATINGS_UNKNOWN : RATINGS_UNAVAILABLE;
}

static ratings_outcome_e await(ratings_child_t *child, ratings_ticket_t *ticket,
                               ratings_failure_t *failure)
{
    ratings_delivery_t delivery;
    int64_t until = ratings_monotonic() + child->service->config->stream_timeout + VERDICT_US;
    switch (ratings_ticket_wait(ticket, until, &delivery)) {
    case RATINGS_TICKET_VISIBLE:
        return RATINGS_DONE;
    case RATINGS_TICKET_DURABLE:
        ratings_result_set(&failure->why, APR_TIMEUP, "not visible in time");
        return RATINGS_ACCEPTED;
    case RATINGS_TICKET_FAILED:
        return failed(&delivery, failure);
    case RATINGS_TICKET_PENDING:
    case RATINGS_TICKET_WAITING:
        break;
    }
    ratings_result_set(&delivery.result, APR_TIMEUP, "Kafka did not answer in time");
    return failed(&delivery, failure);
}

static ratings_outcome_e append(ratings_child_t *child, const ratings_event_t *event, int partition,
                                int64_t visible_for, ratings_failure_t *failure)
{
    ratings_ticket_t *ticket = ratings_ticket_take(child->waiters, partition, visible_for);
    if (!ticket) {
        ratings_result_set(&failure->why, APR_ENOMEM, "out of memory");
        return ratings_unavailable(failure, "the event log");
    }
    if (ratings_stream_append(child->stream, event, partition, ticket, &failure->why) !=
        APR_SUCCESS) {
        ratings_ticket_cancel(ticket);
        return ratings_unavailable(failure, "the event log");
    }
    return await(child, ticket, failure);
}

/* What the outcome says of Kafka: an event that is durable is its success. */
static void report(ratings_child_t *child, ratings_outcome_e outcome,
                   const ratings_failure_t *failure)
{
    ratings_result_t well;
    ratings_result_ok(&well);
    (void)ratings_guard_leave(
        &child->stream_guard,
        outcome == RATINGS_DONE || outcome == RATINGS_ACCEPTED ? &well : &failure->why);
}

ratings_outcome_e ratings_submit(ratings_child_t *child, const ratings_event_t *event,
                                 int64_t visible_for, apr_pool_t *pool, ratings_failure_t *failure)
{
    ratings_outcome_e outcome = ratings_talk_known(child, event->rating.talk_id, pool, failure);
    if (outcome != RATINGS_DONE)
        return outcome;
    int64_t until = ratings_monotonic() + child->service->config->store_timeout;
    int partition = ratings_partition_of(child, event->rating.talk_id, until, failure);
    if (partition < 0)
        return ratings_unavailable(failure, "the event log");
    if (!child->projector) {
        ratings_result_set(&failure->why, APR_ECONNREFUSED, "%s cannot be used in this child",
                           child->stream_guard.name);
        return ratings_unavailable(failure, "the event log");
    }
    if (!ratings_guard_enter(&child->stream_guard, &failure->why))
        return ratings_unavailable(failure, "the event log");
    outcome = append(child, event, partition, visible_for, failure);
    report(child, outcome, failure);
    return outcome;
}
