/* The use cases: submit or withdraw a rating, read a talk's ratings, read a voter's own. http calls
 * them, and makes replies of their outcomes (the table in ../http/use_case_reply.c).
 *
 * By request threads: each call waits no longer than the timeouts of the backends that it needs,
 * and not beyond its deadline. Times are microseconds, points in time those of ratings_monotonic.
 * Strings of a call live as long as its pool, `part` for ever. */
#ifndef RATINGS_SERVICE_USE_CASES_H
#define RATINGS_SERVICE_USE_CASES_H

#include "../core/event.h"
#include "../core/hiding.h"
#include "../core/histogram.h"
#include "../core/position.h"
#include "../core/talk.h"
#include "../core/trace_context.h"
#include "../core/window.h"
#include "../shm/response_cache.h"
#include "child.h"

#include <stdbool.h>

typedef enum {
    RATINGS_OUTCOME_DONE,        /* submitted and visible; or read */
    RATINGS_OUTCOME_ACCEPTED,    /* durable, not visible yet */
    RATINGS_OUTCOME_NO_TALK,     /* there is no such talk */
    RATINGS_OUTCOME_NOT_NOW,     /* the call came outside of the talk's window */
    RATINGS_OUTCOME_CONFLICTING, /* another rating has the same idempotency key: this one is not
                                    counted */
    RATINGS_OUTCOME_BARRED,      /* the voter is barred: the rating is not counted */
    RATINGS_OUTCOME_NO_KEYS, /* the log keeps no append times, so idempotency keys mean nothing */
    RATINGS_OUTCOME_NO_RANKING,   /* talks are not ranked, or their scores are hidden */
    RATINGS_OUTCOME_OTHER_VOTERS, /* another electorate votes than that of this server's secret */
    RATINGS_OUTCOME_NOT_REACHED,  /* the store is not known to be at the call's position */
    RATINGS_OUTCOME_UNAVAILABLE,  /* a backend could not do its part; nothing was recorded */
    RATINGS_OUTCOME_UNKNOWN       /* it may or may not have been recorded */
} ratings_outcome_e;

/* The words of those that a rating can have, for metrics and access logs: what an array of them
 * begins with. */
#define RATINGS_OUTCOMES_OF_RATINGS                                                                \
    [RATINGS_OUTCOME_DONE] = "visible", [RATINGS_OUTCOME_ACCEPTED] = "accepted",                   \
    [RATINGS_OUTCOME_NO_TALK] = "no_talk", [RATINGS_OUTCOME_NOT_NOW] = "not_now",                  \
    [RATINGS_OUTCOME_CONFLICTING] = "conflicting", [RATINGS_OUTCOME_BARRED] = "barred",            \
    [RATINGS_OUTCOME_NO_KEYS] = "no_keys", [RATINGS_OUTCOME_UNAVAILABLE] = "unavailable",          \
    [RATINGS_OUTCOME_UNKNOWN] = "unknown"

/* Why a call did not end with RATINGS_OUTCOME_DONE. */
typedef struct {
    ratings_result_t why;      /* for the log */
    ratings_backend_e backend; /* that was to be asked last: of RATINGS_NOT_ASKED, which was not */
    const char *part; /* for the client, of RATINGS_OUTCOME_UNAVAILABLE: which part of the service
                       * could not be used */
} ratings_failure_t;

/* One call of a use case; of one thread. */
typedef struct {
    ratings_child_t *child;
    apr_pool_t *pool;             /* of the request */
    int64_t deadline;             /* when it has to end */
    ratings_hide_t hide;          /* the endpoint's rule: RatingsHide */
    const ratings_trace_t *trace; /* that the request is part of; NULL: none */
    int64_t came_at; /* when the request had come, of ratings_wall_clock: by it the talk's
                      * window is open or not, however long the call then takes */
    ratings_position_t position;     /* a read counts all before it; a rating that was submitted is
                                      * before the one that the use case sets, or sets to none where
                                      * nobody can tell */
    int64_t talk_known_at;           /* when its talk was looked up; set by the use case */
    int64_t spent[RATINGS_BACKENDS]; /* in calls of each backend, or waiting for another's */
    const char *cache; /* of ratings_read: "counts", which were left in shared memory, or "miss" */
    ratings_window_t window; /* of its talk; set by the use case */
    /* set unless it ends with RATINGS_OUTCOME_DONE; `why` also by a read that ends so without
     * statistics */
    ratings_failure_t failure;
} ratings_call_t;

/* ---- submitting ---- */

/* If the talk's window is open: appends the event of a rating, and waits for `visible_for` at most
 * until it is visible. The event of a voter sets the voter's rating of the talk, or withdraws it
 * (RATINGS_VALUE_NONE), also if there is none. */
ratings_outcome_e ratings_submit(ratings_call_t *call, const ratings_event_t *event,
                                 int64_t visible_for);

/* ---- reading ---- */

typedef struct {
    ratings_hidden_t hidden; /* if they are, histogram and statistics are all zero */
    ratings_histogram_t histogram;
    ratings_statistics_t statistics;
    bool has_statistics; /* false: the function did not answer; failure.why says why */
    ratings_validator_t validator;
} ratings_summary_t;

/* What GET is answered with, made anew of the store. */
ratings_outcome_e ratings_read(ratings_call_t *call, const char *talk_id,
                               ratings_summary_t *summary);

/* A voter's own rating of a talk, as current as what ratings_read reads. `*value` is
 * RATINGS_VALUE_NONE if there is none. */
ratings_outcome_e ratings_read_own(ratings_call_t *call, const char *talk_id,
                                   const ratings_voter_t *voter, int *value);

/* ---- listing talks ---- */

typedef struct {
    ratings_hidden_t hidden; /* if they are, all that follows is zero */
    ratings_histogram_t histogram;
    ratings_statistics_t
        statistics; /* of the histogram: the function is not asked for many talks */
    bool has_statistics;
} ratings_talk_results_t;

typedef struct ratings_known_talks_t ratings_known_talks_t;

typedef struct {
    ratings_known_talks_t *known; /* whose the page's talks are; NULL: they are the call's pool's */
    ratings_talk_page_t page;
    const char *zone;                /* of the talks' days; NULL: there are no talks */
    ratings_talk_results_t *results; /* of the page's talks; NULL: they were not asked for */
} ratings_listing_t;

/* A page of the talks, as they were within RatingsTalkTTL; with their ratings, as current as what
 * ratings_read reads, if the query asks for them. `rules` hide results. Whatever the outcome is,
 * ratings_list_end has to follow once the listing is used. */
ratings_outcome_e ratings_list_talks(ratings_call_t *call, const ratings_talk_query_t *query,
                                     const ratings_hide_rules_t *rules, ratings_listing_t *listing);

void ratings_list_end(ratings_call_t *call, ratings_listing_t *listing);

/* The one talk, as it is now: a page of its own, which is there without ratings where these alone
 * are unavailable. `talk_id` may be any text. */
ratings_outcome_e ratings_list_talk(ratings_call_t *call, const char *talk_id, bool with_ratings,
                                    const ratings_hide_rules_t *rules, ratings_listing_t *listing);

/* ---- responses ---- */

/* The response to an earlier read of the talk by an endpoint with the same rule, if it may be sent
 * again, and counts all before the position; without a call: no backend is asked. */
bool ratings_read_cached(const ratings_service_t *service, const char *talk_id, ratings_hide_t hide,
                         const ratings_position_t *position, ratings_entity_t *entity);

/* Caches the response that was made of `summary`, if it may be sent again. */
void ratings_cache_response(const ratings_call_t *call, const char *talk_id,
                            const ratings_summary_t *summary, const ratings_entity_t *entity);

#endif
