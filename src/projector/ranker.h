/* The leader's part in ranking talks: it sees to it that the store ranks them by the prior of this
 * host's configuration, and that all are ranked. What was there before a ranking began, or was lost
 * of it, is ranked step by step, between the steps of projecting. For the projector's thread. */
#ifndef RATINGS_PROJECTOR_RANKER_H
#define RATINGS_PROJECTOR_RANKER_H

#include "projection.h"

typedef struct {
    projection_t *projection;
    bool has_settled; /* since the projection was opened: by which prior talks are ranked */
    bool is_busy;     /* talks are left to be ranked */
} ranker_t;

void ranker_init(ranker_t *ranker, projection_t *projection);

/* The projection was opened, and the store's state is loaded. Only now another prior than ours is
 * replaced: a host with another one that leads meanwhile would do the same, to and fro. */
void ranker_open(ranker_t *ranker);

/* The store's state was loaded again: has it a ranking, and is that whole? */
apr_status_t ranker_check(ranker_t *ranker, ratings_result_t *why);

/* The next talks, where some are left. */
apr_status_t ranker_step(ranker_t *ranker, ratings_result_t *why);

#endif
