#include "ctl_kafka.h"

#include "../core/secret_file.h"

#include <string.h>

bool ctl_kafka_set(rd_kafka_conf_t *conf, const char *name, const char *value, audit_failure_t *why)
{
    char text[512];
    switch (rd_kafka_conf_set(conf, name, value, text, sizeof text)) {
    case RD_KAFKA_CONF_OK:
        return true;
    case RD_KAFKA_CONF_UNKNOWN:
        return audit_fail(why, "-X %s: librdkafka has no such property", name);
    case RD_KAFKA_CONF_INVALID:
        break;
    }
    return audit_fail(why, "-X %s: librdkafka does not take that value", name);
}

bool ctl_kafka_set_all(rd_kafka_conf_t *conf, const ctl_kafka_property_t *properties, size_t count,
                       audit_failure_t *why)
{
    for (size_t i = 0; i < count; i++)
        if (!ctl_kafka_set(conf, properties[i].name, properties[i].value, why))
            return false;
    return true;
}

/* A value that is in a file. */
static bool set_from_file(rd_kafka_conf_t *conf, const char *name, const char *source,
                          audit_failure_t *why)
{
    char value[RATINGS_SECRET_TEXT_SIZE], reason[128];
    if (!ratings_secret_text_load(source, value, reason, sizeof reason))
        return audit_fail(why, "the file of -X %s: %s", name, reason);
    bool is_set = ctl_kafka_set(conf, name, value, why);
    explicit_bzero(value, sizeof value);
    return is_set;
}

static bool set_given(rd_kafka_conf_t *conf, const char *property, audit_failure_t *why)
{
    char name[128];
    const char *equals = strchr(property, '=');
    size_t len = equals ? (size_t)(equals - property) : 0;
    if (len == 0 || len >= sizeof name)
        return audit_fail(why, "-X takes property=value");
    memcpy(name, property, len);
    name[len] = '\0';
    return ratings_secret_is_source(equals + 1) ? set_from_file(conf, name, equals + 1, why)
                                                : ctl_kafka_set(conf, name, equals + 1, why);
}

bool ctl_kafka_set_given(rd_kafka_conf_t *conf, const char *const *properties, int count,
                         audit_failure_t *why)
{
    for (int i = 0; i < count; i++)
        if (!set_given(conf, properties[i], why))
            return false;
    return true;
}
