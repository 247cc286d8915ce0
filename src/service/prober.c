#include "prober.h"

#include "../core/clock.h"
#include "../shm/futex.h"
#include "routing.h"

#include <apr_general.h>

#include <string.h>

#define OPEN_POLL_US INT64_C(250000)       /* how often it looks while a breaker is open */
#define CLOSED_POLL_US INT64_C(60000000)   /* while none is; it is woken when one opens */
#define STREAM_TIMEOUT_US INT64_C(500000)  /* of a call of Kafka, which cannot be cancelled */
#define STREAM_BACKOFF_US INT64_C(2500000) /* between two of them */
#define STATS_BACKOFF_US INT64_C(30000000) /* at most, between probes of the Lambda */

struct ratings_prober_t {
    ratings_child_t *child;
    pthread_t thread;
    atomic_bool stop;
};

/* ---- the probes: what requests ask, too ---- */

static void probe_talks(ratings_child_t *child, ratings_result_t *why)
{
    apr_pool_t *pool;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    (void)ratings_talks_check(child->talks, INT64_MAX, pool, why);
    apr_pool_destroy(pool);
}

/* Reads a talk that cannot exist. */
static void probe_store(ratings_child_t *child, ratings_result_t *why)
{
    ratings_snapshot_t snapshot;
    (void)ratings_store_read(child->store, "", 0, INT64_MAX, &snapshot, why);
}

/* An event cannot be appended for a try; while ratings are sent, they tell whether one can. An
 * answer that does not come so soon may come within Kafka's time, which readiness and requests
 * wait: it says nothing here. */
static void probe_stream(ratings_child_t *child, ratings_result_t *why)
{
    int64_t timeout = child->service->config->stream_timeout;
    bool is_shortened = timeout > STREAM_TIMEOUT_US;
    (void)ratings_routing_check(child, is_shortened ? STREAM_TIMEOUT_US : timeout, why);
    if (is_shortened && why->status == APR_TIMEUP)
        why->status = RATINGS_NOT_ASKED;
}

static void probe_stats(ratings_child_t *child, ratings_result_t *why)
{
    const ratings_histogram_t nothing = {{0}};
    ratings_statistics_t statistics;
    (void)ratings_stats_compute(child->stats, &nothing, NULL, INT64_MAX, &statistics, why);
}

/* Each call of the Lambda costs money: the longer its breaker is open, the more seldom it is
 * called. */
static int64_t stats_backoff(const ratings_child_t *child)
{
    const ratings_backend_state_t *backend = child->policy[RATINGS_BACKEND_STATS].backend;
    int64_t backoff = (ratings_monotonic() - atomic_load(&backend->opened_at)) / 4;
    return backoff < STATS_BACKOFF_US ? backoff : STATS_BACKOFF_US;
}

/* So that readiness, which waits longer for Kafka, can claim a probe as well. A child without a
 * producer, which it would have to make, leaves probes to those that have one, while there are any.
 */
static int64_t stream_backoff(const ratings_child_t *child)
{
    return ratings_stream_is_made(child->stream) ? STREAM_BACKOFF_US : 2 * STREAM_BACKOFF_US;
}

static int64_t no_backoff(const ratings_child_t *child)
{
    (void)child;
    return 0;
}

static const struct {
    void (*call)(ratings_child_t *child, ratings_result_t *why);
    int64_t (*backoff)(const ratings_child_t *child);
} probes[RATINGS_BACKENDS] = {
    [RATINGS_BACKEND_TALKS] = {probe_talks, no_backoff},
    [RATINGS_BACKEND_STORE] = {probe_store, no_backoff},
    [RATINGS_BACKEND_STREAM] = {probe_stream, stream_backoff},
    [RATINGS_BACKEND_STATS] = {probe_stats, stats_backoff},
};

/* ---- the thread ---- */

static void probe_backend(ratings_child_t *child, int i)
{
    ratings_call_policy_t *policy = &child->policy[i];
    ratings_result_t why;
    if (!ratings_call_policy_claim_probe(policy, probes[i].backoff(child)))
        return;
    probes[i].call(child, &why);
    ratings_call_policy_probed(policy, &why);
}

/* Returns whether any breaker is open. */
static bool probe_all(ratings_prober_t *prober)
{
    bool any = false;
    for (int i = 0; i < RATINGS_BACKENDS && !atomic_load(&prober->stop); i++) {
        if (!ratings_call_policy_is_open(&prober->child->policy[i]))
            continue;
        any = true;
        probe_backend(prober->child, i);
    }
    return any;
}

static void *probe_until_stopped(void *data)
{
    ratings_prober_t *prober = data;
    ratings_shm_t *shared = prober->child->service->shared;
    for (;;) {
        uint32_t seen = atomic_load(&shared->breakers_opened); /* before looking */
        bool any = probe_all(prober);
        if (atomic_load(&prober->stop))
            return NULL;
        ratings_shm_wait(&shared->breakers_opened, seen, any ? OPEN_POLL_US : CLOSED_POLL_US);
    }
}

apr_status_t ratings_prober_create(ratings_prober_t **out, ratings_child_t *child, apr_pool_t *pool)
{
    ratings_prober_t *prober = apr_pcalloc(pool, sizeof *prober);
    prober->child = child;
    apr_status_t status = pthread_create(&prober->thread, NULL, probe_until_stopped, prober);
    if (status == APR_SUCCESS)
        *out = prober;
    return status;
}

/* Wakes the probers of other children as well, which sleep again. */
void ratings_prober_stop(ratings_prober_t *prober)
{
    atomic_store(&prober->stop, true);
    ratings_shm_wake(&prober->child->service->shared->breakers_opened);
}

void ratings_prober_destroy(ratings_prober_t *prober)
{
    ratings_prober_stop(prober);
    pthread_join(prober->thread, NULL);
}
