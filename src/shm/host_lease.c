#include "host_lease.h"

#include "process.h"

/* Whoever swaps `until` has the lease: the rest says who that is. Who dies between the two leaves a
 * lease that runs out. */
bool ratings_host_lease_acquire(ratings_host_lease_t *lease, int64_t now, int64_t duration,
                                ratings_host_lease_hold_t *hold)
{
    int64_t until = atomic_load(&lease->until);
    uint64_t holder = atomic_load(&lease->holder);
    hold->was_clean = until == 0;
    hold->number = 0;
    if (until > now && !(holder && ratings_process_is_dead(holder)))
        return false;
    const uint64_t self = ratings_process_self(); /* before: nothing is to come between the two */
    hold->until = now + duration;
    if (!atomic_compare_exchange_strong(&lease->until, &until, hold->until))
        return false;
    atomic_store(&lease->holder, self);
    hold->number = atomic_fetch_add(&lease->number, 1) + 1;
    return true;
}

bool ratings_host_lease_renew(ratings_host_lease_t *lease, int64_t now, int64_t duration,
                              ratings_host_lease_hold_t *hold)
{
    int64_t until = hold->until;
    if (hold->number && atomic_compare_exchange_strong(&lease->until, &until, now + duration))
        hold->until = now + duration;
    else
        hold->number = 0;
    return hold->number != 0;
}

bool ratings_host_lease_release(ratings_host_lease_t *lease, ratings_host_lease_hold_t *hold)
{
    int64_t until = hold->until;
    bool was_held = hold->number && atomic_compare_exchange_strong(&lease->until, &until, 0);
    hold->number = 0;
    return was_held;
}
