/* A pending write: one event between a request, which waits for what becomes of it, and Kafka's
 * delivery report, which completes it.
 *
 *     write = ratings_pending_write_create(&options, why);
 *     if (!write)
 *         return why->status;
 *     receiver = ratings_pending_write_receiver(write);
 *     if (ratings_stream_append(stream, event, partition, receiver, why) == APR_SUCCESS)
 *         state = ratings_pending_write_wait(write, durable_by, &delivery);
 *     else
 *         ratings_pending_write_cancel(write, why);
 *
 * The states, each entered at most once:
 *
 *     SENT ──> FAILED       Kafka has refused it, or its answer was lost
 *       ├────> DURABLE      in the log; visible too late, or nobody can tell when
 *       ├────> VISIBLE      in the log, and applied
 *       ├────> WAITING ──>  VISIBLE or DURABLE
 *       └────> ABANDONED    the request had no time left to wait for Kafka's answer
 *
 * It is one call of Kafka, by its call policy: create begins the call, and what comes first ends
 * it, the delivery report, or wait when the request abandons it, or cancel. How long the event then
 * takes to be visible says nothing of Kafka.
 *
 * The request sleeps once, and is woken once: the delivery report does not wake a request whose
 * event is not visible yet, but moves it to the visibility barrier (../shm/visibility.h). */
#ifndef RATINGS_SERVICE_PENDING_WRITE_H
#define RATINGS_SERVICE_PENDING_WRITE_H

#include "../backend/stream/stream.h"
#include "../shm/visibility.h"
#include "call_policy.h"

typedef struct ratings_pending_write_t ratings_pending_write_t;

typedef enum {
    RATINGS_PENDING_WRITE_SENT,
    RATINGS_PENDING_WRITE_WAITING,
    RATINGS_PENDING_WRITE_FAILED,
    RATINGS_PENDING_WRITE_DURABLE,
    RATINGS_PENDING_WRITE_VISIBLE,
    RATINGS_PENDING_WRITE_ABANDONED
} ratings_pending_write_state_e;

typedef struct {
    ratings_call_policy_t *policy; /* of Kafka; this, `shared` and the barrier live longer */
    ratings_shm_t *shared;
    ratings_visibility_t *visibility;
    int partition;       /* of the event */
    int64_t visible_for; /* microseconds from the delivery report; not positive: do not wait */
    int64_t deadline;    /* of the request, of ratings_monotonic; it bounds visible_for */
} ratings_pending_write_options_t;

/* To be called before the event is handed to the stream: what is applied from here on is noticed.
 * May have waited for other calls of Kafka to end. NULL: the call policy refuses the call, or
 * memory ran out; `why` is RATINGS_NOT_ASKED then, and says so. */
ratings_pending_write_t *
ratings_pending_write_create(const ratings_pending_write_options_t *options, ratings_result_t *why);

/* By the request, once the stream has taken the event, instead of cancel: waits until it is
 * visible, or has failed, or is durable and not visible in time; or until `durable_by` (of
 * ratings_monotonic) for Kafka's answer. Returns one of the last four states, and what Kafka has
 * answered in `*delivery`: after ABANDONED its status is APR_TIMEUP. `write` is gone then for the
 * request. */
ratings_pending_write_state_e ratings_pending_write_wait(ratings_pending_write_t *write,
                                                         int64_t durable_by,
                                                         ratings_delivery_t *delivery);

/* By the request, when the stream did not take the event, for the reason `why`. Frees `write`. */
void ratings_pending_write_cancel(ratings_pending_write_t *write, const ratings_result_t *why);

/* What receives the delivery report: for ratings_stream_append. `write` is gone then for the
 * stream.
 */
ratings_receiver_t *ratings_pending_write_receiver(ratings_pending_write_t *write);

#endif
