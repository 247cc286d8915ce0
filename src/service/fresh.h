/* Private to service: reads of the store that count all that this host has shown before, and all up
 * to the position that the call has to have reached (core/position.h). */
#ifndef RATINGS_SERVICE_FRESH_H
#define RATINGS_SERVICE_FRESH_H

#include "use_cases.h"

#include <stdbool.h>

typedef struct ratings_fresh_t ratings_fresh_t;
struct ratings_fresh_t {
    /* One read; APR_EAGAIN: it is not fresh (ratings_fresh_is), or cannot be yet. Ends by `until`.
     */
    apr_status_t (*read_once)(ratings_call_t *call, ratings_fresh_t *read);
    int64_t until;       /* of ratings_monotonic */
    bool lacks_position; /* what was read last counts all but what the call's position names */
};

/* Whether a read of a partition is of the log that this host knows, and counts all that this host
 * knew to be applied before the store was read (`high`), and all before the call's position, if
 * that is of the partition. */
bool ratings_fresh_is(const ratings_call_t *call, ratings_fresh_t *read, int partition,
                      const ratings_snapshot_t *snapshot, ratings_checkpoint_t high);

/* Reads until it is fresh, by the time of the store (RatingsStoreTimeout) at the latest.
 * RATINGS_OUTCOME_NOT_REACHED: only the position is lacking; RATINGS_OUTCOME_UNAVAILABLE: the
 * failure is in call->failure. */
ratings_outcome_e ratings_fresh_read(ratings_call_t *call, ratings_fresh_t *read);

#endif
