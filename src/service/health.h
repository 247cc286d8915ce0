/* Whether the service can do its work now, backend by backend: one answer for the host, which one
 * request at a time finds, and all others are sent at once, with its age. However many ask, a
 * backend is asked once a second.
 *
 * Request threads. Points in time are those of ratings_monotonic. */
#ifndef RATINGS_SERVICE_HEALTH_H
#define RATINGS_SERVICE_HEALTH_H

#include "child.h"

#define RATINGS_REASON_MAX 200
#define RATINGS_HEALTH_FRESH_US INT64_C(1000000)
#define RATINGS_HEALTH_OLD_US INT64_C(10000000) /* the age beyond which an answer says nothing */

/* A record of RATINGS_CACHE_HEALTH. */
typedef struct {
    int64_t key;      /* 0: there is one record */
    int64_t asked_at; /* when its backends had been asked */
    int64_t
        found_at; /* the same, or when the projector had asked Kafka, within the second before */
    char reason[RATINGS_BACKENDS][RATINGS_REASON_MAX]; /* why not, fit for a client; "": it is up */
    ratings_progress_t rebuild; /* of the store, while it is rebuilt; `total` 0: none is known */
} ratings_health_t;

extern const ratings_shm_cache_geometry_t ratings_health_cache_geometry;

/* Sets `*health` to the host's answer, if that is younger than a second, or another request is
 * about to find the next one. Else it asks the backends, until `deadline`. The Lambda is not
 * called, as each call costs money: it is down while its circuit breaker is open. Where there is no
 * answer yet, or an old one, a few requests of a child wait for it for a second; false: none came,
 * and `*health` is not to be used. */
bool ratings_health(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                    ratings_health_t *health);

/* Ready: all are up but the statistics, which answers can do without. */
bool ratings_health_is_ready(const ratings_health_t *health);

#endif
