/* What has come out, for people and for programs, on standard output. One thread. A function that
 * returns bool returns false, and the reason, when memory ran out or nothing could be written. */
#ifndef RATINGS_AUDIT_REPORT_H
#define RATINGS_AUDIT_REPORT_H

#include "audit.h"

/* The id as it can be shown: itself, or, if it is none (a key of the store may have any bytes),
 * with \xNN for what cannot be printed. malloc()ed; NULL when memory ran out. */
char *audit_shown_id(const audit_talk_t *talk);

/* "fits", "differs" or "absent". */
const char *audit_fit_word(audit_fit_e fit);

/* Lines of the text: where log and store are; the counts of a talk, behind a name. */
void audit_report_sources(const audit_t *audit);
void audit_report_counts(const char *name, const ratings_histogram_t *counts);

/* What is wrong with partitions and with ratings:log: a line each. */
void audit_report_problems(const audit_t *audit);

/* Tables and a verdict. */
bool audit_report_text(const audit_t *audit, audit_failure_t *why);

/* One JSON document (docs/audit.md). */
bool audit_report_json(const audit_t *audit, audit_failure_t *why);

#endif
