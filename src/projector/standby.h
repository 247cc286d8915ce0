/* The standby: while the projector of another host leads, this host learns from the store what was
 * applied, and tells it of a rebuild that is needed here. For the projector's thread. */
#ifndef RATINGS_PROJECTOR_STANDBY_H
#define RATINGS_PROJECTOR_STANDBY_H

#include "projection_electorate.h"
#include "stall.h"
#include "topic_watch.h"

typedef struct {
    projection_t *projection;
    electorate_t electorate; /* of a host whose leader may have no secret */
    topic_watch_t *topic;
    stall_t *stall;
    char generation[RATINGS_TOKEN_MAX + 1]; /* of the store when it was last learnt from */
    char leader[RATINGS_TOKEN_MAX + 1];     /* token of the last one; "": none since this one led */
    bool leader_stays;                      /* it was the same the time before */
    int64_t poll_at;                        /* of ratings_monotonic */
    int64_t ask_log_at;                     /* when the log may be asked for its ends again */
} standby_t;

void standby_init(standby_t *standby, projection_t *projection, topic_watch_t *topic,
                  stall_t *stall);

/* This projector leads: what was known of another leader is history. */
void standby_reset(standby_t *standby);

/* The projector with the token `leader` leads: learns from the store for half a lease, then the
 * lease is to be asked for again; or until the thread is to stop. */
void run_standby(standby_t *standby, const char *leader);

#endif
