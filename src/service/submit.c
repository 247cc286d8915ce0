/* Submitting a rating: the talk exists, its window is open, the event is durable, the rating is
 * visible, its voter is not barred, and, if it has an idempotency key, it is the one that counts.
 */
#include "../core/clock.h"
#include "../shm/append_time.h"
#include "backend_call.h"
#include "pending_write.h"
#include "routing.h"
#include "talk_cache.h"
#include "use_cases.h"

/* How much longer than librdkafka tries a request waits for the delivery report: librdkafka's own
 * failure, which says whether the event may have been recorded, then comes first. It does not if
 * the event had to wait for others before it was sent, and is still in flight. */
#define REPORT_GRACE_US INT64_C(250000)

static ratings_outcome_e accepted(ratings_call_t *call, const char *why)
{
    ratings_result_set(&call->failure.why, APR_TIMEUP, "%s", why);
    return RATINGS_OUTCOME_ACCEPTED;
}

static ratings_outcome_e record_event(ratings_call_t *call, const ratings_event_t *event,
                                      int partition, int64_t visible_for,
                                      ratings_delivery_t *delivery)
{
    ratings_child_t *child = call->child;
    int64_t timeout = child->service->config->stream_timeout + REPORT_GRACE_US;
    const ratings_pending_write_options_t options = {
        .policy = &child->policy[RATINGS_BACKEND_STREAM],
        .bulkhead = &child->projector_bulkhead,
        .shared = child->service->shared,
        .rings = child->service->rings,
        .trace = call->trace,
        .owner = child->process,
        .partition = partition,
        .durable_by = ratings_earlier(ratings_monotonic() + timeout, call->deadline),
        .visible_for = visible_for,
        .deadline = call->deadline,
        .spent = &call->spent[RATINGS_BACKEND_STREAM],
    };
    ratings_pending_write_end_e end = ratings_pending_write(&options, event, delivery);
    call->failure.backend = RATINGS_BACKEND_STREAM;
    call->failure.part = "the event log";
    call->failure.why = delivery->result;
    switch (end) {
    case RATINGS_PENDING_WRITE_VISIBLE:
        return RATINGS_OUTCOME_DONE;
    case RATINGS_PENDING_WRITE_DURABLE:
        return accepted(call, "not visible in time");
    case RATINGS_PENDING_WRITE_FAILED:
        return RATINGS_OUTCOME_UNAVAILABLE;
    case RATINGS_PENDING_WRITE_UNKNOWN:
        break;
    }
    return RATINGS_OUTCOME_UNKNOWN;
}

/* ---- asking the store about the event ---- */

static bool begin_store_call(ratings_call_t *call, int64_t *until, ratings_call_token_t *token)
{
    ratings_child_t *child = call->child;
    int64_t timeout = child->service->config->store_timeout;
    *until = ratings_earlier(ratings_monotonic() + timeout, call->deadline);
    return ratings_backend_call_begin(call, RATINGS_BACKEND_STORE, *until, token);
}

/* ---- where the event is ---- */

/* `offset`: of the event in the log that this host knows; -1: nobody can tell. */
static void note_position(ratings_call_t *call, int partition, int64_t offset)
{
    uint16_t log_id = ratings_shm_high(call->child->service->shared, partition).log_id;
    call->position = (ratings_position_t){
        .partition = partition,
        .log_id = log_id == RATINGS_LOG_ID_EMPTY ? 0 : log_id,
        .offset = offset + 1,
    };
}

/* An offset that is below what was applied before the event was appended (`floor`) is of a log that
 * this host does not know yet: the topic was recreated. */
static void note_delivery(ratings_call_t *call, int partition, int64_t floor,
                          const ratings_delivery_t *delivery)
{
    note_position(call, partition, delivery->offset >= floor ? delivery->offset : -1);
}

/* ---- idempotency keys ---- */

static bool append_time_is_known(const ratings_shm_t *shared)
{
    return ratings_append_time(shared) != RATINGS_APPEND_TIME_UNKNOWN;
}

/* RATINGS_OUTCOME_DONE: an event with a key will be compared. */
static ratings_outcome_e admit_key(ratings_call_t *call)
{
    const ratings_shm_t *shared = call->child->service->shared;
    if (ratings_routing_await(call, append_time_is_known))
        return ratings_append_time(shared) == RATINGS_APPEND_TIME_KEPT ? RATINGS_OUTCOME_DONE
                                                                       : RATINGS_OUTCOME_NO_KEYS;
    ratings_result_set(&call->failure.why, APR_ECONNREFUSED,
                       "it is not known yet whether the topic keeps append times");
    call->failure.part = "the event log";
    return RATINGS_OUTCOME_UNAVAILABLE;
}

/* What the use of the key says of the event at `offset`. Without a use the event counted without
 * being compared: the topic keeps no append times any more, which this host knows from now on, and
 * the projector confirms and logs. Or the store is wrong: then nobody says that the key's rating is
 * this one. */
static ratings_outcome_e outcome_of_use(ratings_call_t *call, const ratings_event_t *event,
                                        const ratings_use_t *use, int64_t offset)
{
    if (use->offset < 0) {
        ratings_append_time_deny(call->child->service->shared);
        return accepted(call, "the store has no use of its idempotency key");
    }
    if (use->offset > offset)
        return accepted(call, "the use of its idempotency key is forgotten");
    return use->offset == offset || use->value == event->rating.value ? RATINGS_OUTCOME_DONE
                                                                      : RATINGS_OUTCOME_CONFLICTING;
}

static apr_status_t read_use(ratings_call_t *call, const ratings_event_t *event, int partition,
                             ratings_use_t *use, int64_t *checkpoint)
{
    const ratings_store_key_t key = {event->rating.talk_id, event->has_voter ? &event->voter : NULL,
                                     event->key.text};
    ratings_result_t *why = &call->failure.why;
    ratings_call_token_t token;
    int64_t until;
    if (!begin_store_call(call, &until, &token))
        return why->status;
    (void)ratings_store_read_use(call->child->store, &key, partition, until, use, checkpoint, why);
    return ratings_call_policy_end(&token, why);
}

/* The projector decided whether the event counts when it applied it. If the store cannot be read,
 * or is not that far, nobody knows yet: the rating is recorded, and a repeated request gets the
 * answer.
 */
static ratings_outcome_e read_outcome(ratings_call_t *call, const ratings_event_t *event,
                                      const ratings_delivery_t *delivery)
{
    int64_t checkpoint = -1;
    ratings_use_t use = {.offset = -1};
    if (read_use(call, event, delivery->partition, &use, &checkpoint) != APR_SUCCESS)
        return RATINGS_OUTCOME_ACCEPTED;
    if (checkpoint <= delivery->offset)
        return accepted(call, "the store is being brought up to date");
    return outcome_of_use(call, event, &use, delivery->offset);
}

/* ---- barred voters ---- */

/* Asked once the event is visible, so that a bar which came before it in the log is known; and only
 * while anybody is barred. A withdrawal counts. */
static bool may_be_barred(const ratings_call_t *call, const ratings_event_t *event)
{
    return event->has_voter && event->rating.value != RATINGS_VALUE_NONE &&
           atomic_load(&call->child->service->shared->has_barred);
}

static apr_status_t read_barred(ratings_call_t *call, const ratings_event_t *event, int partition,
                                bool *is_barred, int64_t *checkpoint)
{
    ratings_result_t *why = &call->failure.why;
    ratings_call_token_t token;
    int64_t until;
    if (!begin_store_call(call, &until, &token))
        return why->status;
    (void)ratings_store_read_barred(call->child->store, &event->voter, partition, until, is_barred,
                                    checkpoint, why);
    return ratings_call_policy_end(&token, why);
}

/* As with an idempotency key: if the store cannot be read, nobody knows yet whether it counts. */
static ratings_outcome_e bar_outcome(ratings_call_t *call, const ratings_event_t *event,
                                     const ratings_delivery_t *delivery)
{
    int64_t checkpoint = -1;
    bool is_barred = false;
    if (read_barred(call, event, delivery->partition, &is_barred, &checkpoint) != APR_SUCCESS)
        return RATINGS_OUTCOME_ACCEPTED;
    if (checkpoint <= delivery->offset)
        return accepted(call, "the store is being brought up to date");
    return is_barred ? RATINGS_OUTCOME_BARRED : RATINGS_OUTCOME_DONE;
}

/* ---- outside of the talk's window ---- */

/* A client that never saw the answer to a rating may send it again after the talk has closed, and
 * gets that answer: the store knows whether a rating with the key counts. Nothing is appended. */
static ratings_outcome_e repeat_outcome(ratings_call_t *call, const ratings_event_t *event,
                                        int partition)
{
    ratings_use_t use = {.offset = -1};
    int64_t checkpoint = -1,
            high = ratings_shm_high(call->child->service->shared, partition).offset;
    apr_status_t status = read_use(call, event, partition, &use, &checkpoint);
    if (status == APR_SUCCESS && checkpoint < high)
        status = ratings_result_set(&call->failure.why, APR_EAGAIN,
                                    "the store is being brought up to date");
    if (status != APR_SUCCESS) {
        call->failure.part = "the store of ratings";
        return RATINGS_OUTCOME_UNAVAILABLE;
    }
    if (use.offset < 0 || use.expires_ms <= call->came_at / 1000)
        return RATINGS_OUTCOME_NOT_NOW;
    note_position(call, partition, use.offset);
    return use.value == event->rating.value ? RATINGS_OUTCOME_DONE : RATINGS_OUTCOME_CONFLICTING;
}

/* ---- the use case ---- */

static ratings_outcome_e submit_event_of(ratings_call_t *call, const ratings_event_t *event,
                                         int64_t visible_for)
{
    ratings_delivery_t delivery = {.offset = -1};
    bool has_key = event->key.text[0] != '\0';
    ratings_outcome_e outcome = ratings_talk_lookup(call, event->rating.talk_id);
    if (outcome != RATINGS_OUTCOME_DONE)
        return outcome;
    bool is_open = ratings_window_phase(&call->window, call->came_at) == RATINGS_WINDOW_OPEN;
    if (!is_open && !has_key)
        return RATINGS_OUTCOME_NOT_NOW;
    int partition = ratings_routing_partition(call, event->rating.talk_id);
    if (partition < 0)
        return RATINGS_OUTCOME_UNAVAILABLE;
    if (has_key)
        outcome = admit_key(call);
    if (outcome != RATINGS_OUTCOME_DONE)
        return outcome;
    if (!is_open)
        return repeat_outcome(call, event, partition);
    int64_t floor = ratings_shm_watermark(call->child->service->shared, partition).offset;
    outcome = record_event(call, event, partition, visible_for, &delivery);
    note_delivery(call, partition, floor, &delivery);
    if (outcome == RATINGS_OUTCOME_DONE && may_be_barred(call, event))
        outcome = bar_outcome(call, event, &delivery);
    return outcome == RATINGS_OUTCOME_DONE && has_key ? read_outcome(call, event, &delivery)
                                                      : outcome;
}

ratings_outcome_e ratings_submit(ratings_call_t *call, const ratings_event_t *event,
                                 int64_t visible_for)
{
    ratings_metrics_t *metrics = call->child->service->metrics;
    int64_t since = ratings_monotonic();
    ratings_outcome_e outcome = submit_event_of(call, event, visible_for);
    ratings_metrics_submitted(metrics, (int)outcome);
    if (outcome == RATINGS_OUTCOME_DONE)
        ratings_metrics_visible(metrics, ratings_monotonic() - since);
    return outcome;
}
