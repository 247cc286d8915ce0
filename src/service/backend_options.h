/* What each backend's client is made of, by the settings of a server. A child adds what is its own:
 * where its pools show how they are used, its logs. Plain data that points into the settings, which
 * outlive it. */
#ifndef RATINGS_SERVICE_BACKEND_OPTIONS_H
#define RATINGS_SERVICE_BACKEND_OPTIONS_H

#include "../backend/stats/stats.h"
#include "../backend/store/store.h"
#include "../backend/stream/stream_options.h"
#include "../backend/talks/talks.h"
#include "../config/config.h"

static inline ratings_talks_options_t ratings_talks_options_of(const ratings_config_t *config)
{
    return (ratings_talks_options_t){.connection = config->talks,
                                     .connections_max = (int)config->talks_pool,
                                     .timeout = config->talks_timeout};
}

static inline ratings_store_options_t ratings_store_options_of(const ratings_server_t *record)
{
    return (ratings_store_options_t){.url = record->config.store,
                                     .connections_max = (int)record->config.store_pool,
                                     .timeout = record->config.store_timeout,
                                     .tls = record->store_tls};
}

static inline ratings_stream_options_t ratings_stream_options_of(const ratings_config_t *config)
{
    return (ratings_stream_options_t){.brokers = config->stream,
                                      .topic = config->topic,
                                      .kafka = config->kafka,
                                      .timeout = config->stream_timeout,
                                      .partitions = (int)config->topic_partitions,
                                      .replication = (int)config->topic_replication};
}

static inline ratings_stats_options_t ratings_stats_options_of(const ratings_server_t *record)
{
    return (ratings_stats_options_t){.url = record->config.stats,
                                     .proxy = record->config.stats_proxy,
                                     .handles_max = (int)record->config.stats_pool,
                                     .timeout = record->config.stats_timeout,
                                     .header = ratings_stats_header_of(&record->config),
                                     .auth = record->config.stats_auth,
                                     .credentials = record->stats_credentials};
}

#endif
