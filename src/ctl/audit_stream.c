#include "audit_stream.h"

#include "../core/clock.h"
#include "ctl_kafka.h"
#include "ctl_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_MAX 1000
#define SLICE_MS 1000 /* callbacks are served, and deadlines checked, this often */
#define PAUSE_MS 50   /* before a request is repeated */
#define DOUBT_MS 2000 /* how long an end that comes too early is not believed */
#define NO_PARTITION (-1)

struct audit_stream_t {
    const audit_stream_options_t *options;
    rd_kafka_t *handle;
    rd_kafka_topic_t *topic;
    ctl_kafka_trouble_t trouble;
    int partition; /* being read */
    int64_t next;  /* its offset to come */
    rd_kafka_message_t *messages[READ_MAX];
    ssize_t held, at; /* messages from `at` to `held` are still to be folded */
    ctl_progress_t progress;
};

static int64_t now_ms(void)
{
    return ratings_monotonic() / 1000;
}

/* ---- what went wrong ---- */

static bool fail_kafka(audit_stream_t *stream, const char *doing, rd_kafka_resp_err_t code,
                       audit_failure_t *why)
{
    (void)rd_kafka_poll(stream->handle, 0); /* it may have more to say */
    audit_fail(why, "Kafka at %s: %s: %s%s%s%s", stream->options->brokers, doing,
               rd_kafka_err2str(code), stream->trouble.text[0] ? " (" : "", stream->trouble.text,
               stream->trouble.text[0] ? ")" : "");
    return false;
}

/* Errors that pass by themselves, with librdkafka reconnecting, or looking for the new leader,
 * behind them. */
static bool is_passing(rd_kafka_resp_err_t code)
{
    static const rd_kafka_resp_err_t passing[] = {
        RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN,
        RD_KAFKA_RESP_ERR__TIMED_OUT,
        RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
        RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
        RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
    };
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (code == passing[i])
            return true;
    return false;
}

/* ---- opening ---- */

/* librdkafka looks at a full queue again after a second, so it must hold a second's work; or
 * sooner, where librdkafka (2.2) lets that be said. */
static bool set_queue(rd_kafka_conf_t *conf, audit_failure_t *why)
{
    char text[256];
    return rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "20", text, sizeof text) ==
               RD_KAFKA_CONF_OK ||
           ctl_kafka_set(conf, "queued.min.messages", "600000", why);
}

/* What the audit rests on is set last. */
static bool set_consumer(rd_kafka_conf_t *conf, const audit_stream_options_t *options,
                         audit_failure_t *why)
{
    const ctl_kafka_property_t ours[] = {
        {"bootstrap.servers", options->brokers}, {"allow.auto.create.topics", "false"},
        {"auto.offset.reset", "error"},          {"enable.partition.eof", "true"},
        {"enable.auto.commit", "false"},         {"isolation.level", "read_committed"},
    };
    /* as long may a fetch at a partition's end hold up leaving it for the next */
    return ctl_kafka_set(conf, "client.id", "ratings-audit", why) &&
           ctl_kafka_set(conf, "fetch.wait.max.ms", "20", why) && set_queue(conf, why) &&
           ctl_kafka_set_given(conf, options->properties, options->properties_count, why) &&
           ctl_kafka_set_all(conf, ours, sizeof ours / sizeof *ours, why);
}

static bool make_handle(audit_stream_t *stream, audit_failure_t *why)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (!set_consumer(conf, stream->options, why)) {
        rd_kafka_conf_destroy(conf);
        return false;
    }
    stream->handle = ctl_kafka_open(RD_KAFKA_CONSUMER, conf, &stream->trouble, why);
    if (!stream->handle)
        return false;
    stream->topic = rd_kafka_topic_new(stream->handle, stream->options->topic, NULL);
    if (!stream->topic)
        return audit_fail(why, "'%s' cannot be a topic", stream->options->topic);
    return true;
}

static rd_kafka_resp_err_t ask_partitions(audit_stream_t *stream, int timeout_ms, int *partitions)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(stream->handle, 0, stream->topic, &metadata, timeout_ms);
    if (code)
        return code;
    code = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    *partitions = code ? 0 : metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return code;
}

static bool is_unknown_topic(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
           code == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
}

/* Tried until the timeout, but no longer than a slice once no broker can be reached: who has
 * mistyped an address shall not wait. */
bool audit_stream_partitions(audit_stream_t *stream, int *partitions, audit_failure_t *why)
{
    int64_t deadline = now_ms() + stream->options->timeout_ms;
    rd_kafka_resp_err_t code;
    stream->trouble.hopeless = false;
    do {
        int64_t left = deadline - now_ms();
        code = ask_partitions(stream, (int)(left < SLICE_MS ? left : SLICE_MS), partitions);
        if (code)
            (void)rd_kafka_poll(stream->handle, PAUSE_MS);
    } while (is_passing(code) && !stream->trouble.hopeless && now_ms() < deadline);
    if (is_unknown_topic(code))
        return audit_fail(why, "there is no topic '%s' in Kafka", stream->options->topic);
    if (code)
        return fail_kafka(stream, "looking for the topic", code, why);
    return *partitions > 0 || audit_fail(why, "the topic has no partitions");
}

audit_stream_t *audit_stream_open(const audit_stream_options_t *options, int *partitions,
                                  audit_failure_t *why)
{
    audit_stream_t *stream = calloc(1, sizeof *stream);
    if (!stream) {
        audit_no_memory(why);
        return NULL;
    }
    stream->options = options;
    stream->partition = NO_PARTITION;
    if (make_handle(stream, why) && audit_stream_partitions(stream, partitions, why))
        return stream;
    audit_stream_close(stream);
    return NULL;
}

static void drop_held(audit_stream_t *stream)
{
    for (; stream->at < stream->held; stream->at++)
        rd_kafka_message_destroy(stream->messages[stream->at]);
    stream->at = stream->held = 0;
}

static void stop_reading(audit_stream_t *stream)
{
    drop_held(stream);
    if (stream->partition != NO_PARTITION)
        (void)rd_kafka_consume_stop(stream->topic, stream->partition);
    stream->partition = NO_PARTITION;
}

void audit_stream_close(audit_stream_t *stream)
{
    if (!stream)
        return;
    stop_reading(stream);
    if (stream->topic)
        rd_kafka_topic_destroy(stream->topic);
    if (stream->handle)
        rd_kafka_destroy(stream->handle);
    free(stream);
}

/* ---- the ends ---- */

static rd_kafka_resp_err_t first_error(const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        if (list->elems[i].err)
            return list->elems[i].err;
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Not rd_kafka_query_watermark_offsets: before 2.3 it does not keep to its timeout (issue 2588).
 * The offsets for the times -2 and -1 are the log's ends (ListOffsets of Kafka's protocol). */
static rd_kafka_resp_err_t ask_end(audit_stream_t *stream, int count, int64_t which,
                                   int64_t *offsets, int timeout_ms)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; p < count; p++)
        rd_kafka_topic_partition_list_add(list, stream->options->topic, p)->offset = which;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(stream->handle, list, timeout_ms);
    if (!code)
        code = first_error(list);
    for (int i = 0; i < list->cnt; i++)
        offsets[list->elems[i].partition] = list->elems[i].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

static bool ask_all_ends(audit_stream_t *stream, int count, int64_t which, int64_t *offsets,
                         audit_failure_t *why)
{
    int64_t deadline = now_ms() + stream->options->timeout_ms, left;
    rd_kafka_resp_err_t code;
    do {
        left = deadline - now_ms();
        code = ask_end(stream, count, which, offsets, (int)left);
        if (code)
            (void)rd_kafka_poll(stream->handle, PAUSE_MS);
    } while (is_passing(code) && now_ms() < deadline);
    return code ? fail_kafka(stream, "asking for the log's ends", code, why) : true;
}

static bool ends_early(int count, const int64_t *expected, const int64_t *next)
{
    for (int p = 0; p < count && expected; p++)
        if (next[p] < expected[p])
            return true;
    return false;
}

bool audit_stream_ends(audit_stream_t *stream, int count, const int64_t *expected, int64_t *first,
                       int64_t *next, audit_failure_t *why)
{
    int64_t doubted_until = now_ms() + DOUBT_MS;
    if (!ask_all_ends(stream, count, RD_KAFKA_OFFSET_BEGINNING, first, why) ||
        !ask_all_ends(stream, count, RD_KAFKA_OFFSET_END, next, why))
        return false;
    while (ends_early(count, expected, next) && now_ms() < doubted_until) {
        (void)rd_kafka_poll(stream->handle, PAUSE_MS);
        if (!ask_all_ends(stream, count, RD_KAFKA_OFFSET_END, next, why))
            return false;
    }
    return true;
}

bool audit_stream_ends_at(audit_stream_t *stream, int count, int64_t at_ms, int64_t *next,
                          audit_failure_t *why)
{
    int64_t *later = calloc((size_t)count, sizeof *later);
    if (!later)
        return audit_no_memory(why);
    bool good = ask_all_ends(stream, count, at_ms + 1, later, why);
    for (int p = 0; p < count && good; p++)
        if (later[p] >= 0) /* RD_KAFKA_OFFSET_END: there is none */
            next[p] = later[p];
    free(later);
    return good;
}

/* ---- reading ---- */

static bool read_from(audit_stream_t *stream, int partition, int64_t offset, audit_failure_t *why)
{
    if (stream->partition == partition && stream->next == offset)
        return true;
    stop_reading(stream);
    if (rd_kafka_consume_start(stream->topic, partition, offset) != 0)
        return fail_kafka(stream, "reading", rd_kafka_last_error(), why);
    stream->partition = partition;
    stream->next = offset;
    return true;
}

/* Waits for one message, then takes those that are there: asking for many at once would wait until
 * there are so many. */
static void fetch_messages(audit_stream_t *stream, int timeout_ms)
{
    ssize_t more;
    drop_held(stream);
    (void)rd_kafka_poll(stream->handle, 0);
    stream->messages[0] = rd_kafka_consume(stream->topic, stream->partition, timeout_ms);
    if (!stream->messages[0])
        return;
    more = rd_kafka_consume_batch(stream->topic, stream->partition, 0, stream->messages + 1,
                                  READ_MAX - 1);
    stream->held = 1 + (more > 0 ? more : 0);
}

/* The last header of that name; NULL with length 0 when there is none. */
static const void *last_header(const rd_kafka_headers_t *headers, const char *name, size_t *len)
{
    const void *value;
    if (!rd_kafka_header_get_last(headers, name, &value, len))
        return value;
    *len = 0;
    return NULL;
}

/* A ticket, if it is an id of ours that is one, or an identity. */
static void identify(const rd_kafka_message_t *message, audit_record_t *record)
{
    const char ours[] = RATINGS_EVENT_SOURCE;
    const void *source, *id;
    size_t source_len, id_len;
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers))
        return;
    source = last_header(headers, "ce_source", &source_len);
    id = last_header(headers, "ce_id", &id_len);
    if (!source || source_len != strlen(ours) || memcmp(source, ours, source_len) != 0 ||
        !ratings_ticket_parse(id, id_len, &record->ticket)) {
        record->ticket.life = 0;
        record->identity = ratings_identity(source, source_len, id, id_len);
    }
}

static audit_record_t record_of_message(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    audit_record_t record = {
        .partition = message->partition,
        .offset = message->offset,
        .timestamp = timestamp,
        .append_time = type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME,
        .key = message->key,
        .value = message->payload,
        .key_len = message->key_len,
        .value_len = message->len,
    };
    identify(message, &record);
    return record;
}

/* The end of the partition comes as a message, too: before it there are no more
 * records, although offsets may be missing there (control records, compaction). */
static bool fold_message(audit_stream_t *stream, audit_fold_t *fold,
                         const rd_kafka_message_t *message, audit_failure_t *why)
{
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        if (message->offset > stream->next)
            stream->next = message->offset;
        return true;
    }
    if (message->err)
        return is_passing(message->err) || fail_kafka(stream, "reading", message->err, why);
    stream->next = message->offset + 1;
    audit_record_t record = record_of_message(message);
    return audit_fold_record(fold, &record) || audit_no_memory(why);
}

/* What is held, up to `to`. */
static bool fold_held(audit_stream_t *stream, audit_fold_t *fold, int64_t to, audit_failure_t *why)
{
    bool good = true;
    while (good && stream->at < stream->held && stream->next < to) {
        rd_kafka_message_t *message = stream->messages[stream->at];
        if (!message->err && message->offset >= to) {
            stream->next = to; /* there is a gap before it */
            break;
        }
        good = fold_message(stream, fold, message, why);
        rd_kafka_message_destroy(message);
        stream->at++;
    }
    return good;
}

static bool stalled(audit_stream_t *stream, int64_t to, audit_failure_t *why)
{
    (void)rd_kafka_poll(stream->handle, 0);
    return audit_fail(why,
                      "Kafka sends no more: nothing came for %d s at offset %" PRId64
                      " of partition %d, which should reach to %" PRId64 "%s%s%s",
                      stream->options->timeout_ms / 1000, stream->next, stream->partition, to,
                      stream->trouble.text[0] ? " (" : "", stream->trouble.text,
                      stream->trouble.text[0] ? ")" : "");
}

/* Of what is held, the time of the first record; errors that pass are dropped. */
static bool find_time(audit_stream_t *stream, int64_t *time, bool *found, audit_failure_t *why)
{
    for (; stream->at < stream->held; stream->at++) {
        const rd_kafka_message_t *message = stream->messages[stream->at];
        rd_kafka_timestamp_type_t type;
        *found = !message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        *time = message->err ? -1 : rd_kafka_message_timestamp(message, &type);
        if (*found)
            return true;
        if (!is_passing(message->err))
            return fail_kafka(stream, "reading", message->err, why);
        rd_kafka_message_destroy(stream->messages[stream->at]);
    }
    return true;
}

bool audit_stream_time_of(audit_stream_t *stream, int partition, int64_t offset, int64_t *time,
                          audit_failure_t *why)
{
    bool found = false;
    int64_t deadline = now_ms() + stream->options->timeout_ms;
    if (!read_from(stream, partition, offset, why))
        return false;
    for (;;) {
        if (!find_time(stream, time, &found, why))
            return false;
        if (found)
            return true;
        int64_t left = deadline - now_ms();
        if (left <= 0)
            return stalled(stream, offset + 1, why);
        fetch_messages(stream, (int)(left < SLICE_MS ? left : SLICE_MS));
    }
}

void audit_stream_progress_begin(audit_stream_t *stream, int64_t offsets)
{
    if (stream->options->has_progress && offsets > 0)
        ctl_progress_begin(&stream->progress, "reading the log", offsets);
}

void audit_stream_progress_end(audit_stream_t *stream)
{
    ctl_progress_end(&stream->progress);
}

bool audit_stream_fold(audit_stream_t *stream, audit_fold_t *fold, int partition, int64_t to,
                       audit_failure_t *why)
{
    audit_partition_t *at = &fold->partition[partition];
    if (at->next >= to)
        return true;
    if (!read_from(stream, partition, at->next, why))
        return false;
    int64_t deadline = now_ms() + stream->options->timeout_ms;
    for (;;) {
        int64_t before = stream->next;
        if (!fold_held(stream, fold, to, why))
            return false;
        ctl_progress_add(&stream->progress, stream->next - before);
        at->next = stream->next < to ? stream->next : to;
        if (stream->next >= to)
            return true;
        if (stream->next > before)
            deadline = now_ms() + stream->options->timeout_ms;
        int64_t left = deadline - now_ms();
        if (left <= 0)
            return stalled(stream, to, why);
        fetch_messages(stream, (int)(left < SLICE_MS ? left : SLICE_MS));
    }
}

int audit_stream_home(const audit_stream_t *stream, const audit_talk_t *talk, int count)
{
    return rd_kafka_msg_partitioner_murmur2(stream->topic, talk->id, talk->len, count, NULL, NULL);
}
