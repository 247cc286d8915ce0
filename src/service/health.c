#include "health.h"

#include "../module.h"
#include "known.h"
#include "projector.h"

#include <stdlib.h>
#include <string.h>

#define UNREACHABLE "it cannot be reached"
#define FRESH_US INT64_C(1000000)

static const char *unreachable(const ratings_child_t *child, const char *name,
                               const ratings_result_t *why)
{
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, child->service->server, "RT0208: %s is not ready: %s",
                 name, why->detail);
    return UNREACHABLE;
}

static const char *talks_problem(ratings_child_t *child, int64_t deadline, apr_pool_t *pool)
{
    ratings_result_t why;
    if (!child->talks)
        return "it cannot be used: see the error log";
    return ratings_talks_check(child->talks, deadline, pool, &why) == APR_SUCCESS
               ? NULL
               : unreachable(child, child->talks_guard.name, &why);
}

static const char rebuilding[] = "it is being rebuilt from the log";

/* What the store's own account of itself says, once it is fit and reached. */
static const char *log_problem(const ratings_child_t *child, const ratings_log_t *log)
{
    if (!log->present || log->claim[0] || log->behind || log->position[0] < 0)
        return rebuilding;
    if (strcmp(log->topic, child->service->config->topic) != 0)
        return "it holds the ratings of another topic";
    return NULL;
}

/* What the store holds is not what the module writes: the server answers all the same. */
static const char *not_loaded(ratings_child_t *child, const ratings_result_t *why)
{
    return ratings_is_corruption(child, why) ? rebuilding
                                             : unreachable(child, child->store_guard.name, why);
}

static const char *store_problem(ratings_child_t *child, int64_t deadline, ratings_log_t *log)
{
    ratings_result_t why;
    const char *fault = NULL;
    if (!child->store)
        return "it cannot be used: see the error log";
    if (ratings_store_check(child->store, deadline, &fault, &why) != APR_SUCCESS)
        return unreachable(child, child->store_guard.name, &why);
    if (ratings_store_load(child->store, deadline, log, &why) != APR_SUCCESS)
        return not_loaded(child, &why);
    return fault ? fault : log_problem(child, log);
}

static const char *stream_problem(ratings_child_t *child, int64_t deadline)
{
    int64_t left = deadline - ratings_monotonic(), timeout = child->service->config->stream_timeout;
    ratings_result_t why;
    if (!child->projector)
        return "it cannot be used: see the error log";
    if (ratings_stream_check(child->stream, left < timeout ? left : timeout, &why) != APR_SUCCESS)
        return unreachable(child, child->stream_guard.name, &why);
    return ratings_stream_fault_text(atomic_load(&child->service->shared->topic_fault));
}

static const char *stats_problem(ratings_child_t *child)
{
    return child->stats &&
                   ratings_breaker_state(&child->stats_guard.breaker) == RATINGS_BREAKER_CLOSED
               ? NULL
               : UNREACHABLE;
}

/* Whatever the reason is: RT0301 has it. */
static bool is_held_up(const ratings_child_t *child)
{
    int64_t since = atomic_load(&child->service->shared->projected_at);
    if (since < child->started_at)
        since = child->started_at;
    return ratings_monotonic() - since > RATINGS_PASSING_US;
}

static void examine(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                    ratings_health_t *health)
{
    ratings_log_t *log = malloc(sizeof *log);
    health->reason[HEALTH_TALKS] = talks_problem(child, deadline, pool);
    health->reason[HEALTH_STORE] = log ? store_problem(child, deadline, log) : "out of memory";
    health->reason[HEALTH_STREAM] = stream_problem(child, deadline);
    if (!health->reason[HEALTH_STORE] && !health->reason[HEALTH_STREAM] && is_held_up(child))
        health->reason[HEALTH_STORE] = "it is not being brought up to date: see the error log";
    health->reason[HEALTH_STATS] = stats_problem(child);
    health->rebuild = (ratings_progress_t){.of = 0};
    if (health->reason[HEALTH_STORE] == rebuilding)
        health->rebuild = ratings_shared_progress(child->service->shared);
    free(log);
}

bool ratings_health(ratings_child_t *child, int64_t deadline, apr_pool_t *pool,
                    ratings_health_t *health)
{
    if (!ratings_lock_within(&child->health_lock, deadline - ratings_monotonic()))
        return false;
    if (!child->health_at || ratings_monotonic() - child->health_at >= FRESH_US) {
        examine(child, deadline, pool, &child->health);
        child->health_at = ratings_monotonic();
    }
    *health = child->health;
    pthread_mutex_unlock(&child->health_lock);
    return true;
}

bool ratings_health_is_ready(const ratings_health_t *health)
{
    for (int i = 0; i < HEALTH_BACKENDS; i++)
        if (health->reason[i] && i != HEALTH_STATS)
            return false;
    return true;
}
