/* A position in the log, as clients carry it from an answer to a later request (Ratings-Position,
 * docs/api.md): up to where an answer of whichever host has to count the log. Pure functions, any
 * thread.
 *
 * It is not authenticated: it opens nothing. Whoever invents one waits for it themselves, in a
 * bulkhead of its own (../service/fresh.h), and nothing that the host knows is changed by it. */
#ifndef RATINGS_CORE_POSITION_H
#define RATINGS_CORE_POSITION_H

#include <stdbool.h>
#include <stdint.h>

#define RATINGS_POSITION_PARTITIONS 1024 /* partitions that a topic may have */
#define RATINGS_POSITION_OFFSET_MAX                                                                \
    ((INT64_C(1) << 48) - 1) /* 9,000 years at a thousand a second */

/* All zero is none: every answer is from there on. */
typedef struct {
    int partition;   /* 0 .. RATINGS_POSITION_PARTITIONS - 1 */
    uint16_t log_id; /* of the log (ratings_log_id); 0: not known, it may be of any */
    int64_t offset;  /* the checkpoint that the store has to have reached, one beyond the record;
                      * 0 .. RATINGS_POSITION_OFFSET_MAX */
} ratings_position_t;

/* Its text: "v1-", then partition, log and offset in 4, 4 and 12 lower-case hexadecimal digits. It
 * needs no escape in a URL, and is a token of structured fields (RFC 9651, 3.3.4). */
#define RATINGS_POSITION_TEXT_SIZE sizeof "v1-0000ffffffffffffffff"
void ratings_position_print(const ratings_position_t *position,
                            char text[RATINGS_POSITION_TEXT_SIZE]);

/* Reads such a text. False: it is none, and `*position` is untouched. */
bool ratings_position_parse(const char *text, ratings_position_t *position);

/* Whether a store that has applied the position's partition of the log `log_id` up to `checkpoint`
 * counts all that comes before the position. One of another log is never reached. */
bool ratings_position_is_reached(const ratings_position_t *position, uint16_t log_id,
                                 int64_t checkpoint);

#endif
