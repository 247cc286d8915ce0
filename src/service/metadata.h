/* Describing the service: its connection strings and its version. */
#ifndef RATINGS_SERVICE_METADATA_H
#define RATINGS_SERVICE_METADATA_H

#include "../config/config.h"

/* {"metadata":{"ratings_lambda":...,"ratings":...,"streams":...,"talks":...,"version":...,
 * "revision":...}}, the connection strings as configured if `secrets`, else what each backend says
 * may be shown of its own. In `pool`; NULL when memory ran out. */
const char *ratings_metadata_text(const ratings_config_t *config, int secrets, apr_pool_t *pool);

#endif
