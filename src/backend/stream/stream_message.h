/* Private to the stream: a record on its way to Kafka, with all that librdkafka is given. */
#ifndef RATINGS_STREAM_MESSAGE_H
#define RATINGS_STREAM_MESSAGE_H

#include "../../core/batcher.h"
#include "../../core/electorate_record.h"
#include "../../core/event.h"
#include "../../core/ticket.h"
#include "../../core/trace_context.h"
#include "stream_delivery.h"

#include <librdkafka/rdkafka.h>

typedef struct {
    ratings_batcher_item_t item; /* while it waits in the appender */
    ratings_receiver_t *receiver;
    ratings_ticket_t ticket; /* of an event; else life 0 */
    int partition;
    int64_t expires_at; /* of ratings_monotonic: it is not sent any more */
    rd_kafka_headers_t *headers;
    char *value;
    size_t length;
    char key[RATINGS_TALK_ID_MAX + 1];
} stream_message_t;

/* The record of an event, with its trace if that is not NULL / that says by how many partitions
 * talks are routed / that begins an electorate. NULL when memory ran out. The caller owns it, and
 * frees all of it. */
stream_message_t *stream_message_of_event(const ratings_event_t *event,
                                          const ratings_trace_t *trace,
                                          const ratings_ticket_t *ticket);
stream_message_t *stream_message_of_routing(int partitions);
stream_message_t *stream_message_of_electorate(const ratings_electorate_record_t *record);
void stream_message_free(stream_message_t *message);

#endif
