/* Whether the service can do its work now, backend by backend. */
#ifndef RATINGS_SERVICE_HEALTH_H
#define RATINGS_SERVICE_HEALTH_H

#include "service.h"

/* Asks the backends, at most once a second in a child, until `deadline` (of ratings_monotonic). The
 * function is not called, as each call costs money: it is down when its last calls failed. False
 * when another request was still asking by then. */
bool ratings_health(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                    ratings_health_t *health);

/* Ready: all are up but the statistics, which answers can do without. */
bool ratings_health_is_ready(const ratings_health_t *health);

#endif
