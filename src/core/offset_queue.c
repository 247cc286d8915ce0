#include "offset_queue.h"

#include <stddef.h>

void ratings_line_join(ratings_line_t *line, ratings_link_t *link, int64_t offset)
{
    ratings_link_t *before = line->last;

    while (before && before->offset > offset)
        before = before->before;
    link->offset = offset;
    link->before = before;
    link->after = before ? before->after : line->first;
    *(link->before ? &link->before->after : &line->first) = link;
    *(link->after ? &link->after->before : &line->last) = link;
}

void ratings_line_leave(ratings_line_t *line, ratings_link_t *link)
{
    *(link->before ? &link->before->after : &line->first) = link->after;
    *(link->after ? &link->after->before : &line->last) = link->before;
}

ratings_link_t *ratings_line_reached(ratings_line_t *line, int64_t position)
{
    ratings_link_t *first = line->first;

    if (!first || first->offset >= position)
        return NULL;
    ratings_line_leave(line, first);
    return first;
}
