/* Private to the store: where Redis is, as RatingsStore says, and connections to it: a host, a Unix
 * socket, or the master that sentinels name. Any thread. */
#ifndef RATINGS_STORE_PLACE_H
#define RATINGS_STORE_PLACE_H

#include "store_sentinel.h"

#include <apr_pools.h>

typedef struct {
    const char *socket;               /* the path of a Unix socket; NULL: none */
    ratings_resolver_t *hosts;        /* one, or sentinels */
    const ratings_tls_context_t *tls; /* to all hosts; NULL: without */
    int host_count;
    store_sentinels_t sentinels; /* count 0: none */
    _Atomic uint64_t named;      /* a digest of the master that was used last; 0: none so far */
} store_place_t;

/* What it needs is in the pool, which outlives it, as `tls` does. */
void store_place_init(store_place_t *place, const ratings_redis_url_t *url,
                      const ratings_tls_context_t *tls, apr_pool_t *pool);

/* No call may be under way. */
void store_place_destroy(store_place_t *place);

/* A connection that is logged in. Where there are sentinels they are asked each time, and what they
 * name must be a master; `*has_moved`: it is another than the time before, so that connections to
 * that lead to the wrong server. NULL and `why` on failure. */
store_link_t *store_place_open(store_place_t *place, const store_login_t *login,
                               const ratings_deadline_t *deadline, bool *has_moved,
                               ratings_result_t *why);

#endif
