/* The state of a service in a few lines, for a page that people read: mod_status's. No backend is
 * asked. What is counted is there where the service has metrics (../shm/metrics.h). */
#ifndef RATINGS_SERVICE_STATUS_LINES_H
#define RATINGS_SERVICE_STATUS_LINES_H

#include "service.h"

typedef struct {
    const char *key, *title; /* one word for programs, and some for people: static */
    const char *value;       /* in the pool */
} ratings_status_line_t;

#define RATINGS_STATUS_LINES_MAX 20

/* Makes the lines, in `pool`, and returns how many. Any thread. */
int ratings_status_lines(const ratings_service_t *service, apr_pool_t *pool,
                         ratings_status_line_t lines[RATINGS_STATUS_LINES_MAX]);

#endif
