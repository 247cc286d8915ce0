/* A circuit breaker: after some failures in a row no caller calls a backend for a while, then one
 * caller at a time tries it, until one succeeds.
 *
 * One word, a lock-free atomic, so that the children of a host share it in shared memory: each
 * change of state is made by one compare-and-swap, whose caller alone learns of it, and a process
 * that is killed at any point leaves nothing locked. Any thread of any process. Times are
 * microseconds of one clock that does not go back. */
#ifndef RATINGS_CORE_BREAKER_H
#define RATINGS_CORE_BREAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    RATINGS_BREAKER_CLOSED,
    RATINGS_BREAKER_OPEN,
    RATINGS_BREAKER_HALF_OPEN
} ratings_breaker_state_t;

/* All zero: closed. */
typedef struct {
    _Atomic uint64_t word;
} ratings_breaker_t;

/* What its callers go by; it need not be the same for all. */
typedef struct {
    unsigned threshold;  /* failures in a row that open it, >= 1 */
    int64_t cooldown_us; /* how long it stays open, >= 0, and up to a quarter more at random, so
                          * that hosts do not probe in step */
    uint64_t seed;       /* of what is random: another one on each host */
} ratings_breaker_limits_t;

/* May the backend be called now? A caller that gets true reports success or failure after. When
 * open and the cool-down has passed, one caller gets true (the probe) until it reports; a probe
 * that does not report within a cool-down is given up. */
bool ratings_breaker_allow(ratings_breaker_t *b, const ratings_breaker_limits_t *policy,
                           int64_t now_us);

/* Whether it is not closed, and a probe might have begun at `at_us`. */
bool ratings_breaker_due(const ratings_breaker_t *b, int64_t at_us);

/* True when this report closed it / opened it: the moment for a log line. A probe that fails opens
 * it again and gives false, so an outage makes one line at its begin and one at its end. Any
 * success closes it; a failure reported while it is open (the call began before) does nothing. A
 * success after a success writes nothing. */
bool ratings_breaker_success(ratings_breaker_t *b);
bool ratings_breaker_failure(ratings_breaker_t *b, const ratings_breaker_limits_t *policy,
                             int64_t now_us);

ratings_breaker_state_t ratings_breaker_state(const ratings_breaker_t *b);

#endif
