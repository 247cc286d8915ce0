#include "projection_open.h"

#include "../core/assertion.h"
#include "../core/clock.h"

#include "rebuild.h"

#include <apr_strings.h>

#include <string.h>

#define GRACE_US INT64_C(2000000)
#define UNREAD_US INT64_C(5000000)

void opening_init(opening_t *opening, projection_t *projection, routing_t *routing,
                  electorate_t *electorate, topic_watch_t *topic)
{
    opening->projection = projection;
    opening->routing = routing;
    opening->electorate = electorate;
    opening->topic = topic;
}

/* ---- the topic ---- */

static apr_status_t check_topic(opening_t *opening, const ratings_topic_t *topic,
                                ratings_result_t *why)
{
    projection_t *p = opening->projection;
    const char *ours = p->options->topic;
    p->partitions = topic->partitions;
    topic_watch_publish(opening->topic, topic);
    if (p->state.topic[0] && strcmp(p->state.topic, ours) != 0)
        return ratings_result_set(why, APR_EINVAL,
                                  "the store holds the ratings of topic '%s', not of '%s'",
                                  p->state.topic, ours);
    topic_watch_note_log(opening->topic, projection_has_append_times(p));
    return APR_SUCCESS;
}

static bool has_fewer_partitions(const projection_t *p)
{
    return p->state.checkpoint_count > p->partitions;
}

static bool ends_too_early(const projection_t *p)
{
    for (int i = 0; i < p->partitions; i++)
        if (p->state.checkpoint[i] > p->partition[i].log_end)
            return true;
    return false;
}

/* A broker that has just come back, or has just become leader, may report less than there is. It is
 * believed when it has said so for a while, or when an event has proved it. */
static apr_status_t wait_in_grace(opening_t *opening, ratings_result_t *why)
{
    projection_t *p = opening->projection;
    int64_t now = ratings_monotonic();
    if (p->state.problem || (!has_fewer_partitions(p) && !ends_too_early(p))) {
        opening->in_grace_since = 0;
        return APR_SUCCESS;
    }
    if (!opening->in_grace_since)
        opening->in_grace_since = now;
    if (now >= opening->in_grace_since + GRACE_US || atomic_load(&p->shared->rebuild_request))
        return APR_SUCCESS;
    return ratings_result_set(why, APR_EAGAIN, "the topic has less than the store has applied");
}

/* ---- the store ---- */

/* A request for a rebuild that another host has raised reaches the leader by the store. */
static void import_rebuild_request(projection_t *p)
{
    if (p->state.rebuild_request)
        ratings_shm_request_rebuild(p->shared, (ratings_rebuild_request_e)p->state.rebuild_request);
}

/* Why a partition of the store is not of this log, or NULL. */
static const char *partition_log_problem(const projection_t *p, int i)
{
    if (p->state.checkpoint[i] > p->partition[i].log_end)
        return "the log ends before the store's checkpoint: it was truncated or recreated";
    if (partition_is_another_log(&p->partition[i], &p->state.first[i]))
        return "the log's first record is not the one applied first: the topic was recreated";
    return NULL;
}

/* Why the store is no read model of this log, or NULL. */
static const char *rebuild_reason(const opening_t *opening)
{
    const projection_t *p = opening->projection;
    const char *problem = p->rebuild_reason;
    uint32_t request = atomic_load(&p->shared->rebuild_request);
    if (request == RATINGS_REBUILD_REQUEST_LOG)
        return "an event was appended below the store's checkpoint: the topic was recreated";
    if (request == RATINGS_REBUILD_REQUEST_STORE)
        return "a key of the store is not what this module writes";
    if (request == RATINGS_REBUILD_REQUEST_OPERATOR)
        return "it was requested by ratingsctl rebuild";
    if (p->state.problem)
        return p->state.problem;
    if (routing_is_lost(opening->routing))
        return "the store does not say by how many partitions talks are routed";
    if (electorate_is_lost(p))
        return "an older version has applied records, which knows neither voters nor electorates";
    if (request)
        return "another version of this module asks for it";
    if (has_fewer_partitions(p))
        return "the topic has fewer partitions than the store: it was recreated";
    for (int i = 0; i < p->state.checkpoint_count && !problem; i++)
        problem = partition_log_problem(p, i);
    return problem;
}

/* The topic was given partitions: they count from 0. Talks stay where they are. */
static apr_status_t add_partitions(projection_t *p, ratings_result_t *why)
{
    ratings_cas_e result;
    if (p->state.checkpoint_count == p->partitions)
        return APR_SUCCESS;
    apr_status_t status =
        ratings_store_add_partitions(p->store, &p->state, p->partitions, &result, why);
    if (status == APR_SUCCESS)
        status = projection_check_write(p, result, why);
    return status == APR_SUCCESS ? projection_load(p, why) : status;
}

/* From then on the store is a read model of this log. */
static apr_status_t reconcile_store(opening_t *opening, ratings_result_t *why)
{
    projection_t *p = opening->projection;
    const char *reason = rebuild_reason(opening);
    apr_status_t status = APR_SUCCESS;
    if (reason)
        status = rebuild_store(p, reason, why);
    if (status == APR_SUCCESS)
        status = add_partitions(p, why);
    return status;
}

/* ---- reading ---- */

/* What the log has lost before it was applied is in no count; nothing can bring it back. */
static void log_lost_records(const projection_t *p, int i)
{
    const partition_t *partition = &p->partition[i];
    if (partition->log_start > partition->checkpoint)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, p->options->server,
                     "RT0306: partition %d begins at offset %" APR_INT64_T_FMT
                     ", records from %" APR_INT64_T_FMT
                     " on were deleted before they were applied: their ratings are not counted",
                     i, partition->log_start, partition->checkpoint);
}

/* Whose ratings do not count from the checkpoint on. */
static apr_status_t load_barred(projection_t *p, int i, ratings_result_t *why)
{
    ratings_cas_e result;
    if (p->state.barred[i] == 0)
        return APR_SUCCESS;
    apr_status_t status =
        ratings_store_load_barred(p->store, &p->state, i, &p->partition[i].barred, &result, why);
    return status == APR_SUCCESS ? projection_check_write(p, result, why) : status;
}

/* Which tickets have counted up to the checkpoint. */
static apr_status_t load_tickets(projection_t *p, int i, ratings_result_t *why)
{
    ratings_cas_e result;
    if (p->state.lives[i] == 0)
        return APR_SUCCESS;
    apr_status_t status =
        ratings_store_load_tickets(p->store, &p->state, i, &p->partition[i].tickets, &result, why);
    return status == APR_SUCCESS ? projection_check_write(p, result, why) : status;
}

/* A checkpoint is published as this log's once that is sure: now if the log has not the record that
 * was applied last any more, else when that is read. */
static apr_status_t resume_partition(projection_t *p, int i, ratings_result_t *why)
{
    partition_t *partition = &p->partition[i];
    if (!partition_resume(partition, &p->state, i))
        return ratings_result_set(why, APR_ENOMEM, "out of memory");
    apr_status_t status = load_barred(p, i, why);
    if (status == APR_SUCCESS)
        status = load_tickets(p, i, why);
    if (status != APR_SUCCESS)
        return status;
    log_lost_records(p, i);
    projection_note_end(p, i);
    ratings_shm_forget(p->shared, i, partition->seen, partition->log_end);
    if (partition->is_verified)
        ratings_shm_publish_external(p->shared, i, partition_checkpoint(partition));
    return APR_SUCCESS;
}

/* The reader is assigned by hand at the checkpoints of the store, and is no member of a consumer
 * group: a member that dies keeps its partitions for its session timeout, 45 s by default; one
 * group could not tell which host holds the lease; and offsets that are committed to Kafka part
 * from the counts with each crash, while the checkpoint is written with them. */
static apr_status_t begin_reading(opening_t *opening, ratings_result_t *why)
{
    projection_t *p = opening->projection;
    projection_publish_barred(p);
    for (int i = 0; i < p->partitions; i++) {
        apr_status_t status = resume_partition(p, i, why);
        if (status != APR_SUCCESS)
            return status;
        p->partition[i].read_at = partition_read_from(&p->partition[i]);
    }
    routing_publish(p);
    electorate_begin(opening->electorate);
    electorate_publish_verified(p);
    routing_begin_evidence(opening->routing);
    return projection_read_on(p, why);
}

/* A reader that stays without an answer may have lost the topic (stream_note_offsets in
 * stream_topic.c): the next opening makes another. */
static apr_status_t connect_reader(opening_t *opening, ratings_result_t *why)
{
    projection_t *p = opening->projection;
    int64_t now = ratings_monotonic();
    apr_status_t status =
        ratings_reader_connect(p->reader, p->partitions, PROJECTION_TIMEOUT_US, why);
    if (status != APR_TIMEUP) {
        opening->unread_since = 0;
    } else if (!opening->unread_since) {
        opening->unread_since = now;
    } else if (now - opening->unread_since > UNREAD_US) {
        opening->unread_since = 0;
        projection_close_reader(p);
    }
    return status;
}

apr_status_t projection_open(opening_t *opening, ratings_result_t *why)
{
    projection_t *p = opening->projection;
    ratings_topic_t topic = {0};
    RATINGS_ASSERT(p->lease->is_leader);
    p->reads_append_times = false;
    apr_pool_clear(p->scratch);
    apr_status_t status = projection_make_reader(p, why);
    if (status == APR_SUCCESS)
        status =
            ratings_stream_topic_ensure(p->options->stream, PROJECTION_TIMEOUT_US, &topic, why);
    if (status == APR_SUCCESS)
        status = ratings_store_load_state(p->store, INT64_MAX, &p->state, why);
    if (status == APR_SUCCESS)
        status = check_topic(opening, &topic, why);
    if (status == APR_SUCCESS)
        import_rebuild_request(p);
    if (status == APR_SUCCESS)
        status = connect_reader(opening, why);
    if (status == APR_SUCCESS)
        status = projection_read_ends(p, why);
    if (status == APR_SUCCESS)
        status = wait_in_grace(opening, why);
    if (status == APR_SUCCESS)
        status = reconcile_store(opening, why);
    if (status == APR_SUCCESS)
        status = begin_reading(opening, why);
    p->rebuild_reason = NULL;
    return status;
}

void projection_close(projection_t *p)
{
    if (p->reader)
        ratings_reader_unassign(p->reader);
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++) {
        RATINGS_ASSERT(!p->partition[i].batch);
        partition_close(&p->partition[i]);
    }
}
