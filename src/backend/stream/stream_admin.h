/* Private to the stream: Kafka's administrative calls, and the topic as this module creates it. Any
 * thread; a call waits no longer than half as long again as its `timeout_ms`. */
#ifndef RATINGS_STREAM_ADMIN_H
#define RATINGS_STREAM_ADMIN_H

#include "stream_handle.h"

#include <stdbool.h>

/* One call: begin, then librdkafka's function with `options` and `queue`, then end. */
typedef struct {
    rd_kafka_t *handle;
    rd_kafka_AdminOptions_t *options;
    rd_kafka_queue_t *queue;
} stream_admin_t;

stream_admin_t stream_admin_begin(rd_kafka_t *handle, rd_kafka_admin_op_t op, int timeout_ms);

/* The answer, for rd_kafka_event_destroy; NULL when none came. */
rd_kafka_event_t *stream_admin_end(stream_admin_t *admin, int timeout_ms);

/* The status of an answer as a whole, or of none. `doing`: what was asked for. */
apr_status_t stream_admin_status(rd_kafka_event_t *event, const char *doing, ratings_result_t *why);

/* How many brokers the cluster has. */
apr_status_t stream_admin_brokers(rd_kafka_t *handle, int timeout_ms, int *brokers,
                                  ratings_result_t *why);

/* Creates the topic of the options in a cluster of so many brokers; or, with `is_trial`, has Kafka
 * say whether it would. `*refusal`: Kafka's own error, which is a failure as well; 0: it is
 * created, or was not asked for. */
apr_status_t stream_admin_create(rd_kafka_t *handle, const ratings_stream_options_t *options,
                                 int brokers, bool is_trial, int timeout_ms,
                                 rd_kafka_resp_err_t *refusal, ratings_result_t *why);

#endif
