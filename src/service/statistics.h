/* The statistics of a histogram, from the statistics function. They depend on nothing but its five
 * counts: a result is cached for all children until the next restart, and a child has one call in
 * flight for the same counts. (With RatingsStatsMemo off: a call for each request.) */
#ifndef RATINGS_SERVICE_STATISTICS_H
#define RATINGS_SERVICE_STATISTICS_H

#include "use_cases.h"

/* False when the function did not answer, or was not called: the call's failure then has the
 * reason, which is logged. Within the timeout of the function and the call's deadline; request
 * threads. */
bool ratings_statistics_of(ratings_call_t *call, const ratings_histogram_t *histogram,
                           ratings_statistics_t *statistics);

extern const ratings_shm_cache_geometry_t
    ratings_statistics_cache_geometry; /* of RATINGS_CACHE_STATISTICS */

#endif
