/* The service: what one or more servers of the configuration share, and the part of it that lives
 * in each child. Everything hangs from the server's configuration; there are no globals. */
#ifndef RATINGS_SERVICE_SERVICE_H
#define RATINGS_SERVICE_SERVICE_H

#include "../backend/stats.h"
#include "../backend/store.h"
#include "../backend/stream.h"
#include "../backend/talks.h"
#include "../config/config.h"
#include "../core/flight.h"
#include "guard.h"
#include "shared.h"
#include "waiters.h"

typedef struct ratings_child_t ratings_child_t;
typedef struct ratings_projector_t ratings_projector_t;

/* Whether the service can do its work, backend by backend: why not (static, fit for a client), or
 * NULL for one that is up. */
typedef enum { HEALTH_TALKS, HEALTH_STORE, HEALTH_STREAM, HEALTH_STATS, HEALTH_BACKENDS } health_e;

typedef struct {
    const char *reason[HEALTH_BACKENDS];
    ratings_progress_t
        rebuild; /* of the store, while it is rebuilt; `of` 0: nothing is known of one */
} ratings_health_t;

typedef struct ratings_service_t {
    const ratings_config_t *config; /* of the server that it was made for */
    const server_rec *server;       /* that server */
    ratings_shared_t *shared;
    ratings_child_t *child; /* NULL in the parent */
    int generation;         /* of the configuration: another after each restart */
} ratings_service_t;

#define RATINGS_FAILURE_KINDS 3 /* of requests: 202, 503, 504 */

/* A backend that could not be made in this child is NULL: its guard then stays shut. */
struct ratings_child_t {
    const ratings_service_t *service;
    apr_pool_t *pool;
    ratings_talks_t *talks;
    ratings_store_t *store;
    ratings_stream_t *stream;
    ratings_stats_t *stats;
    ratings_guard_t talks_guard, store_guard, stream_guard, stats_guard;
    ratings_gate_t projector_gate; /* of those who wait for what the projector does */
    ratings_waiters_t *waiters;
    ratings_projector_t *projector;
    ratings_flights_t flights;
    ratings_stream_options_t stream_options;

    pthread_mutex_t health_lock; /* held while the backends are asked: the others wait for it */
    ratings_health_t health;
    _Atomic int64_t logged_at[RATINGS_FAILURE_KINDS]; /* when a request that failed was logged */
    _Atomic int64_t stream_logged_at;                 /* the same for what librdkafka has to say */

    int64_t started_at; /* of ratings_monotonic */
    int64_t health_at;  /* when they were asked last, of ratings_monotonic; 0: never */
};

/* post_config: makes the services of all configured servers, and their shared memory. */
apr_status_t ratings_service_setup(apr_pool_t *pconf, server_rec *main);

/* child_init: makes this child's part of every service, and registers its end with `pchild`. A part
 * that cannot be made is logged; requests that need it get 503. */
void ratings_service_start(apr_pool_t *pchild, server_rec *main);

#endif
