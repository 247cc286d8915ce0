/* Whether Kafka is as the service needs it. */
#ifndef RATINGS_STREAM_INSPECT_H
#define RATINGS_STREAM_INSPECT_H

#include "../common/findings.h"
#include "stream_options.h"

#include <apr_pools.h>

/* Reports whether the brokers answer and take the login, what the topic is like, or whether the
 * service could create it, and whether it can be read. Nothing is created, and no record appended:
 * whether the user may append, Kafka says to librdkafka 2.3 and newer alone. The log of the options
 * is not used. Memory and handles are left to the process, `pool` as well; see findings.h. */
void ratings_stream_inspect(const ratings_stream_options_t *options, apr_pool_t *pool,
                            ratings_findings_t *findings);

#endif
