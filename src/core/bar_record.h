/* The record in the log that says that a voter is barred, or no longer: from it on, in its
 * partition, the voter's ratings count for nothing, until a record says otherwise. Withdrawals
 * still do what they say. Each partition has a record of its own, as nothing orders the records of
 * two.
 *
 * Its key is RATINGS_BAR_KEY, its value {"version":1,"voter":"...","barred":true,"reason":"..."}:
 * the voter's hash, as events have it, and why, for those who may read the log alone. It is no
 * event: the value of an event has a talkId. Pure functions, any thread. */
#ifndef RATINGS_CORE_BAR_RECORD_H
#define RATINGS_CORE_BAR_RECORD_H

#include "voter.h"

#include <stdbool.h>
#include <stddef.h>

#define RATINGS_BAR_KEY "ratings:barred"
#define RATINGS_BAR_VERSION 1
#define RATINGS_BAR_TYPE "ratings.voter.barred.v1"     /* CloudEvents type (ce_type) */
#define RATINGS_UNBAR_TYPE "ratings.voter.unbarred.v1" /* that of one that ends it */
#define RATINGS_BAR_REASON_MAX 255                     /* bytes */
#define RATINGS_BAR_VALUE_MAX 4096 /* bytes; a longer value is not one of ours */

typedef struct {
    ratings_voter_t voter;
    bool is_barred; /* false: no longer */
} ratings_bar_t;

/* Whether `len` bytes may be a reason: 1..RATINGS_BAR_REASON_MAX of UTF-8 without control
 * characters. */
bool ratings_bar_reason_is_valid(const char *reason, size_t len);

/* The CloudEvents type of the record (static). */
const char *ratings_bar_type(const ratings_bar_t *bar);

/* The JSON value, malloc()ed, owned by the caller; its length in `*len`. `reason` NULL: none. NULL
 * when memory ran out. */
char *ratings_bar_encode(const ratings_bar_t *bar, const char *reason, size_t *len);

/* Whether it is such a record; false, with `*bar` undefined: another key, a value that is too long
 * or not our JSON, an unknown version, a bad voter. Members that are not known are ignored, and so
 * is the reason. NULL with length 0 is allowed. */
bool ratings_bar_decode(const void *key, size_t key_len, const void *value, size_t value_len,
                        ratings_bar_t *bar);

#endif
