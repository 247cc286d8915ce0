/* Points in time as RFC 3339 writes them. Pure functions, any thread. */
#ifndef RATINGS_CTL_TIME_H
#define RATINGS_CTL_TIME_H

#include <stdbool.h>
#include <stdint.h>

#define CTL_TIME_SIZE 25 /* 2026-11-29T12:00:00.123Z and its end */

/* Milliseconds since 1970 as text, in UTC; with three digits of a fraction always, so that columns
 * stay in line (ratings_time_print leaves out a 0). False, with "" as text, for what has no such
 * text: a negative number (no time is known), or a year beyond 9999. */
bool ctl_time_print(int64_t ms, char text[CTL_TIME_SIZE]);

/* Reads 2026-11-29T12:00:00Z, with a fraction of a second or without, in UTC (Z) or at an offset
 * (+01:00). What is finer than a millisecond is cut off. False, with `*ms` untouched: it is none,
 * has no such day, or is before 1970. A leap second (:60) is none.
 * https://www.rfc-editor.org/rfc/rfc3339#section-5.6 */
bool ctl_time_parse(const char *text, int64_t *ms);

#endif
