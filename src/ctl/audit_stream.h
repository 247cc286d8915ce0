/* The log, read with librdkafka: one partition after the other, each in order. No consumer group
 * takes part, and nothing is committed. One thread. Every wait ends when nothing has come for the
 * timeout. */
#ifndef RATINGS_AUDIT_STREAM_H
#define RATINGS_AUDIT_STREAM_H

#include "audit_failure.h"
#include "audit_fold.h"

#include <stddef.h>

typedef struct audit_stream_t audit_stream_t;

typedef struct {
    const char *brokers, *topic;
    const char *const *properties; /* name=value each, for librdkafka */
    int properties_count;
    int timeout_ms;    /* milliseconds */
    bool has_progress; /* it shows how far it is, where standard error is a terminal */
} audit_stream_options_t;

/* NULL, and a reason, when librdkafka refuses a property or there is no such topic. The options
 * must live as long as the stream. */
audit_stream_t *audit_stream_open(const audit_stream_options_t *options, int *partitions,
                                  audit_failure_t *why);
void audit_stream_close(audit_stream_t *stream); /* NULL is allowed */

/* How many partitions the topic has now. */
bool audit_stream_partitions(audit_stream_t *stream, int *partitions, audit_failure_t *why);

/* First and next offset of partitions 0..count-1. `expected` (may be NULL) is what each should
 * reach to: a broker that has just become leader may report less than there is, so that is
 * believed only when it has lasted two seconds. */
bool audit_stream_ends(audit_stream_t *stream, int count, const int64_t *expected, int64_t *first,
                       int64_t *next, audit_failure_t *why);

/* For each partition the offset of its first record that is later than `at_ms` (milliseconds since
 * 1970); `next` keeps what it has, the log's end, where there is none. By the timestamps of the
 * records; those are the log's own unless a producer has written them. */
bool audit_stream_ends_at(audit_stream_t *stream, int count, int64_t at_ms, int64_t *next,
                          audit_failure_t *why);

/* When the first record at `offset` or behind it was appended (or made, where a producer has
 * written that), milliseconds since 1970; -1: there is none, or its time is not known. */
bool audit_stream_time_of(audit_stream_t *stream, int partition, int64_t offset, int64_t *time,
                          audit_failure_t *why);

/* Shows how far the calls of audit_stream_fold in between are, on a terminal. */
void audit_stream_progress_begin(audit_stream_t *stream, int64_t offsets);
void audit_stream_progress_end(audit_stream_t *stream);

/* Folds the partition from the fold's next offset up to `to`, which is at most the log's end. A
 * call that goes on where the last one ended is answered out of what was fetched ahead. */
bool audit_stream_fold(audit_stream_t *stream, audit_fold_t *fold, int partition, int64_t to,
                       audit_failure_t *why);

/* The partition that events of a talk are sent to, of `count`. */
int audit_stream_home(const audit_stream_t *stream, const audit_talk_t *talk, int count);

#endif
