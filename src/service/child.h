/* The part of a service that lives in one child of httpd: the four backends, the call policies
 * before them, the projector, and who waits.
 *
 * The steps of its life, by child_init and by the shutdown thread:
 *
 *     create ── requests and threads use it ── stop ── shut_down ── free
 *
 * Its threads are made by pthread_create. apr_thread_pool would join its threads in the cleanup of
 * its pool, which httpd may run inside a signal handler (shutdown.h); here the shutdown thread
 * joins them, each after what still uses it, and within a time.
 */
#ifndef RATINGS_SERVICE_CHILD_H
#define RATINGS_SERVICE_CHILD_H

#include "../backend/stats/stats.h"
#include "../backend/store/store.h"
#include "../backend/stream/stream.h"
#include "../backend/talks/talks.h"
#include "../core/singleflight.h"
#include "../shm/visibility.h"
#include "background.h"
#include "call_policy.h"
#include "known_cache.h"
#include "service.h"

typedef struct ratings_projector_t ratings_projector_t;
typedef struct ratings_prober_t ratings_prober_t;

/* Of requests that fail: each kind is logged once a second at most. */
typedef enum {
    RATINGS_FAILURE_INVISIBLE,   /* 202 */
    RATINGS_FAILURE_UNAVAILABLE, /* 503 */
    RATINGS_FAILURE_UNKNOWN,     /* 504 */
    RATINGS_FAILURE_VOTER,       /* 500: the voter could not be found out */
    RATINGS_FAILURE_KINDS
} ratings_failure_e;

/* A backend that could not be made in this child is NULL, and its call policy says so; so is a
 * thread. */
struct ratings_child_t {
    const ratings_service_t *service;
    apr_pool_t *pool;   /* its own: it may outlive pchild */
    int64_t started_at; /* of ratings_monotonic */
    uint64_t process;   /* ratings_process_self */

    ratings_talks_t *talks;
    ratings_store_t *store;
    ratings_stream_t *stream;
    ratings_stats_t *stats;
    ratings_stats_log_t stats_log;
    ratings_call_policy_t policy[RATINGS_BACKENDS];
    ratings_stream_log_t stream_log;
    ratings_stream_options_t stream_options; /* also of the projector's reader */

    ratings_metric_use_t *use; /* what it uses, for who watches; NULL: nobody does */

    ratings_projector_t *projector;
    ratings_prober_t *prober;
    ratings_visibility_t *visibility;
    ratings_bulkhead_t projector_bulkhead; /* of requests that wait for what the projector does */
    ratings_bulkhead_t position_bulkhead;  /* of those that wait for a position they carry */
    ratings_singleflight_t stats_calls;    /* calls of the Lambda under way */
    ratings_known_cache_t talk_list, talk_ranks; /* known_talks.h */
    ratings_background_t background;             /* reads these two anew */

    _Atomic int64_t logged_at[RATINGS_FAILURE_KINDS]; /* when a request that failed was logged */
    atomic_int health_waiters; /* requests that wait for another one's answer of readiness */
};

/* In child_init, with signals blocked, which are for httpd's own threads. What cannot be made is
 * logged, and requests that need it get 503. Never NULL. */
ratings_child_t *ratings_child_create(const ratings_service_t *service);

/* Asks its threads to end; returns at once. */
void ratings_child_stop(ratings_child_t *child);

/* Ends its threads and calls, and closes its connections. No request may be under way. */
void ratings_child_shut_down(ratings_child_t *child);

/* Frees it; may take seconds while Kafka does not answer. */
void ratings_child_free(ratings_child_t *child);

#endif
