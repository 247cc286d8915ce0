/* A pending write: one event from its request to the log and the store. The request puts it into
 * the host's append ring (../shm/append_ring.h), and sleeps until its rating is visible, or it has
 * failed, or its time is over.
 *
 * It is one call of Kafka, by its call policy, which ends as soon as the request knows that the
 * event is in the log. How long the event then takes to be visible says nothing of Kafka, and takes
 * a place in another bulkhead. */
#ifndef RATINGS_SERVICE_PENDING_WRITE_H
#define RATINGS_SERVICE_PENDING_WRITE_H

#include "../backend/stream/stream.h"
#include "../shm/segment.h"
#include "call_policy.h"

typedef enum {
    RATINGS_PENDING_WRITE_FAILED,  /* nothing was recorded */
    RATINGS_PENDING_WRITE_UNKNOWN, /* the time was over while it may have been recorded */
    RATINGS_PENDING_WRITE_DURABLE, /* in the log; visible too late, or nobody can tell when */
    RATINGS_PENDING_WRITE_VISIBLE  /* in the log, and applied */
} ratings_pending_write_end_e;

typedef struct {
    ratings_call_policy_t *policy; /* of Kafka */
    ratings_bulkhead_t *bulkhead;  /* of those who wait for the projector */
    ratings_shm_t *shared;
    ratings_append_rings_t *rings;
    const ratings_trace_t *trace; /* that the event is part of; NULL: none */
    uint64_t owner;               /* ratings_process_self */
    int partition;                /* of the event */
    int64_t durable_by;           /* of ratings_monotonic */
    int64_t visible_for; /* microseconds from when it is known to be durable; not positive: do not
                          * wait */
    int64_t deadline;    /* of the request; it bounds visible_for */
    int64_t *spent;      /* the duration of the call is added to that */
} ratings_pending_write_options_t;

/* Hands the event over and waits. `*delivery`: where it is in the log; or why it is not, or may not
 * be (with RATINGS_NOT_ASKED: the call policy let nobody in, or the ring is full). Any thread. */
ratings_pending_write_end_e ratings_pending_write(const ratings_pending_write_options_t *options,
                                                  const ratings_event_t *event,
                                                  ratings_delivery_t *delivery);

#endif
