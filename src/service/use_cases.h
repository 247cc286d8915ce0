/* The use cases: submit a rating, read a talk's ratings. http calls them, and makes replies of
 * their outcomes (the table in ../http/endpoint_ratings.c).
 *
 * By request threads: each call waits no longer than the timeouts of the backends that it needs,
 * and not beyond its deadline. Times are microseconds, points in time those of ratings_monotonic.
 * Strings of a call live as long as its pool, `part` for ever. */
#ifndef RATINGS_SERVICE_USE_CASES_H
#define RATINGS_SERVICE_USE_CASES_H

#include "../core/event.h"
#include "../core/histogram.h"
#include "../shm/response_cache.h"
#include "child.h"

#include <stdbool.h>

typedef enum {
    RATINGS_OUTCOME_DONE,        /* submitted and visible; or read */
    RATINGS_OUTCOME_ACCEPTED,    /* durable, not visible yet */
    RATINGS_OUTCOME_NO_TALK,     /* there is no such talk */
    RATINGS_OUTCOME_CONFLICTING, /* another rating has the same idempotency key: this one is not
                                    counted */
    RATINGS_OUTCOME_NO_KEYS, /* the log keeps no append times, so idempotency keys mean nothing */
    RATINGS_OUTCOME_UNAVAILABLE, /* a backend could not do its part; nothing was recorded */
    RATINGS_OUTCOME_UNKNOWN      /* it may or may not have been recorded */
} ratings_outcome_e;

/* Why a call did not end with RATINGS_OUTCOME_DONE. */
typedef struct {
    ratings_result_t why; /* for the log */
    const char *part; /* for the client, of RATINGS_OUTCOME_UNAVAILABLE: which part of the service
                       * could not be used */
} ratings_failure_t;

/* One call of a use case; of one thread. */
typedef struct {
    ratings_child_t *child;
    apr_pool_t *pool;      /* of the request */
    int64_t deadline;      /* when it has to end */
    int64_t talk_known_at; /* when its talk was looked up; set by the use case */
    /* set unless it ends with RATINGS_OUTCOME_DONE; `why` also by a read that ends so without
     * statistics */
    ratings_failure_t failure;
} ratings_call_t;

/* ---- submitting ---- */

/* Appends the event of a rating, and waits for `visible_for` at most until it is visible. */
ratings_outcome_e ratings_submit(ratings_call_t *call, const ratings_event_t *event,
                                 int64_t visible_for);

/* ---- reading ---- */

typedef struct {
    ratings_histogram_t histogram;
    ratings_statistics_t statistics;
    bool has_statistics; /* false: the function did not answer; failure.why says why */
    ratings_validator_t validator;
} ratings_summary_t;

/* What GET is answered with, made anew of the store. */
ratings_outcome_e ratings_read(ratings_call_t *call, const char *talk_id,
                               ratings_summary_t *summary);

/* The response to an earlier read of the talk, if it may be sent again; without a call: no backend
 * is asked. */
bool ratings_read_cached(const ratings_service_t *service, const char *talk_id,
                         ratings_entity_t *entity);

/* Caches the response that was made of `summary`, if it may be sent again. */
void ratings_cache_response(const ratings_call_t *call, const char *talk_id,
                            const ratings_summary_t *summary, const ratings_entity_t *entity);

#endif
