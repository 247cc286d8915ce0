/* The voters that a partition's log has barred, or had. Not thread-safe. */
#ifndef RATINGS_AUDIT_BARS_H
#define RATINGS_AUDIT_BARS_H

#include "../core/bar_record.h"

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

typedef struct audit_bar_t {
    ratings_bar_t last; /* what the log said of the voter last */
    int64_t offset;     /* of that record */
    SLIST_ENTRY(audit_bar_t) link;
} audit_bar_t;

/* All zero is an empty table. */
typedef struct {
    void *tree; /* of tsearch */
    SLIST_HEAD(, audit_bar_t) all;
    size_t barred; /* how many are now */
} audit_bars_t;

/* The record at `offset` says so. False when memory ran out. */
bool audit_bars_note(audit_bars_t *bars, const ratings_bar_t *bar, int64_t offset);

/* What bars the voter; NULL: nothing does. */
const audit_bar_t *audit_bars_find(const audit_bars_t *bars, const ratings_voter_t *voter);

void audit_bars_free(audit_bars_t *bars);

#endif
