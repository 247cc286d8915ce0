/* The service: what one or more servers of the configuration share, and the part of it that lives
 * in each child. Everything hangs from the server's configuration; there are no globals. */
#ifndef RATINGS_SERVICE_SERVICE_H
#define RATINGS_SERVICE_SERVICE_H

#include "../backend/stats/stats.h"
#include "../backend/store/store.h"
#include "../backend/stream/stream.h"
#include "../backend/talks/talks.h"
#include "../config/config.h"
#include "../core/singleflight.h"
#include "../shm/visibility.h"
#include "call_policy.h"

typedef struct ratings_child_t ratings_child_t;
typedef struct ratings_projector_t ratings_projector_t;
typedef struct ratings_prober_t ratings_prober_t;

typedef struct ratings_service_t {
    const ratings_config_t *config; /* of the server that it was made for */
    const server_rec *server;       /* that server */
    ratings_shm_t *shared;
    ratings_child_t *child; /* NULL in the parent */
    int generation;         /* of the configuration: another after each restart */
} ratings_service_t;

#define RATINGS_FAILURE_KINDS 3 /* of requests: 202, 503, 504 */

/* A backend that could not be made in this child is NULL. */
struct ratings_child_t {
    const ratings_service_t *service;
    apr_pool_t *pool;
    ratings_talks_t *talks;
    ratings_store_t *store;
    ratings_stream_t *stream;
    ratings_stats_t *stats;
    ratings_call_policy_t policy[RATINGS_BACKENDS];
    ratings_bulkhead_t projector_bulkhead; /* of requests that wait for what the projector does */
    ratings_visibility_t *visibility;
    ratings_projector_t *projector;
    ratings_prober_t *prober; /* NULL: none could be made */
    ratings_singleflight_t flights;
    ratings_stream_options_t stream_options;

    _Atomic int64_t logged_at[RATINGS_FAILURE_KINDS]; /* when a request that failed was logged */
    atomic_int health_waiters; /* requests that wait for another one's answer of readiness */
    int64_t started_at;        /* of ratings_monotonic */
};

/* post_config: makes the services of all configured servers, and their shared memory. */
apr_status_t ratings_service_setup(apr_pool_t *pconf, server_rec *main);

/* child_init: makes this child's part of every service, and registers its end with `pchild`. A part
 * that cannot be made is logged; requests that need it get 503. */
void ratings_service_start(apr_pool_t *pchild, server_rec *main);

#endif
