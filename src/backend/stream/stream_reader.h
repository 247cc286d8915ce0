/* Reading the event log in order: one consumer per projector, assigned its partitions by hand. For
 * one thread, but for ratings_reader_wake. Timeouts are in microseconds.
 *
 * Not a member of a consumer group: one that dies would keep its partitions for session.timeout.ms,
 * and the position is the store's, not the group's. */
#ifndef RATINGS_STREAM_READER_H
#define RATINGS_STREAM_READER_H

#include "../common/log_record.h"
#include "../common/result.h"
#include "stream_options.h"

#define RATINGS_READ_MAX 1000 /* records of one read */

typedef struct ratings_reader_t ratings_reader_t;

/* Connects by itself. `options` outlives it. APR_EINVAL with librdkafka's text when it refuses the
 * combination of properties. */
apr_status_t ratings_reader_create(ratings_reader_t **reader,
                                   const ratings_stream_options_t *options, ratings_result_t *why);

/* May take seconds while Kafka does not answer. By any thread, once no other uses it. */
void ratings_reader_destroy(ratings_reader_t *reader);

/* Connects to the brokers of partitions 0..count-1 within `timeout`, so that reading begins at
 * once. */
apr_status_t ratings_reader_connect(ratings_reader_t *reader, int count,
                                    apr_interval_time_t timeout, ratings_result_t *why);

/* Reads partitions 0..count-1, each from its offset on, from now on. */
apr_status_t ratings_reader_assign(ratings_reader_t *reader, const int64_t *offsets, int count,
                                   ratings_result_t *why);

/* Waits up to `timeout` for records; at most `max` of them (1 to RATINGS_READ_MAX). They stay valid
 * until the next call. `*count` may be 0. A failure (an offset that the log does not have any more,
 * a topic that is gone) means: look at everything again. */
apr_status_t ratings_reader_read(ratings_reader_t *reader, apr_interval_time_t timeout,
                                 ratings_record_t *records, int max, int *count,
                                 ratings_result_t *why);

/* Makes a read that waits return at once, with what it has. Any thread. */
void ratings_reader_wake(ratings_reader_t *reader);

/* Reads no more, and drops what was fetched ahead, until the next assign. */
void ratings_reader_unassign(ratings_reader_t *reader);

/* Tells Kafka how far the reader is, for tools that show the lag; not waited for, and nothing
 * depends on it. */
void ratings_reader_commit(ratings_reader_t *reader, const int64_t *offsets, int count);

#endif
