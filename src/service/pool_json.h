/* JSON as text in a pool. Any thread that may use the pool. */
#ifndef RATINGS_SERVICE_POOL_JSON_H
#define RATINGS_SERVICE_POOL_JSON_H

#include <apr_pools.h>
#include <jansson.h>

/* `root` as compact text in `pool`, its members in the order in which they were added. Takes over
 * the reference to `root`. NULL when memory ran out, also for a `root` of NULL, so that it takes
 * the result of json_pack as it is. */
const char *ratings_pool_json(apr_pool_t *pool, json_t *root);

#endif
