/* The stream composed: an appender, which owns the producer. */
#include "stream.h"

#include "stream_parts.h"

#include <string.h>

ratings_stream_t *ratings_stream_create(const ratings_stream_options_t *options, apr_pool_t *pool)
{
    ratings_stream_t *stream = apr_pcalloc(pool, sizeof *stream);
    stream->options = options;
    stream->appender = stream_appender_create(options, pool);
    stream->producer = stream_appender_producer(stream->appender);
    return stream;
}

bool ratings_stream_prepare(ratings_stream_t *stream, ratings_result_t *why)
{
    if (!stream_producer_acquire(stream->producer, why))
        return false;
    stream_producer_release(stream->producer);
    return true;
}

bool ratings_stream_is_made(const ratings_stream_t *stream)
{
    return stream_producer_is_made(stream->producer);
}

bool ratings_stream_is_refused(const ratings_stream_t *stream)
{
    return stream_producer_is_refused(stream->producer);
}

void ratings_stream_destroy(ratings_stream_t *stream, apr_interval_time_t timeout)
{
    stream_appender_destroy(stream->appender, timeout);
}

int ratings_stream_partition(const char *talk_id, int partitions)
{
    return rd_kafka_msg_partitioner_murmur2(NULL, talk_id, strlen(talk_id), partitions, NULL, NULL);
}

static apr_status_t append_message(ratings_stream_t *stream, stream_message_t *message,
                                   int partition, ratings_receiver_t *receiver,
                                   ratings_delivery_t *failure)
{
    *failure = (ratings_delivery_t){.partition = partition, .offset = -1};
    if (!message)
        return ratings_result_set(&failure->result, RATINGS_NOT_ASKED, "out of memory");
    message->partition = partition;
    message->receiver = receiver;
    return stream_appender_append(stream->appender, message, failure);
}

apr_status_t ratings_stream_append(ratings_stream_t *stream, const ratings_event_t *event,
                                   const ratings_trace_t *trace, const ratings_ticket_t *ticket,
                                   int partition, ratings_receiver_t *receiver,
                                   ratings_delivery_t *failure)
{
    return append_message(stream, stream_message_of_event(event, trace, ticket), partition,
                          receiver, failure);
}

const char *ratings_stream_error_text(int code)
{
    return rd_kafka_err2str((rd_kafka_resp_err_t)code);
}

apr_status_t ratings_stream_append_routing(ratings_stream_t *stream, int partitions,
                                           ratings_receiver_t *receiver,
                                           ratings_delivery_t *failure)
{
    return append_message(stream, stream_message_of_routing(partitions), 0, receiver, failure);
}

apr_status_t ratings_stream_append_electorate(ratings_stream_t *stream,
                                              const ratings_electorate_record_t *record,
                                              ratings_receiver_t *receiver,
                                              ratings_delivery_t *failure)
{
    return append_message(stream, stream_message_of_electorate(record),
                          RATINGS_ELECTORATE_PARTITION, receiver, failure);
}
