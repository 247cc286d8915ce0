/* Private to the stream: the producer's handle, for the calls on the topic. */
#ifndef RATINGS_STREAM_PRODUCER_H
#define RATINGS_STREAM_PRODUCER_H

#include "stream_conf.h"

/* The handle, held until it is released; it may be replaced after a fatal error. */
rd_kafka_t *stream_producer_handle(ratings_stream_t *stream);

/* The same, and its topic to append to; that is NULL when librdkafka refuses it, for the reason of
 * rd_kafka_last_error. */
rd_kafka_t *stream_producer_topic(ratings_stream_t *stream, rd_kafka_topic_t **topic);
void stream_producer_release(ratings_stream_t *stream);
const ratings_stream_options_t *stream_producer_options(const ratings_stream_t *stream);

/* What gives events to the handle, each in its turn. */
typedef struct stream_appender_t stream_appender_t;
stream_appender_t *stream_producer_appender(const ratings_stream_t *stream);

/* `patience`: how long, in microseconds, an event may wait for its turn. 0, or a code of errno. */
int stream_appender_create(stream_appender_t **appender, ratings_stream_t *stream,
                           ratings_delivery_fn *delivered, int64_t patience, apr_pool_t *pool);

/* By the callbacks of the handle: what became of a message, by its opaque pointer. Any thread. */
void stream_appender_reported(stream_appender_t *appender, void *opaque,
                              const ratings_delivery_t *delivery);

/* Ends its thread and gives all that waits to the handle. No append may be under way. Reports may
 * still come, until it is destroyed. */
void stream_appender_stop(stream_appender_t *appender);
void stream_appender_destroy(stream_appender_t *appender);

#endif
