/* Private to stats: where the function is, by which proxy it is called, and with which header. */
#ifndef RATINGS_STATS_TARGET_H
#define RATINGS_STATS_TARGET_H

#include "stats.h"

#include <apr_pools.h>
#include <stdbool.h>

typedef struct {
    const char *url;
    const char *proxy;                       /* scheme://host:port; NULL: none */
    const char *proxy_user, *proxy_password; /* decoded; NULL: none */
    const char *header;                      /* "Name: value"; NULL: none */
    const char *signature;                   /* of CURLOPT_AWS_SIGV4; NULL: calls are not signed */
} stats_target_t;

/* "aws:amz:REGION:lambda", in `pool`, of an auth and a URL without a misfit; NULL: off. */
const char *stats_signature(const char *auth, const char *url, apr_pool_t *pool);

/* Fills in a zeroed `target`, in `pool`, from options whose URL and proxy have no problem
 * (ratings_stats_url_problem, ratings_stats_proxy_problem). False: out of memory. */
bool stats_target_read(stats_target_t *target, const ratings_stats_options_t *options,
                       apr_pool_t *pool);

#endif
