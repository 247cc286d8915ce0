/* The endpoints by name: what RatingsEndpoint can make a location answer. Their functions are
 * http's (endpoint.c has a table indexed by ratings_endpoint_e).
 * CONTRIBUTING.md has the recipe for a new one. Pure functions, any thread. */
#ifndef RATINGS_CONFIG_ENDPOINT_NAMES_H
#define RATINGS_CONFIG_ENDPOINT_NAMES_H

#include <apr_pools.h>
#include <stdbool.h>

typedef enum {
    RATINGS_ENDPOINT_NONE, /* the location is not the service's */
    RATINGS_ENDPOINT_RATINGS,
    RATINGS_ENDPOINT_MINE,
    RATINGS_ENDPOINT_TALKS,
    RATINGS_ENDPOINT_METADATA,
    RATINGS_ENDPOINT_LIVE,
    RATINGS_ENDPOINT_READY,
    RATINGS_ENDPOINT_METRICS,
    RATINGS_ENDPOINTS
} ratings_endpoint_e;

/* Finds the endpoint of RatingsEndpoint's words, in any case: its name, and its kind or NULL. A
 * name with kinds that stands alone is the first of them; but `health` alone, where `path` (of the
 * section, may be NULL) ends in "readyz", is `health ready`. False if there is no such endpoint. */
bool ratings_endpoint_by_name(const char *name, const char *kind, const char *path,
                              ratings_endpoint_e *endpoint);

/* What RatingsEndpoint takes, for its error message: "ratings, ..., health [live|ready], or none".
 * In `pool`. */
const char *ratings_endpoint_names(apr_pool_t *pool);

#endif
