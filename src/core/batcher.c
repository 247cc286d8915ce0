#include "batcher.h"

#include "assertion.h"

#include <stddef.h>

/* After so long with nothing in flight, the last batch says nothing of the next one. */
#define IDLE_RESET_US INT64_C(100000)
#define BACKOFF_MAX 63 /* batches */

void ratings_batcher_init(ratings_batcher_t *batcher)
{
    *batcher = (ratings_batcher_t){.in_flight = 0};
    STAILQ_INIT(&batcher->items);
}

static void check_state(const ratings_batcher_t *batcher)
{
    RATINGS_ASSERT((batcher->waiting == 0) == STAILQ_EMPTY(&batcher->items));
    RATINGS_ASSERT(!batcher->lingering || (batcher->in_flight == 0 && batcher->waiting > 0));
    RATINGS_ASSERT(batcher->backoff <= BACKOFF_MAX && batcher->next_backoff <= BACKOFF_MAX);
}

/* Nothing is in flight from now on. */
static void begin_linger(ratings_batcher_t *batcher, int64_t now)
{
    batcher->linger_since = now;
    batcher->lingering = batcher->backoff == 0 && batcher->waiting < batcher->target_batch;
}

/* A batch is sent: its size says whether the linger was worth it, and so when the next one is. The
 * first linger for nothing has no consequence: it may be chance. */
static void end_linger(ratings_batcher_t *batcher)
{
    bool was_for_nothing = batcher->lingering && batcher->waiting < batcher->target_batch;
    if (was_for_nothing) {
        batcher->backoff = batcher->next_backoff;
        batcher->next_backoff =
            batcher->backoff < BACKOFF_MAX ? 2 * batcher->backoff + 1 : BACKOFF_MAX;
    } else if (batcher->lingering) {
        batcher->next_backoff = 0;
    } else if (batcher->backoff > 0) {
        batcher->backoff--;
    }
    batcher->lingering = false;
}

static void enqueue(ratings_batcher_t *batcher, ratings_batcher_item_t *item)
{
    STAILQ_INSERT_TAIL(&batcher->items, item, link);
    batcher->waiting++;
}

/* With nothing in flight and nothing waiting. An event that is sent alone has not lingered. */
static bool send_alone(ratings_batcher_t *batcher, int64_t now)
{
    if (now >= batcher->linger_since + IDLE_RESET_US)
        batcher->target_batch = 0;
    begin_linger(batcher, now);
    if (batcher->target_batch > 1 && batcher->lingering)
        return false;
    batcher->lingering = false;
    end_linger(batcher);
    batcher->target_batch = batcher->in_flight = 1;
    return true;
}

bool ratings_batcher_admit(ratings_batcher_t *batcher, ratings_batcher_item_t *item, int64_t now)
{
    if (batcher->in_flight > 0 && now < batcher->linger_since + RATINGS_BATCHER_LINGER_US)
        batcher->target_batch++; /* had the batch lingered, this event would be in it */
    else if (batcher->in_flight == 0 && batcher->waiting == 0 && send_alone(batcher, now))
        return true;
    enqueue(batcher, item);
    check_state(batcher);
    return false;
}

void ratings_batcher_acked(ratings_batcher_t *batcher, int64_t now)
{
    RATINGS_ASSERT(batcher->in_flight > 0);
    if (--batcher->in_flight > 0)
        return;
    batcher->linger_since = now;
    if (batcher->waiting > 0)
        begin_linger(batcher, now);
    check_state(batcher);
}

int64_t ratings_batcher_flush_at(const ratings_batcher_t *batcher)
{
    if (batcher->waiting == 0 || batcher->in_flight > 0)
        return INT64_MAX;
    bool enough = !batcher->lingering || batcher->waiting >= batcher->target_batch;
    return enough ? batcher->linger_since : batcher->linger_since + RATINGS_BATCHER_LINGER_US;
}

void ratings_batcher_drain(ratings_batcher_t *batcher, ratings_batcher_items_t *batch)
{
    STAILQ_INIT(batch);
    if (batcher->waiting > 0)
        end_linger(batcher);
    STAILQ_CONCAT(batch, &batcher->items);
    batcher->in_flight += batcher->waiting;
    batcher->target_batch = batcher->waiting;
    batcher->waiting = 0;
    check_state(batcher);
}
