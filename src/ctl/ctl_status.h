/* The command status: whether each backend answers, who leads, and how far the store is behind. */
#ifndef RATINGS_CTL_STATUS_H
#define RATINGS_CTL_STATUS_H

#include "audit_store.h"
#include "ctl_options.h"

typedef enum {
    CTL_BACKEND_TALKS,
    CTL_BACKEND_STATS,
    CTL_BACKEND_STREAM,
    CTL_BACKEND_STORE,
    CTL_BACKENDS
} ctl_backend_e;

/* What became of asking a backend. */
typedef struct {
    bool asked; /* false: nobody says where it is */
    bool reached;
    int64_t us; /* how long it took, connecting included */
    audit_failure_t why;
} ctl_reached_t;

/* Of a partition. */
typedef struct {
    int64_t checkpoint, end;
    int64_t lag;    /* offsets between the two that the log still has */
    int64_t lag_ms; /* how long ago the first of them was appended; 0 where there is none */
} ctl_lag_t;

#define CTL_PROBLEMS_MAX 16

typedef struct {
    const ctl_options_t *options;
    ctl_reached_t backend[CTL_BACKENDS];
    audit_stream_t *stream; /* NULL: not reached */
    audit_store_t *store;
    audit_state_t state; /* of the store, if that was reached */
    audit_lease_t lease;
    ctl_lag_t *partition; /* `partitions` of them, known if both stream and store were reached */
    int partitions;
    char problem[CTL_PROBLEMS_MAX][256]; /* `problems` of them: all is healthy without one */
    int problems;
} ctl_status_t;

/* "talks", and "PostgreSQL" (static). */
const char *ctl_backend_name(ctl_backend_e backend);
const char *ctl_backend_software(ctl_backend_e backend);

bool ctl_status_has_lags(const ctl_status_t *status);

/* Of a token of the lease "host:process:random": the two parts, "" where it is none. */
typedef struct {
    char host[32], process[32];
} ctl_leader_t;
ctl_leader_t ctl_status_leader(const ctl_status_t *status);

void ctl_status_text(const ctl_status_t *status);
bool ctl_status_json(const ctl_status_t *status, audit_failure_t *why);

#endif
