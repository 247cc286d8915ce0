/* What the children of a host know in common of each backend: its circuit breaker, so that one
 * child's failures spare the others the same wait, and a host logs an outage once. */
#ifndef RATINGS_SHM_BACKEND_STATE_H
#define RATINGS_SHM_BACKEND_STATE_H

#include "../core/backend_names.h"
#include "../core/breaker.h"
#include "layout.h"

/* In a cache line of its own: each call reads it, and calls that fail write to it. Any thread.
 * Times are of ratings_monotonic. */
typedef struct {
    _Alignas(RATINGS_CACHE_LINE) ratings_breaker_t breaker;
    _Atomic int64_t opened_at; /* when the breaker opened last */
    _Atomic int64_t probed_at; /* when the backend was last probed for nobody's request */
} ratings_backend_state_t;

RATINGS_SHM_STRUCT(ratings_backend_state_t, RATINGS_CACHE_LINE, 6);

#endif
