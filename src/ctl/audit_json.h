/* Reports as JSON: what they share. */
#ifndef RATINGS_AUDIT_JSON_H
#define RATINGS_AUDIT_JSON_H

#include "../core/histogram.h"
#include "audit_failure.h"
#include "audit_fold.h"

#include <jansson.h>

/* {"1":0,...,"5":7} */
json_t *audit_json_counts(const ratings_histogram_t *histogram);

/* Writes the document of an electorate; `when` NULL: no time is known. */
bool audit_json_electorate(const audit_electorate_t *electorate, const char *when,
                           audit_failure_t *why);

/* Writes the document to standard output, and frees it. NULL stands for one that could not be made:
 * then, as when it cannot be written, the result is false. */
bool audit_json_write(json_t *root, audit_failure_t *why);

#endif
