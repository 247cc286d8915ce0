/* A wait queue ordered by offset: the pending writes of one partition, each waiting until the
 * checkpoint has passed its event.
 *
 * Events become durable nearly in the order of their offsets, so an insertion looks for its place
 * from the tail: insert, remove and pop cost the same however many wait. Hence a list and no heap,
 * in which a removal from the middle (a request whose time is over) would be a search.
 *
 * Ownership: items are the caller's, one in each pending write; all zero is an item in no queue.
 * Nothing is allocated, no function fails. Threads: one at a time, under a lock of the caller's.
 * Offsets and checkpoints are Kafka's. */
#ifndef RATINGS_CORE_OFFSET_QUEUE_H
#define RATINGS_CORE_OFFSET_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

typedef struct ratings_offset_queue_t ratings_offset_queue_t;

typedef struct ratings_offset_queue_item_t {
    TAILQ_ENTRY(ratings_offset_queue_item_t) link;
    const ratings_offset_queue_t *queue; /* that it is in; NULL: none */
    int64_t offset;
} ratings_offset_queue_item_t;

struct ratings_offset_queue_t {
    TAILQ_HEAD(ratings_offset_queue_items_t, ratings_offset_queue_item_t) items; /* ascending */
};

void ratings_offset_queue_init(ratings_offset_queue_t *queue);

bool ratings_offset_queue_is_empty(const ratings_offset_queue_t *queue);

/* Of several items with one offset, the first one inserted is the first one popped. The item must
 * be in no queue. */
void ratings_offset_queue_insert(ratings_offset_queue_t *queue, ratings_offset_queue_item_t *item,
                                 int64_t offset);

/* The item must be in this queue. */
void ratings_offset_queue_remove(ratings_offset_queue_t *queue, ratings_offset_queue_item_t *item);

/* Removes and returns the first item if its offset is below `checkpoint`, the next offset that is
 * not applied; else NULL. */
ratings_offset_queue_item_t *ratings_offset_queue_pop_below(ratings_offset_queue_t *queue,
                                                            int64_t checkpoint);

#endif
