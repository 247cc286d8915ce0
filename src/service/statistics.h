/* The statistics of a histogram: they depend on nothing but its five counts, so what the function
 * has said of them is remembered until the next restart, and no two calls of a child for the same
 * counts are under way at once. */
#ifndef RATINGS_SERVICE_STATISTICS_H
#define RATINGS_SERVICE_STATISTICS_H

#include "use_cases.h"

/* False when the function did not answer; the call's failure then tells why. */
bool ratings_statistics_of(ratings_call_t *call, const ratings_histogram_t *histogram,
                           ratings_statistics_t *statistics);

extern const ratings_shm_cache_geometry_t
    ratings_statistics_cache_geometry; /* of RATINGS_CACHE_STATISTICS */

#endif
