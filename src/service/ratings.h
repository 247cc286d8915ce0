/* The use cases: submit a rating, read a talk's ratings. Called by request threads; each waits no
 * longer than the timeouts of the backends that it needs, and not beyond the call's deadline. */
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
    RATINGS_CONFLICTING, /* another rating has the same idempotency key: this one is not counted */
    RATINGS_NO_KEYS,     /* the log keeps no append times, so idempotency keys mean nothing */
    RATINGS_UNAVAILABLE, /* a backend could not do its part; nothing was recorded */
    RATINGS_UNKNOWN      /* it may or may not have been recorded */
} ratings_outcome_e;

/* Why not, for the log and for the client. */
typedef struct {
    ratings_result_t why; /* for the log */
    const char *part;     /* for the client (static): which part of the service could not be used */
} ratings_failure_t;

/* One call of a use case. */
typedef struct {
    ratings_child_t *child;
    apr_pool_t *pool;
    int64_t deadline;      /* when it has to end, of ratings_monotonic */
    int64_t talk_known_at; /* when its talk was looked up; set by the use case */
    /* set unless it ends with RATINGS_DONE; `why` also by a read that ends so without statistics */
    ratings_failure_t failure;
} ratings_call_t;

/* `visible_for`: how long to wait for visibility, microseconds. */
ratings_outcome_e ratings_submit(ratings_call_t *call, const ratings_event_t *event,
                                 int64_t visible_for);

/* For how long an answer is good: until its talk's version is another. */
typedef struct {
    bool is_lasting; /* false: it is good once */
    int partition;
    ratings_version_t version;
    int64_t read_at; /* when the store was read, or before, of ratings_monotonic */
} ratings_lasting_t;

typedef struct {
    ratings_histogram_t histogram;
    ratings_statistics_t statistics;
    bool has_statistics; /* false: the function did not answer; failure->why tells */
    ratings_lasting_t lasting;
} ratings_summary_t;

ratings_outcome_e ratings_read(ratings_call_t *call, const char *talk_id,
                               ratings_summary_t *summary);

#endif
