/* What librdkafka says of the properties of RatingsKafka together, before a child depends on it. */
#ifndef RATINGS_CONFIG_TRIAL_H
#define RATINGS_CONFIG_TRIAL_H

#include "config.h"

#include "../backend/common/result.h"

/* Makes librdkafka's handles in a process of their own, with the rights that a child of httpd has,
 * and waits for it for RATINGS_TRIAL_SECONDS at most. APR_EINVAL: refused, with the reason;
 * anything else but APR_SUCCESS: it could not be tried. For the parent, at configuration time. */
apr_status_t ratings_trial_of_kafka(server_rec *main, const ratings_config_t *config,
                                    apr_pool_t *pool, ratings_result_t *why);

#define RATINGS_TRIAL_SECONDS 5

#endif
