/* Private to the stream: the producer's handle, for the calls on the topic. */
#ifndef RATINGS_BACKEND_STREAM_PRODUCER_H
#define RATINGS_BACKEND_STREAM_PRODUCER_H

#include "stream_conf.h"

/* The handle, held until it is released; it may be replaced after a fatal error. */
rd_kafka_t *stream_producer_handle(ratings_stream_t *stream);
void stream_producer_release(ratings_stream_t *stream);
const ratings_stream_options_t *stream_producer_options(const ratings_stream_t *stream);

#endif
