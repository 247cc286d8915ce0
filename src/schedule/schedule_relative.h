/* A point in time by a talk's own: "5 min before end". Pure functions, any thread. */
#ifndef RATINGS_SCHEDULE_RELATIVE_H
#define RATINGS_SCHEDULE_RELATIVE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_RELATIVE_MAX INT64_C(31622400) /* seconds: a year */

typedef struct {
    bool is_given;
    bool is_none;    /* there is no such point: the window has no bound there */
    bool is_of_end;  /* of the talk's end, else of its start */
    int64_t seconds; /* after it; negative: before */
} schedule_relative_t;

/* Reads "start", "end", "N UNIT before|after start|end" or "none"; a unit is s, sec, min, h, hour,
 * day or week, with or without a plural s, and blanks before it are optional. False, with `*out`
 * untouched: it is none of these, or further away than the limit. */
bool schedule_relative_parse(const char *text, schedule_relative_t *out);

#endif
