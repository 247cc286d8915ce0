#include "health.h"

#include "../core/clock.h"
#include "../module.h"
#include "../projector/projector.h"
#include "../shm/futex.h"
#include "call.h"
#include "routing.h"

#include <apr_strings.h>

#include <stdlib.h>
#include <string.h>

#define UNREACHABLE "it cannot be reached"
#define FAILING "its last calls failed: see the error log"
#define UNUSABLE "it cannot be used: see the error log"
#define UNASKED "it was not asked in time"
#define UNABLE "it takes no events: a partition has no leader, or too few replicas in sync"
#define FRESH_US INT64_C(1000000)
#define OLD_US INT64_C(10000000) /* an answer that is waited for rather than given */
#define WAIT_US INT64_C(1000000)
#define WAITERS_MAX 2 /* of a child, at a time */

const ratings_shm_cache_geometry_t ratings_health_cache_geometry = {1, sizeof(int64_t),
                                                                    sizeof(ratings_health_t)};

_Static_assert(sizeof(ratings_health_t) <= RATINGS_SHM_CACHE_RECORD_MAX,
               "it is a record of a memo");

/* ---- asking the backends ---- */

typedef struct {
    ratings_child_t *child;
    int64_t deadline;
    apr_pool_t *pool;
    const ratings_health_t *before; /* the answer before; NULL: none */
} exam_t;

/* Once for an outage; what readiness finds again and again is at debug. */
static const char *unreachable(const exam_t *exam, ratings_backend_e backend, const char *name,
                               const ratings_result_t *why)
{
    const char *fault = ratings_store_fault_text(why->fault);
    bool was_down = exam->before && exam->before->reason[backend][0];
    ap_log_error(APLOG_MARK, was_down ? APLOG_DEBUG : APLOG_INFO, 0, exam->child->service->server,
                 "RT0208: %s is not ready: %s", name, why->detail);
    if (fault)
        return fault;
    return why->status == APR_INCOMPLETE ? UNABLE : UNREACHABLE;
}

/* What was not asked now is as it was found to be a moment ago. */
static const char *unasked(const exam_t *exam, ratings_backend_e backend)
{
    if (!exam->before || ratings_monotonic() - exam->before->found_at > OLD_US)
        return UNASKED;
    return exam->before->reason[backend][0] ? exam->before->reason[backend] : NULL;
}

/* While its circuit breaker is open, requests are refused whatever was answered here. */
static const char *verdict(const exam_t *exam, ratings_backend_e backend,
                           const ratings_call_policy_t *policy, const ratings_result_t *why)
{
    if (why->status != APR_SUCCESS && why->status != RATINGS_NOT_ASKED)
        return unreachable(exam, backend, policy->name, why);
    if (ratings_call_policy_is_open(policy))
        return FAILING;
    return why->status == RATINGS_NOT_ASKED ? unasked(exam, backend) : NULL;
}

static const char *talks_problem(const exam_t *exam)
{
    ratings_child_t *child = exam->child;
    ratings_result_t why;
    if (!child->talks)
        return UNUSABLE;
    bool probes = ratings_call_policy_claim_probe(&child->policy[RATINGS_BACKEND_TALKS], 0);
    (void)ratings_talks_check(child->talks, exam->deadline, exam->pool, &why);
    if (probes)
        ratings_call_policy_probed(&child->policy[RATINGS_BACKEND_TALKS], &why);
    return verdict(exam, RATINGS_BACKEND_TALKS, &child->policy[RATINGS_BACKEND_TALKS], &why);
}

static const char rebuilding[] = "it is being rebuilt from the log";

/* A GET goes by the same. `high` is as it was before the store was loaded. */
static bool is_answered(const ratings_store_state_t *log, const ratings_checkpoint_t *high,
                        int partition)
{
    return log->checkpoint[partition] >= high[partition].offset &&
           ratings_log_id(&log->first[partition]) == high[partition].log_id &&
           high[partition].log_id != 0;
}

/* What the store's own account of itself says, once it is fit and reached. */
static const char *log_problem(const ratings_child_t *child, const ratings_store_state_t *log,
                               const ratings_checkpoint_t *high)
{
    if (log->topic[0] && strcmp(log->topic, child->service->config->topic) != 0)
        return "it holds the ratings of another topic";
    if (log->problem || log->is_behind)
        return rebuilding;
    if (log->routed == 0)
        return "the log does not say yet how talks are routed: see the error log";
    for (int i = 0; i < log->routed; i++)
        if (!is_answered(log, high, i))
            return "it is being brought up to date with the log";
    return NULL;
}

/* Whatever the reason is: RT0301 has it. */
static bool is_held_up(const ratings_child_t *child)
{
    int64_t since = atomic_load(&child->service->shared->projected_at);
    if (since < child->started_at)
        since = child->started_at;
    return ratings_monotonic() - since > RATINGS_STALL_GRACE_US;
}

/* What holds up whoever projects, which may be no more than a command to write with. */
static const char *projecting_problem(const ratings_child_t *child, const char *otherwise)
{
    int fault = (int)atomic_load(&child->service->shared->store_fault);
    return fault > RATINGS_STORE_UNREACHABLE ? ratings_store_fault_text(fault) : otherwise;
}

/* What the store holds is not what the module writes: the server answers all the same. */
static const char *ask_store(const exam_t *exam, ratings_store_state_t *log, ratings_result_t *why)
{
    ratings_child_t *child = exam->child;
    ratings_store_fault_e fault = RATINGS_STORE_HEALTHY;
    ratings_checkpoint_t high[RATINGS_PARTITIONS_MAX];
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++)
        high[i] = ratings_shm_high(child->service->shared, i);
    bool loaded = ratings_store_check(child->store, exam->deadline, &fault, why) == APR_SUCCESS &&
                  ratings_store_load_state(child->store, exam->deadline, log, why) == APR_SUCCESS;
    if (ratings_heed_corruption(child, why)) {
        ratings_result_ok(why);
        return rebuilding;
    }
    return fault || !loaded ? ratings_store_fault_text((int)fault) : log_problem(child, log, high);
}

static const char *store_problem(const exam_t *exam)
{
    ratings_child_t *child = exam->child;
    ratings_store_state_t *log = malloc(sizeof *log);
    ratings_result_t why;
    if (!child->store || !log) {
        free(log);
        return UNUSABLE;
    }
    bool probes = ratings_call_policy_claim_probe(&child->policy[RATINGS_BACKEND_STORE], 0);
    const char *fault = ask_store(exam, log, &why);
    if (probes)
        ratings_call_policy_probed(&child->policy[RATINGS_BACKEND_STORE], &why);
    free(log);
    return fault
               ? fault
               : verdict(exam, RATINGS_BACKEND_STORE, &child->policy[RATINGS_BACKEND_STORE], &why);
}

static const char *topic_problem(const ratings_shm_t *shared)
{
    if (atomic_load(&shared->routing_conflict))
        return "the log says that talks are routed by more partitions than the topic has";
    return ratings_stream_fault_text(atomic_load(&shared->topic_fault));
}

static const char *stream_problem(const exam_t *exam)
{
    ratings_child_t *child = exam->child;
    int64_t left = exam->deadline - ratings_monotonic();
    int64_t timeout = child->service->config->stream_timeout;
    ratings_result_t why;
    if (!child->projector)
        return UNUSABLE;
    bool probes = ratings_call_policy_claim_probe(&child->policy[RATINGS_BACKEND_STREAM], 0);
    if (left > 0)
        (void)ratings_routing_check(child, left < timeout ? left : timeout, &why);
    else
        ratings_result_set(&why, RATINGS_NOT_ASKED, "no time was left to ask Kafka");
    if (probes)
        ratings_call_policy_probed(&child->policy[RATINGS_BACKEND_STREAM], &why);
    const char *problem =
        verdict(exam, RATINGS_BACKEND_STREAM, &child->policy[RATINGS_BACKEND_STREAM], &why);
    return problem ? problem : topic_problem(child->service->shared);
}

static const char *stats_problem(const exam_t *exam)
{
    if (!exam->child->stats)
        return UNUSABLE;
    return ratings_call_policy_is_open(&exam->child->policy[RATINGS_BACKEND_STATS]) ? FAILING
                                                                                    : NULL;
}

static void examine(const exam_t *exam, ratings_health_t *health)
{
    const char *reason[RATINGS_BACKENDS] = {
        [RATINGS_BACKEND_TALKS] = talks_problem(exam),
        [RATINGS_BACKEND_STORE] = store_problem(exam),
        [RATINGS_BACKEND_STREAM] = stream_problem(exam),
        [RATINGS_BACKEND_STATS] = stats_problem(exam),
    };
    const char **store = &reason[RATINGS_BACKEND_STORE];
    bool is_rebuilding = *store && strcmp(*store, rebuilding) == 0; /* it may be that of before */
    if (!*store || is_rebuilding)
        *store = projecting_problem(exam->child, *store);
    if (!*store && !reason[RATINGS_BACKEND_STREAM] && is_held_up(exam->child))
        *store = "it is not being brought up to date: see the error log";
    memset(health, 0, sizeof *health);
    if (is_rebuilding)
        health->rebuild = ratings_shm_progress(exam->child->service->shared);
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        apr_cpystrn(health->reason[i], reason[i] ? reason[i] : "", RATINGS_REASON_MAX);
    health->found_at = ratings_monotonic();
}

/* ---- one asks, for the host ---- */

static const int64_t the_key = 0;

static bool recall(const ratings_child_t *child, ratings_health_t *health)
{
    const ratings_shm_cache_t *memo =
        ratings_shm_cache_of(child->service->shared, RATINGS_CACHE_HEALTH);
    return ratings_shm_cache_get(memo, 0, &the_key, health);
}

/* Until `deadline`, so that one that is killed meanwhile keeps others from it no longer. */
static bool claim(ratings_shm_t *shared, int64_t now, int64_t deadline)
{
    int64_t until = atomic_load(&shared->health_claimed_until);
    return now >= until &&
           atomic_compare_exchange_strong(&shared->health_claimed_until, &until, deadline);
}

static void tell(ratings_shm_t *shared, const ratings_health_t *health, int64_t deadline)
{
    ratings_shm_cache_put(ratings_shm_cache_of(shared, RATINGS_CACHE_HEALTH), 0, health);
    (void)atomic_compare_exchange_strong(&shared->health_claimed_until, &deadline, 0);
    ratings_shm_wake(&shared->health_answers);
}

/* False at `until`, and for one request too many. */
static bool wait_for_answer(ratings_child_t *child, uint32_t seen, int64_t until)
{
    int64_t left = until - ratings_monotonic();
    if (left <= 0)
        return false;
    bool may_wait = atomic_fetch_add(&child->health_waiters, 1) < WAITERS_MAX;
    if (may_wait)
        ratings_shm_wait(&child->service->shared->health_answers, seen, left);
    atomic_fetch_sub(&child->health_waiters, 1);
    return may_wait;
}

/* `*known`: there is an answer, if an old one. */
static bool answer_now(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                       ratings_health_t *health, bool *known)
{
    ratings_health_t before = {.key = the_key};
    int64_t now = ratings_monotonic();
    *known = recall(child, &before);
    *health = before;
    if (*known && now - before.found_at < FRESH_US)
        return true;
    if (!claim(child->service->shared, now, deadline))
        return *known && now - before.found_at < OLD_US;
    const exam_t exam = {child, deadline, pool, *known ? &before : NULL};
    examine(&exam, health);
    tell(child->service->shared, health, deadline);
    return true;
}

bool ratings_health(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                    ratings_health_t *health)
{
    int64_t until = ratings_monotonic() + WAIT_US;
    bool known = false;
    if (until > deadline)
        until = deadline;
    for (;;) {
        uint32_t seen = atomic_load(&child->service->shared->health_answers); /* before looking */
        if (answer_now(child, deadline, pool, health, &known))
            return true;
        if (!wait_for_answer(child, seen, until))
            return known;
    }
}

bool ratings_health_is_ready(const ratings_health_t *health)
{
    for (int i = 0; i < RATINGS_BACKENDS; i++)
        if (health->reason[i][0] && i != RATINGS_BACKEND_STATS)
            return false;
    return true;
}
