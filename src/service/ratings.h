/* The use cases: submit a rating, read a talk's ratings. Called by request threads; each waits no
 * longer than the timeouts of the backends that it needs. */
#ifndef RATINGS_SERVICE_RATINGS_H
#define RATINGS_SERVICE_RATINGS_H

#include "../core/event.h"
#include "../core/histogram.h"
#include "service.h"

#include <stdbool.h>

typedef enum {
    RATINGS_DONE,        /* submitted and visible; or read */
    RATINGS_ACCEPTED,    /* durable, not visible yet */
    RATINGS_NO_TALK,     /* there is no such talk */
    RATINGS_UNAVAILABLE, /* a backend could not do its part; nothing was recorded */
    RATINGS_UNKNOWN      /* it may or may not have been recorded */
} ratings_outcome_e;

/* Why not, for the log and for the client. */
typedef struct {
    ratings_result_t why; /* for the log */
    const char *part;     /* for the client (static): which part of the service could not be used */
} ratings_failure_t;

/* `visible_for`: how long to wait for visibility, microseconds. */
ratings_outcome_e ratings_submit(ratings_child_t *child, const ratings_event_t *event,
                                 int64_t visible_for, apr_pool_t *pool, ratings_failure_t *failure);

typedef struct {
    ratings_histogram_t histogram;
    ratings_statistics_t statistics;
    bool has_statistics; /* false: the function did not answer; failure->why tells */
} ratings_summary_t;

ratings_outcome_e ratings_read(ratings_child_t *child, const char *talk_id, apr_pool_t *pool,
                               ratings_summary_t *summary, ratings_failure_t *failure);

#endif
