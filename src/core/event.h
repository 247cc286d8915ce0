/* The record in the log that says that a rating was submitted. Its key is the talk id; its value
 * is one compact JSON object with a version, {"version":1,"talkId":"...","value":5}, and, if the
 * client gave the rating an Idempotency-Key, also "idempotencyKey":"..." and
 * "idempotencyWindow":86400000 (milliseconds). The headers, which the stream adds, are those of
 * CloudEvents in binary mode:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 * Pure functions, any thread. */
#ifndef RATINGS_CORE_EVENT_H
#define RATINGS_CORE_EVENT_H

#include "idempotency.h"
#include "rating.h"

#include <stdint.h>

#define RATINGS_EVENT_VERSION 1
#define RATINGS_EVENT_TYPE "ratings.rating.submitted.v1" /* CloudEvents type (ce_type) */
#define RATINGS_EVENT_VALUE_MAX 4096 /* bytes; a longer value is not one of ours */

typedef struct {
    ratings_rating_t rating;
    ratings_key_t key; /* text "" : none */
} ratings_event_t;

/* The JSON value of the event, malloc()ed, owned by the caller; its length in `*len`. NULL when
 * memory ran out. */
char *ratings_event_encode(const ratings_event_t *event, size_t *len);

/* Reads a record back. NULL, or why it is not an event (static, fit for a log line): a tombstone
 * (value NULL), too long, not our JSON, an unknown version, a bad talk id or value, a bad
 * idempotency key or window, a key that is not the talk id; then `*out` is undefined. Members that
 * are not known are ignored, so that later versions may add some. */
const char *ratings_event_decode(const void *key, size_t key_len, const void *value,
                                 size_t value_len, ratings_event_t *out);

/* CRC-32 (ISO-HDLC, as in zlib, RFC 1952) of a record's key and value: with its timestamp and
 * offset the fingerprint of the record (a checkpoint holds that of the record before it). NULL with
 * length 0 is allowed. */
uint32_t ratings_event_checksum(const void *key, size_t key_len, const void *value,
                                size_t value_len);

#endif
