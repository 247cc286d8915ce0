/* What GET metadata replies: the connection strings of the service, and its version. */
#ifndef RATINGS_SERVICE_METADATA_H
#define RATINGS_SERVICE_METADATA_H

#include "../config/config.h"

/* {"metadata":{"ratings_lambda":...,"ratings":...,"streams":...,"talks":...,"version":...,
 * "revision":...}}, the connection strings as configured if `secrets`, else as each backend redacts
 * its own. In `pool`; NULL when memory ran out. For the parent, at post_config. */
const char *ratings_metadata_text(const ratings_config_t *config, int secrets, apr_pool_t *pool);

#endif
