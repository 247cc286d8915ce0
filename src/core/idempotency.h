/* Idempotency keys: a rating that a client sends again under the same Idempotency-Key counts once.
 * The header field of a request, and what it means for the event that carries it. Pure functions,
 * any thread. https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 *
 * A key belongs to a talk. Whether an event counts follows from the log alone: from the event with
 * the same talk and key that was counted last, and from the append times that the log itself
 * has. No clock and no expiry by somebody else takes part, so that all that fold the log
 * (projector, rebuild, audit) come to the same counts. Not keys with a TTL in Redis: a rebuild
 * would count differently. */
#ifndef RATINGS_CORE_IDEMPOTENCY_H
#define RATINGS_CORE_IDEMPOTENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATINGS_KEY_MAX 255                        /* bytes, not counting the terminator */
#define RATINGS_KEY_WINDOW_MAX INT64_C(2678400000) /* milliseconds: 31 days */

/* What an event carries. The window travels with it, so that a configuration that is changed does
 * not change what was counted before. */
typedef struct {
    char text[RATINGS_KEY_MAX + 1]; /* printable ASCII; "" : no key was given */
    int64_t window_ms;              /* for how long it holds, 1..RATINGS_KEY_WINDOW_MAX */
} ratings_key_t;

/* Reads the header field: a string of RFC 8941 ("..." with \" and \\ escaped), parameters after it
 * ignored, or, as many clients send it, the bare key made of letters, digits and ._~:/+=-. NULL, or
 * a sentence for the client (static). */
const char *ratings_key_from_header(const char *field, char text[RATINGS_KEY_MAX + 1]);

/* Whether `len` bytes may be a key: 1..RATINGS_KEY_MAX bytes of printable ASCII. */
bool ratings_key_is_valid(const char *text, size_t len);

/* The time of a partition's log, milliseconds since 1970, after a record with this append time:
 * append times may go back when another broker takes over, the log's time does not. */
int64_t ratings_log_time(int64_t before, int64_t append_time);

/* The event last counted with a key (of one talk). */
typedef struct {
    int64_t offset;     /* -1: there is none */
    int64_t expires_ms; /* log time from which on the key may be used for another rating */
    int value;
} ratings_use_t;

typedef enum {
    RATINGS_VERDICT_COUNTED,  /* the event counts; `last` is this event now */
    RATINGS_VERDICT_REPEATED, /* the same rating again: not counted */
    RATINGS_VERDICT_CONFLICT  /* another value under the same key: not counted */
} ratings_verdict_e;

/* Whether the event at `offset` with this value and key counts, the log's time being `log_time`
 * (that of the event itself included). */
ratings_verdict_e ratings_key_resolve(ratings_use_t *last, const ratings_key_t *key, int value,
                                      int64_t offset, int64_t log_time);

#endif
