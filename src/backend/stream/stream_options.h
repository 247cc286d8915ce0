/* What a producer and a consumer of the event log are made of. Plain data. */
#ifndef RATINGS_STREAM_OPTIONS_H
#define RATINGS_STREAM_OPTIONS_H

#include <apr_tables.h>
#include <apr_time.h>

/* Receives the lines of librdkafka: a member of the receiver's own struct
 * (../../core/container_of.h). `level` is that of syslog: 2 critical ... 7 debug. Called on any of
 * librdkafka's threads: must not block. */
typedef struct ratings_stream_log_t ratings_stream_log_t;
struct ratings_stream_log_t {
    void (*write)(ratings_stream_log_t *log, int level, const char *text);
    /* A broker ("host:port") cannot be reached, or answers no more, as `text` says; by each
     * connection of the producer, again and again. And it has answered one, whatever was before. */
    void (*unreachable)(ratings_stream_log_t *log, const char *broker, const char *text);
    void (*reached)(ratings_stream_log_t *log, const char *broker);
    /* The producer cannot be made, for a reason of this process; once, until it can. By the thread
     * that needs it. */
    void (*refused)(ratings_stream_log_t *log, const char *text);
};

/* They, and what they point to, live as long as what is made of them. */
typedef struct {
    const char *brokers;         /* host:port[,host:port...]; NULL for ratings_stream_try */
    const char *topic;           /* its name, see ratings_stream_topic_problem */
    const apr_table_t *kafka;    /* librdkafka properties of the administrator */
    apr_interval_time_t timeout; /* microseconds, until an event is acknowledged or given up */
    int partitions;              /* if the topic is created */
    int replication;             /* the same; 0: three, or one where there are fewer brokers */
    ratings_stream_log_t *log;
} ratings_stream_options_t;

#endif
