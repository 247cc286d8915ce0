/* Why a client of Kafka is refused, or refuses a broker, in words that librdkafka lacks: for the
 * service and for ratingsctl. Any thread. */
#ifndef RATINGS_CORE_KAFKA_REFUSAL_H
#define RATINGS_CORE_KAFKA_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether a broker may have refused the login since librdkafka of this `version` (as
 * rd_kafka_version() has it) cannot log in to Kafka 4 by SCRAM, whatever the password is. `reason`:
 * librdkafka's text of an error. */
bool ratings_kafka_scram_is_too_old(int version, const char *reason);

struct rd_kafka_s; /* librdkafka's rd_kafka_t: its header is not for core */

/* For rd_kafka_conf_set_ssl_cert_verify_cb: refuses what OpenSSL refuses, and says why. By itself
 * librdkafka blames ssl.ca.location for a name that differs and for a certificate that has expired
 * as well. It logs `text` with broker, subject and issuer. */
int ratings_kafka_verify_certificate(struct rd_kafka_s *handle, const char *broker,
                                     int32_t broker_id, int *error, int depth,
                                     const char *certificate, size_t len, char *text, size_t size,
                                     void *opaque);

#endif
