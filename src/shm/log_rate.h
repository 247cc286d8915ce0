/* Lines of the error log that this host writes once, however many children have one: once in ten
 * seconds at most, or once for each outage. Any thread of any child. */
#ifndef RATINGS_SHM_LOG_RATE_H
#define RATINGS_SHM_LOG_RATE_H

#include "layout.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    RATINGS_LINE_STREAM,       /* what librdkafka reports, but for outages of brokers */
    RATINGS_LINE_STREAM_FATAL, /* of it, what does not pass by itself */
    RATINGS_LINE_NO_STATS,     /* why an answer goes without statistics */
    RATINGS_LINES
} ratings_line_e;

/* Whether the caller is to write such a line `now` (of ratings_monotonic): one caller of this host
 * in ten seconds is. */
bool ratings_shm_may_log(ratings_shm_t *shared, ratings_line_e line, int64_t now);

/* The broker of Kafka ("host:port") cannot be reached / can be. Whether the caller is to log that:
 * the one that begins an outage, and the one that ends it. What begins within ten seconds after the
 * last one is not logged. What nobody has reported for ten minutes is another outage: the end of
 * the last one was not seen, as no connection is made to a broker that nobody needs, and as one
 * that is renamed is up by its old name. Brokers beyond RATINGS_OUTAGES begin as
 * RATINGS_LINE_STREAM. */
#define RATINGS_OUTAGES 16
bool ratings_shm_outage_begins(ratings_shm_t *shared, const char *broker, int64_t now);
bool ratings_shm_outage_ends(ratings_shm_t *shared, const char *broker, int64_t now);

/* Of a broker that had an outage; all zero: of none. */
typedef struct {
    _Atomic uint64_t broker; /* a hash of its name */
    _Atomic int64_t seen;    /* when it was last reported; negative: when the last one ended */
} ratings_outage_t;

#endif
