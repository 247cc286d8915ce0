/* How far a rebuild is, for the log and for readiness. */
#include "../core/remaining_time.h"

#include "../module.h"
#include "projection.h"

#define FIRST_LOG_US INT64_C(2000000) /* a rebuild that takes no longer needs no line */
#define LOG_US INT64_C(10000000)

static int64_t within(int64_t from, int64_t to)
{
    return to > from ? to - from : 0;
}

static ratings_progress_t measure(const ratings_projector_t *p)
{
    ratings_progress_t progress = {0, 0, RATINGS_SECONDS_UNKNOWN};
    for (int i = 0; i < p->partitions; i++) {
        const partition_t *partition = &p->partition[i];
        int64_t of = within(partition->first, partition->target);
        int64_t done = within(partition->first, partition->position);
        progress.total += of;
        progress.applied += done < of ? done : of;
    }
    return progress;
}

static void begin(ratings_projector_t *p, int64_t done, int64_t now)
{
    p->rebuilding_since = now;
    p->rebuilt_before = done;
    p->progress_log_at = now + FIRST_LOG_US;
}

static void say(ratings_projector_t *p, const ratings_progress_t *progress, int64_t now)
{
    if (now < p->progress_log_at || progress->seconds_left < 0)
        return;
    p->progress_log_at = now + LOG_US;
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, p->child->service->server,
                 "RT0310: rebuilding the store: %" APR_INT64_T_FMT " of %" APR_INT64_T_FMT
                 " records are applied (%d%%), about %" APR_INT64_T_FMT " s left",
                 progress->applied, progress->total,
                 (int)(100 * progress->applied / progress->total), progress->seconds_left);
}

void projection_tell_progress(ratings_projector_t *p)
{
    int64_t now = ratings_monotonic();
    ratings_progress_t progress = measure(p);
    if (!p->rebuilding_since)
        begin(p, progress.applied, now);
    progress.seconds_left =
        ratings_seconds_left(progress.applied - p->rebuilt_before,
                             progress.total - progress.applied, now - p->rebuilding_since);
    if (progress.total > 0)
        say(p, &progress, now);
    ratings_shm_set_progress(p->shared, &progress);
}

void projection_end_progress(ratings_projector_t *p)
{
    const ratings_progress_t none = {0, 0, RATINGS_SECONDS_UNKNOWN};
    if (p->rebuilding_since)
        ratings_shm_set_progress(p->shared, &none);
    p->rebuilding_since = 0;
}
