/* Stands before a backend: asks its circuit breaker, which all children of the host share, bounds
 * how many threads of this child wait for it, and tells the error log when the breaker opens and
 * when it closes: once a host, not once a child or a request. Any thread. */
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
    const char *effect; /* what its being away means for users */
    const server_rec *server;
    ratings_shm_t *shared;
    ratings_host_backend_t *backend; /* in `shared` */
    ratings_breaker_limits_t policy;
    int64_t fair_us; /* a call that runs out of time counts as a failure when nobody has got an
                      * answer for so long */
    ratings_bulkhead_t gate;
} ratings_call_policy_t;

/* False when the breaker is open, or too many wait for the backend; `why` then says so. True: the
 * caller makes its call and reports it by leave, with `*since`: when it was let in. May wait for a
 * moment, and not beyond `deadline` (both of ratings_monotonic). */
bool ratings_call_policy_begin(ratings_call_policy_t *guard, int64_t deadline, int64_t *since,
                               ratings_result_t *why);

/* Reports a call. APR_SUCCESS, APR_NOTFOUND and APR_EAGAIN are answers of a healthy backend; of
 * RATINGS_NOT_ASKED, and of an APR_TIMEUP before a fair time has passed, the circuit breaker is not
 * told; all else is a failure. Returns the status. */
apr_status_t ratings_call_policy_end(ratings_call_policy_t *guard, int64_t since,
                                     const ratings_result_t *why);

/* Instead of it, by a caller that in the end made no call: leaves without a report. `got`: it has
 * got what it came for. */
void ratings_call_policy_abandon(ratings_call_policy_t *guard, int64_t since, bool got);

bool ratings_call_policy_is_open(const ratings_call_policy_t *guard);

/* For whoever asks the backend for nobody's request, so that a backend that recovers while no
 * request needs it is found: true if the breaker is open and no request has probed for a moment,
 * nor anybody for `pause` microseconds. The caller then makes a call, past the gate, and reports it
 * by ratings_call_policy_probed. */
bool ratings_call_policy_claim_probe(ratings_call_policy_t *guard, int64_t pause);
void ratings_call_policy_probed(ratings_call_policy_t *guard, const ratings_result_t *why);

#endif
