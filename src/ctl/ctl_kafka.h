/* librdkafka's configuration, as the tool's consumer and its producer make it. One thread. */
#ifndef RATINGS_CTL_KAFKA_H
#define RATINGS_CTL_KAFKA_H

#include "audit_failure.h"

#include <librdkafka/rdkafka.h>

#include <stddef.h>

/* No reason of these repeats a value, which may be a secret. */
bool ctl_kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value,
                   audit_failure_t *why);

typedef struct {
    const char *name, *value;
} ctl_kafka_property_t;

bool ctl_kafka_set_all(rd_kafka_conf_t *conf, const ctl_kafka_property_t *properties, size_t count,
                       audit_failure_t *why);

/* Those of -X: name=value each, the value maybe file:PATH. */
bool ctl_kafka_set_given(rd_kafka_conf_t *conf, const char *const *properties, int count,
                         audit_failure_t *why);

#endif
