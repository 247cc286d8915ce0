/* librdkafka's configuration and handles, as the tool's consumer and its producer make them. One
 * thread: what librdkafka has to say is heard by rd_kafka_poll. */
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

/* What librdkafka said about its brokers, for the sentence that a failure ends in. */
typedef struct {
    char text[384];      /* the last reason; "" while there is none */
    bool is_certificate; /* what is wrong with a broker's certificate: no later text says more */
    bool hopeless;       /* no broker can be reached, or they do not let us in */
} ctl_kafka_trouble_t;

/* Makes a handle, which takes over `conf`; NULL and the reason when librdkafka refuses it.
 * Callbacks of the caller's own have `trouble` for their opaque, which lives as long as the handle.
 */
rd_kafka_t *ctl_kafka_open(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                           ctl_kafka_trouble_t *trouble, audit_failure_t *why);

#endif
