/* What is checked of a service: its parts, each a function that reports its findings. Each runs in
 * a process of its own. */
#ifndef RATINGS_CHECK_CHECK_PARTS_H
#define RATINGS_CHECK_CHECK_PARTS_H

#include "../backend/common/findings.h"
#include "../config/config.h"

#include <apr_pools.h>
#include <stdbool.h>

typedef struct {
    const char *name;
    bool as_root; /* it looks at files that httpd reads before it gives up its rights */
    void (*run)(const ratings_server_t *record, apr_pool_t *pool, ratings_findings_t *findings);
} ratings_check_part_t;

#define RATINGS_CHECK_PARTS 5
extern const ratings_check_part_t ratings_check_parts[RATINGS_CHECK_PARTS];

#endif
