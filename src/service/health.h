/* Whether the service can do its work now, backend by backend: an answer of the host, which one
 * request at a time finds, and which all others are given at once, with its age. */
#ifndef RATINGS_SERVICE_HEALTH_H
#define RATINGS_SERVICE_HEALTH_H

#include "child.h"

#define RATINGS_REASON_MAX 200

/* A record of RATINGS_CACHE_HEALTH. */
typedef struct {
    int64_t key;      /* 0: there is one record */
    int64_t found_at; /* when its backends had been asked, of ratings_monotonic */
    char reason[RATINGS_BACKENDS][RATINGS_REASON_MAX]; /* why not, fit for a client; "": it is up */
    ratings_progress_t
        rebuild; /* of the store, while it is rebuilt; `of` 0: nothing is known of one */
} ratings_health_t;

extern const ratings_shm_cache_geometry_t ratings_health_cache_geometry;

/* Takes the host's answer, if that is younger than a second, or another request is about to find
 * the next one. Else it asks the backends, until `deadline` (of ratings_monotonic). The Lambda is
 * not called, as each call costs money: it is down while its circuit breaker is open. Where there
 * is no answer yet, or an old one, a few requests of a child wait a second for it; false if it did
 * not come. */
bool ratings_health(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                    ratings_health_t *health);

/* Ready: all are up but the statistics, which answers can do without. */
bool ratings_health_is_ready(const ratings_health_t *health);

#endif
