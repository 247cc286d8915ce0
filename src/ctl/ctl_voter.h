/* The commands bar, unbar and erase: what the log says of one voter is changed by records that are
 * appended to it. They can be broken off at any point and done again: what is there already is not
 * appended once more, and no record is deleted. */
#ifndef RATINGS_CTL_VOTER_H
#define RATINGS_CTL_VOTER_H

#include "audit_store.h"
#include "ctl_append.h"
#include "ctl_log.h"

/* What a command does to the log. */
typedef struct {
    const char *name;
    bool changes_bar, bars; /* it bars the voter in each partition, or ends that */
    bool withdraws;         /* each rating of the voter that stands */
} ctl_voter_command_t;

/* A rating of the voter that stands, until it is withdrawn. */
typedef struct {
    const char *talk; /* the fold's */
    int partition, value;
} ctl_standing_t;

typedef struct {
    const ctl_voter_command_t *command;
    const ctl_options_t *options;
    ratings_voter_t voter;
    ratings_electorate_t electorate; /* of --secret; none: the voter is named by the hash */
    ctl_log_t log;
    audit_store_t *store;
    audit_state_t state;
    ctl_append_t *append;

    /* what has come out */
    bool *changed; /* partitions to which a record is appended, or would be: `changes` of them */
    int changes;
    ctl_standing_t *standing; /* `standings` of them, by talk and partition: they are withdrawn, or
                               * would be */
    size_t standings;
    size_t events;   /* of the voter, in the log */
    int barred;      /* partitions in which the voter is, at the end */
    bool is_applied; /* the service has applied all of it */
} ctl_voter_t;

void ctl_voter_text(const ctl_voter_t *it);
bool ctl_voter_json(const ctl_voter_t *it, audit_failure_t *why);

#endif
