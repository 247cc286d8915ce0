/* What the configuration asks about the event log, before anything is connected. Any thread; but
 * for ratings_stream_try nothing is kept. */
#ifndef RATINGS_STREAM_CONFIG_H
#define RATINGS_STREAM_CONFIG_H

#include "../common/result.h"
#include "stream_options.h"

#include <apr_pools.h>

#include <stdbool.h>
#include <stddef.h>

/* NULL, or what is wrong with the list of brokers / the topic's name (static). */
const char *ratings_stream_brokers_problem(const char *brokers);
const char *ratings_stream_topic_problem(const char *topic);

/* Whether librdkafka knows the property and takes the value, and the module leaves it to the
 * administrator; else false and a sentence in `why` (`size` bytes), which does not repeat the
 * value. */
bool ratings_stream_property_ok(const char *key, const char *value, char *why, size_t size);

/* Makes a producer and a consumer of the options without `brokers`: only rd_kafka_new tells which
 * properties librdkafka refuses together, and which files it cannot read. APR_EINVAL: with its
 * reason. For a process that ends by _exit: the handles, whose threads read the options and memory
 * of `pool`, are left to it. */
apr_status_t ratings_stream_try(const ratings_stream_options_t *options, apr_pool_t *pool,
                                ratings_result_t *why);

#endif
