/* The host's lease: of the children of a host, which one appends the events of all, and projects,
 * or stands by while another host does. It saves work: that two hold it at a time does no harm.
 *
 * A child that is killed leaves it to the next one at once, since it can be seen that the process
 * is gone; one that is frozen, once it has run out. Lock-free; all zero is a lease that nobody
 * holds. Times are microseconds of ratings_monotonic. Any thread. */
#ifndef RATINGS_SHM_HOST_LEASE_H
#define RATINGS_SHM_HOST_LEASE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* In shared memory. */
typedef struct {
    _Atomic int64_t until;   /* when it runs out; 0: nobody holds it */
    _Atomic uint64_t number; /* of who got it last: each time another one */
    _Atomic uint64_t holder; /* ratings_process_self of who holds it */
} ratings_host_lease_t;

/* The holder's own. */
typedef struct {
    uint64_t number; /* 0: it does not hold the lease */
    int64_t until;
    bool was_clean; /* the one before has given it up, or there was none */
} ratings_host_lease_hold_t;

/* Takes it if nobody holds it, it has run out, or its holder is dead. */
bool ratings_host_lease_acquire(ratings_host_lease_t *lease, int64_t now, int64_t duration,
                                ratings_host_lease_hold_t *hold);

/* Keeps it for `duration` from `now` on. False: another one has got it, and the hold is none. */
bool ratings_host_lease_renew(ratings_host_lease_t *lease, int64_t now, int64_t duration,
                              ratings_host_lease_hold_t *hold);

/* Gives it up. True: it was still held, and the caller wakes the candidates. */
bool ratings_host_lease_release(ratings_host_lease_t *lease, ratings_host_lease_hold_t *hold);

#endif
