/* Hidden results: what GET answers in the place of a histogram, so that early votes do not steer
 * late ones. Pure functions, any thread. */
#ifndef RATINGS_CORE_HIDING_H
#define RATINGS_CORE_HIDING_H

#include "histogram.h"
#include "window.h"

#include <stdbool.h>
#include <stdint.h>

/* A rule by which results are hidden, as RatingsHide says: one of these, or a number of ratings
 * below which they are. A plain number, as it is a part of a key in shared memory. */
typedef int64_t ratings_hide_t;
#define RATINGS_HIDE_NEVER 0
#define RATINGS_HIDE_UNTIL_CLOSED (-1) /* also while it is not known when the talk closes */

/* All that hidden results reveal. */
typedef struct {
    bool is_hidden;      /* false: there is nothing else to it */
    int64_t total_count; /* of ratings */
    int64_t until; /* when time alone ends it, of ratings_wall_clock; RATINGS_NEVER: unknown */
} ratings_hidden_t;

/* What the rule says of a talk at `now`. */
ratings_hidden_t ratings_hidden_by(ratings_hide_t rule, const ratings_window_t *window,
                                   const ratings_histogram_t *histogram, int64_t now);

/* Rules that hold together: what one of them hides is hidden. A list of talks may have more than
 * one. */
#define RATINGS_HIDE_RULES 2
typedef struct {
    ratings_hide_t rule[RATINGS_HIDE_RULES];
} ratings_hide_rules_t;

/* What they say of a talk at `now`; `until` is unknown if a number of ratings hides it. */
ratings_hidden_t ratings_hidden_by_any(const ratings_hide_rules_t *rules,
                                       const ratings_window_t *window,
                                       const ratings_histogram_t *histogram, int64_t now);

/* The answer of GET /ratings: {"hidden":true,"totalCount":8,"until":"2026-11-29T12:00:00Z"},
 * without `until` when it is unknown. malloc()ed, owned by the caller; NULL when memory ran out. */
char *ratings_hidden_reply(const ratings_hidden_t *hidden);

#endif
