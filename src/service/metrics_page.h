/* What GET metrics replies: all that the host counts (../shm/metrics.h), and what else of it is
 * known without asking a backend, in one of the formats of ../core/exposition.h. */
#ifndef RATINGS_SERVICE_METRICS_PAGE_H
#define RATINGS_SERVICE_METRICS_PAGE_H

#include "../core/exposition.h"
#include "service.h"

/* The page of a service that has metrics, `*length` bytes in `pool`; NULL: memory ran out. All
 * children of the host give the same. Each number is read once, so that a page does not contradict
 * itself; no counter in it is lower than in a page that was made before of the same segment.
 * Request threads. */
const char *ratings_metrics_page(const ratings_service_t *service,
                                 ratings_exposition_format_e format, apr_pool_t *pool,
                                 size_t *length);

#endif
