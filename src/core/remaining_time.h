/* How long work that has a known end will still take. Pure functions, any thread. */
#ifndef RATINGS_CORE_REMAINING_TIME_H
#define RATINGS_CORE_REMAINING_TIME_H

#include <stdint.h>

#define RATINGS_SECONDS_UNKNOWN (-1)

/* Whole seconds, rounded up, for what is left at the pace of what was done within `elapsed_us`;
 * RATINGS_SECONDS_UNKNOWN while nothing is done yet. */
int64_t ratings_seconds_left(int64_t done, int64_t left, int64_t elapsed_us);

#endif
