#include "offset_queue.h"

#include <stddef.h>

void ratings_offset_queue_insert(ratings_offset_queue_t *line, ratings_offset_queue_item_t *link,
                                 int64_t offset)
{
    ratings_offset_queue_item_t *before = line->last;

    while (before && before->offset > offset)
        before = before->before;
    link->offset = offset;
    link->before = before;
    link->after = before ? before->after : line->first;
    *(link->before ? &link->before->after : &line->first) = link;
    *(link->after ? &link->after->before : &line->last) = link;
}

void ratings_offset_queue_remove(ratings_offset_queue_t *line, ratings_offset_queue_item_t *link)
{
    *(link->before ? &link->before->after : &line->first) = link->after;
    *(link->after ? &link->after->before : &line->last) = link->before;
}

ratings_offset_queue_item_t *ratings_offset_queue_pop_below(ratings_offset_queue_t *line,
                                                            int64_t position)
{
    ratings_offset_queue_item_t *first = line->first;

    if (!first || first->offset >= position)
        return NULL;
    ratings_offset_queue_remove(line, first);
    return first;
}
