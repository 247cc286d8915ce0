/* Those who wait for a position of a log, in the order of their offsets. Mostly they come in that
 * order, and then joining, leaving and taking the first cost the same however many wait. The links
 * are the caller's own, part of what waits. Not thread-safe. */
#ifndef RATINGS_CORE_OFFSET_QUEUE_H
#define RATINGS_CORE_OFFSET_QUEUE_H

#include <stdint.h>

typedef struct ratings_offset_queue_item_t {
    struct ratings_offset_queue_item_t *before, *after; /* NULL at the ends */
    int64_t offset;
} ratings_offset_queue_item_t;

typedef struct {
    ratings_offset_queue_item_t *first, *last; /* all zero is an empty line */
} ratings_offset_queue_t;

/* Sets `offset`; among equals the one that came first stays first. */
void ratings_offset_queue_insert(ratings_offset_queue_t *line, ratings_offset_queue_item_t *link,
                                 int64_t offset);

/* `link` is in the line. */
void ratings_offset_queue_remove(ratings_offset_queue_t *line, ratings_offset_queue_item_t *link);

/* Takes the first out if its offset is below `position`; else NULL. */
ratings_offset_queue_item_t *ratings_offset_queue_pop_below(ratings_offset_queue_t *line,
                                                            int64_t position);

#endif
