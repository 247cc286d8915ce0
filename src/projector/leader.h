/* The leader: the projector of all hosts that holds the lease. It opens the projection, then reads
 * the log and applies it to the store, step by step, and looks now and then whether store and log
 * still are what they were. For the projector's thread. */
#ifndef RATINGS_PROJECTOR_LEADER_H
#define RATINGS_PROJECTOR_LEADER_H

#include "applier.h"
#include "direct.h"
#include "event_fold.h"
#include "projection.h"
#include "projection_electorate.h"
#include "projection_open.h"
#include "projection_routing.h"
#include "ranker.h"
#include "rebuild_progress.h"
#include "stall.h"
#include "topic_watch.h"

typedef struct {
    projection_t *projection;
    topic_watch_t *topic;
    stall_t *stall;
    opening_t opening;
    routing_t routing;
    electorate_t electorate;
    ranker_t ranker;
    applier_t applier;
    event_fold_t fold;
    direct_t direct;
    rebuild_progress_t progress;
    int64_t check_at;  /* when store and log are to be looked at next; of ratings_monotonic */
    int64_t commit_at; /* when the checkpoints may be committed to Kafka again */
    bool is_logged;    /* that this child projects */
    ratings_record_t records[RATINGS_READ_MAX];
} leader_t;

/* What is given must outlive it; the batches' memory comes from children of `pool`. */
void leader_init(leader_t *leader, projection_t *projection, topic_watch_t *topic, stall_t *stall,
                 own_records_t *own, apr_pool_t *pool);

/* With the lease: projects until something fails, the lease is lost, or the thread is to stop. A
 * failure is logged, and waited out for a moment. Meanwhile the requests whose events this child
 * has appended are woken from here. */
void run_leader(leader_t *leader);

#endif
