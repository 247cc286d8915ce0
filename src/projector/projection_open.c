/* Before anything is applied: where do log and store stand, and do they belong together? */
#include "projection.h"

#include "../module.h"

#include <apr_strings.h>

#include <string.h>

#define DOUBT_US INT64_C(2000000)

ratings_checkpoint_t projection_place(const partition_t *partition)
{
    return (ratings_checkpoint_t){ratings_log_id(&partition->first_mark), partition->position};
}

/* ---- looking ---- */

/* What tells this log from one of the same name that was made and filled since. */
static apr_status_t read_younger(ratings_projector_t *p, ratings_result_t *why)
{
    int64_t *times = apr_palloc(p->batch_pool, (size_t)p->partitions * sizeof *times);
    int64_t *offsets = apr_palloc(p->batch_pool, (size_t)p->partitions * sizeof *offsets);
    for (int i = 0; i < p->partitions; i++)
        times[i] = p->log.first[i].offset >= 0 ? p->log.first[i].timestamp : -1;
    apr_status_t status = ratings_stream_younger(p->child->stream, p->partitions, times,
                                                 PROJECTION_STEP_US, offsets, why);
    for (int i = 0; i < p->partitions && status == APR_SUCCESS; i++)
        p->partition[i].younger = offsets[i];
    return status;
}

apr_status_t projection_read_ends(ratings_projector_t *p, ratings_result_t *why)
{
    int64_t *first = apr_palloc(p->batch_pool, (size_t)p->partitions * sizeof *first);
    int64_t *next = apr_palloc(p->batch_pool, (size_t)p->partitions * sizeof *next);
    for (int i = 0; i < p->partitions; i++)
        p->partition[i].seen = ratings_shm_high(p->shared, i);
    apr_status_t status =
        ratings_stream_ends(p->child->stream, p->partitions, PROJECTION_STEP_US, first, next, why);
    for (int i = 0; i < p->partitions && status == APR_SUCCESS; i++) {
        p->partition[i].first = first[i];
        p->partition[i].next = next[i];
    }
    return status == APR_SUCCESS ? read_younger(p, why) : status;
}

/* Not at once: a broker that has just become leader may tell of less than there is. */
void projection_doubt_high(ratings_projector_t *p, int i, ratings_checkpoint_t place, int64_t now)
{
    partition_t *partition = &p->partition[i];
    bool beyond =
        partition->seen.log_id == place.log_id && partition->seen.offset > partition->next;
    if (!beyond)
        partition->beyond_at = 0;
    else if (!partition->beyond_at)
        partition->beyond_at = now;
    else if (now >= partition->beyond_at + DOUBT_US) {
        ratings_shm_forget(p->shared, i, partition->seen, partition->next);
        ratings_shm_publish_external(p->shared, i, place);
        partition->beyond_at = 0;
    }
}

bool projection_is_another_log(const partition_t *partition, const ratings_fingerprint_t *first)
{
    return first->offset >= 0 && partition->younger == first->offset;
}

static bool has_fewer_partitions(const ratings_projector_t *p)
{
    return p->log.partitions > p->partitions;
}

static bool ends_too_early(const ratings_projector_t *p)
{
    for (int i = 0; i < p->partitions; i++)
        if (p->log.checkpoint[i] > p->partition[i].next)
            return true;
    return false;
}

/* A broker that has just come back, or has just become leader, may tell of less than there is.
 * What it tells is believed when it has lasted, or when an event has proved it. */
static apr_status_t doubt(ratings_projector_t *p, ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    if (p->log.problem || (!has_fewer_partitions(p) && !ends_too_early(p))) {
        p->doubted_at = 0;
        return APR_SUCCESS;
    }
    if (!p->doubted_at)
        p->doubted_at = now;
    if (now >= p->doubted_at + DOUBT_US || atomic_load(&p->shared->rebuild_request))
        return APR_SUCCESS;
    return ratings_result_set(why, APR_EAGAIN, "the topic has less than the store has applied");
}

/* Why a partition of the store is not of this log, or NULL. */
static const char *partition_problem(const ratings_projector_t *p, int i)
{
    if (p->log.checkpoint[i] > p->partition[i].next)
        return "the log ends before the store's position: it was truncated or made again";
    if (projection_is_another_log(&p->partition[i], &p->log.first[i]))
        return "the log's first record is not the one applied first: the topic was made again";
    return NULL;
}

/* ---- judging ---- */

/* Why the store is no read model of this log, or NULL. */
static const char *rebuild_reason(const ratings_projector_t *p)
{
    const char *problem = p->rebuild_reason;
    uint32_t suspect = atomic_load(&p->shared->rebuild_request);
    if (suspect == RATINGS_REBUILD_REQUEST_LOG)
        return "an event was appended below the store's position: the topic was made again";
    if (suspect == RATINGS_REBUILD_REQUEST_STORE)
        return "a key of the store is not what this module writes";
    if (p->log.problem)
        return p->log.problem;
    if (projection_is_unrouted(p))
        return "the store does not say by how many partitions talks are routed";
    if (suspect)
        return "another version of this module asks for it";
    if (has_fewer_partitions(p))
        return "the topic has fewer partitions than the store: it was made again";
    for (int i = 0; i < p->log.partitions && !problem; i++)
        problem = partition_problem(p, i);
    return problem;
}

/* The topic was given partitions: they count from 0. Talks stay where they are. */
static apr_status_t extend(ratings_projector_t *p, ratings_result_t *why)
{
    ratings_cas_e end;
    if (p->log.partitions == p->partitions)
        return APR_SUCCESS;
    apr_status_t status = ratings_store_add_partitions(p->store, &p->log, p->partitions, &end, why);
    if (status == APR_SUCCESS)
        status = projector_end(p, end, why);
    return status == APR_SUCCESS ? projection_load(p, why) : status;
}

static void tell_append_time(ratings_projector_t *p, ratings_append_time_e kept)
{
    const ratings_config_t *config = p->child->service->config;
    if (atomic_exchange(&p->shared->append_time, kept) == kept ||
        kept != RATINGS_APPEND_TIME_NOT_KEPT || config->idempotency_window == 0)
        return;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, p->child->service->server,
                 "RT0307: topic '%s' keeps no append times (message.timestamp.type is not "
                 "LogAppendTime): ratings with an Idempotency-Key are refused",
                 config->topic);
}

static void tell_topic(ratings_projector_t *p, const ratings_topic_t *topic)
{
    if (topic->append_time != RATINGS_APPEND_TIME_UNKNOWN)
        tell_append_time(p, topic->append_time);
    if (topic->in_sync > 0)
        atomic_store(&p->shared->min_insync, topic->in_sync);
    if (atomic_exchange(&p->shared->topic_fault, topic->fault) != topic->fault && topic->fault)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, p->child->service->server, "RT0303: %s",
                     ratings_stream_fault_text(topic->fault));
}

void projection_judge(ratings_projector_t *p)
{
    ratings_result_t why;
    ratings_topic_t topic;
    int64_t now = ratings_monotonic();
    if (now < p->judge_at)
        return;
    p->judge_at = now + PROJECTION_JUDGE_US;
    if (ratings_stream_judge(p->child->stream, PROJECTION_STEP_US, &topic, &why) == APR_SUCCESS)
        tell_topic(p, &topic);
}

static apr_status_t check_topic(ratings_projector_t *p, const ratings_topic_t *topic,
                                ratings_result_t *why)
{
    const char *ours = p->child->service->config->topic;
    p->partitions = topic->partitions;
    tell_topic(p, topic);
    if (p->log.topic[0] && strcmp(p->log.topic, ours) != 0)
        return ratings_result_set(why, APR_EINVAL,
                                  "the store holds the ratings of topic '%s', not of '%s'",
                                  p->log.topic, ours);
    return APR_SUCCESS;
}

/* Where reading begins: so far before the position that an event that was appended twice is known,
 * and at the mark at the latest, which proves that the log is the one that was applied. */
static int64_t start_of(const partition_t *partition)
{
    int64_t from = partition->position - RATINGS_DEDUP_SPAN;
    if (!partition->verified && from > partition->mark.offset)
        from = partition->mark.offset;
    return from < partition->first ? partition->first : from;
}

/* What the log has forgotten before it was applied is in no count; nothing can bring it back. */
static void tell_forgotten(const ratings_projector_t *p, int i)
{
    const partition_t *partition = &p->partition[i];
    if (partition->first > partition->position)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, p->child->service->server,
                     "RT0306: partition %d begins at offset %" APR_INT64_T_FMT
                     ", records from %" APR_INT64_T_FMT
                     " on were deleted before they were applied: their ratings are not counted",
                     i, partition->first, partition->position);
}

static apr_status_t adopt(ratings_projector_t *p, int i, ratings_result_t *why)
{
    partition_t *partition = &p->partition[i];
    ratings_dedup_window_free(partition->recent);
    partition->recent = ratings_dedup_window_new();
    if (!partition->recent)
        return ratings_result_set(why, APR_ENOMEM, "out of memory");
    partition->position = p->log.checkpoint[i];
    partition->mark = p->log.last[i];
    partition->first_mark = p->log.first[i];
    partition->time = p->log.log_time[i];
    partition->target = p->log.is_behind ? partition->next : 0;
    partition->ended = -1;
    partition->verified = partition->mark.offset < partition->first; /* or there is none */
    tell_forgotten(p, i);
    ratings_shm_forget(p->shared, i, partition->seen, partition->next);
    if (partition->verified)
        ratings_shm_publish_external(p->shared, i, projection_place(partition));
    return APR_SUCCESS;
}

static apr_status_t begin_reading(ratings_projector_t *p, ratings_result_t *why)
{
    int64_t *from = apr_pcalloc(p->batch_pool, (size_t)p->partitions * sizeof *from);
    for (int i = 0; i < p->partitions; i++) {
        apr_status_t status = adopt(p, i, why);
        if (status != APR_SUCCESS)
            return status;
        from[i] = start_of(&p->partition[i]);
    }
    projection_tell_routing(p);
    projection_begin_weighing(p);
    p->look_at = ratings_monotonic() + PROJECTION_LOOK_US;
    return ratings_reader_assign(p->reader, from, p->partitions, why);
}

/* What a host that does not project has found wrong reaches the one that does by the store. */
static void heed(ratings_projector_t *p)
{
    if (p->log.rebuild_request)
        atomic_store(&p->shared->rebuild_request, (uint32_t)p->log.rebuild_request);
}

apr_status_t projection_load(ratings_projector_t *p, ratings_result_t *why)
{
    apr_status_t status = ratings_store_load_state(p->store, INT64_MAX, &p->log, why);
    return status == APR_SUCCESS && p->log.problem
               ? ratings_result_set(why, APR_EAGAIN, "%s", p->log.problem)
               : status;
}

static apr_status_t agree(ratings_projector_t *p, ratings_result_t *why)
{
    const char *reason = rebuild_reason(p);
    apr_status_t status = APR_SUCCESS;
    if (reason)
        status = projection_rebuild(p, p->partitions, reason, why);
    if (status == APR_SUCCESS)
        status = extend(p, why);
    return status;
}

apr_status_t projection_open(ratings_projector_t *p, ratings_result_t *why)
{
    ratings_topic_t topic = {0};
    apr_pool_clear(p->batch_pool);
    apr_status_t status = ratings_stream_topic(p->child->stream, PROJECTION_STEP_US, &topic, why);
    if (status == APR_SUCCESS)
        status = ratings_store_load_state(p->store, INT64_MAX, &p->log, why);
    if (status == APR_SUCCESS)
        status = check_topic(p, &topic, why);
    if (status == APR_SUCCESS)
        heed(p);
    if (status == APR_SUCCESS)
        status = ratings_reader_connect(p->reader, p->partitions, PROJECTION_STEP_US, why);
    if (status == APR_SUCCESS)
        status = projection_read_ends(p, why);
    if (status == APR_SUCCESS)
        status = doubt(p, why);
    if (status == APR_SUCCESS)
        status = agree(p, why);
    if (status == APR_SUCCESS)
        status = begin_reading(p, why);
    p->rebuild_reason = NULL;
    return status;
}

void projection_close(ratings_projector_t *p)
{
    ratings_reader_unassign(p->reader);
    projection_drop_chunks(p);
    projection_end_progress(p);
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++) {
        ratings_dedup_window_free(p->partition[i].recent);
        p->partition[i].recent = NULL;
    }
}
