/* The projector's thread: the lease, and the roles that follow from it. */
#include "projection.h"

#include "../shm/futex.h"

#include "../module.h"

#include <ap_mpm.h>
#include <apr_general.h>
#include <apr_strings.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OPENING_US INT64_C(5000000)
#define LEAVE_US 200000 /* what the end of a child has left for that */
#define FOLLOW_US 10000 /* how often the position is asked for when another host projects */

/* ---- the lease ---- */

static int64_t lease_us(const ratings_projector_t *p)
{
    return p->child->service->config->lease;
}

static void make_token(ratings_projector_t *p)
{
    uint64_t random = 0;
    apr_generate_random_bytes((unsigned char *)&random, sizeof random);
    (void)snprintf(p->token, sizeof p->token, "%016llx:%ld:%016llx",
                   (unsigned long long)p->shared->id, (long)getpid(), (unsigned long long)random);
}

/* Whether a token is that of a projector of this host, told by the segment that they share. */
static bool is_local(const ratings_projector_t *p, const char *token)
{
    return strncmp(p->token, token, 17) == 0;
}

static apr_status_t take_lease(ratings_projector_t *p, bool *held, char *holder,
                               ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    apr_status_t status =
        ratings_store_acquire_lease(p->store, p->token, p->lease, held, holder, why);
    p->renew_at = now + p->lease / 3;
    if (status == APR_SUCCESS && *held)
        atomic_store(&p->shared->leased_until, now + p->lease);
    return status;
}

apr_status_t projector_renew(ratings_projector_t *p, ratings_result_t *why)
{
    char holder[RATINGS_TOKEN_MAX + 1];
    bool held = false;
    if (ratings_monotonic() < p->renew_at)
        return APR_SUCCESS;
    apr_status_t status = take_lease(p, &held, holder, why);
    if (status == APR_SUCCESS && !held)
        return ratings_result_set(why, APR_EAGAIN, "the lease has passed to another projector");
    return status;
}

static void give_up_lease(ratings_projector_t *p)
{
    ratings_result_t why;
    (void)ratings_store_release_lease(p->store, p->token, INT64_MAX, &why);
    atomic_store(&p->shared->leased_until, 0);
    ratings_shm_wake(&p->shared->handover);
}

/* The same from outside, when the thread has ended: it waited for Kafka maybe, and its store was
 * interrupted meanwhile. Nobody would project for the seconds that opening may take. */
static void leave_lease(ratings_projector_t *p)
{
    ratings_result_t why;
    if (p->child->store)
        (void)ratings_store_release_lease(p->child->store, p->token, ratings_monotonic() + LEAVE_US,
                                          &why);
}

/* ---- ending ---- */

static bool child_is_draining(void)
{
    int state = AP_MPMQ_RUNNING;
    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state == AP_MPMQ_STOPPING;
}

/* A child that httpd drains (graceful restart, MaxConnectionsPerChild) leaves projecting to one
 * that goes on living, as soon as there is one: at a graceful restart all children are drained at
 * once, and the new ones come a second or two later. */
static bool has_successor(ratings_projector_t *p)
{
    if (!p->draining_at && child_is_draining())
        p->draining_at = ratings_monotonic();
    return p->draining_at && atomic_load(&p->shared->standby_at) > p->draining_at;
}

bool projector_stopping(ratings_projector_t *p)
{
    return atomic_load(&p->stop) || has_successor(p);
}

/* Sleeps until a lease is given up, the projector is to stop, or the time has passed. */
static void rest(ratings_projector_t *p, int64_t us)
{
    uint32_t seen = atomic_load(&p->shared->handover);
    if (!atomic_load(&p->stop))
        ratings_shm_wait(&p->shared->handover, seen, us);
}

/* ---- what the log says ---- */

/* Once for a hold-up; and not at all for what passes by itself, if it does. */
static void say_held_up(ratings_projector_t *p, const ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    if (!p->held_up_at)
        p->held_up_at = now;
    if (why->fault || why->status != APR_EAGAIN)
        atomic_store(&p->shared->store_fault, (uint32_t)why->fault);
    bool may_pass =
        why->status == APR_EAGAIN || why->status == APR_TIMEUP || why->status == RATINGS_NOT_ASKED;
    bool passing = may_pass && now < p->held_up_at + RATINGS_PASSING_US;
    ap_log_error(
        APLOG_MARK, p->held_up || passing ? APLOG_DEBUG : APLOG_ERR, 0, p->child->service->server,
        "RT0301: projecting is held up, ratings are accepted but not visible: %s", why->detail);
    p->held_up |= !passing;
}

/* Once the first chunk was taken: a store that can be opened may yet refuse to be written to. */
static void say_projecting(ratings_projector_t *p)
{
    if (p->told || !projection_is_going_on(p))
        return;
    p->told = true;
    atomic_store(&p->shared->store_fault, RATINGS_STORE_HEALTHY);
    ap_log_error(APLOG_MARK, p->held_up ? APLOG_NOTICE : APLOG_INFO, 0, p->child->service->server,
                 "RT0302: projecting, partitions: %d", p->partitions);
    p->held_up_at = 0;
    p->held_up = false;
}

/* Another host's projector keeps the lease, and the store can be loaded: what held this one up has
 * passed. One that fails gives the lease up again at once, so that its holding it says nothing. */
static void say_following(ratings_projector_t *p)
{
    atomic_store(&p->shared->store_fault, RATINGS_STORE_HEALTHY);
    if (p->held_up)
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, p->child->service->server,
                     "RT0314: another host projects, and this one learns from the store");
    p->held_up_at = 0;
    p->held_up = false;
}

/* ---- roles ---- */

/* Opening asks Kafka, which may be slow: under the usual lease, the right could pass from one
 * projector to the next before any is done. */
static apr_status_t open_leisurely(ratings_projector_t *p, ratings_result_t *why)
{
    p->lease = lease_us(p) > OPENING_US ? lease_us(p) : OPENING_US;
    p->renew_at = 0;
    apr_status_t status = projector_renew(p, why);
    if (status == APR_SUCCESS)
        status = projection_open(p, why);
    p->lease = lease_us(p);
    p->renew_at = 0;
    return status;
}

/* Where a partition stands by the store's own account, as it was loaded. */
static ratings_checkpoint_t loaded_place(const ratings_projector_t *p, int i)
{
    return (ratings_checkpoint_t){ratings_log_id(&p->log.first[i]), p->log.checkpoint[i]};
}

static bool load_ours(ratings_projector_t *p)
{
    ratings_result_t why;
    return projection_load(p, &why) == APR_SUCCESS &&
           strcmp(p->log.topic, p->child->service->config->topic) == 0;
}

/* The log cannot be reached: GETs are answered by what the store says of itself, unless more is
 * known already. */
static void go_by_store(ratings_projector_t *p)
{
    if (!load_ours(p))
        return;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX && p->log.checkpoint[i] >= 0; i++)
        if (ratings_shm_high(p->shared, i).log_id == 0)
            ratings_shm_publish_bootstrap(p->shared, i, loaded_place(p, i));
    if (p->log.routed > 0 && atomic_load(&p->shared->routed) == 0)
        atomic_store(&p->shared->routed, p->log.routed);
}

/* Until something ends it. Meanwhile this child's requests are woken from here; the watcher, told
 * of the end, begins with a look of its own. */
static apr_status_t go_on(ratings_projector_t *p, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    ratings_visibility_serve(p->child->visibility, true);
    while (status == APR_SUCCESS && !projector_stopping(p)) {
        ratings_visibility_notify(p->child->visibility);
        status = projection_step(p, why);
        if (status == APR_SUCCESS)
            say_projecting(p);
    }
    ratings_visibility_serve(p->child->visibility, false);
    return status;
}

static void project(ratings_projector_t *p)
{
    ratings_result_t why;
    p->has_applied = p->told = false;
    p->holder[0] = '\0';
    apr_status_t status = open_leisurely(p, &why);
    if (status == APR_ECONNREFUSED || status == APR_TIMEUP)
        go_by_store(p);
    if (status == APR_SUCCESS)
        status = go_on(p, &why);
    projection_close(p);
    if (status == APR_SUCCESS)
        return;
    if (!projector_stopping(p))
        say_held_up(p, &why);
    rest(p, status == APR_EAGAIN ? PROJECTION_GLANCE_US : PROJECTION_PAUSE_US);
}

static void publish_loaded(ratings_projector_t *p, int64_t at)
{
    for (int i = 0; i < RATINGS_PARTITIONS_MAX && p->log.checkpoint[i] >= 0; i++) {
        ratings_checkpoint_t place = loaded_place(p, i);
        if (ratings_shm_is_newer(p->shared, i, place))
            ratings_shm_publish_external(p->shared, i, place);
        ratings_shm_confirm(p->shared, i, place, at);
    }
    projection_tell_routing(p);
}

/* What was found wrong here is for whoever projects to mend, and no longer for us to say once it is
 * told. What was found while the store was another is mended. */
static void accuse(ratings_projector_t *p)
{
    ratings_result_t why;
    ratings_cas_e end;
    uint32_t suspect = atomic_load(&p->shared->rebuild_request);
    bool is_same = strcmp(p->followed, p->log.generation) == 0;
    memcpy(p->followed, p->log.generation, sizeof p->followed);
    if (!suspect)
        return;
    if (!is_same || ratings_store_request_rebuild(p->store, p->log.generation, (int)suspect, &end,
                                                  &why) == APR_SUCCESS)
        atomic_store(&p->shared->rebuild_request, RATINGS_REBUILD_REQUEST_NONE);
}

/* The store is that of a log without records, while this host has seen some: either it went back to
 * its beginning, or the log has begun anew. Or it is behind in the same log: or what this host has
 * seen was wrong. Where the log ends tells which. */
static bool contradicts(const ratings_projector_t *p, int i)
{
    ratings_checkpoint_t high = ratings_shm_high(p->shared, i), place = loaded_place(p, i);
    return p->log.checkpoint[i] >= 0 && place.offset < high.offset &&
           (place.log_id == RATINGS_LOG_ID_EMPTY || place.log_id == high.log_id);
}

static void ask_log(ratings_projector_t *p)
{
    ratings_result_t why;
    int contradicting = 0;
    p->partitions = 0;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX && p->log.checkpoint[i] >= 0; i++, p->partitions++)
        contradicting += contradicts(p, i);
    if (contradicting == 0 || ratings_monotonic() < p->ask_at)
        return;
    p->ask_at = ratings_monotonic() + PROJECTION_LOOK_US;
    apr_pool_clear(p->batch_pool);
    if (projection_read_ends(p, &why) != APR_SUCCESS)
        return;
    for (int i = 0; i < p->partitions; i++)
        if (loaded_place(p, i).log_id == RATINGS_LOG_ID_EMPTY)
            ratings_shm_forget(p->shared, i, p->partition[i].seen, p->partition[i].next);
        else
            projection_doubt_high(p, i, loaded_place(p, i), ratings_monotonic());
}

static void learn(ratings_projector_t *p)
{
    int64_t at = ratings_monotonic();
    if (!load_ours(p))
        return;
    ask_log(p);
    publish_loaded(p, at);
    accuse(p);
    atomic_store(&p->shared->projected_at, ratings_monotonic());
    if (p->holder_stays)
        say_following(p);
}

/* Another host projects: learn from the store how far it is, often while somebody waits here. */
static void follow(ratings_projector_t *p)
{
    int64_t now = ratings_monotonic();
    if (now >= p->look_at || ratings_visibility_has_waiters(p->child->visibility)) {
        p->look_at = now + PROJECTION_LOOK_US;
        learn(p);
        projection_judge(p);
    }
    rest(p, FOLLOW_US);
}

/* For half a lease, then it is asked for again. */
static void follow_for_a_while(ratings_projector_t *p, const char *holder)
{
    int64_t until = ratings_monotonic() + lease_us(p) / 2;
    p->holder_stays = strcmp(p->holder, holder) == 0;
    apr_cpystrn(p->holder, holder, sizeof p->holder);
    while (!projector_stopping(p) && ratings_monotonic() < until)
        follow(p);
}

/* One turn: who holds the lease decides what there is to do. */
static void turn(ratings_projector_t *p)
{
    char holder[RATINGS_TOKEN_MAX + 1];
    ratings_result_t why;
    bool held = false;
    int64_t now = ratings_monotonic();
    int64_t leased_for = atomic_load(&p->shared->leased_until) - now;
    if (leased_for > 0) {
        if (!p->draining_at)
            atomic_store(&p->shared->standby_at, now);
        rest(p, leased_for);
    } else if (take_lease(p, &held, holder, &why) != APR_SUCCESS) {
        say_held_up(p, &why);
        rest(p, PROJECTION_PAUSE_US);
    } else if (held) {
        project(p);
        give_up_lease(p);
    } else if (is_local(p, holder)) {
        rest(p, PROJECTION_GLANCE_US); /* it was killed: its lease is about to run out */
    } else {
        follow_for_a_while(p, holder);
    }
}

static void *run(void *data)
{
    ratings_projector_t *p = data;
    while (!atomic_load(&p->stop)) {
        if (has_successor(p))
            rest(p, PROJECTION_PAUSE_US);
        else
            turn(p);
    }
    return NULL;
}

/* ---- life ---- */

static apr_status_t make_parts(ratings_projector_t *p, apr_pool_t *pool, ratings_result_t *why)
{
    const ratings_config_t *config = p->child->service->config;
    const ratings_store_options_t options = {config->store, 1, config->store_timeout,
                                             &p->shared->store_retired_at};
    apr_status_t status = ratings_store_create(&p->store, &options, pool, why);
    if (status == APR_SUCCESS)
        status = ratings_reader_create(&p->reader, &p->child->stream_options, pool, why);
    return status;
}

apr_status_t ratings_projector_create(ratings_projector_t **out, ratings_child_t *child,
                                      apr_pool_t *pool, ratings_result_t *why)
{
    ratings_projector_t *p = apr_pcalloc(pool, sizeof *p);
    p->child = child;
    p->shared = child->service->shared;
    p->lease = lease_us(p);
    make_token(p);
    apr_status_t status = make_parts(p, pool, why);
    if (status != APR_SUCCESS)
        return status;
    apr_pool_create_unmanaged_ex(&p->pool, NULL, NULL);
    apr_pool_create(&p->batch_pool, p->pool);
    apr_pool_create(&p->fold_pool, p->pool);
    status = pthread_create(&p->thread, NULL, run, p);
    if (status != APR_SUCCESS)
        return ratings_result_set(why, status, "no thread for the projector");
    *out = p;
    return APR_SUCCESS;
}

void ratings_projector_stop(ratings_projector_t *p)
{
    atomic_store(&p->stop, true);
    ratings_reader_wake(p->reader);
    ratings_shm_wake(&p->shared->handover);
}

/* The lease is given up by the thread itself, so the store is interrupted only if that takes long.
 */
void ratings_projector_end(ratings_projector_t *p)
{
    ratings_projector_stop(p);
    if (!ratings_join_within(p->thread, PROJECTION_STEP_US)) {
        ratings_store_interrupt(p->store);
        pthread_join(p->thread, NULL);
        leave_lease(p);
    }
    ratings_store_destroy(p->store);
    apr_pool_destroy(p->pool);
}

void ratings_projector_destroy(ratings_projector_t *p)
{
    ratings_reader_destroy(p->reader);
}
