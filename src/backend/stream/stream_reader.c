#include "stream_reader.h"

#include "stream_handle.h"

#include <apr_strings.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Messages that are fetched ahead: fetching stops above, and goes on below half of it. One takes
 * about half a kilobyte besides what it holds, of which there are 32 MB at most. */
#define AHEAD 50000
#define AHEAD_TEXT "50000"
#define AHEAD_KBYTES "32768"
#define FETCH_BYTES 4194304 /* of one answer: so much may come on top */
#define FETCH_BYTES_TEXT "4194304"
#define WAKE_MS 100

struct ratings_reader_t {
    stream_handle_owner_t owner;
    rd_kafka_t *handle;
    rd_kafka_queue_t *queue;
    rd_kafka_message_t *messages[RATINGS_READ_MAX];
    ssize_t held; /* messages that the caller's records point into */
    int assigned; /* partitions */
    bool is_full; /* so much is fetched ahead that fetching may have stopped */
};

/* That brokers come and go the producer of the same child reports; what reading means to us comes
 * with the messages. Without this, a callback-less consumer would print it to stderr. */
static void on_reader_error(stream_handle_owner_t *owner, rd_kafka_t *handle, int code,
                            const char *reason)
{
    (void)handle, (void)code;
    stream_log(owner, STREAM_DEBUG, reason);
}

/* librdkafka refuses an answer that a message may be too large for: RatingsKafka message.max.bytes.
 */
static const char *fetch_bytes(const ratings_stream_options_t *options)
{
    const char *largest = apr_table_get(options->kafka, "message.max.bytes");
    return largest && apr_atoi64(largest) > FETCH_BYTES ? largest : FETCH_BYTES_TEXT;
}

static bool rechecks_fetch_queue(void)
{
    return rd_kafka_version() >= 0x020200ff;
}

static apr_status_t make_reader_handle(ratings_reader_t *reader, ratings_result_t *why)
{
    const ratings_stream_options_t *options = reader->owner.options;
    char group[STREAM_TEXT];
    (void)snprintf(group, sizeof group, "mod_ratings.%s", options->topic);
    const stream_property_t ours[] = {
        {"client.id", "mod_ratings"},
        {"group.id", group},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"isolation.level", "read_committed"},
        {"allow.auto.create.topics", "false"},
        {"enable.partition.eof", "true"},
        {"fetch.wait.max.ms", "100"}, /* as long may a partition that joins a fetch be late */
        {"fetch.error.backoff.ms", "50"},
        {"queued.min.messages", AHEAD_TEXT},
        {"queued.max.messages.kbytes", AHEAD_KBYTES},
        {"fetch.max.bytes", fetch_bytes(options)},
        {"socket.nagle.disable", "true"},
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "1000"},
        {"log.connection.close", "false"},
        {rechecks_fetch_queue() ? "fetch.queue.backoff.ms" : NULL, "10"}, /* see keep_fetching */
        {NULL, NULL},
    };
    return stream_handle_create(&reader->handle, RD_KAFKA_CONSUMER, &reader->owner, ours, why);
}

apr_status_t ratings_reader_create(ratings_reader_t **out, const ratings_stream_options_t *options,
                                   ratings_result_t *why)
{
    ratings_reader_t *reader = calloc(1, sizeof *reader);
    if (!reader)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    reader->owner = (stream_handle_owner_t){.options = options, .failed = on_reader_error};
    apr_status_t status = make_reader_handle(reader, why);
    if (status != APR_SUCCESS) {
        free(reader);
        return status;
    }
    rd_kafka_poll_set_consumer(reader->handle);
    reader->queue = rd_kafka_queue_get_consumer(reader->handle);
    *out = reader;
    return APR_SUCCESS;
}

static void free_held(ratings_reader_t *reader)
{
    for (ssize_t i = 0; i < reader->held; i++)
        rd_kafka_message_destroy(reader->messages[i]);
    reader->held = 0;
}

/* Without rd_kafka_consumer_close: there is no group membership to give up, and it may wait. */
void ratings_reader_destroy(ratings_reader_t *reader)
{
    free_held(reader);
    rd_kafka_queue_destroy(reader->queue);
    rd_kafka_destroy_flags(reader->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    free(reader);
}

static rd_kafka_topic_partition_list_t *offset_list(const ratings_reader_t *reader,
                                                    const int64_t *offsets, int count)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; p < count; p++)
        if (offsets[p] >= 0)
            rd_kafka_topic_partition_list_add(list, reader->owner.options->topic, p)->offset =
                offsets[p];
    return list;
}

/* Any question does, over the connections of this handle. */
static apr_status_t ask_for_ends(const ratings_reader_t *reader, int count, int timeout_ms,
                                 ratings_result_t *why)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; p < count; p++)
        rd_kafka_topic_partition_list_add(list, reader->owner.options->topic, p)->offset =
            RD_KAFKA_OFFSET_END;
    apr_status_t status = stream_offsets(reader->handle, list, timeout_ms, why);
    rd_kafka_topic_partition_list_destroy(list);
    return status;
}

/* A connection is opened when there is something to ask; a fetch is not enough, it is looked after
 * on a timer of up to a second. */
apr_status_t ratings_reader_connect(ratings_reader_t *reader, int count,
                                    apr_interval_time_t timeout, ratings_result_t *why)
{
    return ask_for_ends(reader, count, stream_ms(timeout), why);
}

apr_status_t ratings_reader_assign(ratings_reader_t *reader, const int64_t *offsets, int count,
                                   ratings_result_t *why)
{
    rd_kafka_topic_partition_list_t *list = offset_list(reader, offsets, count);
    free_held(reader);
    rd_kafka_resp_err_t code = rd_kafka_assign(reader->handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    reader->assigned = count;
    reader->is_full = false;
    return code ? stream_failure(code, "assigning partitions", why) : ratings_result_ok(why);
}

static size_t header_value(const rd_kafka_headers_t *headers, const char *name, const void **value)
{
    size_t size = 0;
    *value = NULL;
    return rd_kafka_header_get_last(headers, name, value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR
               ? size
               : 0;
}

static bool is_our_source(const char *source, size_t length)
{
    return length == sizeof RATINGS_EVENT_SOURCE - 1 &&
           memcmp(source, RATINGS_EVENT_SOURCE, length) == 0;
}

/* What tells the event from others. No UUID is as long as a ticket: no more of it is looked at. */
static void identify(const rd_kafka_headers_t *headers, ratings_record_t *record)
{
    const void *source, *id;
    size_t source_len = header_value(headers, "ce_source", &source);
    size_t id_len = header_value(headers, "ce_id", &id);
    if (is_our_source(source, source_len) && ratings_ticket_parse(id, id_len, &record->ticket))
        return;
    record->ticket.life = 0;
    record->identity = ratings_identity(source, source_len, id, id_len);
}

/* The headers go at once: the memory of one message's then serves the next, where that of a whole
 * batch would be asked for first and given back afterwards. */
static void identify_message(rd_kafka_message_t *message, ratings_record_t *record)
{
    rd_kafka_headers_t *headers;
    record->ticket.life = 0;
    record->identity = (ratings_identity_t){0, 0};
    if (rd_kafka_message_detach_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    identify(headers, record);
    rd_kafka_headers_destroy(headers);
}

static void end_of_message(const rd_kafka_message_t *message, ratings_record_t *record)
{
    *record = (ratings_record_t){
        .partition = message->partition, .offset = message->offset, .is_end = true};
}

static void record_of_message(rd_kafka_message_t *message, ratings_record_t *record)
{
    rd_kafka_timestamp_type_t type;
    record->partition = message->partition;
    record->offset = message->offset;
    record->timestamp = rd_kafka_message_timestamp(message, &type);
    record->has_append_time = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
    record->key = message->key;
    record->key_len = message->key_len;
    record->value = message->payload;
    record->value_len = message->len;
    identify_message(message, record);
    record->is_end = false;
}

/* Errors that pass by themselves, with librdkafka reconnecting behind them. */
static bool is_transient(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
           code == RD_KAFKA_RESP_ERR__TIMED_OUT;
}

/* Once librdkafka before 2.2 has fetched enough, it looks only once a second whether it is enough
 * still: its brokers' threads sleep (issue 2879). Any request wakes the one of its broker. */
static void keep_fetching(ratings_reader_t *reader)
{
    ratings_result_t ignored;
    if (rechecks_fetch_queue())
        return;
    size_t ahead = rd_kafka_queue_length(reader->queue);
    if (ahead >= AHEAD / 2) {
        reader->is_full = true;
    } else if (reader->is_full) {
        reader->is_full = false;
        (void)ask_for_ends(reader, reader->assigned, WAKE_MS, &ignored);
    }
}

/* Waits for one message, then takes those that are there: rd_kafka_consume_batch_queue alone would
 * wait its whole time for the batch to fill. */
static void fetch_messages(ratings_reader_t *reader, int timeout_ms, int max)
{
    ssize_t more = 0;
    reader->messages[0] = rd_kafka_consume_queue(reader->queue, timeout_ms);
    if (!reader->messages[0])
        return;
    if (max > 1)
        more =
            rd_kafka_consume_batch_queue(reader->queue, 0, reader->messages + 1, (size_t)max - 1);
    reader->held = 1 + (more > 0 ? more : 0);
}

apr_status_t ratings_reader_read(ratings_reader_t *reader, apr_interval_time_t timeout,
                                 ratings_record_t *records, int max, int *count,
                                 ratings_result_t *why)
{
    free_held(reader);
    *count = 0;
    keep_fetching(reader);
    fetch_messages(reader, stream_ms(timeout), max);
    for (ssize_t i = 0; i < reader->held; i++) {
        rd_kafka_message_t *message = reader->messages[i];
        if (!message->err)
            record_of_message(message, &records[(*count)++]);
        else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            end_of_message(message, &records[(*count)++]);
        else if (!is_transient(message->err))
            return stream_failure(message->err, "reading", why);
    }
    return ratings_result_ok(why);
}

void ratings_reader_wake(ratings_reader_t *reader)
{
    rd_kafka_queue_yield(reader->queue);
}

void ratings_reader_unassign(ratings_reader_t *reader)
{
    free_held(reader);
    (void)rd_kafka_assign(reader->handle, NULL);
}

void ratings_reader_commit(ratings_reader_t *reader, const int64_t *offsets, int count)
{
    rd_kafka_topic_partition_list_t *list = offset_list(reader, offsets, count);
    (void)rd_kafka_commit(reader->handle, list, 1);
    rd_kafka_topic_partition_list_destroy(list);
}
