/* A circuit breaker: after some failures in a row a backend is left alone for a while, then one
 * caller at a time tries it, until one succeeds. Thread-safe; the lock is held for a few
 * instructions only. Times are microseconds of any clock that does not go back. */
#ifndef RATINGS_CORE_BREAKER_H
#define RATINGS_CORE_BREAKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    RATINGS_BREAKER_CLOSED,
    RATINGS_BREAKER_OPEN,
    RATINGS_BREAKER_HALF_OPEN
} ratings_breaker_state_t;

typedef struct {
    pthread_mutex_t lock;
    unsigned threshold;  /* failures in a row that open it */
    int64_t cooldown_us; /* how long it stays open, up to a quarter more at random, so that
                          * processes do not probe in step */
    unsigned failures;   /* in a row */
    int64_t probe_at_us; /* open: when the next probe may start; half open: when the one that is
                          * under way counts as lost, and another may start */
    ratings_breaker_state_t state;
    uint64_t seed; /* of the jitter */
} ratings_breaker_t;

/* `threshold` >= 1, `cooldown_us` >= 0; `seed` should differ between processes. */
void ratings_breaker_init(ratings_breaker_t *b, unsigned threshold, int64_t cooldown_us,
                          uint64_t seed);
void ratings_breaker_destroy(ratings_breaker_t *b);

/* May the backend be called now? A caller that gets true reports success or failure after. When
 * open and the cool-down has passed, one caller gets true (the probe) until it reports; a probe
 * that does not report within a cool-down is given up. */
bool ratings_breaker_allow(ratings_breaker_t *b, int64_t now_us);

/* True when this report closed it / opened it: the moment for a log line. A probe that fails opens
 * it again and gives false, so an outage makes one line at its begin and one at its end. Any
 * success closes it; a failure reported while it is open (the call began before) does nothing. */
bool ratings_breaker_success(ratings_breaker_t *b);
bool ratings_breaker_failure(ratings_breaker_t *b, int64_t now_us);

/* For health and metrics. */
ratings_breaker_state_t ratings_breaker_state(ratings_breaker_t *b);

#endif
