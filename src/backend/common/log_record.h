/* A record of the log, as the reader hands it out and the projector folds it, and the bounds of a
 * log that the stream and the store agree on. Plain data: no library, no thread of its own. */
#ifndef RATINGS_COMMON_LOG_RECORD_H
#define RATINGS_COMMON_LOG_RECORD_H

#include "../../core/dedup_window.h"
#include "../../core/ticket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATINGS_TOPIC_MAX 249 /* bytes of a topic's name: Kafka's own limit */
#define RATINGS_PARTITIONS_MAX 1024

/* The reader owns what key and value point to: see ratings_reader_read for how long. */
typedef struct {
    int partition;
    int64_t offset;
    int64_t timestamp;       /* milliseconds since 1970, as the topic has it */
    bool has_append_time;    /* the broker set the timestamp as it appended (LogAppendTime) */
    const void *key, *value; /* NULL with length 0: no key, or the value of a tombstone */
    size_t key_len, value_len;
    ratings_ticket_t ticket;     /* the CloudEvents id (ce_id), of our source; life 0: it is none */
    ratings_identity_t identity; /* else of both headers, ce_source and ce_id */
    bool is_end;                 /* no record: the partition has none at or beyond `offset` yet */
} ratings_record_t;

#endif
