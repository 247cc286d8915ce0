/* By how many partitions talks are routed: a record in partition 0 says so, for ever (t/model,
 * routing). The store and the memory of this host only repeat it. Where the log has none, one is
 * appended, and what is read back first is the truth: several hosts may do so at once. */
#include "projection.h"

#include "../core/routing_record.h"
#include "../module.h"

#include <string.h>

#define AGAIN_US INT64_C(5000000) /* until a record that has not come back is appended again */

/* A record that was deleted since says nothing to who reads the log next. */
static bool is_settled(const ratings_projector_t *p)
{
    return p->log.routed > 0 && p->log.routing_offset >= p->partition[0].first;
}

/* ---- what the events say, where nothing else does ---- */

bool projection_is_unrouted(const ratings_projector_t *p)
{
    if (p->log.routed > 0 || strcmp(p->routing.generation, p->log.generation) == 0)
        return false;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++)
        if (p->log.last[i].offset >= 0)
            return true;
    return false;
}

void projection_begin_weighing(ratings_projector_t *p)
{
    routing_t *routing = &p->routing;
    bool goes_on = strcmp(routing->generation, p->log.generation) == 0;
    if (p->log.routed > 0 || goes_on)
        return;
    memcpy(routing->generation, p->log.generation, sizeof routing->generation);
    routing->candidates = p->partitions;
    for (int i = 0; i < p->partitions; i++)
        routing->candidate[i] = (uint16_t)(i + 1);
}

void projection_weigh(ratings_projector_t *p, const ratings_record_t *record)
{
    routing_t *routing = &p->routing;
    char talk_id[RATINGS_TALK_ID_MAX + 1];
    int left = 0;
    if (p->log.routed > 0 || record->key_len >= sizeof talk_id)
        return;
    memcpy(talk_id, record->key, record->key_len);
    talk_id[record->key_len] = '\0';
    for (int i = 0; i < routing->candidates; i++)
        if (ratings_stream_partition(talk_id, routing->candidate[i]) == record->partition)
            routing->candidate[left++] = routing->candidate[i];
    routing->candidates = left;
}

/* The largest number that explains where each event lies: with it, no talk moves. */
static int explained(const ratings_projector_t *p)
{
    const routing_t *routing = &p->routing;
    if (routing->candidates > 0)
        return routing->candidate[routing->candidates - 1];
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, p->child->service->server,
                 "RT0313: no number of partitions explains where the log's events lie: talks are "
                 "routed by all %d, and may have events in two",
                 p->partitions);
    return p->partitions;
}

/* ---- appending ---- */

/* On a thread of the producer's. That it was appended is told by reading it. */
static void on_appended(void *ticket, const ratings_delivery_t *delivery)
{
    ratings_projector_t *p = ticket;
    bool failed = delivery->result.status != APR_SUCCESS;
    if (!failed)
        return;
    if (!atomic_exchange(&p->routing.failed, true))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, p->child->service->server,
                     "RT0311: the record that says by how many partitions talks are routed cannot "
                     "be appended, which is tried again and again: %s",
                     delivery->result.detail);
    atomic_store(&p->routing.append_at, ratings_monotonic() + PROJECTION_PAUSE_US);
}

static bool is_read(const partition_t *partition)
{
    return partition->position >= partition->next || partition->ended >= partition->next;
}

/* A record in the part that is still to be read would come first. What the events say is known when
 * all are read. */
static bool has_read_enough(const ratings_projector_t *p)
{
    int count = p->log.routed > 0 ? 1 : p->partitions;
    for (int i = 0; i < count; i++)
        if (!is_read(&p->partition[i]))
            return false;
    return true;
}

void projection_settle_routing(ratings_projector_t *p)
{
    int64_t now = ratings_monotonic();
    if (is_settled(p) || p->gathered_at || now < atomic_load(&p->routing.append_at) ||
        !has_read_enough(p))
        return;
    int partitions = p->log.routed > 0 ? p->log.routed : explained(p);
    ratings_delivery_t delivery = {.offset = -1};
    atomic_store(&p->routing.append_at, now + AGAIN_US);
    if (ratings_stream_append_routing(p->child->stream, partitions, on_appended, p,
                                      &delivery.result) != APR_SUCCESS)
        on_appended(p, &delivery);
}

/* ---- reading ---- */

/* Only an operator can mend that: the topic was restored with fewer, or somebody else has written
 * the record. */
static apr_status_t refuse_routing(ratings_projector_t *p, int partitions, ratings_result_t *why)
{
    atomic_store(&p->shared->routing_conflict, partitions);
    return ratings_result_set(why, APR_EINVAL,
                              "the log says that talks are routed by %d partitions, of which the "
                              "topic has %d",
                              partitions, p->partitions);
}

/* Told to the store before the record is applied: who goes on after it would never see it. */
apr_status_t projection_heed_routing(ratings_projector_t *p, const ratings_record_t *record,
                                     int partitions, ratings_result_t *why)
{
    ratings_cas_e end;
    if (is_settled(p))
        return APR_SUCCESS;
    if (partitions > p->partitions)
        return refuse_routing(p, partitions, why);
    apr_status_t status =
        ratings_store_set_routing(p->store, &p->log, partitions, record->offset, &end, why);
    if (status == APR_SUCCESS)
        status = projector_end(p, end, why);
    if (status != APR_SUCCESS)
        return status;
    p->log.routed = partitions;
    p->log.routing_offset = record->offset;
    atomic_store(&p->routing.failed, false);
    projection_tell_routing(p);
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, p->child->service->server,
                 "RT0312: talks are routed by %d partitions, as offset %" APR_INT64_T_FMT
                 " of partition 0 says",
                 partitions, record->offset);
    return APR_SUCCESS;
}

/* What this host knows of a log that is being read anew stays, unless the topic cannot have it. */
void projection_tell_routing(ratings_projector_t *p)
{
    bool fits = atomic_load(&p->shared->routed) <= p->partitions;
    if (p->log.routed > 0 || !fits)
        atomic_store(&p->shared->routed, p->log.routed);
    if (p->log.routing_offset >= 0 || atomic_load(&p->shared->routing_conflict) <= p->partitions)
        atomic_store(&p->shared->routing_conflict, 0);
}
