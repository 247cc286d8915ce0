/* Stands before a backend: asks its circuit breaker, bounds how many threads wait for it, and tells
 * the error log when it goes away and when it is back, rather than once a request. Any thread. */
#ifndef RATINGS_SERVICE_GUARD_H
#define RATINGS_SERVICE_GUARD_H

#include "../backend/result.h"
#include "../core/breaker.h"
#include "../core/gate.h"

#include <httpd.h>

typedef struct {
    const char *tag;    /* of its log lines */
    const char *name;   /* talks, store, stream or stats, with the server's name for people */
    const char *effect; /* what its being away means for users */
    const server_rec *server;
    int64_t fair_us; /* a call that runs out of time counts as a failure when nobody has got an
                      * answer for so long */
    ratings_breaker_t breaker;
    ratings_gate_t gate;
} ratings_guard_t;

/* False when the backend is left alone at the moment, or too many wait for it; `why` then says so.
 * True: the caller makes its call and reports it by leave, with `*since`: when it was let in. May
 * wait for a moment, and not beyond `deadline` (both of ratings_monotonic). */
bool ratings_guard_enter(ratings_guard_t *guard, int64_t deadline, int64_t *since,
                         ratings_result_t *why);

/* Reports a call. APR_SUCCESS, APR_NOTFOUND and APR_EAGAIN are answers of a healthy backend; of
 * RATINGS_NOT_ASKED, and of an APR_TIMEUP before a fair time has passed, the circuit breaker is not
 * told; all else is a failure. Returns the status. */
apr_status_t ratings_guard_leave(ratings_guard_t *guard, int64_t since,
                                 const ratings_result_t *why);

/* Instead of it, by a caller that in the end made no call: leaves without a report. `got`: it has
 * got what it came for. */
void ratings_guard_pass(ratings_guard_t *guard, int64_t since, bool got);

#endif
