#include "offset_queue.h"

#include "assertion.h"

#include <stddef.h>

void ratings_offset_queue_init(ratings_offset_queue_t *queue)
{
    TAILQ_INIT(&queue->items);
}

bool ratings_offset_queue_is_empty(const ratings_offset_queue_t *queue)
{
    return TAILQ_EMPTY(&queue->items);
}

void ratings_offset_queue_insert(ratings_offset_queue_t *queue, ratings_offset_queue_item_t *item,
                                 int64_t offset)
{
    ratings_offset_queue_item_t *before = TAILQ_LAST(&queue->items, ratings_offset_queue_items_t);

    RATINGS_ASSERT(!item->queue);
    while (before && before->offset > offset)
        before = TAILQ_PREV(before, ratings_offset_queue_items_t, link);
    if (before)
        TAILQ_INSERT_AFTER(&queue->items, before, item, link);
    else
        TAILQ_INSERT_HEAD(&queue->items, item, link);
    item->offset = offset;
    item->queue = queue;
}

void ratings_offset_queue_remove(ratings_offset_queue_t *queue, ratings_offset_queue_item_t *item)
{
    RATINGS_ASSERT(item->queue == queue);
    TAILQ_REMOVE(&queue->items, item, link);
    item->queue = NULL;
}

ratings_offset_queue_item_t *ratings_offset_queue_pop_below(ratings_offset_queue_t *queue,
                                                            int64_t checkpoint)
{
    ratings_offset_queue_item_t *first = TAILQ_FIRST(&queue->items);

    if (!first || first->offset >= checkpoint)
        return NULL;
    ratings_offset_queue_remove(queue, first);
    return first;
}
