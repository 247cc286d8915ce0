/* Private to stats: the credentials that calls are signed with now. Those that expire are refreshed
 * RATINGS_AWS_DUE_US before they do, by a thread that a call starts and does not wait for: a call
 * waits only while there are none that are valid. There is one such thread at most, and none while
 * nothing is called.
 *
 * Any thread. Part of a reference-counted object, whose lock guards it and is never held across
 * I/O; the caller holds a reference. */
#ifndef RATINGS_STATS_CREDENTIALS_H
#define RATINGS_STATS_CREDENTIALS_H

#include "../../core/aws_source.h"
#include "../common/deadline.h"
#include "../common/refobj.h"
#include "stats.h"

#include <stdint.h>

typedef struct {
    ratings_refobj_t *owner;
    const ratings_aws_source_t *source;
    ratings_stats_log_t *log; /* or NULL */

    /* with the owner's lock held */
    ratings_aws_credentials_t current;
    uint64_t number; /* of the current ones, which are counted from 1; 0: there are none yet */
    bool is_refreshing;
    bool has_failed;     /* the last time, for the reason that follows */
    int64_t next_try_at; /* of ratings_monotonic */
    ratings_result_t why;
} stats_credentials_t;

/* A zeroed one, in `owner`. The source lives as long as the owner. */
void stats_credentials_init(stats_credentials_t *credentials, ratings_refobj_t *owner,
                            const ratings_aws_source_t *source, ratings_stats_log_t *log);

/* Copies the current ones into `*out` and their number into `*number`, unless `*number` is that
 * already. Without valid ones it waits for them, and fails as result.h has it: APR_TIMEUP at the
 * deadline, and the reason of the last refresh, which is tried again after a pause alone. */
apr_status_t stats_credentials_get(stats_credentials_t *credentials,
                                   const ratings_deadline_t *deadline, uint64_t *number,
                                   ratings_aws_credentials_t *out, ratings_result_t *why);

#endif
