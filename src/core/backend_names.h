/* The four backends, and their names in metrics, in notes of requests, and in what ratingsctl
 * says. */
#ifndef RATINGS_CORE_BACKEND_NAMES_H
#define RATINGS_CORE_BACKEND_NAMES_H

typedef enum {
    RATINGS_BACKEND_TALKS,
    RATINGS_BACKEND_STORE,
    RATINGS_BACKEND_STREAM,
    RATINGS_BACKEND_STATS,
    RATINGS_BACKENDS
} ratings_backend_e;

#define RATINGS_TALKS_NAME "talks"
#define RATINGS_STORE_NAME "store"
#define RATINGS_STREAM_NAME "stream"
#define RATINGS_STATS_NAME "stats"

/* What an array of them begins with, by ratings_backend_e. */
#define RATINGS_BACKEND_NAMES                                                                      \
    [RATINGS_BACKEND_TALKS] = RATINGS_TALKS_NAME, [RATINGS_BACKEND_STORE] = RATINGS_STORE_NAME,    \
    [RATINGS_BACKEND_STREAM] = RATINGS_STREAM_NAME, [RATINGS_BACKEND_STATS] = RATINGS_STATS_NAME

#endif
