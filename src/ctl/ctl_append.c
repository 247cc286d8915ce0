#include "ctl_append.h"

#include "../core/clock.h"
#include "../core/container_of.h"
#include "../core/number.h"
#include "../core/window.h"
#include "ctl_kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SLICE_MS 100

struct ctl_append_t {
    const audit_stream_options_t *options;
    rd_kafka_t *handle;
    ctl_kafka_trouble_t trouble;
    size_t given, appended, refused;
    rd_kafka_resp_err_t first_error; /* of a record that was refused */
    int64_t ends[];
};

/* ---- what librdkafka tells, by rd_kafka_poll ---- */

static void on_appended(rd_kafka_t *handle, const rd_kafka_message_t *message, void *opaque)
{
    ctl_kafka_trouble_t *trouble = opaque;
    ctl_append_t *append = RATINGS_CONTAINER_OF(trouble, ctl_append_t, trouble);
    (void)handle;
    if (message->err) {
        append->first_error = append->refused ? append->first_error : message->err;
        append->refused++;
        return;
    }
    append->appended++;
    if (message->offset >= append->ends[message->partition])
        append->ends[message->partition] = message->offset + 1;
}

/* ---- opening ---- */

/* What exactly-once rests on is set last. */
static bool set_producer(rd_kafka_conf_t *conf, const audit_stream_options_t *options,
                         audit_failure_t *why)
{
    char timeout[16];
    (void)snprintf(timeout, sizeof timeout, "%d", options->timeout_ms);
    const ctl_kafka_property_t ours[] = {
        {"bootstrap.servers", options->brokers},
        {"acks", "all"},
        {"enable.idempotence", "true"},
        {"message.timeout.ms", timeout},
    };
    return ctl_kafka_set(conf, "client.id", "ratingsctl", why) &&
           ctl_kafka_set_given(conf, options->properties, options->properties_count, why) &&
           ctl_kafka_set_all(conf, ours, sizeof ours / sizeof *ours, why);
}

static bool make_producer(ctl_append_t *append, audit_failure_t *why)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!set_producer(conf, append->options, why)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    rd_kafka_conf_set_dr_msg_cb(conf, on_appended);
    append->handle = ctl_kafka_open(RD_KAFKA_PRODUCER, conf, &append->trouble, why);
    return append->handle != NULL;
}

ctl_append_t *ctl_append_open(const audit_stream_options_t *options, int partitions,
                              audit_failure_t *why)
{
    ctl_append_t *append = calloc(1, sizeof *append + (size_t)partitions * sizeof *append->ends);
    if (!append) {
        audit_no_memory(why);
        return NULL;
    }
    append->options = options;
    if (make_producer(append, why))
        return append;
    ctl_append_close(append);
    return NULL;
}

void ctl_append_close(ctl_append_t *append)
{
    if (append && append->handle)
        rd_kafka_destroy(append->handle);
    free(append);
}

/* ---- appending ---- */

/* A random UUID: https://www.rfc-editor.org/rfc/rfc9562#section-5.4 */
static bool make_id(char id[37])
{
    unsigned char bytes[16];
    char digits[2 * sizeof bytes + 1];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0F));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));
    ratings_hex_write(bytes, sizeof bytes, digits);
    (void)snprintf(id, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12,
                   digits + 16, digits + 20);
    return true;
}

/* CloudEvents 1.0, as the service's own records have them, but for the source. NULL: no random
 * bytes. */
static rd_kafka_headers_t *make_cloudevents_headers(const char *type)
{
    char id[37], now[RATINGS_TIME_TEXT_SIZE];
    if (!make_id(id) || !ratings_time_print(ratings_wall_clock(), now))
        return NULL;
    const char *const headers[][2] = {
        {"ce_specversion", "1.0"},    {"ce_id", id},    {"ce_type", type},
        {"ce_source", "/ratingsctl"}, {"ce_time", now}, {"content-type", "application/json"},
    };
    rd_kafka_headers_t *list = rd_kafka_headers_new(sizeof headers / sizeof *headers);
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        (void)rd_kafka_header_add(list, headers[i][0], -1, headers[i][1], -1);
    return list;
}

/* Takes over the value where there is no error, the headers always. A full queue has room again
 * once records are acknowledged, or have timed out. */
static rd_kafka_resp_err_t produce(ctl_append_t *append, int partition, const char *key,
                                   char *value, size_t len, rd_kafka_headers_t *headers)
{
    rd_kafka_resp_err_t code;
    do
        code = rd_kafka_producev(append->handle, RD_KAFKA_V_TOPIC(append->options->topic),
                                 RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_KEY(key, strlen(key)),
                                 RD_KAFKA_V_VALUE(value, len), RD_KAFKA_V_HEADERS(headers),
                                 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_FREE), RD_KAFKA_V_END);
    while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL && rd_kafka_poll(append->handle, SLICE_MS) >= 0);
    if (code)
        rd_kafka_headers_destroy(headers);
    return code;
}

static bool fail_append(ctl_append_t *append, rd_kafka_resp_err_t code, audit_failure_t *why)
{
    return audit_fail(why,
                      "Kafka at %s: appending: %s%s%s%s; of %zu records %zu are known to be in the "
                      "log: do it again for the rest",
                      append->options->brokers, rd_kafka_err2str(code),
                      append->trouble.text[0] ? " (" : "", append->trouble.text,
                      append->trouble.text[0] ? ")" : "", append->given, append->appended);
}

bool ctl_append_record(ctl_append_t *append, int partition, const char *key, const char *type,
                       char *value, size_t len, audit_failure_t *why)
{
    rd_kafka_headers_t *headers = value ? make_cloudevents_headers(type) : NULL;
    if (!headers) {
        free(value);
        return audit_no_memory(why);
    }
    rd_kafka_resp_err_t code = produce(append, partition, key, value, len, headers);
    append->given++;
    if (!code)
        return true;
    free(value);
    return fail_append(append, code, why);
}

/* librdkafka reports on each record, after message.timeout.ms at the latest. */
bool ctl_append_wait(ctl_append_t *append, audit_failure_t *why)
{
    while (append->appended + append->refused < append->given)
        (void)rd_kafka_poll(append->handle, SLICE_MS);
    return append->refused == 0 || fail_append(append, append->first_error, why);
}

size_t ctl_append_count(const ctl_append_t *append)
{
    return append->appended;
}

const int64_t *ctl_append_ends(const ctl_append_t *append)
{
    return append->ends;
}
