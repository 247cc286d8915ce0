/* The audit: folds the log up to where the store stands, reads the store, and compares.
 *
 * The service may run meanwhile. The store is read in steps, each of which tells atomically the
 * counts of some talks and where the store stood; then the log is folded on, and each talk's events
 * are counted up to just there. So nothing has to hold still, and nothing is compared twice. */
#ifndef RATINGS_AUDIT_AUDIT_H
#define RATINGS_AUDIT_AUDIT_H

#include "audit_store.h"
#include "options.h"

/* Whether what ratings:log says of a partition fits the log. */
typedef enum {
    AUDIT_FITS,
    AUDIT_DIFFERS,
    AUDIT_ABSENT /* it says nothing */
} audit_fit_e;

typedef struct {
    int64_t start, end; /* of the log: its first offset, and the next it will give */
    int64_t position;   /* of the store */
    audit_fit_e mark, first, time;
    const char *problem; /* static; NULL: none */
} audit_check_t;

typedef struct audit_moment_t audit_moment_t;

typedef struct {
    const audit_options_t *options;
    audit_stream_t *stream;
    audit_store_t *store;
    audit_fold_t fold;
    audit_log_t log;         /* as it was when the round began */
    audit_moment_t *moments; /* where the store stood when talks were read */
    audit_check_t *checks;   /* one for each partition */
    int64_t *wanted;         /* the log's ends when the audit began */
    int64_t *ends;           /* and as they were last seen; the next two are room to work in */
    int64_t *starts, *positions;
    int *partitions;

    /* what has come out */
    const char *problem;      /* of ratings:log as a whole; NULL: none */
    audit_talk_t **differing; /* `differ` of them, by id */
    size_t differ, in_log, in_store, compared;
    size_t spread;        /* talks with events in more than one partition */
    int bad_partitions;   /* with a problem */
    size_t mended, tired; /* tired: talks that could not be mended, as the store moved on */
    bool unmendable;      /* nothing was mended, as ratings:log itself does not fit the log */
} audit_t;

/* `*audit` must be freed in any case. False, and why, when it cannot be looked at. */
bool audit_open(audit_t *audit, const audit_options_t *options, audit_why_t *why);
void audit_free(audit_t *audit);

/* Compares all talks that log and store have, or those that were chosen. */
bool audit_round(audit_t *audit, audit_why_t *why);

/* Mends the talks that differ. Another round tells what has become of them. */
bool audit_repair(audit_t *audit, audit_why_t *why);

/* Reads what the store has not applied, up to the log's end as it was at the beginning. The last
 * step: the store can't be compared any more. */
bool audit_finish(audit_t *audit, audit_why_t *why);

/* What is wrong with a talk (static); NULL when store and log agree. */
const char *audit_talk_problem(const audit_talk_t *talk);

bool audit_agrees(const audit_t *audit);
int64_t audit_lag(const audit_check_t *check);

/* ---- for audit.c and repair.c ---- */

/* Folds `count` partitions on to where the store, which is read for that, stands now. */
bool audit_follow(audit_t *audit, const int *partitions, int count, audit_why_t *why);

#endif
