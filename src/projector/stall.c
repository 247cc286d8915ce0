#include "stall.h"

#include "../core/clock.h"

void stall_init(stall_t *stall, const ratings_projector_options_t *options)
{
    stall->options = options;
}

bool stall_is_transient(apr_status_t status)
{
    return status == APR_EAGAIN || status == RATINGS_REBUILD_NEEDED;
}

static bool may_pass_by_itself(apr_status_t status)
{
    return stall_is_transient(status) || status == APR_TIMEUP || status == RATINGS_NOT_ASKED;
}

void stall_report(stall_t *stall, const ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    if (!stall->since)
        stall->since = now;
    if (why->fault || !stall_is_transient(why->status))
        atomic_store(&stall->options->shared->store_fault, (uint32_t)why->fault);
    bool is_early = may_pass_by_itself(why->status) && now < stall->since + RATINGS_STALL_GRACE_US;
    ap_log_error(APLOG_MARK, stall->logged || is_early ? APLOG_DEBUG : APLOG_ERR, 0,
                 stall->options->server,
                 "RT0301: the projector is stalled: ratings are durable in Kafka but not counted "
                 "yet: %s",
                 why->detail);
    stall->logged |= !is_early;
}

bool stall_end(stall_t *stall)
{
    bool was_logged = stall->logged;
    atomic_store(&stall->options->shared->store_fault, RATINGS_STORE_HEALTHY);
    stall->since = 0;
    stall->logged = false;
    return was_logged;
}
