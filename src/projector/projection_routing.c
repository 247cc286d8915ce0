#include "projection_routing.h"

#include "../core/clock.h"
#include "../core/container_of.h"
#include "../core/routing_record.h"
#include "../shm/append_time.h"

#include <string.h>

#define REAPPEND_US INT64_C(5000000) /* until a record that was not read back is appended again */

/* On a thread of the producer's. Success is not told here: the record is read back. Of a new topic
 * it is the first to show whether append times are kept, before any rating is routed. */
static void on_routing_delivered(ratings_receiver_t *receiver, const ratings_delivery_t *delivery)
{
    routing_t *routing = RATINGS_CONTAINER_OF(receiver, routing_t, receiver);
    ratings_shm_t *shared = routing->projection->options->shared;
    if (delivery->record)
        ratings_append_time_note_record(shared, delivery->record->has_append_time);
    if (delivery->result.status == APR_SUCCESS)
        return;
    if (!atomic_exchange(&routing->failed, true))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, routing->projection->options->server,
                     "RT0311: the record that says by how many partitions talks are routed cannot "
                     "be appended, the projector tries again: %s",
                     delivery->result.detail);
    atomic_store(&routing->append_at, ratings_monotonic() + PROJECTION_BACKOFF_US);
}

void routing_init(routing_t *routing, projection_t *projection)
{
    routing->projection = projection;
    routing->receiver.delivered = on_routing_delivered;
}

/* A record that was deleted since says nothing to whoever reads the log next. */
static bool is_settled(const projection_t *p)
{
    return p->state.routing_partitions > 0 && p->state.routing_offset >= p->partition[0].log_start;
}

/* ---- evidence ---- */

static bool is_evidence_of_store(const routing_t *routing)
{
    return strcmp(routing->generation, routing->projection->state.generation) == 0;
}

bool routing_is_lost(const routing_t *routing)
{
    const projection_t *p = routing->projection;
    if (p->state.routing_partitions > 0 || is_evidence_of_store(routing))
        return false;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++)
        if (p->state.last[i].offset >= 0)
            return true;
    return false;
}

void routing_begin_evidence(routing_t *routing)
{
    const projection_t *p = routing->projection;
    if (p->state.routing_partitions > 0 || is_evidence_of_store(routing))
        return;
    memcpy(routing->generation, p->state.generation, sizeof routing->generation);
    routing->candidates = p->partitions;
    for (int i = 0; i < p->partitions; i++)
        routing->candidate[i] = (uint16_t)(i + 1);
}

void routing_add_evidence(routing_t *routing, const ratings_record_t *record)
{
    char talk_id[RATINGS_TALK_ID_MAX + 1];
    int left = 0;
    if (routing->projection->state.routing_partitions > 0 || record->key_len >= sizeof talk_id)
        return;
    memcpy(talk_id, record->key, record->key_len);
    talk_id[record->key_len] = '\0';
    for (int i = 0; i < routing->candidates; i++)
        if (ratings_stream_partition(talk_id, routing->candidate[i]) == record->partition)
            routing->candidate[left++] = routing->candidate[i];
    routing->candidates = left;
}

/* The largest number that explains where each event lies: with it, no talk moves. */
static int partitions_by_evidence(const routing_t *routing)
{
    const projection_t *p = routing->projection;
    if (routing->candidates > 0)
        return routing->candidate[routing->candidates - 1];
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, p->options->server,
                 "RT0313: no number of partitions explains where the log's events lie: talks are "
                 "routed by all %d, and may have events in two",
                 p->partitions);
    return p->partitions;
}

/* ---- appending ---- */

/* A record in the part that is still to be read would come first. What the events say is known when
 * all are read. */
static bool has_read_enough(const projection_t *p)
{
    int count = p->state.routing_partitions > 0 ? 1 : p->partitions;
    for (int i = 0; i < count; i++)
        if (!partition_has_reached(&p->partition[i], p->partition[i].log_end))
            return false;
    return true;
}

void routing_append_if_missing(routing_t *routing)
{
    const projection_t *p = routing->projection;
    int64_t now = ratings_monotonic();
    if (is_settled(p) || now < atomic_load(&routing->append_at) || !has_read_enough(p))
        return;
    int partitions = p->state.routing_partitions > 0 ? p->state.routing_partitions
                                                     : partitions_by_evidence(routing);
    ratings_delivery_t failure;
    atomic_store(&routing->append_at, now + REAPPEND_US);
    if (ratings_stream_append_routing(p->options->stream, partitions, &routing->receiver,
                                      &failure) != APR_SUCCESS)
        on_routing_delivered(&routing->receiver, &failure);
}

/* ---- reading ---- */

/* Only an operator can mend that: the topic was restored with fewer, or somebody else has written
 * the record. */
static apr_status_t refuse_routing(projection_t *p, int partitions, ratings_result_t *why)
{
    atomic_store(&p->shared->routing_conflict, partitions);
    return ratings_result_set(why, APR_EINVAL,
                              "the log says that talks are routed by %d partitions, of which the "
                              "topic has %d",
                              partitions, p->partitions);
}

apr_status_t routing_read(routing_t *routing, const ratings_record_t *record, int partitions,
                          ratings_result_t *why)
{
    projection_t *p = routing->projection;
    ratings_cas_e result;
    if (is_settled(p))
        return APR_SUCCESS;
    if (partitions > p->partitions)
        return refuse_routing(p, partitions, why);
    apr_status_t status =
        ratings_store_set_routing(p->store, &p->state, partitions, record->offset, &result, why);
    if (status == APR_SUCCESS)
        status = projection_check_write(p, result, why);
    if (status != APR_SUCCESS)
        return status;
    p->state.routing_partitions = partitions;
    p->state.routing_offset = record->offset;
    atomic_store(&routing->failed, false);
    routing_publish(p);
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, p->options->server,
                 "RT0312: talks are routed by %d partitions, as offset %" APR_INT64_T_FMT
                 " of partition 0 says",
                 partitions, record->offset);
    return APR_SUCCESS;
}

/* What this host knows of a log that is being read anew stays, unless the topic cannot have it. */
void routing_publish(projection_t *p)
{
    bool fits = atomic_load(&p->shared->routing_partitions) <= p->partitions;
    if (p->state.routing_partitions > 0 || !fits)
        atomic_store(&p->shared->routing_partitions, p->state.routing_partitions);
    if (p->state.routing_offset >= 0 || atomic_load(&p->shared->routing_conflict) <= p->partitions)
        atomic_store(&p->shared->routing_conflict, 0);
}
