#include "lease.h"

#include "../core/assertion.h"
#include "../core/clock.h"
#include "../shm/futex.h"

#include <apr_general.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CANDIDATES_FACTOR 10      /* how much less often candidates look beside another one */
#define RELEASE_TIMEOUT_US 200000 /* what the end of a child has left for that */

void lease_init(lease_t *lease, const ratings_projector_options_t *options, ratings_store_t *store,
                const atomic_bool *holds_host)
{
    uint64_t random = 0;
    lease->options = options;
    lease->store = store;
    lease->holds_host = holds_host;
    lease->shared = options->shared;
    lease->duration = options->lease;
    apr_generate_random_bytes((unsigned char *)&random, sizeof random);
    (void)snprintf(lease->host, sizeof lease->host,
                   "%016llx:", (unsigned long long)lease->shared->id);
    (void)snprintf(lease->token, sizeof lease->token, "%s%ld:%016llx", lease->host, (long)getpid(),
                   (unsigned long long)random);
}

/* ---- taking and keeping it ---- */

/* Renewed three times in its life, so that a slow exchange with the store does not lose it. */
static apr_status_t ask_store(lease_t *lease, const char *host, bool *held, char *holder,
                              ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    apr_status_t status = ratings_store_acquire_lease(lease->store, lease->token, host,
                                                      lease->duration, held, holder, why);
    lease->renew_at = now + lease->duration / 3;
    return status;
}

/* Only the child with the host's lease asks: another one of this host that still has the lease is
 * dead, or frozen. */
apr_status_t lease_acquire(lease_t *lease, bool *held, char *holder, ratings_result_t *why)
{
    RATINGS_ASSERT(!lease->is_leader);
    *held = false;
    apr_status_t status = ask_store(lease, lease->host, held, holder, why);
    lease->is_leader = *held;
    return status;
}

apr_status_t lease_renew(lease_t *lease, ratings_result_t *why)
{
    char holder[RATINGS_TOKEN_MAX + 1];
    bool held = false;
    RATINGS_ASSERT(lease->is_leader);
    if (ratings_monotonic() < lease->renew_at)
        return APR_SUCCESS;
    apr_status_t status = ask_store(lease, "", &held, holder, why);
    if (status == APR_SUCCESS && !held)
        return ratings_result_set(why, APR_EAGAIN, "the lease has passed to another projector");
    return status;
}

apr_status_t lease_check(lease_t *lease, ratings_result_t *why)
{
    if (lease_must_stop(lease))
        return ratings_result_set(why, APR_EAGAIN, "the child ends");
    return lease_renew(lease, why);
}

void lease_set_duration(lease_t *lease, int64_t duration)
{
    RATINGS_ASSERT(lease->is_leader && duration > 0);
    lease->duration = duration;
    lease->renew_at = 0;
}

/* Tells this host's leader that this child would take over, unless httpd drains this one as well.
 */
static void announce_candidate(lease_t *lease)
{
    if (!lease->draining_since)
        atomic_store(&lease->shared->standby_at, ratings_monotonic());
}

/* Sleeps until `handover` is no longer `seen`, as it was before the caller looked at what it tells
 * of. */
static void await_handover(lease_t *lease, uint32_t seen, int64_t timeout)
{
    if (!lease_is_stopped(lease))
        ratings_shm_wait(&lease->shared->handover, seen, timeout);
}

/* While one candidate looks so often, the others need not. */
void lease_stand_by(lease_t *lease, int64_t timeout)
{
    uint32_t seen = atomic_load(&lease->shared->handover);
    bool another_looks =
        ratings_monotonic() - atomic_load(&lease->shared->standby_at) < timeout / 2;
    if (!another_looks)
        announce_candidate(lease);
    await_handover(lease, seen, another_looks ? CANDIDATES_FACTOR * timeout : timeout);
}

/* ---- giving it up ---- */

void lease_release(lease_t *lease)
{
    ratings_result_t why;
    RATINGS_ASSERT(lease->is_leader);
    lease->is_leader = false;
    (void)ratings_store_release_lease(lease->store, lease->token, INT64_MAX, &why);
    ratings_shm_wake(&lease->shared->handover);
}

void lease_release_after_join(lease_t *lease)
{
    ratings_result_t why;
    RATINGS_ASSERT(lease_is_stopped(lease));
    if (lease->options->requests_store)
        (void)ratings_store_release_lease(lease->options->requests_store, lease->token,
                                          ratings_monotonic() + RELEASE_TIMEOUT_US, &why);
}

/* A child that httpd drains (graceful restart, MaxConnectionsPerChild) leaves leading to one that
 * goes on living, as soon as there is one: at a graceful restart all children are drained at once,
 * and the new ones come a second or two later. */
static bool has_successor(lease_t *lease)
{
    if (!lease->draining_since && lease->options->is_draining())
        lease->draining_since = ratings_monotonic();
    return lease->draining_since && atomic_load(&lease->shared->standby_at) > lease->draining_since;
}

bool lease_must_leave(lease_t *lease)
{
    return lease_is_stopped(lease) || has_successor(lease);
}

bool lease_must_stop(lease_t *lease)
{
    return lease_must_leave(lease) || !atomic_load(lease->holds_host);
}

bool lease_is_stopped(const lease_t *lease)
{
    return atomic_load(&lease->stop);
}

void lease_stop(lease_t *lease)
{
    atomic_store(&lease->stop, true);
    ratings_shm_wake(&lease->shared->handover);
}

void lease_wait_for_handover(lease_t *lease, int64_t timeout)
{
    await_handover(lease, atomic_load(&lease->shared->handover), timeout);
}
