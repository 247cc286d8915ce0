/* A circuit breaker (Nygard, "Release It!"): after some failures in a row a backend is not called
 * for a cool-down. Then one caller at a time probes it, until one succeeds.
 *
 * Closed -> open by the threshold-th failure in a row; open -> half-open by the caller that gets
 * the probe; half-open -> closed by its success, -> open by its failure; any -> closed by any
 * success.
 *
 * Not a struct under a lock: the children of a host share it in shared memory, and one that is
 * killed while it holds a lock would leave the others to recover it. So the state is one word, a
 * lock-free atomic, each change of which is one compare-and-swap: exactly one caller learns of it
 * (and writes the log line), and a process that is killed at any point leaves nothing locked. Not a
 * rate of failures in a window: that takes more than a word, and a backend that fails some calls
 * still answers the others.
 *
 * Ownership: part of its owner's struct; nothing is allocated, no function fails. Threads: any, of
 * any process. Times are microseconds of ratings_monotonic, which all processes share. */
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

/* All zero is closed. */
typedef struct {
    _Atomic uint64_t word;
} ratings_breaker_t;

/* Those of a caller; they need not be the same for all callers. */
typedef struct {
    unsigned threshold;  /* failures in a row that open it, >= 1 */
    int64_t cooldown_us; /* how long it stays open, >= 0; up to a quarter is added at random, so
                          * that hosts do not probe in step */
    uint64_t seed;       /* of the random part: another one on each host */
} ratings_breaker_limits_t;

/* Whether the backend may be called now. A caller that gets true reports success or failure after
 * its call. While it is open and the cool-down is over, one caller gets true: the probe. A probe
 * that does not report within a cool-down counts as lost, and another caller gets it. */
bool ratings_breaker_allow(ratings_breaker_t *breaker, const ratings_breaker_limits_t *limits,
                           int64_t now_us);

/* Whether it is not closed, and its cool-down was over at `at_us`: by then a caller could have been
 * the probe. Changes nothing. */
bool ratings_breaker_due(const ratings_breaker_t *breaker, int64_t at_us);

/* Reports a call; true when this report closed or opened it, for the log line. A probe that fails
 * opens it again and returns false, so that an outage writes one line at its begin and one at its
 * end. A failure that is reported while it is open, of a call that began before, changes nothing. A
 * success after a success writes nothing to memory. */
bool ratings_breaker_success(ratings_breaker_t *breaker);
bool ratings_breaker_failure(ratings_breaker_t *breaker, const ratings_breaker_limits_t *limits,
                             int64_t now_us);

ratings_breaker_state_t ratings_breaker_state(const ratings_breaker_t *breaker);

#endif
