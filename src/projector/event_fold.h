/* The fold: puts what was read of the log into batches, one record after the other. Decides which
 * records count: those that are events, were not appended twice, and are not below the checkpoint.
 * For the projector's thread. */
#ifndef RATINGS_PROJECTOR_EVENT_FOLD_H
#define RATINGS_PROJECTOR_EVENT_FOLD_H

#include "applier.h"
#include "projection_electorate.h"
#include "projection_routing.h"

typedef struct {
    projection_t *projection;
    applier_t *applier;       /* takes the batches */
    routing_t *routing;       /* takes the records that say how talks are routed */
    electorate_t *electorate; /* takes those that say which electorate votes */
    int64_t skip_logged_at, duplicate_logged_at; /* of ratings_monotonic; 0: never */
} event_fold_t;

void event_fold_init(event_fold_t *fold, projection_t *projection, applier_t *applier,
                     routing_t *routing, electorate_t *electorate);

/* Folds `count` records, which may go afterwards. RATINGS_REBUILD_NEEDED: the record that the store
 * has applied last is not in the log. Else APR_ENOMEM, and what routing_read returns. */
apr_status_t event_fold_records(event_fold_t *fold, const ratings_record_t *records, int count,
                                ratings_result_t *why);

#endif
