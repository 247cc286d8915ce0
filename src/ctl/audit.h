/* The audit: folds the log up to the store's checkpoints, reads the store, and compares.
 *
 * The service may run meanwhile. The store is read in steps, each of which atomically reads the
 * counts of some talks and the checkpoints; then the log is folded on, and each talk's events are
 * counted up to just these. So nothing has to hold still, and nothing is compared twice.
 *
 * One thread. A function that returns bool returns false, and the reason, when it could not look;
 * what it found is in audit_t. */
#ifndef RATINGS_AUDIT_AUDIT_H
#define RATINGS_AUDIT_AUDIT_H

#include "audit_store.h"
#include "ctl_options.h"

/* Whether what ratings:log says of a partition fits the log. */
typedef enum {
    AUDIT_FITS,
    AUDIT_DIFFERS,
    AUDIT_ABSENT /* it says nothing */
} audit_fit_e;

typedef struct {
    int64_t start, end; /* of the log: its first offset, and the next it will give */
    int64_t checkpoint; /* of the store */
    audit_fit_e last, first, time;
    bool bars_fit;       /* the store bars the voters whom the log bars */
    const char *problem; /* static; NULL: none */
} audit_check_t;

typedef struct audit_snapshot_t audit_snapshot_t;

typedef struct {
    const ctl_options_t *options;
    audit_stream_t *stream;
    audit_store_t *store;
    audit_fold_t fold;
    audit_state_t state;         /* what ratings:log said when it was read last */
    audit_snapshot_t *snapshots; /* the checkpoints at which talks were read */
    audit_check_t *checks;       /* one for each partition */
    int64_t *wanted;             /* the log's ends when the audit began */
    int64_t *ends;               /* and as they were last seen; the next two are room to work in */
    int64_t *starts, *checkpoints;
    int *partitions;

    /* what has come out */
    const char *problem;      /* of ratings:log as a whole; NULL: none */
    audit_talk_t **differing; /* `differ` of them, by id; they are the fold's */
    size_t differ, in_log, in_store, compared;
    size_t spread;            /* talks with events in more than one partition */
    int bad_partitions;       /* with a problem */
    size_t repaired, gave_up; /* gave_up: talks not repaired, as the store moved on each time */
    bool unrepairable;        /* nothing was repaired, as ratings:log itself does not fit the log */
} audit_t;

/* `*audit` must be freed in any case. The options must live as long. */
bool audit_open(audit_t *audit, const ctl_options_t *options, audit_failure_t *why);
void audit_free(audit_t *audit);

/* Compares all talks that log and store have, or those that were chosen. */
bool audit_round(audit_t *audit, audit_failure_t *why);

/* Repairs the talks that differ. Another round finds out what has become of them. */
bool audit_repair(audit_t *audit, audit_failure_t *why);

/* Reads what the store has not applied, up to the log's end as it was at the beginning. The last
 * step: the store cannot be compared after it. */
bool audit_finish(audit_t *audit, audit_failure_t *why);

/* What is wrong with a talk (static); NULL when store and log agree. */
const char *audit_talk_problem(const audit_talk_t *talk);

/* Whether nothing that was compared differs: no talk, no partition, nor ratings:log as a whole. */
bool audit_agrees(const audit_t *audit);

/* How many offsets of the log the store has not applied, of a partition. */
int64_t audit_lag(const audit_check_t *check);

/* ---- between the files of the audit ---- */

/* What ratings:log says, compared with the fold when that is at the checkpoints of the state. */
void audit_check_partitions(audit_t *audit);

/* Folds `count` partitions on to the checkpoints that the store, which is read for that, has now.
 */
bool audit_follow(audit_t *audit, const int *partitions, int count, audit_failure_t *why);

#endif
