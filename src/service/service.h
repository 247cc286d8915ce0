/* The service: what one or more servers of the configuration share, since they have the same
 * backends and topic. Everything hangs from httpd's records of the servers (ratings_server_t);
 * there are no globals. */
#ifndef RATINGS_SERVICE_SERVICE_H
#define RATINGS_SERVICE_SERVICE_H

#include "../config/config.h"
#include "../shm/segment.h"

typedef struct ratings_child_t ratings_child_t;

/* Made by the parent, in the configuration's pool; read-only in the child but for `child`, which is
 * set before any request. */
typedef struct ratings_service_t {
    const ratings_config_t *config; /* of the server that it was made for */
    const server_rec *server;       /* that server */
    ratings_shm_t *shared;
    ratings_append_rings_t *rings; /* in shared memory as well */
    ratings_voter_rates_t *rates; /* in shared memory as well; NULL: RatingsVoterRate is not used */
    ratings_metrics_t *metrics;   /* in shared memory as well; NULL: no server has the endpoint */
    ratings_child_t *child;       /* this child's part; NULL in the parent */
    int generation;               /* of the configuration: another after each restart */
} ratings_service_t;

/* post_config: makes the services of all configured servers, and attaches their shared memory.
 * APR_SUCCESS, or a failure, which was logged. */
apr_status_t ratings_service_setup(apr_pool_t *pconf, server_rec *main);

/* child_init: makes this child's part of every service, and registers its shutdown with `pchild`.
 * What cannot be made is logged; requests that need it get 503. */
void ratings_service_start(apr_pool_t *pchild, server_rec *main);

#endif
