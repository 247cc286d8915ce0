/* Private to the stream: what stands before the producer, and groups the messages of a partition
 * into batches (../../core/batcher.h). It owns a producer. */
#ifndef RATINGS_STREAM_APPENDER_H
#define RATINGS_STREAM_APPENDER_H

#include "stream_producer.h"

typedef struct stream_appender_t stream_appender_t;

/* As ratings_stream_create. */
stream_appender_t *stream_appender_create(const ratings_stream_options_t *options,
                                          apr_pool_t *pool);

/* As ratings_stream_destroy: what waits is sent first. */
void stream_appender_destroy(stream_appender_t *appender, apr_interval_time_t timeout);

/* Takes over the message, with its partition and receiver set. The rest is as
 * ratings_stream_append. */
apr_status_t stream_appender_append(stream_appender_t *appender, stream_message_t *message,
                                    ratings_delivery_t *failure);

stream_producer_t *stream_appender_producer(const stream_appender_t *appender);

#endif
