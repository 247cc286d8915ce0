#include "rebuild_progress.h"

#include "../core/clock.h"
#include "../core/remaining_time.h"

#define FIRST_LOG_US INT64_C(2000000) /* a rebuild that takes no longer needs no line */
#define LOG_US INT64_C(10000000)

void rebuild_progress_init(rebuild_progress_t *progress, const projection_t *projection)
{
    progress->projection = projection;
}

static int64_t records_between(int64_t from, int64_t to)
{
    return to > from ? to - from : 0;
}

static ratings_progress_t measure_progress(const projection_t *p)
{
    ratings_progress_t measured = {0, 0, RATINGS_SECONDS_UNKNOWN};
    for (int i = 0; i < p->partitions; i++) {
        const partition_t *partition = &p->partition[i];
        int64_t of = records_between(partition->log_start, partition->rebuild_target);
        int64_t done = records_between(partition->log_start, partition_read_up_to(partition));
        measured.total += of;
        measured.applied += done < of ? done : of;
    }
    return measured;
}

static void begin_progress(rebuild_progress_t *progress, int64_t done, int64_t now)
{
    progress->since = now;
    progress->applied_before = done;
    progress->log_at = now + FIRST_LOG_US;
}

static void log_progress(rebuild_progress_t *progress, const ratings_progress_t *measured,
                         int64_t now)
{
    if (now < progress->log_at || measured->seconds_left < 0)
        return;
    progress->log_at = now + LOG_US;
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, progress->projection->options->server,
                 "RT0310: rebuilding the store: %" APR_INT64_T_FMT " of %" APR_INT64_T_FMT
                 " records are read (%d%%), about %" APR_INT64_T_FMT " s left",
                 measured->applied, measured->total,
                 (int)(100 * measured->applied / measured->total), measured->seconds_left);
}

void rebuild_progress_publish(rebuild_progress_t *progress)
{
    int64_t now = ratings_monotonic();
    ratings_progress_t measured = measure_progress(progress->projection);
    if (!progress->since)
        begin_progress(progress, measured.applied, now);
    measured.seconds_left =
        ratings_seconds_left(measured.applied - progress->applied_before,
                             measured.total - measured.applied, now - progress->since);
    if (measured.total > 0)
        log_progress(progress, &measured, now);
    ratings_shm_set_progress(progress->projection->shared, &measured);
}

void rebuild_progress_end(rebuild_progress_t *progress)
{
    const ratings_progress_t none = {0, 0, RATINGS_SECONDS_UNKNOWN};
    if (progress->since)
        ratings_shm_set_progress(progress->projection->shared, &none);
    progress->since = 0;
}
