/* Where the log begins and ends. */
#include "stream_parts.h"
#include "stream_topic.h"

static void add_time(rd_kafka_topic_partition_list_t *list, const ratings_stream_t *stream,
                     int partition, int64_t time)
{
    rd_kafka_topic_partition_list_add(list, stream->options->topic, partition)->offset = time;
}

/* Destroys the list, which has times. */
static apr_status_t offsets_of_times(ratings_stream_t *stream,
                                     rd_kafka_topic_partition_list_t *list, int timeout_ms,
                                     int64_t *offsets, ratings_result_t *why)
{
    rd_kafka_t *handle = stream_producer_acquire(stream->producer, why);
    if (handle) {
        stream_note_offsets(stream, handle, stream_offsets(handle, list, timeout_ms, why));
        stream_producer_release(stream->producer);
    }
    for (int i = 0; i < list->cnt; i++)
        offsets[list->elems[i].partition] = list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return why->status;
}

static apr_status_t offsets_of_end(ratings_stream_t *stream, int count, int64_t which,
                                   int timeout_ms, int64_t *offsets, ratings_result_t *why)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; p < count; p++)
        add_time(list, stream, p, which);
    return offsets_of_times(stream, list, timeout_ms, offsets, why);
}

apr_status_t ratings_stream_ends(ratings_stream_t *stream, int count, apr_interval_time_t timeout,
                                 int64_t *first, int64_t *next, ratings_result_t *why)
{
    int timeout_ms = stream_ms(timeout);
    apr_status_t status =
        offsets_of_end(stream, count, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, first, why);
    return status == APR_SUCCESS
               ? offsets_of_end(stream, count, RD_KAFKA_OFFSET_END, timeout_ms, next, why)
               : status;
}

/* ListOffsets tells the first offset at or after a time, hence the one more. */
apr_status_t ratings_stream_offsets_after(ratings_stream_t *stream, int count, const int64_t *times,
                                          apr_interval_time_t timeout, int64_t *offsets,
                                          ratings_result_t *why)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; p < count; p++) {
        offsets[p] = -1;
        if (times[p] >= 0)
            add_time(list, stream, p, times[p] + 1);
    }
    return offsets_of_times(stream, list, stream_ms(timeout), offsets, why);
}
