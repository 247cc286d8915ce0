#include "stream_message.h"

#include "../../core/routing_record.h"
#include "../../core/ticket.h"

#include <apr_time.h>
#include <apr_uuid.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CloudEvents 1.0, Kafka protocol binding, binary mode:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md */
static rd_kafka_headers_t *make_headers(const char *type, const char *id)
{
    char when[96];
    apr_time_exp_t now;
    apr_time_exp_gmt(&now, apr_time_now());
    (void)snprintf(when, sizeof when, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", now.tm_year + 1900,
                   now.tm_mon + 1, now.tm_mday, now.tm_hour, now.tm_min, now.tm_sec, now.tm_usec);
    const struct {
        const char *key, *value;
    } headers[] = {
        {"ce_specversion", "1.0"}, {"ce_id", id},
        {"ce_type", type},         {"ce_source", RATINGS_EVENT_SOURCE},
        {"ce_time", when},         {"content-type", "application/json"},
    };
    rd_kafka_headers_t *list = rd_kafka_headers_new(sizeof headers / sizeof headers[0]);
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        rd_kafka_header_add(list, headers[i].key, -1, headers[i].value, -1);
    return list;
}

/* As the protocol has them, for tools such as OpenTelemetry, and as an extension of CloudEvents,
 * which has to say the same:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md */
static void add_trace_headers(rd_kafka_headers_t *list, const ratings_trace_t *trace)
{
    const struct {
        const char *key, *value;
    } headers[] = {
        {RATINGS_TRACE_PARENT, trace->parent},
        {"ce_" RATINGS_TRACE_PARENT, trace->parent},
        {RATINGS_TRACE_STATE, trace->state},
        {"ce_" RATINGS_TRACE_STATE, trace->state},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        if (headers[i].value[0])
            rd_kafka_header_add(list, headers[i].key, -1, headers[i].value, -1);
}

/* Takes over the value, which may be NULL: memory ran out. */
static stream_message_t *make_message(const char *key, char *value, size_t length, const char *type,
                                      const char *id)
{
    stream_message_t *message = value ? calloc(1, sizeof *message) : NULL;
    if (!message) {
        free(value);
        return NULL;
    }
    message->value = value;
    message->length = length;
    message->headers = make_headers(type, id);
    memcpy(message->key, key, strlen(key) + 1);
    return message;
}

/* Of what no writer sends again, and no fold counts twice. */
static stream_message_t *make_unnumbered(const char *key, char *value, size_t length,
                                         const char *type)
{
    char id[APR_UUID_FORMATTED_LENGTH + 1];
    apr_uuid_t uuid;
    apr_uuid_get(&uuid);
    apr_uuid_format(id, &uuid);
    return make_message(key, value, length, type, id);
}

stream_message_t *stream_message_of_event(const ratings_event_t *event,
                                          const ratings_trace_t *trace,
                                          const ratings_ticket_t *ticket)
{
    size_t length;
    char id[RATINGS_TICKET_TEXT_SIZE];
    char *value = ratings_event_encode(event, &length);
    ratings_ticket_print(ticket, id);
    stream_message_t *message =
        make_message(event->rating.talk_id, value, length, ratings_event_type(event), id);
    if (message)
        message->ticket = *ticket;
    if (message && trace)
        add_trace_headers(message->headers, trace);
    return message;
}

stream_message_t *stream_message_of_routing(int partitions)
{
    size_t length;
    char *value = ratings_routing_encode(partitions, &length);
    return make_unnumbered(RATINGS_ROUTING_KEY, value, length, RATINGS_ROUTING_TYPE);
}

stream_message_t *stream_message_of_electorate(const ratings_electorate_record_t *record)
{
    size_t length;
    char *value = ratings_electorate_encode(record, &length);
    return make_unnumbered(RATINGS_ELECTORATE_KEY, value, length, RATINGS_ELECTORATE_TYPE);
}

void stream_message_free(stream_message_t *message)
{
    if (!message)
        return;
    if (message->headers)
        rd_kafka_headers_destroy(message->headers);
    free(message->value);
    free(message);
}
