/* Where the log begins and ends. Asked over the producer's connections: a broker answers what comes
 * over one connection in order, and a reader's are taken by fetches that wait for records. */
#include "stream_producer.h"

static void add(rd_kafka_topic_partition_list_t *list, const ratings_stream_t *stream,
                int partition, int64_t time)
{
    const char *topic = stream_producer_options(stream)->topic;
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = time;
}

static rd_kafka_resp_err_t first_error(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err)
            return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Not rd_kafka_query_watermark_offsets: before 2.3 it does not keep to its timeout (issue 2588). */
apr_status_t stream_offsets(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list,
                            int timeout_ms, ratings_result_t *why)
{
    if (list->cnt == 0)
        return ratings_result_ok(why);
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(handle, list, timeout_ms);
    if (!code)
        code = first_error(list);
    return code ? stream_failure(code, "asking for the log's ends", why) : ratings_result_ok(why);
}

/* The list has times, and goes. */
static apr_status_t for_times(ratings_stream_t *stream, rd_kafka_topic_partition_list_t *list,
                              int timeout_ms, int64_t *offsets, ratings_result_t *why)
{
    apr_status_t status = stream_offsets(stream_producer_handle(stream), list, timeout_ms, why);
    stream_producer_release(stream);
    for (int i = 0; i < list->cnt; i++)
        offsets[list->elems[i].partition] = list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

static apr_status_t one_end(ratings_stream_t *stream, int count, int64_t which, int timeout_ms,
                            int64_t *offsets, ratings_result_t *why)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; p < count; p++)
        add(list, stream, p, which);
    return for_times(stream, list, timeout_ms, offsets, why);
}

apr_status_t ratings_stream_ends(ratings_stream_t *stream, int count, apr_interval_time_t timeout,
                                 int64_t *first, int64_t *next, ratings_result_t *why)
{
    int timeout_ms = stream_ms(timeout);
    apr_status_t status = one_end(stream, count, RD_KAFKA_OFFSET_BEGINNING, timeout_ms, first, why);
    return status == APR_SUCCESS
               ? one_end(stream, count, RD_KAFKA_OFFSET_END, timeout_ms, next, why)
               : status;
}

/* ListOffsets tells the first offset at or after a time, hence the one more. */
apr_status_t ratings_stream_younger(ratings_stream_t *stream, int count, const int64_t *times,
                                    apr_interval_time_t timeout, int64_t *offsets,
                                    ratings_result_t *why)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; p < count; p++) {
        offsets[p] = -1;
        if (times[p] >= 0)
            add(list, stream, p, times[p] + 1);
    }
    return for_times(stream, list, stream_ms(timeout), offsets, why);
}
