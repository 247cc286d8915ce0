#include "ctl_kafka.h"

#include "../core/kafka_refusal.h"
#include "../core/secret_file.h"

#include <stdio.h>
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

/* ---- handles ---- */

static void on_error(rd_kafka_t *handle, int code, const char *reason, void *opaque)
{
    ctl_kafka_trouble_t *trouble = opaque;
    (void)handle;
    trouble->hopeless |=
        code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    /* what went before says more than that all are down */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !trouble->is_certificate)
        (void)snprintf(trouble->text, sizeof trouble->text, "%s%s", reason,
                       ratings_kafka_scram_is_too_old(rd_kafka_version(), reason)
                           ? "; Kafka 4 takes SCRAM of librdkafka 2.6.1 and newer"
                           : "");
}

/* A line is "[thrd:NAME]: text". */
static void on_log(const rd_kafka_t *handle, int level, const char *facility, const char *line)
{
    ctl_kafka_trouble_t *trouble = rd_kafka_opaque(handle);
    const char *text = strstr(line, "]: ");
    (void)level;
    if (strcmp(facility, "SSLCERTVRFY") != 0)
        return;
    trouble->is_certificate = true;
    (void)snprintf(trouble->text, sizeof trouble->text, "%s", text ? text + 3 : line);
}

static rd_kafka_t *create_handle(rd_kafka_type_t type, rd_kafka_conf_t *conf, audit_failure_t *why)
{
    char text[256];
    rd_kafka_t *handle = rd_kafka_new(type, conf, text, sizeof text);
    if (handle)
        return handle;
    rd_kafka_conf_destroy(conf);
    (void)audit_fail(why, "librdkafka refuses its configuration: %s", text);
    return NULL;
}

rd_kafka_t *ctl_kafka_open(rd_kafka_type_t type, rd_kafka_conf_t *conf,
                           ctl_kafka_trouble_t *trouble, audit_failure_t *why)
{
    *trouble = (ctl_kafka_trouble_t){.hopeless = false};
    if (!ctl_kafka_set(conf, "log.queue", "true", why)) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_opaque(conf, trouble);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    /* if librdkafka has TLS */
    (void)rd_kafka_conf_set_ssl_cert_verify_cb(conf, ratings_kafka_verify_certificate);
    rd_kafka_t *handle = create_handle(type, conf, why);
    if (handle)
        (void)rd_kafka_set_log_queue(handle, NULL);
    return handle;
}
