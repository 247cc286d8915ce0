/* What becomes of a use case in HTTP: the status of each outcome, the line in the error log of one
 * that failed, and the reply. In the thread that has the request. */
#ifndef RATINGS_HTTP_USE_CASE_REPLY_H
#define RATINGS_HTTP_USE_CASE_REPLY_H

#include "../config/config.h"
#include "../service/use_cases.h"

#include <httpd.h>

/* A call of a use case for the request, which has to end by RatingsDeadline from now. Made once the
 * request has been read, with its body: a rating whose body comes after the talk has closed, when
 * its results may be shown, comes too late. */
ratings_call_t ratings_use_case_call(const request_rec *r, const ratings_server_t *server);

/* The status of an outcome that is no refusal (RATINGS_OUTCOME_DONE, RATINGS_OUTCOME_ACCEPTED);
 * logs it, if it is one that is logged. */
int ratings_use_case_status(request_rec *r, const ratings_call_t *call, ratings_outcome_e outcome);

/* Replies to any other outcome of the call, and logs it. Returns what the handler returns. */
int ratings_use_case_refuse(request_rec *r, const ratings_call_t *call, ratings_outcome_e outcome);

/* Replies with a rating. */
int ratings_reply_rating(request_rec *r, int status, const ratings_rating_t *rating);

/* The level of a log line about a request: `level`, or that of debug if a failure of the kind was
 * logged within the second, by another request of this child. */
int ratings_claim_log_level(ratings_child_t *child, ratings_failure_e kind, int level);

/* The same of a call that failed; that of debug also if the call did not ask a backend whose
 * circuit breaker is open: the log says why already. */
int ratings_failure_log_level(const ratings_call_t *call, ratings_failure_e kind, int level);

#endif
