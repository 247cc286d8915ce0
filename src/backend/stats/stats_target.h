/* Private to stats: where the function is, and by which proxy it is called. */
#ifndef RATINGS_STATS_TARGET_H
#define RATINGS_STATS_TARGET_H

#include <apr_pools.h>

typedef struct {
    const char *url;
    const char *proxy;                       /* scheme://host:port; NULL: none */
    const char *proxy_user, *proxy_password; /* decoded; NULL: none */
} stats_target_t;

/* Fills in a zeroed `target`, in `pool`, from a URL and a proxy that have no problem
 * (ratings_stats_url_problem, ratings_stats_proxy_problem). */
void stats_target_read(stats_target_t *target, const char *url, const char *proxy,
                       apr_pool_t *pool);

#endif
