/* Whether librdkafka takes the properties of RatingsKafka together, before a child depends on it.
 * rd_kafka_conf_set takes each property by itself; only rd_kafka_new refuses a combination
 * (idempotence with acks=1), or a file that is not there. */
#ifndef RATINGS_CONFIG_KAFKA_TRIAL_H
#define RATINGS_CONFIG_KAFKA_TRIAL_H

#include "config.h"

#include "../backend/common/result.h"

#define RATINGS_KAFKA_TRIAL_S 5 /* how long it may take, seconds */

/* Creates librdkafka's handles of the service in a process of their own, which has the rights of a
 * child of httpd, and destroys them. APR_SUCCESS; APR_EINVAL when librdkafka refuses, with its
 * reason; another status when it could not be tried. For the parent, at configuration time, where
 * it waits for the process; `pool` is for memory of that time. */
apr_status_t ratings_kafka_try(server_rec *main, const ratings_config_t *config, apr_pool_t *pool,
                               ratings_result_t *why);

#endif
