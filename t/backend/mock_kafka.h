/* librdkafka's mock of Kafka: one broker on loopback, whose threads are those of a handle. */
#ifndef MOCK_KAFKA_H
#define MOCK_KAFKA_H

#include "backend_test.h"

#include <librdkafka/rdkafka.h>
/* after it */
#include <librdkafka/rdkafka_mock.h>

/* Made with the topic, of one partition; it goes with `*handle`, which is the caller's to destroy.
 */
static inline rd_kafka_mock_cluster_t *mock_kafka_start(rd_kafka_t **handle, const char *topic)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", why, sizeof why), 0);
    *handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    assert_non_null(*handle);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_handle_mock_cluster(*handle);
    assert_int_equal(rd_kafka_mock_topic_create(cluster, topic, 1, 1), 0);
    return cluster;
}

#endif
