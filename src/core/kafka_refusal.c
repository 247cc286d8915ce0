#include "kafka_refusal.h"

#include "certificate_error.h"

#include <stdio.h>
#include <string.h>

/* librdkafka repeats the client's nonce in a way that Kafka takes up to 3.9 alone:
 * https://github.com/confluentinc/librdkafka/pull/4895. Mechanisms that a broker does not have are
 * named in other words. */
bool ratings_kafka_scram_is_too_old(int version, const char *reason)
{
    return version < 0x020601ff && strstr(reason, "with SASL mechanism SCRAM");
}

/* NOLINTNEXTLINE(readability-function-size): librdkafka's parameters */
int ratings_kafka_verify_certificate(struct rd_kafka_s *handle, const char *broker,
                                     int32_t broker_id, int *error, int depth,
                                     const char *certificate, size_t len, char *text, size_t size,
                                     void *opaque)
{
    (void)handle, (void)broker, (void)broker_id, (void)depth, (void)certificate, (void)len;
    (void)opaque;
    const char *problem = ratings_certificate_error(*error);
    (void)snprintf(text, size, "%s", problem ? problem : "");
    return !problem;
}
