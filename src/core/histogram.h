/* How often each value was given to a talk, and what follows from that. Pure functions, any
 * thread; JSON text is malloc()ed and owned by the caller. */
#ifndef RATINGS_CORE_HISTOGRAM_H
#define RATINGS_CORE_HISTOGRAM_H

#include "rating.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t count[RATINGS_VALUES]; /* count[i]: ratings of value i + RATINGS_VALUE_MIN, never < 0 */
} ratings_histogram_t;

typedef struct {
    double avg;          /* weighted mean of the values; 0 when there are none */
    int64_t total_count; /* sum of the counts */
} ratings_statistics_t;

/* The sum of the counts. False, with `*total` untouched, when it is beyond 2^63-1. */
bool ratings_histogram_total(const ratings_histogram_t *histogram, int64_t *total);

/* The statistics of the counts themselves, as the function would give them. False when their sum is
 * beyond 2^63-1. */
bool ratings_histogram_statistics(const ratings_histogram_t *histogram,
                                  ratings_statistics_t *statistics);

/* {"ratings":{"1":0,...,"5":7}}: what the statistics function is sent. */
char *ratings_histogram_request(const ratings_histogram_t *histogram);

/* The answer of GET /ratings: {"ratings":{...},"stats":{"avg":4.75,"totalCount":8}}, without
 * "stats" when `stats` is NULL. `avg` is printed as JavaScript does, with the fewest digits that
 * read back the same (5, not 5.0).
 *
 * Both writers return NULL when memory ran out, or when `avg` is not finite. */
char *ratings_histogram_reply(const ratings_histogram_t *histogram,
                              const ratings_statistics_t *stats);

/* How far the average of an answer may be from that of the counts: an implementation that rounds to
 * two decimals is off by half of the last one, one that sums up in single precision by 3e-6. What
 * is further off contradicts the counts. One that is beyond 1..5 by no more than single precision
 * is taken for 1 or 5. */
#define RATINGS_AVG_SINGLE 1e-5
#define RATINGS_AVG_TOLERANCE (0.005 + RATINGS_AVG_SINGLE)

/* Reads the function's answer {"avg":4.75,"totalCount":8}. NULL, or what is wrong (static): not
 * an object, a member missing or no finite number, totalCount no integer or not that of
 * `histogram`, avg outside 1..5 (0 when the histogram is empty), or further than the tolerance from
 * the average of the counts. */
const char *ratings_statistics_from_json(const char *body, size_t len,
                                         const ratings_histogram_t *histogram,
                                         ratings_statistics_t *out);

/* The statistics function itself: reads {"ratings":{"<bucket>":<count>,...}} with any numeric
 * bucket names (as JSON writes numbers: decimal, finite, whole string) and integer counts >= 0, and
 * sets `*reply` to {"avg":...,"totalCount":...}. NULL, or what is wrong with the request (static)
 * with `*reply` NULL: no object, a bucket that is not a number, a count that is no integer or
 * negative, a sum beyond 2^63-1, an average beyond a double. An empty histogram gives 0 and 0. */
const char *ratings_statistics_answer(const char *request, size_t len, char **reply);

#endif
