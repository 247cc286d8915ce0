/* The command explain: the events behind the numbers of one talk, and what became of each. */
#ifndef RATINGS_CTL_EXPLAIN_H
#define RATINGS_CTL_EXPLAIN_H

#include "audit.h"

/* An event of the talk. */
typedef struct {
    int partition;
    int64_t offset, time; /* time: the record's, milliseconds since 1970; -1: none */
    int value;
    audit_verdict_e verdict;
    int64_t counted_at; /* offset of the event that counted in its place; -1: not known */
    ratings_identity_t identity;
    bool has_voter;
    ratings_voter_t voter;
} ctl_explained_t;

typedef struct {
    const char *talk;
    audit_t audit;          /* of that talk alone */
    ctl_explained_t *event; /* `events` of them, by partition and offset */
    size_t events, room;
} ctl_explanation_t;

/* The talk as the audit has it. */
const audit_talk_t *ctl_explain_talk(const ctl_explanation_t *explanation);

/* Whether the store had applied the event when the talk was read. */
bool ctl_explain_is_applied(const ctl_explanation_t *explanation, const ctl_explained_t *event);

bool ctl_explain_text(const ctl_explanation_t *explanation, audit_failure_t *why);
bool ctl_explain_json(const ctl_explanation_t *explanation, audit_failure_t *why);

#endif
