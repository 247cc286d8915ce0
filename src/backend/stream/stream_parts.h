/* Private to the stream: what a ratings_stream_t (stream.h) is made of. */
#ifndef RATINGS_STREAM_PARTS_H
#define RATINGS_STREAM_PARTS_H

#include "stream_appender.h"

#include <stdatomic.h>

struct ratings_stream_t {
    const ratings_stream_options_t *options;
    stream_appender_t *appender;
    stream_producer_t *producer; /* the appender's, for questions about the topic */
    _Atomic(int64_t) unanswered; /* since when such questions time out; 0: they do not */
};

/* How a question for offsets has ended, which was asked of the producer's handle, for as long as
 * that is held. */
void stream_note_offsets(struct ratings_stream_t *stream, rd_kafka_t *handle, apr_status_t status);

#endif
