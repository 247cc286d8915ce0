/* Private to the store: where the Redis is that sentinels monitor under a name
 * (https://redis.io/docs/latest/develop/reference/sentinel-clients/). Any thread. */
#ifndef RATINGS_STORE_SENTINEL_H
#define RATINGS_STORE_SENTINEL_H

#include "../../core/redis_url.h"
#include "../common/resolver.h"
#include "store_login.h"

#include <stdatomic.h>

/* The caller's memory; resolvers, name and TLS live as long. */
typedef struct {
    ratings_resolver_t *hosts;
    int count;
    const char *master;
    const ratings_tls_context_t *tls; /* by which they are asked; NULL: without */
    atomic_uint next;                 /* the one that is asked first; modulo `count` */
} store_sentinels_t;

/* Asks the sentinels in turn, the one first that answered last, each within its share of the
 * deadline, of which one share is left for the master: the first that knows one fills `*found`. A
 * sentinel that wants a login is given the store's. On failure `why` is the last one's:
 * APR_ECONNREFUSED where it does not know the master. */
apr_status_t store_sentinels_find(store_sentinels_t *sentinels, const store_login_t *login,
                                  const ratings_deadline_t *deadline, ratings_redis_host_t *found,
                                  ratings_result_t *why);

/* What was found last could not be used: another sentinel is asked first from now on, as that one
 * may have missed a failover. */
void store_sentinels_doubt(store_sentinels_t *sentinels);

#endif
