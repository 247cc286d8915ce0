/* The topic: what it is like, whether it takes events, where it begins and ends. Asked over the
 * producer's connections, as a broker answers what comes over one connection in order, and a
 * reader's are taken by fetches that wait for records. Any thread; `timeout` is in microseconds. */
#ifndef RATINGS_STREAM_TOPIC_H
#define RATINGS_STREAM_TOPIC_H

#include "../common/result.h"
#include "stream.h"

#include <stdint.h>

/* Why a topic cannot be the truth. Kept in shared memory: the numbers stay. */
typedef enum {
    RATINGS_TOPIC_GOOD,
    RATINGS_TOPIC_COMPACTED,
    RATINGS_TOPIC_FINITE_RETENTION_TIME,
    RATINGS_TOPIC_FINITE_RETENTION_SIZE
} ratings_topic_fault_e;

/* What the topic's settings say of append times; and what a host knows of them, in shared memory
 * (shm/append_time.h): the numbers stay. */
typedef enum {
    RATINGS_APPEND_TIME_UNKNOWN,   /* the settings may not be read; no record has shown it yet */
    RATINGS_APPEND_TIME_KEPT,      /* message.timestamp.type=LogAppendTime; and a record has one */
    RATINGS_APPEND_TIME_NOT_KEPT,  /* another message.timestamp.type */
    RATINGS_APPEND_TIME_DENIED = 4 /* not said, but known: a record has none */
} ratings_append_time_e;

typedef struct {
    int partitions;
    ratings_topic_fault_e fault;
    ratings_append_time_e append_time;
    int in_sync; /* min.insync.replicas, without which nothing is appended; 0: unknown */
    int refusal; /* Kafka's error in the place of the settings, of librdkafka's numbers; 0: none */
} ratings_topic_t;

/* The fault in words (static, fit for a client); NULL for RATINGS_TOPIC_GOOD. */
const char *ratings_topic_fault_text(ratings_topic_fault_e fault);

/* Creates the topic if it is missing, and describes it. It is never altered. May take up to
 * `timeout` for each of its steps: two, or five when it is missing. */
apr_status_t ratings_stream_topic_ensure(ratings_stream_t *stream, apr_interval_time_t timeout,
                                         ratings_topic_t *topic, ratings_result_t *why);

/* Describes a topic that is there, but for its partitions, within half as long again as `timeout`.
 * APR_NOTFOUND: it is not there, or its settings may not be read. */
apr_status_t ratings_stream_topic_describe(ratings_stream_t *stream, apr_interval_time_t timeout,
                                           ratings_topic_t *topic, ratings_result_t *why);

/* Whether events can be appended, as far as Kafka says so without one, within `timeout`:
 * the leader of each of partitions 0..count-1 answers, and each has `in_sync` replicas in sync (0:
 * unknown). With `count` 0, of a topic that may be missing: whether a broker answers.
 * APR_INCOMPLETE: Kafka answers, and nothing can be appended to a partition. */
apr_status_t ratings_stream_check(ratings_stream_t *stream, int count, int in_sync,
                                  apr_interval_time_t timeout, ratings_result_t *why);

/* First and next offset of partitions 0..count-1, within twice `timeout`. */
apr_status_t ratings_stream_ends(ratings_stream_t *stream, int count, apr_interval_time_t timeout,
                                 int64_t *first, int64_t *next, ratings_result_t *why);

/* For each of partitions 0..count-1, the first offset whose record is younger than `times[p]`
 * (milliseconds since 1970); -1 where there is none, or the time is negative. Within `timeout`. */
apr_status_t ratings_stream_offsets_after(ratings_stream_t *stream, int count, const int64_t *times,
                                          apr_interval_time_t timeout, int64_t *offsets,
                                          ratings_result_t *why);

#endif
