/* The log alone, without a store: folded from its beginning to its end as it was when it was
 * opened, or to a point in time. One thread. */
#ifndef RATINGS_CTL_LOG_H
#define RATINGS_CTL_LOG_H

#include "ctl_options.h"

typedef struct {
    const ctl_options_t *options;
    audit_stream_t *stream;
    audit_fold_t fold;
    int64_t *first, *to; /* of each partition, the offsets to fold from, and up to which */
} ctl_log_t;

/* `*log` must be closed in any case. Up to `options->at_ms`, if that is set: each partition up to
 * its first record with a later timestamp, so that it is what the store was, or could be, then. */
bool ctl_log_open(ctl_log_t *log, const ctl_options_t *options, audit_failure_t *why);
void ctl_log_close(ctl_log_t *log);

/* Folds all of it, one partition after the other. */
bool ctl_log_fold(ctl_log_t *log, audit_failure_t *why);

/* Folds on to the end as it is now, which is known to be at or behind `expected`, one offset for
 * each partition. */
bool ctl_log_follow(ctl_log_t *log, const int64_t *expected, audit_failure_t *why);

#endif
