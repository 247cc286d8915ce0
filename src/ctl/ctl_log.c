#include "ctl_log.h"

#include <stdlib.h>
#include <string.h>

static bool find_offsets(ctl_log_t *log, audit_failure_t *why)
{
    const int count = log->fold.partitions;
    if (!audit_stream_ends(log->stream, count, NULL, log->first, log->to, why))
        return false;
    if (log->options->at_ms != CTL_AT_END &&
        !audit_stream_ends_at(log->stream, count, log->options->at_ms, log->to, why))
        return false;
    for (int p = 0; p < count; p++)
        log->fold.partition[p].next = log->first[p];
    return true;
}

bool ctl_log_open(ctl_log_t *log, const ctl_options_t *options, audit_failure_t *why)
{
    int partitions = 0;
    memset(log, 0, sizeof *log);
    log->options = options;
    log->stream = audit_stream_open(&options->stream, &partitions, why);
    if (!log->stream)
        return false;
    log->first = calloc((size_t)partitions, sizeof *log->first);
    log->to = calloc((size_t)partitions, sizeof *log->to);
    if (!log->first || !log->to || !audit_fold_init(&log->fold, partitions))
        return audit_no_memory(why);
    return find_offsets(log, why);
}

void ctl_log_close(ctl_log_t *log)
{
    audit_stream_close(log->stream);
    audit_fold_free(&log->fold);
    free(log->first);
    free(log->to);
}

static int64_t offsets_to_fold(const ctl_log_t *log)
{
    int64_t offsets = 0;
    for (int p = 0; p < log->fold.partitions; p++) {
        int64_t next = log->fold.partition[p].next;
        offsets += log->to[p] > next ? log->to[p] - next : 0;
    }
    return offsets;
}

bool ctl_log_fold(ctl_log_t *log, audit_failure_t *why)
{
    bool good = true;
    audit_stream_progress_begin(log->stream, offsets_to_fold(log));
    for (int p = 0; p < log->fold.partitions && good; p++)
        good = audit_stream_fold(log->stream, &log->fold, p, log->to[p], why);
    audit_stream_progress_end(log->stream);
    return good;
}

bool ctl_log_follow(ctl_log_t *log, const int64_t *expected, audit_failure_t *why)
{
    return audit_stream_ends(log->stream, log->fold.partitions, expected, log->first, log->to,
                             why) &&
           ctl_log_fold(log, why);
}
