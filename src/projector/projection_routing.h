/* By how many partitions talks are routed: a record in partition 0 says so, for ever (t/model,
 * routing.pml). The store and the memory of this host only repeat it. Where the log has none, the
 * leader appends one, and what is read back first is the truth: several hosts may do so at once.
 *
 * Not the topic's number of partitions, which an administrator may raise: talks would move, and a
 * key of theirs would be looked for where it is not. Not a directive, which hosts could set
 * differently.
 *
 * For the projector's thread. */
#ifndef RATINGS_PROJECTOR_PROJECTION_ROUTING_H
#define RATINGS_PROJECTOR_PROJECTION_ROUTING_H

#include "projection.h"

typedef struct {
    projection_t *projection;
    char generation[RATINGS_TOKEN_MAX + 1]; /* of the store, all of whose events are evidence */
    uint16_t
        candidate[RATINGS_PARTITIONS_MAX]; /* numbers that explain where each lies, ascending */
    int candidates;
    _Atomic int64_t append_at;   /* when a record may be appended (again), of ratings_monotonic */
    atomic_bool failed;          /* the last append did, which was logged */
    ratings_receiver_t receiver; /* of the delivery report */
} routing_t;

/* `projection` must outlive it, and it the child's stream. */
void routing_init(routing_t *routing, projection_t *projection);

/* Whether the store has applied records without saying how talks are routed, and they were not read
 * by this projector: what it reads from here on would not tell. */
bool routing_is_lost(const routing_t *routing);

/* ---- evidence: what the events say, where no record does ---- */

/* Reading begins. */
void routing_begin_evidence(routing_t *routing);

/* An event, in the partition where it lies. */
void routing_add_evidence(routing_t *routing, const ratings_record_t *record);

/* ---- the record ---- */

/* A record of partition 0 says `partitions`: tells the store, before the record is applied, since
 * whoever leads next would not read it again. APR_EINVAL: the topic has too few. */
apr_status_t routing_read(routing_t *routing, const ratings_record_t *record, int partitions,
                          ratings_result_t *why);

/* Appends such a record if the log has none, once so much was read that this is known; all that was
 * read must be applied. Does not wait for Kafka; a failure is logged, and tried again. */
void routing_append_if_missing(routing_t *routing);

/* Tells this host how talks are routed, if the store says so. */
void routing_publish(projection_t *projection);

#endif
