/* The command explain: the events behind the numbers of one talk, and what became of each. */
#ifndef RATINGS_CTL_EXPLAIN_H
#define RATINGS_CTL_EXPLAIN_H

#include "audit.h"

/* What became of an event. */
typedef enum {
    CTL_FATE_COUNTS,
    CTL_FATE_DUPLICATE, /* these four never counted: see audit_verdict_e */
    CTL_FATE_BARRED,
    CTL_FATE_REPEATED,
    CTL_FATE_CONFLICT,
    CTL_FATE_REPLACED,  /* its voter gave another rating later */
    CTL_FATE_WITHDRAWN, /* its voter withdrew it later */
    CTL_FATE_WITHDRAWAL /* it is one itself */
} ctl_fate_e;

/* An event of the talk. */
typedef struct {
    int partition;
    int64_t offset, time; /* time: the record's, milliseconds since 1970; -1: none */
    int value;            /* RATINGS_VALUE_NONE: it withdraws */
    ctl_fate_e fate;
    int64_t by; /* offset of the record on whose account it does not count, or that it withdraws;
                   -1: none, or not known */
    ratings_identity_t identity;
    bool has_voter;
    ratings_voter_t voter;
} ctl_explained_t;

typedef struct {
    const char *talk;
    audit_t audit;          /* of that talk alone */
    ctl_explained_t *event; /* `events` of them, by partition and offset */
    size_t events, room;
    void *standing; /* of tsearch: for each voter and partition, the event that counts last */
} ctl_explanation_t;

/* The talk as the audit has it. */
const audit_talk_t *ctl_explain_talk(const ctl_explanation_t *explanation);

/* Whether the store had applied the event when the talk was read. */
bool ctl_explain_is_applied(const ctl_explanation_t *explanation, int partition, int64_t offset);

bool ctl_explain_text(const ctl_explanation_t *explanation, audit_failure_t *why);
bool ctl_explain_json(const ctl_explanation_t *explanation, audit_failure_t *why);

#endif
