/* The record in the log that begins an electorate (electorate.h). It is in partition 0, and names
 * the electorate that it follows: it counts if that is the one which stands when the log is read up
 * to it. Of several hosts or operators that append one at the same time, the first in the log so
 * wins, in each rebuild alike. Where none stands, any record counts; one that names the electorate
 * which stands repeats it.
 *
 * Its key is RATINGS_ELECTORATE_KEY, its value
 * {"version":1,"electorate":"...","follows":""}, with a name (32 lower-case hexadecimal digits) or,
 * of the first one, "". It is no event, as routing_record.h says of its own. Pure functions, any
 * thread. */
#ifndef RATINGS_CORE_ELECTORATE_RECORD_H
#define RATINGS_CORE_ELECTORATE_RECORD_H

#include "electorate.h"

#define RATINGS_ELECTORATE_KEY "ratings:electorate"
#define RATINGS_ELECTORATE_VERSION 1
#define RATINGS_ELECTORATE_TYPE "ratings.electorate.begun.v1" /* CloudEvents type (ce_type) */
#define RATINGS_ELECTORATE_PARTITION 0
#define RATINGS_ELECTORATE_VALUE_MAX 256 /* bytes; a longer value is not one of ours */

typedef struct {
    ratings_electorate_t begins;
    ratings_electorate_t follows; /* none: it is the first */
} ratings_electorate_record_t;

/* The JSON value, malloc()ed, owned by the caller; its length in `*len`. NULL when memory ran out.
 */
char *ratings_electorate_encode(const ratings_electorate_record_t *record, size_t *len);

/* Reads a record back. False, with `*record` undefined, when it is no such record: another key, a
 * value that is too long or not our JSON, an unknown version, what is no name. Members that are not
 * known are ignored. NULL with length 0 is allowed. */
bool ratings_electorate_decode(const void *key, size_t key_len, const void *value, size_t value_len,
                               ratings_electorate_record_t *record);

#endif
