#include "prober.h"

#include "../core/clock.h"
#include "../shm/futex.h"
#include "call.h"
#include "routing.h"

#include <apr_general.h>

#include <string.h>

#define NAP_US INT64_C(250000)           /* between looks while a breaker is open */
#define SLEEP_US INT64_C(60000000)       /* while none is; it is woken when one opens */
#define STREAM_US INT64_C(500000)        /* of a question to Kafka, which cannot be interrupted */
#define STREAM_PAUSE_US INT64_C(2500000) /* between two of them */
#define STATS_PAUSE_US INT64_C(30000000) /* at most, between probes of the Lambda */

struct ratings_prober_t {
    ratings_child_t *child;
    pthread_t thread;
    atomic_bool stop;
};

/* ---- what is asked: the same as by requests ---- */

static void ask_talks(ratings_child_t *child, apr_pool_t *pool, ratings_result_t *why)
{
    (void)ratings_talks_check(child->talks, INT64_MAX, pool, why);
}

/* Of a talk that cannot be: corruption is no outage. */
static void ask_store(ratings_child_t *child, apr_pool_t *pool, ratings_result_t *why)
{
    ratings_snapshot_t view;
    (void)pool;
    (void)ratings_store_read(child->store, "", 0, INT64_MAX, &view, why);
    if (ratings_heed_corruption(child, why))
        ratings_result_ok(why);
}

/* Nothing can be appended for a try: while ratings are sent, it is theirs that tell. An answer that
 * is not there so soon may come in Kafka's time, which readiness and requests take. */
static void ask_stream(ratings_child_t *child, apr_pool_t *pool, ratings_result_t *why)
{
    int64_t timeout = child->service->config->stream_timeout;
    bool hurries = timeout > STREAM_US;
    (void)pool;
    (void)ratings_routing_check(child, hurries ? STREAM_US : timeout, why);
    if (hurries && why->status == APR_TIMEUP)
        why->status = RATINGS_NOT_ASKED;
}

static void ask_stats(ratings_child_t *child, apr_pool_t *pool, ratings_result_t *why)
{
    const ratings_histogram_t nothing = {{0}};
    ratings_statistics_t statistics;
    (void)pool;
    (void)ratings_stats_compute(child->stats, &nothing, INT64_MAX, &statistics, why);
}

static bool has_talks(const ratings_child_t *child)
{
    return child->talks != NULL;
}

static bool has_store(const ratings_child_t *child)
{
    return child->store != NULL;
}

static bool has_stream(const ratings_child_t *child)
{
    return child->stream != NULL;
}

static bool has_stats(const ratings_child_t *child)
{
    return child->stats != NULL;
}

/* Each call of the Lambda costs money: the longer it is away, the more seldom it is called. */
static int64_t stats_pause(const ratings_backend_state_t *backend)
{
    int64_t pause = (ratings_monotonic() - atomic_load(&backend->opened_at)) / 4;
    return pause < STATS_PAUSE_US ? pause : STATS_PAUSE_US;
}

/* So that those who ask with more patience have their turn. */
static int64_t stream_pause(const ratings_backend_state_t *backend)
{
    (void)backend;
    return STREAM_PAUSE_US;
}

static int64_t no_pause(const ratings_backend_state_t *backend)
{
    (void)backend;
    return 0;
}

static const struct {
    bool (*is_there)(const ratings_child_t *child);
    void (*ask)(ratings_child_t *child, apr_pool_t *pool, ratings_result_t *why);
    int64_t (*pause)(const ratings_backend_state_t *backend);
} probes[RATINGS_BACKENDS] = {
    [RATINGS_BACKEND_TALKS] = {has_talks, ask_talks, no_pause},
    [RATINGS_BACKEND_STORE] = {has_store, ask_store, no_pause},
    [RATINGS_BACKEND_STREAM] = {has_stream, ask_stream, stream_pause},
    [RATINGS_BACKEND_STATS] = {has_stats, ask_stats, stats_pause},
};

/* ---- the thread ---- */

static void probe(ratings_child_t *child, int i)
{
    ratings_call_policy_t *policy = &child->policy[i];
    ratings_result_t why;
    apr_pool_t *pool;
    if (!probes[i].is_there(child) ||
        !ratings_call_policy_claim_probe(policy, probes[i].pause(policy->backend)))
        return;
    apr_pool_create_unmanaged_ex(&pool, NULL, NULL);
    probes[i].ask(child, pool, &why);
    apr_pool_destroy(pool);
    ratings_call_policy_probed(policy, &why);
}

/* Whether any is open. */
static bool probe_all(ratings_prober_t *prober)
{
    bool any = false;
    for (int i = 0; i < RATINGS_BACKENDS && !atomic_load(&prober->stop); i++) {
        if (!ratings_call_policy_is_open(&prober->child->policy[i]))
            continue;
        any = true;
        probe(prober->child, i);
    }
    return any;
}

static void *run(void *data)
{
    ratings_prober_t *prober = data;
    ratings_shm_t *shared = prober->child->service->shared;
    for (;;) {
        uint32_t seen = atomic_load(&shared->breakers_opened); /* before looking */
        bool any = probe_all(prober);
        if (atomic_load(&prober->stop))
            return NULL;
        ratings_shm_wait(&shared->breakers_opened, seen, any ? NAP_US : SLEEP_US);
    }
}

apr_status_t ratings_prober_create(ratings_prober_t **out, ratings_child_t *child, apr_pool_t *pool)
{
    ratings_prober_t *prober = apr_pcalloc(pool, sizeof *prober);
    prober->child = child;
    apr_status_t status = pthread_create(&prober->thread, NULL, run, prober);
    if (status == APR_SUCCESS)
        *out = prober;
    return status;
}

/* Those of other children are woken as well, and sleep again. */
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
