/* The lease: of the projectors of all hosts, the one that holds it is the leader. It is a key of
 * the store that expires (ratings_store_acquire_lease).
 *
 * It saves work, and nothing depends on it: each write of the store is compared with what the store
 * holds, so that two leaders at once do no harm (t/model explores them). This is why a single key
 * of Redis is enough, without fencing tokens, a quorum (Redlock) or clocks that agree; and why no
 * mutex of this host (fcntl, flock) is used, which would not reach the projectors of other hosts.
 *
 * Whether the thread is to go on leading is decided here as well, in one check: it is not when the
 * lease is lost, when the thread is to stop, or when httpd drains the child and another child of
 * this host is ready to lead.
 *
 * For the projector's thread alone, except lease_stop. Times are of ratings_monotonic, in
 * microseconds. Nothing is logged here. */
#ifndef RATINGS_PROJECTOR_LEASE_H
#define RATINGS_PROJECTOR_LEASE_H

#include "projector_options.h"

#include <stdatomic.h>

#define LEASE_HOST_SIZE 18 /* with its end */

typedef struct {
    const ratings_projector_options_t *options;
    ratings_store_t *store;
    ratings_shm_t *shared;
    char host[LEASE_HOST_SIZE];        /* segment: */
    char token[RATINGS_TOKEN_MAX + 1]; /* segment:process:random */
    int64_t duration;                  /* for which it is acquired and renewed */
    int64_t renew_at;                  /* when it is to be renewed next */
    bool is_leader;                    /* between lease_acquire that got it and lease_release */
    int64_t draining_since;            /* since when httpd drains the child; 0: it does not */
    const atomic_bool *holds_host;     /* whether the host's lease is still this child's */
    atomic_bool stop;
} lease_t;

/* What it is given must outlive the lease. */
void lease_init(lease_t *lease, const ratings_projector_options_t *options, ratings_store_t *store,
                const atomic_bool *holds_host);

/* ---- taking it ---- */

/* Takes it if no other host holds it. `holder` (RATINGS_TOKEN_MAX + 1 bytes): the token of who does
 * now. Errors are those of the store. */
apr_status_t lease_acquire(lease_t *lease, bool *held, char *holder, ratings_result_t *why);

/* Another child of this host writes: tells it that this one would take over, and sleeps until it
 * gives that up, `timeout` microseconds at most, or ten times that while another candidate looks.
 */
void lease_stand_by(lease_t *lease, int64_t timeout);

/* ---- keeping it ---- */

/* Whether the leader is to go on: renews the lease if that is due. APR_EAGAIN: it is lost, or the
 * thread is to stop leading (lease_must_stop). Else errors of the store. */
apr_status_t lease_check(lease_t *lease, ratings_result_t *why);

/* The same, whether or not the thread is to stop: between the exchanges with the store that apply
 * what was read, since POSTs wait for it. On a busy machine each may take a good part of the lease.
 */
apr_status_t lease_renew(lease_t *lease, ratings_result_t *why);

/* From now on it is renewed for `duration` microseconds, at the next check for the first time. */
void lease_set_duration(lease_t *lease, int64_t duration);

/* ---- giving it up ---- */

/* Gives it up if it is still ours, and wakes the other projectors of this host. */
void lease_release(lease_t *lease);

/* The same once the thread was joined, by the requests' store: its own was interrupted, and nobody
 * would lead for the seconds that the lease may still last. */
void lease_release_after_join(lease_t *lease);

/* Whether the thread is to end, or to leave leading to a child that httpd does not drain. */
bool lease_must_leave(lease_t *lease);

/* The same, or whether another child has got the host's lease. */
bool lease_must_stop(lease_t *lease);

/* Whether the thread is to end. */
bool lease_is_stopped(const lease_t *lease);

/* Asks the thread to end, and wakes it. Any thread. */
void lease_stop(lease_t *lease);

/* Sleeps until a lease of this host is given up or lease_stop is called, `timeout` microseconds at
 * most. */
void lease_wait_for_handover(lease_t *lease, int64_t timeout);

#endif
