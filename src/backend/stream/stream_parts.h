/* Private to the stream: what a ratings_stream_t (stream.h) is made of. */
#ifndef RATINGS_STREAM_PARTS_H
#define RATINGS_STREAM_PARTS_H

#include "stream_appender.h"

struct ratings_stream_t {
    const ratings_stream_options_t *options;
    stream_appender_t *appender;
    stream_producer_t *producer; /* the appender's, for questions about the topic */
};

#endif
