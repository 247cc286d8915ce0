/* The event log: a Kafka topic, by librdkafka. One producer per child appends, with acks=all and
 * idempotent: this header. What the topic is like: stream_topic.h. One consumer per projector reads
 * in order: stream_reader.h. What the configuration asks: stream_config.h.
 * https://docs.confluent.io/platform/current/clients/librdkafka/html/rdkafka_8h.html
 *
 * Handles are made in the child, never in the parent: their threads do not survive fork. Nothing is
 * logged here: librdkafka's own lines go to the log of the options, `why` carries the rest. */
#ifndef RATINGS_STREAM_H
#define RATINGS_STREAM_H

#include "../../core/electorate_record.h"
#include "../../core/event.h"
#include "../../core/ticket.h"
#include "stream_delivery.h"
#include "stream_options.h"

#include <apr_pools.h>

typedef struct ratings_stream_t ratings_stream_t;

/* Starts the threads of the producer and of the appender; connects by itself. In `pool`, which
 * outlives it. APR_EINVAL with librdkafka's text when it refuses the combination of properties; a
 * code of errno when there is no thread. */
apr_status_t ratings_stream_create(ratings_stream_t **stream,
                                   const ratings_stream_options_t *options, apr_pool_t *pool,
                                   ratings_result_t *why);

/* Gives events under way until `timeout` (microseconds) to be acknowledged, then gives them up
 * (each is still reported), and frees the handle. No other call may be under way. */
void ratings_stream_destroy(ratings_stream_t *stream, apr_interval_time_t timeout);

/* Queues the event under its ticket, never blocking. APR_SUCCESS: `receiver` gets the delivery
 * report, maybe before this returns. Else nothing was queued: APR_ECONNREFUSED, the partition is
 * not known; RATINGS_NOT_ASKED, the queue is full, memory ran out, or the producer is being
 * replaced. Any thread. */
apr_status_t ratings_stream_append(ratings_stream_t *stream, const ratings_event_t *event,
                                   const ratings_ticket_t *ticket, int partition,
                                   ratings_receiver_t *receiver, ratings_result_t *why);

/* What a delivery report's code means, for a log line (static). Any thread. */
const char *ratings_stream_error_text(int code);

/* Queues the record that says by how many partitions talks are routed
 * (../../core/routing_record.h), for partition 0, in the same way. */
apr_status_t ratings_stream_append_routing(ratings_stream_t *stream, int partitions,
                                           ratings_receiver_t *receiver, ratings_result_t *why);

/* Queues the record that begins an electorate, for its partition, in the same way. */
apr_status_t ratings_stream_append_electorate(ratings_stream_t *stream,
                                              const ratings_electorate_record_t *record,
                                              ratings_receiver_t *receiver, ratings_result_t *why);

/* The partition of a talk among `partitions` (>= 1): murmur2 of its id, as Kafka's own clients do.
 * Any thread. */
int ratings_stream_partition(const char *talk_id, int partitions);

#endif
