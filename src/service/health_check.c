#include "health_check.h"

#include "../backend/stream/stream_topic.h"
#include "../core/clock.h"
#include "../module.h"
#include "../projector/projector.h"
#include "routing.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

#define UNREACHABLE "it cannot be reached"
#define FAILING "its last calls failed: see the error log"
#define UNUSABLE "it cannot be used: see the error log"
#define UNASKED "it was not asked in time"
#define UNABLE "it takes no events: a partition has no leader, or too few replicas in sync"

static const char rebuilding[] = "it is being rebuilt from the log";

typedef struct {
    ratings_child_t *child;
    int64_t deadline;
    apr_pool_t *pool;
    const ratings_health_t *before; /* the answer before; NULL: none */
    int64_t topic_checked_at;       /* by the projector; 0: Kafka is to be asked */
} check_t;

static ratings_call_policy_t *policy_of(const check_t *check, ratings_backend_e backend)
{
    return &check->child->policy[backend];
}

/* ---- what an answer says ---- */

/* At info once for an outage, and at debug while the answer before says that the backend is down.
 */
static void log_not_ready(const check_t *check, ratings_backend_e backend, const char *detail)
{
    bool was_down = check->before && check->before->reason[backend][0];
    ap_log_error(APLOG_MARK, was_down ? APLOG_DEBUG : APLOG_INFO, 0, check->child->service->server,
                 "RT0208: %s is not ready: %s", policy_of(check, backend)->name, detail);
}

static const char *unreachable_reason(const check_t *check, ratings_backend_e backend,
                                      const ratings_result_t *why)
{
    const char *fault = ratings_store_fault_text(why->fault);
    log_not_ready(check, backend, why->detail);
    if (fault)
        return fault;
    return why->status == APR_INCOMPLETE ? UNABLE : UNREACHABLE;
}

/* Of a backend that was not asked: what the answer before said of it, if that is not too old. */
static const char *unasked_reason(const check_t *check, ratings_backend_e backend)
{
    if (!check->before || ratings_monotonic() - check->before->found_at > RATINGS_HEALTH_OLD_US)
        return UNASKED;
    return check->before->reason[backend][0] ? check->before->reason[backend] : NULL;
}

/* NULL: the backend is up. While its circuit breaker is open, requests are refused, whatever the
 * backend answers here. */
static const char *reason_of(const check_t *check, ratings_backend_e backend,
                             const ratings_result_t *why)
{
    const ratings_call_policy_t *policy = policy_of(check, backend);
    if (why->status != APR_SUCCESS && why->status != RATINGS_NOT_ASKED)
        return unreachable_reason(check, backend, why);
    if (ratings_call_policy_is_open(policy))
        return FAILING;
    return why->status == RATINGS_NOT_ASKED ? unasked_reason(check, backend) : NULL;
}

/* ---- each backend: why it is not up, or NULL ---- */

static const char *talks_reason(const check_t *check)
{
    ratings_call_policy_t *policy = policy_of(check, RATINGS_BACKEND_TALKS);
    ratings_result_t why;
    if (!policy->is_usable)
        return UNUSABLE;
    bool probes = ratings_call_policy_claim_probe(policy, 0);
    (void)ratings_talks_check(check->child->talks, check->deadline, check->pool, &why);
    if (probes)
        ratings_call_policy_probed(policy, &why);
    return reason_of(check, RATINGS_BACKEND_TALKS, &why);
}

/* `high` is as it was before the state was loaded. */
static bool is_up_to_date(const ratings_store_state_t *state, const ratings_checkpoint_t *high,
                          int partition)
{
    ratings_checkpoint_t stored = {ratings_log_id(&state->first[partition]),
                                   state->checkpoint[partition]};
    return ratings_checkpoint_covers(stored, high[partition]);
}

/* What a store that is healthy says of itself. */
static const char *state_reason(const ratings_child_t *child, const ratings_store_state_t *state,
                                const ratings_checkpoint_t *high)
{
    if (state->topic[0] && strcmp(state->topic, child->service->config->topic) != 0)
        return "it holds the ratings of another topic";
    if (state->problem || state->is_behind)
        return rebuilding;
    if (state->routing_partitions == 0)
        return "the log does not say yet how talks are routed: see the error log";
    for (int i = 0; i < state->routing_partitions; i++)
        if (!is_up_to_date(state, high, i))
            return "it is being brought up to date with the log";
    return NULL;
}

/* For whichever reason: RT0301 says it. */
static bool is_stalled(const ratings_child_t *child)
{
    int64_t since = atomic_load(&child->service->shared->projected_at);
    if (since < child->started_at)
        since = child->started_at;
    return ratings_monotonic() - since > RATINGS_STALL_GRACE_US;
}

/* A fault of the store that stalls the projector, and may be one of writing alone: a denied
 * command. */
static const char *projector_reason(const ratings_child_t *child, const char *otherwise)
{
    int fault = (int)atomic_load(&child->service->shared->store_fault);
    return fault > RATINGS_STORE_UNREACHABLE ? ratings_store_fault_text(fault) : otherwise;
}

/* Corruption is no outage: the server has answered, and is being rebuilt. */
static const char *load_store(const check_t *check, ratings_store_state_t *state,
                              ratings_result_t *why)
{
    ratings_child_t *child = check->child;
    ratings_store_fault_e fault = RATINGS_STORE_HEALTHY;
    ratings_checkpoint_t high[RATINGS_PARTITIONS_MAX];
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++)
        high[i] = ratings_shm_high(child->service->shared, i);
    bool loaded =
        ratings_store_check(child->store, check->deadline, &fault, why) == APR_SUCCESS &&
        ratings_store_load_state(child->store, check->deadline, state, why) == APR_SUCCESS;
    if (why->status == RATINGS_REBUILD_NEEDED) {
        ratings_shm_request_rebuild(child->service->shared, RATINGS_REBUILD_REQUEST_STORE);
        ratings_result_ok(why);
        return rebuilding;
    }
    if (fault) /* it answers, and is not to be used as it is set up */
        log_not_ready(check, RATINGS_BACKEND_STORE, ratings_store_fault_text((int)fault));
    return fault || !loaded ? ratings_store_fault_text((int)fault)
                            : state_reason(child, state, high);
}

static const char *store_reason(const check_t *check)
{
    ratings_call_policy_t *policy = policy_of(check, RATINGS_BACKEND_STORE);
    ratings_store_state_t *state = malloc(sizeof *state);
    ratings_result_t why;
    if (!policy->is_usable || !state) {
        free(state);
        return UNUSABLE;
    }
    bool probes = ratings_call_policy_claim_probe(policy, 0);
    const char *fault = load_store(check, state, &why);
    if (probes)
        ratings_call_policy_probed(policy, &why);
    free(state);
    return fault ? fault : reason_of(check, RATINGS_BACKEND_STORE, &why);
}

static const char *topic_reason(const ratings_shm_t *shared)
{
    if (atomic_load(&shared->routing_conflict))
        return "the log says that talks are routed by more partitions than the topic has";
    return ratings_topic_fault_text(atomic_load(&shared->topic_fault));
}

/* What this host's projector has found within the last second need not be asked, for which a child
 * that takes no ratings would have to make a producer. While the circuit breaker is open, asking is
 * its probe. 0: there is no such finding. */
static int64_t topic_known_at(const ratings_child_t *child)
{
    int64_t at = atomic_load(&child->service->shared->topic_checked_at);
    bool is_fresh = at > 0 && ratings_monotonic() - at < RATINGS_HEALTH_FRESH_US;
    return is_fresh && !ratings_call_policy_is_open(&child->policy[RATINGS_BACKEND_STREAM]) ? at
                                                                                            : 0;
}

static void ask_stream(const check_t *check, ratings_result_t *why)
{
    int64_t left = check->deadline - ratings_monotonic();
    int64_t timeout = check->child->service->config->stream_timeout;
    if (check->topic_checked_at)
        ratings_result_ok(why);
    else if (left > 0)
        (void)ratings_routing_check(check->child, left < timeout ? left : timeout, why);
    else
        ratings_result_set(why, RATINGS_NOT_ASKED, "no time was left to ask Kafka");
}

static const char *stream_reason(const check_t *check)
{
    ratings_child_t *child = check->child;
    ratings_call_policy_t *policy = policy_of(check, RATINGS_BACKEND_STREAM);
    ratings_result_t why;
    if (!policy->is_usable)
        return UNUSABLE;
    bool probes = !check->topic_checked_at && ratings_call_policy_claim_probe(policy, 0);
    ask_stream(check, &why);
    if (probes)
        ratings_call_policy_probed(policy, &why);
    if (why.status == RATINGS_NOT_ASKED && ratings_stream_is_refused(child->stream))
        return UNUSABLE;
    const char *problem = reason_of(check, RATINGS_BACKEND_STREAM, &why);
    return problem ? problem : topic_reason(child->service->shared);
}

static const char *stats_reason(const check_t *check)
{
    const ratings_call_policy_t *policy = policy_of(check, RATINGS_BACKEND_STATS);
    if (!policy->is_usable)
        return UNUSABLE;
    return ratings_call_policy_is_open(policy) ? FAILING : NULL;
}

/* ---- all of them ---- */

/* By its text: the reason may be that of the answer before, a copy. */
static bool store_is_rebuilt(const char *reason)
{
    return strcmp(reason, rebuilding) == 0;
}

/* What the projector meets when it writes to the store, which reading alone does not show. A
 * rebuild under way explains why the store is not up to date. */
static const char *add_projector_reason(const check_t *check, const char *store, const char *stream)
{
    if (!store || store_is_rebuilt(store))
        store = projector_reason(check->child, store);
    if (!store && !stream && is_stalled(check->child))
        return "it is not being brought up to date: see the error log";
    return store;
}

void ratings_health_check(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                          const ratings_health_t *before, ratings_health_t *health)
{
    const check_t check = {child, deadline, pool, before, topic_known_at(child)};
    const char *reason[RATINGS_BACKENDS] = {
        [RATINGS_BACKEND_TALKS] = talks_reason(&check),
        [RATINGS_BACKEND_STORE] = store_reason(&check),
        [RATINGS_BACKEND_STREAM] = stream_reason(&check),
        [RATINGS_BACKEND_STATS] = stats_reason(&check),
    };
    const char *store = reason[RATINGS_BACKEND_STORE];
    bool is_rebuilding = store && store_is_rebuilt(store);
    reason[RATINGS_BACKEND_STORE] =
        add_projector_reason(&check, store, reason[RATINGS_BACKEND_STREAM]);
    memset(health, 0, sizeof *health);
    if (is_rebuilding)
        health->rebuild = ratings_shm_progress(child->service->shared);
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        apr_cpystrn(health->reason[i], reason[i] ? reason[i] : "", RATINGS_REASON_MAX);
    health->asked_at = ratings_monotonic();
    health->found_at = check.topic_checked_at ? check.topic_checked_at : health->asked_at;
}
