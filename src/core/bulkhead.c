#include "bulkhead.h"

#include "assertion.h"
#include "clock.h"

void ratings_bulkhead_init(ratings_bulkhead_t *bulkhead, unsigned max)
{
    RATINGS_ASSERT(max >= 1);
    *bulkhead = (ratings_bulkhead_t){.max = max};
    ratings_lock_init(&bulkhead->lock, &bulkhead->released);
}

void ratings_bulkhead_destroy(ratings_bulkhead_t *bulkhead)
{
    ratings_lock_destroy(&bulkhead->lock, &bulkhead->released);
}

/* ---- under the lock ---- */

/* Until when calls count as prompt if none succeeds. */
static int64_t prompt_until(const ratings_bulkhead_t *bulkhead)
{
    return bulkhead->prompt_at + RATINGS_BULKHEAD_PROMPT_US;
}

static void note_usage_of(const ratings_bulkhead_t *bulkhead)
{
    if (bulkhead->usage)
        atomic_store_explicit(bulkhead->usage, bulkhead->in_use, memory_order_relaxed);
}

static void enter_bulkhead(ratings_bulkhead_t *bulkhead, int64_t now)
{
    if (bulkhead->in_use++ == 0)
        bulkhead->prompt_at = bulkhead->succeeded_at = now;
    note_usage_of(bulkhead);
}

/* ---- use ---- */

bool ratings_bulkhead_acquire(ratings_bulkhead_t *bulkhead, int64_t now, int64_t deadline)
{
    bool may_wait = true, free;

    pthread_mutex_lock(&bulkhead->lock);
    while (bulkhead->in_use >= bulkhead->max && may_wait) {
        int64_t until = prompt_until(bulkhead) < deadline ? prompt_until(bulkhead) : deadline;

        may_wait = until > now && ratings_wait_until(&bulkhead->released, &bulkhead->lock, until);
    }
    free = bulkhead->in_use < bulkhead->max;
    if (free)
        enter_bulkhead(bulkhead, now);
    pthread_mutex_unlock(&bulkhead->lock);
    return free;
}

bool ratings_bulkhead_try_acquire(ratings_bulkhead_t *bulkhead, int64_t now, int64_t *until)
{
    bool within_bound, acquired;

    pthread_mutex_lock(&bulkhead->lock);
    within_bound = bulkhead->in_use < bulkhead->max;
    acquired = within_bound || now < prompt_until(bulkhead);
    *until = within_bound ? INT64_MAX : now + RATINGS_BULKHEAD_PROMPT_US;
    if (acquired)
        enter_bulkhead(bulkhead, now);
    pthread_mutex_unlock(&bulkhead->lock);
    return acquired;
}

int64_t ratings_bulkhead_release(ratings_bulkhead_t *bulkhead, int64_t since, int64_t now,
                                 bool succeeded)
{
    int64_t without_success;

    pthread_mutex_lock(&bulkhead->lock);
    RATINGS_ASSERT(bulkhead->in_use > 0);
    bulkhead->in_use--;
    note_usage_of(bulkhead);
    if (succeeded)
        bulkhead->succeeded_at = now;
    if (succeeded && now - since <= RATINGS_BULKHEAD_PROMPT_US)
        bulkhead->prompt_at = now;
    without_success = now - bulkhead->succeeded_at;
    pthread_cond_signal(&bulkhead->released);
    pthread_mutex_unlock(&bulkhead->lock);
    return without_success;
}
