/* Group commit with adaptive linger, for the events of one partition.
 *
 * An event that arrives while nothing is in flight is sent at once. Events that arrive while others
 * are in flight wait, and are sent together when all of those are acknowledged: the slower the
 * backend, the larger the batches. Where several events arrived together of late, the next ones
 * linger, up to RATINGS_BATCHER_LINGER_US, until as many (the target batch) wait: fewer and larger
 * batches cost Kafka, the projector and Redis less per event, and where all cores are busy that is
 * sooner, too. A linger that ends without its target batch was for nothing; after each of these in
 * a row twice as many batches go without one (backoff).
 *
 * Not librdkafka's linger.ms: it delays every event, also the one that arrives alone, and
 * librdkafka sends no more of a partition while requests of an idempotent producer are in flight
 * (https://github.com/confluentinc/librdkafka/pull/4989, open in 2026: where it is released,
 * measure whether events should still wait here).
 *
 * The source: DeWitt et al., "Implementation Techniques for Main Memory Database Systems", SIGMOD
 * 1984 (group commit); the linger is that of PostgreSQL's commit_delay and commit_siblings, with
 * the number of siblings learnt.
 *
 * Ownership: items are the caller's, one in each event; an item belongs to the batcher from an
 * admit that is false until the drain that returns it. Nothing is allocated, no function fails.
 * Threads: one at a time, under a lock of the caller's. Times are microseconds of a clock that does
 * not go back, as that of core/clock.h. */
#ifndef RATINGS_CORE_BATCHER_H
#define RATINGS_CORE_BATCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* The longest linger. */
#define RATINGS_BATCHER_LINGER_US 1000

typedef struct ratings_batcher_item_t {
    STAILQ_ENTRY(ratings_batcher_item_t) link;
} ratings_batcher_item_t;

/* Items in the order in which they arrived. */
typedef STAILQ_HEAD(, ratings_batcher_item_t) ratings_batcher_items_t;

/* The members are the batcher's; `waiting` may be read. */
typedef struct {
    unsigned in_flight;    /* events that were sent and are not acknowledged */
    unsigned waiting;      /* events in `items` */
    unsigned target_batch; /* events in the last batch, and those within a linger after it */
    ratings_batcher_items_t items; /* that wait */
    int64_t linger_since;          /* when the linger began that runs, or ran last, or when the last
                                    * batch was acknowledged */
    bool lingering;                /* nothing is in flight, and `items` wait for the target batch */
    unsigned backoff;              /* batches that will not linger */
    unsigned next_backoff;         /* the same after the next linger for nothing */
} ratings_batcher_t;

void ratings_batcher_init(ratings_batcher_t *batcher);

/* An event arrives. True: the caller sends it now, and it is in flight; `item` is not used. False:
 * it waits for a drain. */
bool ratings_batcher_admit(ratings_batcher_t *batcher, ratings_batcher_item_t *item, int64_t now);

/* One event in flight was acknowledged, or has failed. */
void ratings_batcher_acked(ratings_batcher_t *batcher, int64_t now);

/* When the events that wait are to be drained if nothing changes before: a time that has passed, or
 * one to come; INT64_MAX while none wait, or others are in flight. */
int64_t ratings_batcher_flush_at(const ratings_batcher_t *batcher);

/* Moves all items that wait to `batch`, in the order of their arrival; the caller sends them, and
 * they are in flight. `batch` is empty when none waited. */
void ratings_batcher_drain(ratings_batcher_t *batcher, ratings_batcher_items_t *batch);

#endif
