#include "pending_write.h"

#include "../core/clock.h"
#include "../shm/append_ring.h"

/* The request is woken once, when all is over. How far its event is it looks up that often: what is
 * durable and not visible yet no longer takes a place of those who wait for Kafka. If it has less
 * time than that to wait for visibility, it is woken when it is durable as well. */
#define LOOK_US INT64_C(20000)

typedef struct {
    const ratings_pending_write_options_t *options;
    ratings_append_slot_t slot;
    ratings_call_token_t token; /* of the call of Kafka */
    ratings_delivery_t *delivery;
    bool is_durable;
    bool has_place;     /* in the bulkhead, since `durable_at` */
    int64_t durable_at; /* when that was seen */
    int64_t expires_at; /* of the wait for visibility */
} pending_write_t;

/* ---- handing over ---- */

static bool hand_over(pending_write_t *write, const ratings_event_t *event)
{
    const ratings_pending_write_options_t *options = write->options;
    ratings_result_t *why = &write->delivery->result;
    if (!ratings_call_policy_begin(options->policy, options->deadline, &write->token, why))
        return false;
    write->token.spent = options->spent;
    if (!ratings_append_claim(options->rings, options->partition, options->owner, &write->slot))
        ratings_result_set(why, RATINGS_NOT_ASKED, "too many events wait for Kafka already");
    else if (!ratings_append_queue(&write->slot, event, options->trace, options->partition,
                                   options->visible_for < LOOK_US))
        ratings_result_set(why, RATINGS_NOT_ASKED, "the slot of the event was lost");
    else
        return true;
    (void)ratings_call_policy_end(&write->token, why);
    return false;
}

/* ---- ends ---- */

static ratings_pending_write_end_e end_call(pending_write_t *write, apr_status_t status,
                                            const char *text, ratings_pending_write_end_e end)
{
    ratings_result_set(&write->delivery->result, status, "%s", text);
    (void)ratings_call_policy_end(&write->token, &write->delivery->result);
    return end;
}

static ratings_pending_write_end_e end_failed(pending_write_t *write, int code)
{
    ratings_append_free(&write->slot);
    write->delivery->code = code;
    ratings_result_set(&write->delivery->result, APR_ECONNREFUSED, "delivery: %s",
                       ratings_stream_error_text(code));
    (void)ratings_call_policy_end(&write->token, &write->delivery->result);
    return RATINGS_PENDING_WRITE_FAILED;
}

/* The time for Kafka's answer is over. */
static bool give_up_waiting(pending_write_t *write, ratings_pending_write_end_e *end)
{
    switch (ratings_append_leave(&write->slot)) {
    case RATINGS_APPEND_QUEUED:
        *end = end_call(write, APR_ECONNREFUSED, "no process of this host has sent the event",
                        RATINGS_PENDING_WRITE_FAILED);
        return true;
    case RATINGS_APPEND_SENT:
        *end = end_call(write, APR_TIMEUP, "Kafka did not answer in time",
                        RATINGS_PENDING_WRITE_UNKNOWN);
        return true;
    case RATINGS_APPEND_FREE:
    case RATINGS_APPEND_FILLING:
    case RATINGS_APPEND_DURABLE:
    case RATINGS_APPEND_FAILED:
        break;
    }
    return false;
}

/* ---- durable, and visible ---- */

/* Once: the call of Kafka is over. From now on it waits for the projector, if there is a place. */
static void note_durable(pending_write_t *write, int64_t offset)
{
    const ratings_pending_write_options_t *options = write->options;
    int64_t now = ratings_monotonic(), until = INT64_MAX;
    write->is_durable = true;
    write->durable_at = write->expires_at = now;
    write->delivery->partition = options->partition;
    write->delivery->offset = offset == RATINGS_APPEND_NO_OFFSET ? -1 : offset;
    ratings_result_ok(&write->delivery->result);
    (void)ratings_call_policy_end(&write->token, &write->delivery->result);
    if (options->visible_for <= 0 || offset == RATINGS_APPEND_NO_OFFSET)
        return;
    write->has_place = ratings_bulkhead_try_acquire(options->bulkhead, now, &until);
    if (write->has_place)
        write->expires_at =
            ratings_earlier(ratings_earlier(now + options->visible_for, options->deadline), until);
    else
        ratings_metrics_bulkhead_refused(options->policy->metrics,
                                         RATINGS_METRIC_BULKHEAD_PROJECTOR);
}

static bool has_become_visible(const pending_write_t *write, int64_t offset)
{
    return offset != RATINGS_APPEND_NO_OFFSET &&
           ratings_shm_watermark(write->options->shared, write->options->partition).offset > offset;
}

/* An event whose offset Kafka does not tell (a duplicate of its own retry) cannot be waited for. */
static bool end_durable(pending_write_t *write, int64_t offset, ratings_pending_write_end_e *end)
{
    bool visible = has_become_visible(write, offset);
    if (!write->is_durable)
        note_durable(write, offset);
    if (!visible && ratings_monotonic() < write->expires_at)
        return false;
    if (write->has_place)
        (void)ratings_bulkhead_release(write->options->bulkhead, write->durable_at,
                                       ratings_monotonic(), visible);
    ratings_append_free(&write->slot);
    *end = visible ? RATINGS_PENDING_WRITE_VISIBLE : RATINGS_PENDING_WRITE_DURABLE;
    return true;
}

/* ---- waiting ---- */

/* Whether it is over. */
static bool look_at_slot(pending_write_t *write, ratings_pending_write_end_e *end)
{
    ratings_append_view_t view = ratings_append_look(&write->slot);
    switch (view.state) {
    case RATINGS_APPEND_DURABLE:
        return end_durable(write, view.detail, end);
    case RATINGS_APPEND_FAILED:
        *end = end_failed(write, (int16_t)view.detail);
        return true;
    case RATINGS_APPEND_FREE:
    case RATINGS_APPEND_FILLING:
    case RATINGS_APPEND_QUEUED:
    case RATINGS_APPEND_SENT:
        break;
    }
    return ratings_monotonic() >= write->options->durable_by && give_up_waiting(write, end);
}

static int64_t sleeps_for(const pending_write_t *write)
{
    int64_t until = write->is_durable ? write->expires_at : write->options->durable_by;
    return ratings_earlier(until - ratings_monotonic(), LOOK_US);
}

ratings_pending_write_end_e ratings_pending_write(const ratings_pending_write_options_t *options,
                                                  const ratings_event_t *event,
                                                  ratings_delivery_t *delivery)
{
    pending_write_t write = {.options = options, .delivery = delivery};
    ratings_pending_write_end_e end = RATINGS_PENDING_WRITE_FAILED;
    *delivery = (ratings_delivery_t){.partition = options->partition, .offset = -1};
    if (!hand_over(&write, event))
        return end;
    for (;;) {
        uint32_t wakes = ratings_append_wakes(&write.slot);
        if (look_at_slot(&write, &end))
            return end;
        ratings_append_wait(&write.slot, wakes, sleeps_for(&write));
    }
}
