/* The projector's thread. It is a thread of its own, joined in the child's pre-cleanup, and no
 * callback of mod_watchdog: a singleton there runs twice across a graceful restart, is not joined
 * by the end of the child's pool, and shares its thread with callbacks of others, which waiting for
 * Kafka would hold up. Every child has one, so that another is ready as soon as the leader is
 * killed. */
#include "projector.h"

#include "../core/clock.h"

#include "leader.h"
#include "lease.h"
#include "projection.h"
#include "stall.h"
#include "standby.h"
#include "topic_watch.h"
#include "writer.h"

#include <pthread.h>

#define JOIN_TIMEOUT_US INT64_C(500000)

struct ratings_projector_t {
    ratings_projector_options_t options;
    pthread_t thread;
    apr_pool_t *pool; /* of the thread */
    lease_t lease;
    writer_t *writer;
    own_records_t own;
    projection_t projection;
    topic_watch_t topic;
    stall_t stall;
    leader_t leader;
    standby_t standby;
};

/* ---- the thread ---- */

/* The lease decides what there is to do. */
static void lease_loop_once(ratings_projector_t *p)
{
    char holder[RATINGS_TOKEN_MAX + 1];
    ratings_result_t why;
    bool held;
    if (lease_acquire(&p->lease, &held, holder, &why) != APR_SUCCESS) {
        stall_report(&p->stall, &why);
        lease_wait_for_handover(&p->lease, PROJECTION_BACKOFF_US);
    } else if (held) {
        standby_reset(&p->standby);
        run_leader(&p->leader);
        lease_release(&p->lease);
    } else {
        run_standby(&p->standby, holder);
    }
}

/* One child of a host writes, and leads or stands by. The others wait for it to leave that to them:
 * one that is killed cannot tell. */
static bool holds_host(ratings_projector_t *p)
{
    if (atomic_load(writer_is_writing(p->writer)))
        return true;
    writer_end(p->writer);
    if (writer_begin(p->writer))
        return true;
    projection_close_reader(&p->projection);
    lease_stand_by(&p->lease, PROJECTION_CANDIDATE_US);
    return false;
}

static void *run_projector(void *data)
{
    ratings_projector_t *p = data;
    while (!lease_is_stopped(&p->lease)) {
        if (lease_must_leave(&p->lease)) { /* a child that goes on living leads */
            writer_end(p->writer);
            projection_close_reader(&p->projection);
            lease_wait_for_handover(&p->lease, PROJECTION_BACKOFF_US);
        } else if (holds_host(p)) {
            lease_loop_once(p);
        }
    }
    writer_end(p->writer);
    return NULL;
}

/* ---- for the child ---- */

static void compose_parts(ratings_projector_t *p, apr_pool_t *pool)
{
    projection_t *projection = &p->projection;
    projection->options = &p->options;
    projection->shared = p->options.shared;
    projection->lease = &p->lease;
    apr_pool_create_unmanaged_ex(&p->pool, NULL, NULL);
    apr_pool_create(&projection->scratch, p->pool);
    own_records_init(&p->own);
    p->writer = writer_create(&p->options, &p->own, pool);
    time_search_init(&projection->time_search, &p->options, PROJECTION_TIMEOUT_US);
    lease_init(&p->lease, &p->options, projection->store, writer_is_writing(p->writer));
    topic_watch_init(&p->topic, &p->options);
    stall_init(&p->stall, &p->options);
    leader_init(&p->leader, projection, &p->topic, &p->stall, &p->own, p->pool);
    standby_init(&p->standby, projection, &p->topic, &p->stall);
}

apr_status_t ratings_projector_create(ratings_projector_t **out,
                                      const ratings_projector_options_t *options, apr_pool_t *pool,
                                      ratings_result_t *why)
{
    ratings_projector_t *p = apr_pcalloc(pool, sizeof *p);
    p->options = *options;
    apr_status_t status = ratings_store_create(&p->projection.store, &p->options.store, why);
    if (status != APR_SUCCESS)
        return status;
    compose_parts(p, pool);
    status = pthread_create(&p->thread, NULL, run_projector, p);
    if (status != APR_SUCCESS)
        return ratings_result_set(why, status, "no thread for the projector");
    *out = p;
    return APR_SUCCESS;
}

/* A leader that begins meanwhile looks at the lease before it reads. */
void ratings_projector_stop(ratings_projector_t *p)
{
    lease_stop(&p->lease);
    own_records_wake(&p->own);
}

/* The thread itself gives up the lease, so that its store is interrupted only if that takes long.
 */
void ratings_projector_join(ratings_projector_t *p)
{
    ratings_projector_stop(p);
    if (!ratings_join_within(p->thread, JOIN_TIMEOUT_US)) {
        ratings_store_cancel(p->projection.store);
        pthread_join(p->thread, NULL);
        lease_release_after_join(&p->lease);
    }
    ratings_store_destroy(p->projection.store);
}

void ratings_projector_destroy(ratings_projector_t *p)
{
    projection_free_reader(&p->projection);
    writer_destroy(p->writer);
    own_records_destroy(&p->own);
    apr_pool_destroy(p->pool);
}
