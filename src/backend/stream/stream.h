/* The event log: a Kafka topic, by librdkafka. One producer per child appends (with acks=all, and
 * idempotent), one consumer per projector reads in order.
 * https://docs.confluent.io/platform/current/clients/librdkafka/html/rdkafka_8h.html
 *
 * Handles are made in the child, never in the parent: their threads do not survive fork. Nothing is
 * logged here: librdkafka's own lines go to the function of the options, `why` carries the rest. */
#ifndef RATINGS_STREAM_H
#define RATINGS_STREAM_H

#include "../../core/event.h"
#include "../common/log_record.h"
#include "../common/result.h"

#include <apr_pools.h>
#include <apr_tables.h>
#include <apr_time.h>

#include <stdbool.h>

/* Receives what librdkafka has to say: `level` is that of syslog (3 error ... 7 debug). Called on
 * any of its threads. */
typedef void ratings_stream_log_fn(void *context, int level, const char *text);

typedef struct {
    const char *brokers;         /* host:port[,host:port...]; NULL for ratings_stream_try */
    const char *topic;           /* its name, see ratings_stream_topic_problem */
    const apr_table_t *kafka;    /* librdkafka properties of the administrator */
    apr_interval_time_t timeout; /* microseconds, until an event is acknowledged or given up */
    int partitions;              /* if the topic is created */
    int replication;             /* the same; 0: three, or one where there are fewer brokers */
    ratings_stream_log_fn *log;
    void *log_context;
} ratings_stream_options_t;

/* ---- for the configuration ---- */

const char *ratings_stream_brokers_problem(const char *brokers);
const char *ratings_stream_topic_problem(const char *topic);

/* Whether librdkafka knows the property and takes the value, and the module leaves it to the
 * administrator; else false and a sentence in `why`. */
bool ratings_stream_property_ok(const char *key, const char *value, char *why, size_t size);

/* Makes a producer and a consumer of the options without `brokers`: only so librdkafka tells which
 * properties it refuses together, and which files it cannot read. APR_EINVAL: with its reason. For
 * a process that ends by _exit: the handles, with threads of their own, are left to it. */
apr_status_t ratings_stream_try(const ratings_stream_options_t *options, apr_pool_t *pool,
                                ratings_result_t *why);

/* ---- appending ---- */

typedef struct ratings_stream_t ratings_stream_t;

/* What became of an event. */
typedef struct {
    /* APR_SUCCESS: durable. APR_ECONNREFUSED: not recorded; RATINGS_NOT_ASKED: neither, for a
     * reason of this process. APR_TIMEUP: it may or may not be */
    ratings_result_t result;
    int partition;
    int64_t offset; /* if durable */
} ratings_delivery_t;

/* Called once for every event that append took, on a thread of the producer's, or by who destroys
 * it: must not block. */
typedef void ratings_delivery_fn(void *ticket, const ratings_delivery_t *delivery);

/* APR_EINVAL with librdkafka's text when it refuses the combination of properties. The options (and
 * what they point to) must live as long as the stream. */
apr_status_t ratings_stream_create(ratings_stream_t **stream,
                                   const ratings_stream_options_t *options,
                                   ratings_delivery_fn *delivered, apr_pool_t *pool,
                                   ratings_result_t *why);

/* Gives events under way until `timeout` (microseconds) to be acknowledged, then gives them up
 * (each is still reported), and frees the handle. No other call may be under way. */
void ratings_stream_destroy(ratings_stream_t *stream, apr_interval_time_t timeout);

/* Queues the event, never blocking. APR_SUCCESS: `ticket` will be reported. Else nothing was
 * queued: APR_ECONNREFUSED, the partition is not known; RATINGS_NOT_ASKED, the queue is full,
 * memory ran out, or the producer is being replaced. Any thread. */
apr_status_t ratings_stream_append(ratings_stream_t *stream, const ratings_event_t *event,
                                   int partition, void *ticket, ratings_result_t *why);

/* Queues the record that says by how many partitions talks are routed (../core/routing_record.h),
 * for partition 0, in the same way; `delivered` is called with its `ticket` as for an event. */
apr_status_t ratings_stream_append_routing(ratings_stream_t *stream, int partitions,
                                           ratings_delivery_fn *delivered, void *ticket,
                                           ratings_result_t *why);

/* The partition of a talk among `partitions` (>= 1): murmur2 of its id, as Kafka's own clients do.
 */
int ratings_stream_partition(const char *talk_id, int partitions);

/* ---- the topic ---- */

/* Why a topic cannot be the truth. */
typedef enum {
    RATINGS_TOPIC_GOOD,
    RATINGS_TOPIC_COMPACTS,
    RATINGS_TOPIC_FORGETS_BY_TIME,
    RATINGS_TOPIC_FORGETS_BY_SIZE
} ratings_topic_fault_e;

typedef enum {
    RATINGS_APPEND_TIME_UNKNOWN, /* the topic's settings may not be read */
    RATINGS_APPEND_TIME_KEPT,    /* message.timestamp.type=LogAppendTime */
    RATINGS_APPEND_TIME_NOT_KEPT
} ratings_append_time_e;

typedef struct {
    int partitions;
    ratings_topic_fault_e fault;
    ratings_append_time_e append_time;
    int in_sync; /* min.insync.replicas, without which nothing is appended; 0: unknown */
} ratings_topic_t;

/* The fault in words (static, fit for a client); NULL for RATINGS_TOPIC_GOOD. */
const char *ratings_stream_fault_text(ratings_topic_fault_e fault);

/* Creates the topic if it is missing, and tells what it is like. It is never altered. May take up
 * to `timeout` microseconds for each of its steps: two, or five when it is missing. */
apr_status_t ratings_stream_topic(ratings_stream_t *stream, apr_interval_time_t timeout,
                                  ratings_topic_t *topic, ratings_result_t *why);

/* Tells fault and append time of a topic that is there, within half as long again as `timeout`
 * microseconds. APR_NOTFOUND: it is not there, or Kafka does not let us ask. */
apr_status_t ratings_stream_judge(ratings_stream_t *stream, apr_interval_time_t timeout,
                                  ratings_topic_t *topic, ratings_result_t *why);

/* Whether events can be appended, as far as that is told without appending one, within `timeout`
 * microseconds: the leader of each of partitions 0..count-1 answers, and each has `in_sync`
 * replicas in sync (0: unknown). With `count` 0, of a topic that may be missing: whether a broker
 * answers. APR_INCOMPLETE: Kafka answers, and nothing can be appended to a partition. */
apr_status_t ratings_stream_check(ratings_stream_t *stream, int count, int in_sync,
                                  apr_interval_time_t timeout, ratings_result_t *why);

/* First and next offset of partitions 0..count-1, asked of the brokers within twice `timeout`. */
apr_status_t ratings_stream_ends(ratings_stream_t *stream, int count, apr_interval_time_t timeout,
                                 int64_t *first, int64_t *next, ratings_result_t *why);

/* For each of partitions 0..count-1, the first offset whose record is younger than `times[p]`
 * (milliseconds since 1970); -1 where there is none, or the time is negative. Within `timeout`. */
apr_status_t ratings_stream_younger(ratings_stream_t *stream, int count, const int64_t *times,
                                    apr_interval_time_t timeout, int64_t *offsets,
                                    ratings_result_t *why);

/* ---- reading, by one thread ---- */

typedef struct ratings_reader_t ratings_reader_t;

apr_status_t ratings_reader_create(ratings_reader_t **reader,
                                   const ratings_stream_options_t *options, apr_pool_t *pool,
                                   ratings_result_t *why);
void ratings_reader_destroy(ratings_reader_t *reader);

/* Connects to the brokers of partitions 0..count-1 within `timeout`, so that reading begins at
 * once.
 */
apr_status_t ratings_reader_connect(ratings_reader_t *reader, int count,
                                    apr_interval_time_t timeout, ratings_result_t *why);

/* Reads partitions 0..count-1, each from its offset on, from now on. */
apr_status_t ratings_reader_assign(ratings_reader_t *reader, const int64_t *offsets, int count,
                                   ratings_result_t *why);

/* Waits up to `timeout` (microseconds) for records; at most `max` of them (>= 1, <= 1000). They
 * stay valid until the next call. `*count` may be 0. A failure (an offset that the log does not
 * have any more, a topic that is gone) means: look at everything again. */
apr_status_t ratings_reader_read(ratings_reader_t *reader, apr_interval_time_t timeout,
                                 ratings_record_t *records, int max, int *count,
                                 ratings_result_t *why);

/* Makes a read that waits return at once, with what it has. Any thread. */
void ratings_reader_wake(ratings_reader_t *reader);

/* Reads no more, and lets go of what was fetched ahead, until the next assign. */
void ratings_reader_unassign(ratings_reader_t *reader);

/* Tells Kafka how far the reader is, for tools that show the lag; not waited for, and nothing
 * depends on it. */
void ratings_reader_commit(ratings_reader_t *reader, const int64_t *offsets, int count);

#endif
