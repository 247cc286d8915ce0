#include "bulkhead.h"

#include "clock.h"

void ratings_bulkhead_init(ratings_bulkhead_t *gate, unsigned max)
{
    *gate = (ratings_bulkhead_t){.max = max};
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->left, NULL);
}

void ratings_bulkhead_destroy(ratings_bulkhead_t *gate)
{
    pthread_cond_destroy(&gate->left);
    pthread_mutex_destroy(&gate->lock);
}

static int64_t hope_ends(const ratings_bulkhead_t *gate)
{
    return gate->prompt_at + RATINGS_BULKHEAD_PROMPT_US;
}

static void go_in(ratings_bulkhead_t *gate, int64_t now)
{
    if (gate->inside++ == 0)
        gate->prompt_at = gate->got_at = now;
}

bool ratings_bulkhead_acquire(ratings_bulkhead_t *gate, int64_t now, int64_t deadline)
{
    bool may_wait = true, free;

    pthread_mutex_lock(&gate->lock);
    while (gate->inside >= gate->max && may_wait) {
        int64_t until = hope_ends(gate) < deadline ? hope_ends(gate) : deadline;

        may_wait = until > now && ratings_wait_until(&gate->left, &gate->lock, until);
    }
    free = gate->inside < gate->max;
    if (free)
        go_in(gate, now);
    pthread_mutex_unlock(&gate->lock);
    return free;
}

bool ratings_bulkhead_try_acquire(ratings_bulkhead_t *gate, int64_t now, int64_t *until)
{
    bool has_place, free;

    pthread_mutex_lock(&gate->lock);
    has_place = gate->inside < gate->max;
    free = has_place || now < hope_ends(gate);
    *until = has_place ? INT64_MAX : now + RATINGS_BULKHEAD_PROMPT_US;
    if (free)
        go_in(gate, now);
    pthread_mutex_unlock(&gate->lock);
    return free;
}

int64_t ratings_bulkhead_release(ratings_bulkhead_t *gate, int64_t since, int64_t now, bool got)
{
    int64_t in_vain;

    pthread_mutex_lock(&gate->lock);
    gate->inside--;
    if (got)
        gate->got_at = now;
    if (got && now - since <= RATINGS_BULKHEAD_PROMPT_US)
        gate->prompt_at = now;
    in_vain = now - gate->got_at;
    pthread_cond_signal(&gate->left);
    pthread_mutex_unlock(&gate->lock);
    return in_vain;
}
