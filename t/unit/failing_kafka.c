/* Of librdkafka. */
#include "failing.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>

/* One that says why. */
#define MAY_FAIL_WITH_TEXT(name, type, result, parameters, arguments)                              \
    type real_##name parameters __asm__("__real_" #name);                                          \
    FAILING_SEEN type failing_##name parameters __asm__("__wrap_" #name);                          \
    type failing_##name parameters                                                                 \
    {                                                                                              \
        if (!failing_now(#name))                                                                   \
            return real_##name arguments;                                                          \
        (void)snprintf(text, size, "no memory for " #name);                                        \
        return result;                                                                             \
    }

MAY_FAIL_WITH_TEXT(rd_kafka_new, rd_kafka_t *, NULL,
                   (rd_kafka_type_t type, rd_kafka_conf_t *conf, char *text, size_t size),
                   (type, conf, text, size))
MAY_FAIL_WITH_TEXT(rd_kafka_conf_set, rd_kafka_conf_res_t, RD_KAFKA_CONF_INVALID,
                   (rd_kafka_conf_t * conf, const char *name, const char *value, char *text,
                    size_t size),
                   (conf, name, value, text, size))
MAY_FAIL_WITH_TEXT(rd_kafka_NewTopic_new, rd_kafka_NewTopic_t *, NULL,
                   (const char *name, int partitions, int replication, char *text, size_t size),
                   (name, partitions, replication, text, size))

MAY_FAIL(rd_kafka_metadata, rd_kafka_resp_err_t, RD_KAFKA_RESP_ERR__TRANSPORT,
         (rd_kafka_t * handle, int all, rd_kafka_topic_t *only,
          const struct rd_kafka_metadata **metadata, int ms),
         (handle, all, only, metadata, ms))
MAY_FAIL(rd_kafka_queue_poll, rd_kafka_event_t *, NULL, (rd_kafka_queue_t * queue, int ms),
         (queue, ms))
MAY_FAIL(rd_kafka_assign, rd_kafka_resp_err_t, RD_KAFKA_RESP_ERR__STATE,
         (rd_kafka_t * handle, const rd_kafka_topic_partition_list_t *list), (handle, list))
MAY_FAIL(rd_kafka_query_watermark_offsets, rd_kafka_resp_err_t, RD_KAFKA_RESP_ERR__TIMED_OUT,
         (rd_kafka_t * handle, const char *topic, int32_t partition, int64_t *low, int64_t *high,
          int ms),
         (handle, topic, partition, low, high, ms))
MAY_FAIL(rd_kafka_offsets_for_times, rd_kafka_resp_err_t, RD_KAFKA_RESP_ERR__TIMED_OUT,
         (rd_kafka_t * handle, rd_kafka_topic_partition_list_t *list, int ms), (handle, list, ms))

/* Its own refusal, since that sets what rd_kafka_last_error() returns. */
MAY_FAIL(rd_kafka_topic_new, rd_kafka_topic_t *, real_rd_kafka_topic_new(handle, NULL, NULL),
         (rd_kafka_t * handle, const char *name, rd_kafka_topic_conf_t *conf), (handle, name, conf))
