/* The event log: a Kafka topic, by librdkafka. The child that appends for its host has a producer,
 * with acks=all and idempotent: this header. What the topic is like: stream_topic.h. The child that
 * leads has a consumer, which reads in order: stream_reader.h. What the configuration asks:
 * stream_config.h.
 * https://docs.confluent.io/platform/current/clients/librdkafka/html/rdkafka_8h.html
 *
 * Handles are made in the child, never in the parent: their threads do not survive fork. Nothing is
 * logged here: librdkafka's own lines go to the log of the options, `why` carries the rest. */
#ifndef RATINGS_STREAM_H
#define RATINGS_STREAM_H

#include "../../core/electorate_record.h"
#include "../../core/event.h"
#include "../../core/ticket.h"
#include "../../core/trace_context.h"
#include "stream_delivery.h"
#include "stream_options.h"

#include <apr_pools.h>

#include <stdbool.h>

typedef struct ratings_stream_t ratings_stream_t;

/* In `pool`, which outlives it. Nothing is started: the first question about the topic makes the
 * handle and the thread that polls it, and it connects by itself; the first event starts the
 * appender's thread as well. A handle that nobody has used for ten seconds is freed, and another
 * made when it is needed. What cannot be made fails with RATINGS_NOT_ASKED, and is tried again a
 * second later; the log of the options gets the first failure. */
ratings_stream_t *ratings_stream_create(const ratings_stream_options_t *options, apr_pool_t *pool);

/* Uses the handle, and makes it if there is none, so that it is connected when it is needed. False
 * and RATINGS_NOT_ASKED: it cannot be made. Any thread. */
bool ratings_stream_prepare(ratings_stream_t *stream, ratings_result_t *why);

/* Whether there is a handle; whether it could not be made when it was last needed. Any thread. */
bool ratings_stream_is_made(const ratings_stream_t *stream);
bool ratings_stream_is_refused(const ratings_stream_t *stream);

/* Gives events under way until `timeout` (microseconds) to be acknowledged, then gives them up
 * (each is still reported), and frees the handle. No other call may be under way. */
void ratings_stream_destroy(ratings_stream_t *stream, apr_interval_time_t timeout);

/* Queues the event under its ticket, with the trace that it is part of (NULL: with none), never
 * blocking. APR_SUCCESS: `receiver` gets the delivery
 * report, maybe before this returns. Else nothing was queued, and `*failure` is what the report
 * would be: APR_ECONNREFUSED, librdkafka refuses the event (its partition is not known, it is too
 * large); RATINGS_NOT_ASKED, the queue is full, memory ran out, or the producer is being replaced.
 * Any thread. */
apr_status_t ratings_stream_append(ratings_stream_t *stream, const ratings_event_t *event,
                                   const ratings_trace_t *trace, const ratings_ticket_t *ticket,
                                   int partition, ratings_receiver_t *receiver,
                                   ratings_delivery_t *failure);

/* What a delivery report's code means, for a log line (static). Any thread. */
const char *ratings_stream_error_text(int code);

/* Queues the record that says by how many partitions talks are routed
 * (../../core/routing_record.h), for partition 0, in the same way. */
apr_status_t ratings_stream_append_routing(ratings_stream_t *stream, int partitions,
                                           ratings_receiver_t *receiver,
                                           ratings_delivery_t *failure);

/* Queues the record that begins an electorate, for its partition, in the same way. */
apr_status_t ratings_stream_append_electorate(ratings_stream_t *stream,
                                              const ratings_electorate_record_t *record,
                                              ratings_receiver_t *receiver,
                                              ratings_delivery_t *failure);

/* The partition of a talk among `partitions` (>= 1): murmur2 of its id, as Kafka's own clients do.
 * Any thread. */
int ratings_stream_partition(const char *talk_id, int partitions);

#endif
