/* Private to the stream: a handle of librdkafka's, how it is configured, and what its errors mean:
 * common to producer and consumer. Any thread. */
#ifndef RATINGS_STREAM_HANDLE_H
#define RATINGS_STREAM_HANDLE_H

#include "../common/result.h"
#include "stream_options.h"

#include <librdkafka/rdkafka.h>

typedef struct {
    const char *key, *value;
} stream_property_t;

#define STREAM_TEXT 512 /* what librdkafka's error buffers take */

/* Part of what owns a handle, and the `opaque` of librdkafka's callbacks. It lives as long as the
 * handle. */
typedef struct stream_handle_owner_t stream_handle_owner_t;
struct stream_handle_owner_t {
    const ratings_stream_options_t *options;
    /* librdkafka's error callback, on the thread that polls */
    void (*failed)(stream_handle_owner_t *owner, rd_kafka_t *handle, int code, const char *reason);
    /* adds callbacks of the owner's own, for which `opaque` is `owner`; or NULL */
    void (*configure)(stream_handle_owner_t *owner, rd_kafka_conf_t *conf);
};

/* A handle of `type` with `ours` (up to a key of NULL), and over it the administrator's properties.
 * APR_EINVAL with librdkafka's text when it refuses them. */
apr_status_t stream_handle_create(rd_kafka_t **handle, rd_kafka_type_t type,
                                  stream_handle_owner_t *owner, const stream_property_t *ours,
                                  ratings_result_t *why);

/* Writes a line to the log of the options. */
#define STREAM_CRITICAL 2 /* levels of syslog */
#define STREAM_INFO 6
#define STREAM_DEBUG 7
void stream_log(const stream_handle_owner_t *owner, int level, const char *text);

/* librdkafka's code as ours, with its text. */
apr_status_t stream_failure(rd_kafka_resp_err_t code, const char *doing, ratings_result_t *why);

/* Replaces the times in the list by the first offsets at or after them; the times -2 and -1 are the
 * ends of the log (ListOffsets of Kafka's protocol). */
apr_status_t stream_offsets(rd_kafka_t *handle, rd_kafka_topic_partition_list_t *list,
                            int timeout_ms, ratings_result_t *why);

/* Microseconds, rounded up to librdkafka's milliseconds. */
int stream_ms(apr_interval_time_t us);

#endif
