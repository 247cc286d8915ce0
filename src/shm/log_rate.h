/* Lines of the error log that this host writes once in ten seconds at most, however many children
 * have one. Any thread of any child. */
#ifndef RATINGS_SHM_LOG_RATE_H
#define RATINGS_SHM_LOG_RATE_H

#include "layout.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    RATINGS_LINE_STREAM,       /* what librdkafka reports */
    RATINGS_LINE_STREAM_FATAL, /* of it, what does not pass by itself */
    RATINGS_LINE_NO_STATS,     /* why an answer goes without statistics */
    RATINGS_LINES
} ratings_line_e;

/* Whether the caller is to write such a line `now` (of ratings_monotonic): one caller of this host
 * in ten seconds is. */
bool ratings_shm_may_log(ratings_shm_t *shared, ratings_line_e line, int64_t now);

#endif
