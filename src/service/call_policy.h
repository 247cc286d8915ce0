/* The policy for calls of one backend: a bulkhead bounds how many threads of this child wait for
 * it, a circuit breaker that all children of the host share keeps calls away while it fails, and
 * the error log has one line when the breaker opens and one when it closes: once a host, not once a
 * child or a request. A call whose result says that the store has to be rebuilt requests that.
 *
 *     ratings_call_token_t token;
 *     if (!ratings_call_policy_begin(policy, deadline, &token, why))
 *         return why->status;
 *     (void)ratings_talks_find(..., why);
 *     return ratings_call_policy_end(&token, why);
 *
 * Any thread. Times are microseconds, points in time those of ratings_monotonic. */
#ifndef RATINGS_SERVICE_CALL_POLICY_H
#define RATINGS_SERVICE_CALL_POLICY_H

#include "../backend/common/result.h"
#include "../core/breaker.h"
#include "../core/bulkhead.h"
#include "../shm/segment.h"

#include <httpd.h>

typedef struct {
    const char *tag;    /* of its log lines */
    const char *name;   /* talks, store, stream or stats, with the server's name for people */
    const char *effect; /* what an open breaker means for users */
    const server_rec *server;
    ratings_shm_t *shared;
    ratings_metrics_t *metrics;       /* in shared memory as well, or NULL */
    ratings_backend_e which;          /* for these */
    ratings_backend_state_t *backend; /* in `shared` */
    ratings_breaker_limits_t limits;
    int64_t fair_us; /* a call that times out is a failure once nobody has got an answer for so
                      * long: it may have begun with little time left */
    bool is_usable;  /* false: the backend could not be made in this child; set before any call */
    ratings_bulkhead_t bulkhead;
} ratings_call_policy_t;

/* The right to make one call, and the duty to finish it: exactly once, by end or abandon, and
 * never by a copy. */
typedef struct {
    ratings_call_policy_t *policy; /* NULL: it was finished */
    int64_t since;                 /* when the call was let in */
    int64_t *spent; /* its duration is added to that; NULL: nobody asks. The caller sets it */
} ratings_call_token_t;

/* True: the caller has the token. It may have waited for other calls to end, but not beyond
 * `deadline`. False: the child cannot use the backend, the breaker is open, or too many wait for
 * the backend; `why` is RATINGS_NOT_ASKED then, and says which. */
bool ratings_call_policy_begin(ratings_call_policy_t *policy, int64_t deadline,
                               ratings_call_token_t *token, ratings_result_t *why);

/* Finishes a call that was made, and tells the breaker what its result says of the backend:
 *
 *   - answered: APR_SUCCESS, APR_NOTFOUND, APR_EAGAIN, and RATINGS_REBUILD_NEEDED: a malformed
 * value of the store is data corruption, no outage, and a rebuild is requested;
 *   - not asked: RATINGS_NOT_ASKED, and APR_TIMEUP before a fair time has passed. The breaker is
 *     not told;
 *   - failed: all else.
 *
 * Returns the status. */
apr_status_t ratings_call_policy_end(ratings_call_token_t *token, const ratings_result_t *why);

/* Finishes a token whose holder in the end made no call. `got`: it has got what it came for, from
 * another's call. */
void ratings_call_policy_abandon(ratings_call_token_t *token, bool got);

bool ratings_call_policy_is_open(const ratings_call_policy_t *policy);

/* For whoever calls the backend for nobody's request, so that a backend which recovers while no
 * request needs it is found. True if the child can use the backend, the breaker is open, and
 * neither has a request probed for a while nor anybody for `pause`: the caller then makes a call
 * without a token, past the bulkhead, and reports its result by ratings_call_policy_probed. */
bool ratings_call_policy_claim_probe(ratings_call_policy_t *policy, int64_t pause);
void ratings_call_policy_probed(ratings_call_policy_t *policy, const ratings_result_t *why);

#endif
