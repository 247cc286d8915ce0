/* Describing the service: its connection strings and its version. */
#ifndef RATINGS_SERVICE_DESCRIBE_H
#define RATINGS_SERVICE_DESCRIBE_H

#include "../config/config.h"

/* {"metadata":{"ratings_lambda":...,"ratings":...,"streams":...,"talks":...,"version":...,
 * "revision":...}}, passwords as *** unless `secrets`. malloc()ed, owned by the caller; NULL when
 * memory ran out. */
char *ratings_describe(const ratings_config_t *config, int secrets);

#endif
