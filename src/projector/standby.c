#include "standby.h"

#include "../core/clock.h"

#include "projection_routing.h"

#include <apr_strings.h>

#include <string.h>

#define STANDBY_POLL_US 10000 /* how often it is looked whether a POST of this child waits */

void standby_init(standby_t *standby, projection_t *projection, topic_watch_t *topic,
                  stall_t *stall)
{
    standby->projection = projection;
    electorate_init(&standby->electorate, projection);
    standby->topic = topic;
    standby->stall = stall;
}

void standby_reset(standby_t *standby)
{
    standby->leader[0] = '\0';
}

/* ---- what another host has applied ---- */

static void publish_loaded(standby_t *standby, int64_t at)
{
    projection_t *p = standby->projection;
    projection_publish_barred(p);
    topic_watch_note_log(standby->topic, projection_has_append_times(p));
    for (int i = 0; i < RATINGS_PARTITIONS_MAX && p->state.checkpoint[i] >= 0; i++) {
        ratings_checkpoint_t checkpoint = projection_stored_checkpoint(p, i);
        if (ratings_shm_is_newer(p->shared, i, checkpoint))
            ratings_shm_publish_external(p->shared, i, checkpoint);
        ratings_shm_confirm(p->shared, i, checkpoint, at);
        ratings_metrics_note_checkpoint(p->options->metrics, i, checkpoint,
                                        p->state.last[i].timestamp);
    }
    routing_publish(p);
    electorate_publish(p, projection_stored_checkpoint(p, RATINGS_ELECTORATE_PARTITION));
}

/* The store is that of a log without records, while this host has seen some: either it went back to
 * its beginning, or the log has begun anew. Or it is behind in the same log: or what this host has
 * seen was wrong. Where the log ends tells which. */
static bool contradicts_high(const projection_t *p, int i)
{
    ratings_checkpoint_t high = ratings_shm_high(p->shared, i);
    ratings_checkpoint_t stored = projection_stored_checkpoint(p, i);
    return stored.offset < high.offset &&
           (stored.log_id == RATINGS_LOG_ID_EMPTY || stored.log_id == high.log_id);
}

static void check_against_log(projection_t *p)
{
    ratings_result_t why;
    apr_pool_clear(p->scratch);
    if (projection_read_ends(p, &why) != APR_SUCCESS)
        return;
    for (int i = 0; i < p->partitions; i++) {
        ratings_checkpoint_t stored = projection_stored_checkpoint(p, i);
        if (stored.log_id == RATINGS_LOG_ID_EMPTY)
            ratings_shm_forget(p->shared, i, p->partition[i].seen, p->partition[i].log_end);
        else
            projection_check_high(p, i, stored, ratings_monotonic());
    }
}

static void check_high(standby_t *standby)
{
    projection_t *p = standby->projection;
    int contradicting = 0;
    p->partitions = 0;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX && p->state.checkpoint[i] >= 0; i++, p->partitions++)
        contradicting += contradicts_high(p, i);
    if (contradicting == 0 || ratings_monotonic() < standby->ask_log_at)
        return;
    standby->ask_log_at = ratings_monotonic() + PROJECTION_POLL_US;
    check_against_log(p);
}

/* A rebuild that was requested on this host is the leader's to do: it finds the request in the
 * store. Once that has it, it is no longer ours; and what was found of a store of another
 * generation is mended. */
static void raise_rebuild_request(standby_t *standby)
{
    projection_t *p = standby->projection;
    ratings_result_t why;
    ratings_cas_e result;
    uint32_t request = atomic_load(&p->shared->rebuild_request);
    bool is_same = strcmp(standby->generation, p->state.generation) == 0;
    memcpy(standby->generation, p->state.generation, sizeof standby->generation);
    if (!request)
        return;
    if (!is_same || ratings_store_request_rebuild(p->store, p->state.generation, (int)request,
                                                  &result, &why) == APR_SUCCESS)
        atomic_store(&p->shared->rebuild_request, RATINGS_REBUILD_REQUEST_NONE);
}

/* The other host's projector keeps the lease, and the store can be loaded: what stalled this one
 * has passed. One that fails gives the lease up again at once, so that its holding it says nothing.
 */
static void log_standby(standby_t *standby)
{
    if (stall_end(standby->stall))
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, standby->projection->options->server,
                     "RT0314: another host projects, and this one learns from the store");
}

static void learn_from_store(standby_t *standby)
{
    projection_t *p = standby->projection;
    int64_t at = ratings_monotonic();
    if (!projection_load_ours(p))
        return;
    check_high(standby);
    publish_loaded(standby, at);
    ratings_visibility_notify(p->options->visibility);
    electorate_append_as_standby(&standby->electorate);
    raise_rebuild_request(standby);
    atomic_store(&p->shared->projected_at, ratings_monotonic());
    if (standby->leader_stays)
        log_standby(standby);
}

/* Often while somebody waits here. Not by a subscription to the store (Pub/Sub, keyspace
 * notifications): what is published while a connection is reopened is lost, and a user of Redis
 * may not subscribe by default. */
static void standby_step(standby_t *standby)
{
    projection_t *p = standby->projection;
    int64_t now = ratings_monotonic();
    if (now >= standby->poll_at || ratings_visibility_has_waiters(p->options->visibility)) {
        standby->poll_at = now + PROJECTION_POLL_US;
        topic_watch_poll(standby->topic); /* first: requests with keys wait for both */
        learn_from_store(standby);
    }
    lease_wait_for_handover(p->lease, STANDBY_POLL_US);
}

void run_standby(standby_t *standby, const char *leader)
{
    projection_t *p = standby->projection;
    int64_t until = ratings_monotonic() + p->options->lease / 2;
    standby->leader_stays = strcmp(standby->leader, leader) == 0;
    apr_cpystrn(standby->leader, leader, sizeof standby->leader);
    while (!lease_must_stop(p->lease) && ratings_monotonic() < until)
        standby_step(standby);
}
