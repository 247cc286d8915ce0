/* What is found out about a backend before the service uses it (ratingsctl check): each finding is
 * a verdict about one thing, with words for people. The functions that inspect a backend
 * (ratings_talks_inspect and its like) report them, as calls go on, to whoever has asked.
 *
 * For a process of its own, which ends when it has found out: an inspection may leave threads and
 * connections behind, and block as long as a client library does. One thread. Nothing is written to
 * a backend. */
#ifndef RATINGS_COMMON_FINDINGS_H
#define RATINGS_COMMON_FINDINGS_H

#include <stdint.h>

typedef enum {
    RATINGS_FINDING_GOOD,
    RATINGS_FINDING_NOTE, /* worth knowing, and nothing to be done about */
    RATINGS_FINDING_WARNING,
    RATINGS_FINDING_FAULT /* the service cannot do its work so */
} ratings_finding_e;

/* Bytes of the words, with their end: a connection may have some paths, and the reason comes last.
 */
#define RATINGS_FINDING_TEXT 2048

/* One finding, while it is reported. Its words name no secret. */
typedef struct {
    ratings_finding_e verdict;
    const char *subject; /* "connection", "table", ...: static */
    int64_t us;          /* how long the call took that it rests on; -1: it rests on none */
    const char *text;    /* what was found; where that is not good, also what to do */
} ratings_finding_t;

/* Who has asked, a member of the asker's own struct (../../core/container_of.h). */
typedef struct ratings_findings_t ratings_findings_t;
struct ratings_findings_t {
    void (*report)(ratings_findings_t *findings, const ratings_finding_t *finding);
    int64_t asked_at; /* of ratings_monotonic */
    int64_t us;       /* of the last call; -1: there was none */
};

/* A call begins; it has ended: what is found from then on rests on it. */
void ratings_findings_ask(ratings_findings_t *findings);
void ratings_findings_answered(ratings_findings_t *findings);

/* Reports a finding. */
void ratings_finding(ratings_findings_t *findings, ratings_finding_e verdict, const char *subject,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
