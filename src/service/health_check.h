/* Asking the backends for readiness. Calls go past the bulkheads, so that readiness is answered
 * while requests wait; those to a backend whose circuit breaker is open are its probes. */
#ifndef RATINGS_SERVICE_HEALTH_CHECK_H
#define RATINGS_SERVICE_HEALTH_CHECK_H

#include "health.h"

/* Asks each backend but the Lambda, until `deadline` (of ratings_monotonic), and sets `*health`.
 * `before`: the answer before, for what could not be asked, and for what was logged already; NULL:
 * there is none. A request thread; `pool` is that of the request. */
void ratings_health_check(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                          const ratings_health_t *before, ratings_health_t *health);

#endif
