/* Private to the stream: librdkafka's configuration and errors, common to producer and consumer. */
#ifndef RATINGS_STREAM_CONF_H
#define RATINGS_STREAM_CONF_H

#include "stream.h"

#include <librdkafka/rdkafka.h>

typedef struct {
    const char *key, *value;
} stream_property_t;

#define STREAM_TEXT 512 /* what librdkafka's error buffers take */

/* A handle of `type` with the options' properties over `ours`. Takes `conf`-level callbacks from
 * `setup` if it is not NULL. */
apr_status_t stream_handle(rd_kafka_t **handle, rd_kafka_type_t type,
                           const ratings_stream_options_t *options, const stream_property_t *ours,
                           void (*setup)(rd_kafka_conf_t *conf, void *opaque), void *opaque,
                           ratings_result_t *why);

/* Whether librdkafka takes the producer's configuration. The handle, whose threads read the options
 * and memory of `pool`, is left to the process: both last as long as it does. */
apr_status_t stream_producer_try(const ratings_stream_options_t *options, apr_pool_t *pool,
                                 ratings_result_t *why);

/* librdkafka's code as ours, with its text. */
apr_status_t stream_failure(rd_kafka_resp_err_t code, const char *doing, ratings_result_t *why);

/* Replaces the times in the list by the first offsets at or after them; the times -2 and -1 are the
 * ends of the log (ListOffsets of Kafka's protocol). */
apr_status_t stream_offsets(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list,
                            int timeout_ms, ratings_result_t *why);

/* Microseconds, rounded up to librdkafka's milliseconds. */
int stream_ms(apr_interval_time_t us);

#endif
