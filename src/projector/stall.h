/* A stall: nothing is projected, for a reason that the error log has once, and readiness by the
 * shared memory. For one thread. */
#ifndef RATINGS_PROJECTOR_STALL_H
#define RATINGS_PROJECTOR_STALL_H

#include "projector_options.h"

typedef struct {
    const ratings_projector_options_t *options;
    int64_t since; /* of ratings_monotonic, microseconds; 0: there is none */
    bool logged;
} stall_t;

void stall_init(stall_t *stall, const ratings_projector_options_t *options);

/* Something failed: a stall begins, or goes on. What may pass by itself is logged as an error only
 * when it has lasted for RATINGS_STALL_GRACE_US. */
void stall_report(stall_t *stall, const ratings_result_t *why);

/* What this host projects, or learns of another, goes on. Whether the stall was logged, so that its
 * end is to be logged as well. */
bool stall_end(stall_t *stall);

/* Whether a failure is one that says nothing but that the projection is to be opened again. */
bool stall_is_transient(apr_status_t status);

#endif
