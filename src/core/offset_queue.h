/* Those who wait for a position of a log, in the order of their offsets. Mostly they come in that
 * order, and then joining, leaving and taking the first cost the same however many wait. The links
 * are the caller's own, part of what waits. Not thread-safe. */
#ifndef RATINGS_CORE_OFFSET_QUEUE_H
#define RATINGS_CORE_OFFSET_QUEUE_H

#include <stdint.h>

typedef struct ratings_link_t {
    struct ratings_link_t *before, *after; /* NULL at the ends */
    int64_t offset;
} ratings_link_t;

typedef struct {
    ratings_link_t *first, *last; /* all zero is an empty line */
} ratings_line_t;

/* Sets `offset`; among equals the one that came first stays first. */
void ratings_line_join(ratings_line_t *line, ratings_link_t *link, int64_t offset);

/* `link` is in the line. */
void ratings_line_leave(ratings_line_t *line, ratings_link_t *link);

/* Takes the first out if its offset is below `position`; else NULL. */
ratings_link_t *ratings_line_reached(ratings_line_t *line, int64_t position);

#endif
