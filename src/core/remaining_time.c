#include "remaining_time.h"

#define SECONDS_MAX 1e9 /* thirty years: as good as never */

int64_t ratings_seconds_left(int64_t done, int64_t left, int64_t elapsed_us)
{
    double seconds;

    if (left <= 0)
        return 0;
    if (done <= 0 || elapsed_us <= 0)
        return RATINGS_SECONDS_UNKNOWN;
    seconds = (double)left / (double)done * (double)elapsed_us / 1e6;
    if (seconds > SECONDS_MAX)
        seconds = SECONDS_MAX;
    return (int64_t)seconds + ((double)(int64_t)seconds < seconds);
}
