/* The record in the log that says that a rating was submitted, or withdrawn. Its key is the talk
 * id; its value is one compact JSON object with a version, {"version":1,"talkId":"...","value":5}.
 *
 * If a voter gave the rating, also "voter":"..." (the hash, 32 lower-case hexadecimal digits): then
 * the event sets the voter's rating of the talk, whatever it was before. A voter's event with
 * "value":null withdraws it. If the client gave the rating an Idempotency-Key, also
 * "idempotencyKey":"..." and "idempotencyWindow":86400000 (milliseconds). The headers, which the
 * stream adds, are those of CloudEvents in binary mode:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 *
 * The version is 1 with a voter, too: a reader of before there were voters counts each rating as
 * one more, as it does all others, and skips withdrawals. Under a version of their own it would
 * skip all of them. Pure functions, any thread. */
#ifndef RATINGS_CORE_EVENT_H
#define RATINGS_CORE_EVENT_H

#include "idempotency.h"
#include "rating.h"
#include "voter.h"

#include <stdint.h>

#define RATINGS_EVENT_VERSION 1
#define RATINGS_EVENT_TYPE "ratings.rating.submitted.v1"           /* CloudEvents type (ce_type) */
#define RATINGS_EVENT_TYPE_WITHDRAWN "ratings.rating.withdrawn.v1" /* that of a withdrawal */
#define RATINGS_EVENT_VALUE_MAX 4096 /* bytes; a longer value is not one of ours */

typedef struct {
    ratings_rating_t rating; /* of a voter also RATINGS_VALUE_NONE: withdrawn */
    ratings_key_t key;       /* text "" : none */
    bool has_voter;          /* false: the rating is anonymous, one more of its value */
    ratings_voter_t voter;
} ratings_event_t;

/* The CloudEvents type of the event (static). */
const char *ratings_event_type(const ratings_event_t *event);

/* The JSON value of the event, malloc()ed, owned by the caller; its length in `*len`. NULL when
 * memory ran out. */
char *ratings_event_encode(const ratings_event_t *event, size_t *len);

/* Reads a record back. NULL, or why it is not an event (static, fit for a log line): a tombstone
 * (value NULL), too long, not our JSON, an unknown version, a bad talk id or value, a bad voter, a
 * bad idempotency key or window, a key that is not the talk id; then `*out` is undefined. Members
 * that are not known are ignored, so that later versions may add some. */
const char *ratings_event_decode(const void *key, size_t key_len, const void *value,
                                 size_t value_len, ratings_event_t *out);

/* CRC-32 (ISO-HDLC, as in zlib, RFC 1952) of a record's key and value: with its timestamp and
 * offset the fingerprint of the record (a checkpoint holds that of the record before it). NULL with
 * length 0 is allowed. */
uint32_t ratings_event_checksum(const void *key, size_t key_len, const void *value,
                                size_t value_len);

#endif
