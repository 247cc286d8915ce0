#include "leader.h"

#include "../core/clock.h"
#include "../shm/futex.h"

#include <string.h>

#define LONG_LEASE_US INT64_C(5000000)
#define COMMIT_US INT64_C(1000000)

void leader_init(leader_t *leader, projection_t *projection, topic_watch_t *topic, stall_t *stall,
                 own_records_t *own, apr_pool_t *pool)
{
    leader->projection = projection;
    leader->topic = topic;
    leader->stall = stall;
    routing_init(&leader->routing, projection);
    ranker_init(&leader->ranker, projection);
    electorate_init(&leader->electorate, projection);
    opening_init(&leader->opening, projection, &leader->routing, &leader->electorate, topic);
    applier_init(&leader->applier, projection, pool);
    event_fold_init(&leader->fold, projection, &leader->applier, &leader->routing,
                    &leader->electorate);
    direct_init(&leader->direct, projection, &leader->fold, own);
    rebuild_progress_init(&leader->progress, projection);
}

/* ---- store and log may change behind our back, without any traffic ---- */

/* Of the same generation, the store says what it did not say before, and what no projector writes.
 */
static apr_status_t report_altered(projection_t *p, ratings_result_t *why)
{
    return projection_request_rebuild(p, RATINGS_REBUILD_REQUEST_STORE,
                                      "somebody has changed what the store says of the log", why);
}

/* At the same checkpoint, the store says of another electorate than it did. */
static bool is_electorate_altered(const projection_t *p, int64_t offset_before)
{
    const int i = RATINGS_ELECTORATE_PARTITION;
    return p->state.checkpoint[i] == p->partition[i].checkpoint &&
           p->state.standing.offset != offset_before;
}

/* The store's state, if it is of the same generation. */
static apr_status_t reload_store(projection_t *p, ratings_result_t *why)
{
    int64_t begun_at = p->state.standing.offset;
    char generation[RATINGS_TOKEN_MAX + 1];
    int routed_by = p->state.routing_partitions;
    memcpy(generation, p->state.generation, sizeof generation);
    apr_status_t status = projection_load(p, why);
    if (status != APR_SUCCESS)
        return status;
    if (strcmp(generation, p->state.generation) != 0)
        return ratings_result_set(why, APR_EAGAIN, "the store was rebuilt");
    if ((routed_by > 0 && routed_by != p->state.routing_partitions) ||
        is_electorate_altered(p, begun_at))
        return report_altered(p, why);
    return p->state.rebuild_request
               ? ratings_result_set(why, RATINGS_REBUILD_NEEDED, "another host asks for a rebuild")
               : APR_SUCCESS;
}

/* Whoever led before, and was stopped in the middle of publishing, may have told of another log
 * since. */
static void publish_again(projection_t *p, int i, int64_t at)
{
    ratings_checkpoint_t checkpoint = partition_checkpoint(&p->partition[i]);
    if (!p->partition[i].is_verified)
        return;
    projection_check_high(p, i, checkpoint, at);
    if (ratings_shm_is_newer(p->shared, i, checkpoint)) {
        ratings_shm_publish_external(p->shared, i, checkpoint);
        ratings_visibility_notify(p->options->visibility); /* before reading, which may wait */
    }
    ratings_shm_confirm(p->shared, i, checkpoint, at);
}

static apr_status_t check_partition(projection_t *p, int i, int64_t at, ratings_result_t *why)
{
    if (partition_is_altered(&p->partition[i], &p->state, i))
        return report_altered(p, why);
    if (partition_has_moved(&p->partition[i], &p->state, i))
        return ratings_result_set(why, APR_EAGAIN, "store or log are not what they were");
    projection_note_end(p, i);
    projection_note_lag(p, i);
    publish_again(p, i, at);
    return APR_SUCCESS;
}

/* Flushed, restored, overwritten; recreated. */
static apr_status_t check_store(leader_t *leader, ratings_result_t *why)
{
    projection_t *p = leader->projection;
    int64_t now = ratings_monotonic();
    if (atomic_load(&p->shared->rebuild_request))
        return ratings_result_set(why, RATINGS_REBUILD_NEEDED,
                                  "a request found that store and log do not fit");
    if (now < leader->check_at)
        return APR_SUCCESS;
    leader->check_at = now + PROJECTION_POLL_US;
    apr_status_t status = applier_settle(&leader->applier, why);
    if (status == APR_SUCCESS)
        status = reload_store(p, why);
    if (status == APR_SUCCESS)
        status = projection_read_ends(p, why);
    direct_note_ends(&leader->direct);
    for (int i = 0; i < p->partitions && status == APR_SUCCESS; i++)
        status = check_partition(p, i, now, why);
    if (status == APR_SUCCESS)
        electorate_publish_verified(p);
    return status == APR_SUCCESS ? ranker_check(&leader->ranker, why) : status;
}

/* ---- once all that was read is applied ---- */

/* A partition whose log was read to its end without a record: those that it had were deleted, or it
 * has markers of transactions alone. The leader writes that into the store, else nobody could say
 * of which log the store is.
 */
static apr_status_t advance_empty(projection_t *p, int i, ratings_result_t *why)
{
    partition_t *partition = &p->partition[i];
    ratings_cas_e result;
    bool is_news = partition->read_to > partition->checkpoint ||
                   partition->first.offset == RATINGS_FINGERPRINT_NONE;
    if (partition->read_to < partition->checkpoint || partition->last.offset >= 0 || !is_news)
        return APR_SUCCESS;
    apr_status_t status =
        ratings_store_advance(p->store, &p->state, i, partition->read_to, &result, why);
    if (status == APR_SUCCESS)
        status = projection_check_write(p, result, why);
    if (status != APR_SUCCESS)
        return status;
    p->state.checkpoint[i] = partition->checkpoint = partition->read_to;
    partition->first.offset = p->state.first[i].offset = RATINGS_FINGERPRINT_EMPTY;
    ratings_shm_publish_external(p->shared, i, partition_checkpoint(partition));
    return APR_SUCCESS;
}

static apr_status_t advance_all_empty(projection_t *p, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < p->partitions && status == APR_SUCCESS; i++)
        status = advance_empty(p, i, why);
    return status;
}

static bool is_rebuild_complete(const projection_t *p)
{
    for (int i = 0; i < p->partitions; i++)
        if (!partition_has_reached(&p->partition[i], p->partition[i].rebuild_target))
            return false;
    return p->state.routing_partitions > 0;
}

static apr_status_t catch_up(leader_t *leader, ratings_result_t *why)
{
    projection_t *p = leader->projection;
    ratings_cas_e result;
    if (!p->state.is_behind || !is_rebuild_complete(p))
        return APR_SUCCESS;
    apr_status_t status = ratings_store_caught_up(p->store, p->state.generation, &result, why);
    if (status == APR_SUCCESS)
        status = projection_check_write(p, result, why);
    if (status != APR_SUCCESS)
        return status;
    p->state.is_behind = false;
    lease_set_duration(p->lease, p->options->lease);
    electorate_publish_verified(p);
    rebuild_progress_end(&leader->progress);
    ratings_shm_wake(&p->shared->published);
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, p->options->server,
                 "RT0309: the rebuild of the store is complete");
    return APR_SUCCESS;
}

static apr_status_t finish_read(leader_t *leader, ratings_result_t *why)
{
    if (applier_has_batches(&leader->applier))
        return APR_SUCCESS;
    apr_status_t status = advance_all_empty(leader->projection, why);
    if (status != APR_SUCCESS)
        return status;
    routing_append_if_missing(&leader->routing);
    electorate_append_if_missing(&leader->electorate);
    return catch_up(leader, why);
}

/* ---- one step ---- */

/* Until the lease, the store, the ranking or the batches want attention. */
static int64_t read_timeout(const leader_t *leader)
{
    if (leader->ranker.is_busy)
        return 0;
    int64_t renew_at = leader->projection->lease->renew_at;
    int64_t due_at = applier_due_at(&leader->applier);
    int64_t until = ratings_earlier(renew_at, leader->check_at);
    until = ratings_earlier(until, ratings_earlier(due_at, direct_due_at(&leader->direct)));
    int64_t left = until - ratings_monotonic();
    return left > 0 ? left : 0;
}

static apr_status_t read_and_apply(leader_t *leader, ratings_result_t *why)
{
    projection_t *p = leader->projection;
    int count = 0, own = 0;
    apr_status_t status = ratings_reader_read(p->reader, read_timeout(leader), leader->records,
                                              RATINGS_READ_MAX, &count, why);
    if (status != APR_SUCCESS)
        return status;
    apr_pool_clear(p->scratch);
    direct_note_read(&leader->direct, leader->records, count);
    status = event_fold_records(&leader->fold, leader->records, count, why);
    if (status == APR_SUCCESS)
        status = direct_fold(&leader->direct, &own, why);
    if (status == APR_SUCCESS && applier_is_due(&leader->applier, count + own))
        status = applier_flush(&leader->applier, why);
    return status == APR_SUCCESS ? direct_check(&leader->direct, why) : status;
}

/* For tools that show a group's lag: nothing here reads it back. */
static void commit_checkpoints(leader_t *leader)
{
    const projection_t *p = leader->projection;
    int64_t now = ratings_monotonic();
    if (!leader->applier.is_commit_due || now < leader->commit_at)
        return;
    leader->applier.is_commit_due = false;
    leader->commit_at = now + COMMIT_US;
    int64_t *offsets = apr_palloc(p->scratch, (size_t)p->partitions * sizeof *offsets);
    for (int i = 0; i < p->partitions; i++)
        offsets[i] = p->partition[i].checkpoint;
    ratings_reader_commit(p->reader, offsets, p->partitions);
}

/* Before it asks the store, which has one connection for the projector. */
static apr_status_t check_lease(leader_t *leader, ratings_result_t *why)
{
    lease_t *lease = leader->projection->lease;
    apr_status_t status = ratings_monotonic() >= lease->renew_at
                              ? applier_settle(&leader->applier, why)
                              : APR_SUCCESS;
    return status == APR_SUCCESS ? lease_check(lease, why) : status;
}

/* APR_SUCCESS: go on. Else the projection is to be closed. */
static apr_status_t leader_step(leader_t *leader, ratings_result_t *why)
{
    projection_t *p = leader->projection;
    apr_status_t status = check_lease(leader, why);
    if (status == APR_SUCCESS)
        status = check_store(leader, why);
    if (status == APR_SUCCESS)
        status = ranker_step(&leader->ranker, why);
    if (status == APR_SUCCESS)
        status = read_and_apply(leader, why);
    if (status == APR_SUCCESS && p->state.is_behind)
        rebuild_progress_publish(&leader->progress);
    if (status == APR_SUCCESS)
        status = finish_read(leader, why);
    if (status != APR_SUCCESS)
        return status;
    atomic_store(&p->shared->projected_at, ratings_monotonic());
    commit_checkpoints(leader);
    topic_watch_note_log(leader->topic, projection_has_append_times(p));
    topic_watch_poll(leader->topic);
    return APR_SUCCESS;
}

/* ---- from the lease to its loss ---- */

static bool has_caught_up(const projection_t *p)
{
    for (int i = 0; i < p->partitions; i++)
        if (!partition_has_reached(&p->partition[i], p->partition[i].log_end))
            return false;
    return true;
}

/* Once something was applied, or nothing is left to apply: a store that can be opened may yet
 * refuse to be written to. */
static void log_projecting(leader_t *leader)
{
    const projection_t *p = leader->projection;
    if (leader->is_logged || (!leader->applier.has_applied && !has_caught_up(p)))
        return;
    leader->is_logged = true;
    int level = stall_end(leader->stall) ? APLOG_NOTICE : APLOG_INFO;
    ap_log_error(APLOG_MARK, level, 0, p->options->server, "RT0302: projecting, partitions: %d",
                 p->partitions);
}

/* Opening asks Kafka, which may be slow, and a rebuild folds and sorts millions of votes: under the
 * usual lease, the right could pass from one projector to the next before any is done. */
static apr_status_t open_under_long_lease(leader_t *leader, ratings_result_t *why)
{
    projection_t *p = leader->projection;
    int64_t usual = p->options->lease;
    lease_set_duration(p->lease, usual > LONG_LEASE_US ? usual : LONG_LEASE_US);
    apr_status_t status = lease_renew(p->lease, why);
    if (status == APR_SUCCESS)
        status = projection_open(&leader->opening, why);
    ranker_open(&leader->ranker);
    if (status == APR_SUCCESS)
        status = ranker_check(&leader->ranker, why);
    if (!p->state.is_behind) /* else once it has caught up */
        lease_set_duration(p->lease, usual);
    leader->check_at = ratings_monotonic() + PROJECTION_POLL_US;
    return status;
}

/* Kafka cannot be reached: GETs are answered by what the store says of itself, unless more is known
 * already. */
static void bootstrap_from_store(projection_t *p)
{
    if (!projection_load_ours(p))
        return;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX && p->state.checkpoint[i] >= 0; i++)
        if (ratings_shm_high(p->shared, i).log_id == 0)
            ratings_shm_publish_bootstrap(p->shared, i, projection_stored_checkpoint(p, i));
    if (p->state.routing_partitions > 0 && atomic_load(&p->shared->routing_partitions) == 0)
        atomic_store(&p->shared->routing_partitions, p->state.routing_partitions);
    electorate_publish(p, projection_stored_checkpoint(p, RATINGS_ELECTORATE_PARTITION));
}

static apr_status_t lead(leader_t *leader, ratings_result_t *why)
{
    ratings_visibility_t *visibility = leader->projection->options->visibility;
    apr_status_t status;
    direct_begin(&leader->direct);
    do {
        ratings_visibility_notify(visibility);
        status = leader_step(leader, why);
        if (status == APR_SUCCESS)
            log_projecting(leader);
    } while (status == APR_SUCCESS);
    direct_end(&leader->direct);
    return status;
}

void run_leader(leader_t *leader)
{
    projection_t *p = leader->projection;
    ratings_result_t why;
    leader->is_logged = false;
    applier_reset(&leader->applier);
    apr_status_t status = open_under_long_lease(leader, &why);
    if (status == APR_ECONNREFUSED || status == APR_TIMEUP)
        bootstrap_from_store(p);
    if (status == APR_SUCCESS)
        status = lead(leader, &why);
    applier_drop(&leader->applier);
    rebuild_progress_end(&leader->progress);
    projection_close(p);
    if (lease_must_stop(p->lease))
        return;
    stall_report(leader->stall, &why);
    lease_wait_for_handover(p->lease, stall_is_transient(status) ? PROJECTION_RETRY_US
                                                                 : PROJECTION_BACKOFF_US);
}
