/* What the projector works with. src/service puts it together: the projector depends neither on
 * requests nor on directives. */
#ifndef RATINGS_PROJECTOR_PROJECTOR_OPTIONS_H
#define RATINGS_PROJECTOR_PROJECTOR_OPTIONS_H

#include "../backend/store/store.h"
#include "../backend/stream/stream_reader.h"
#include "../backend/stream/stream_topic.h"
#include "../module.h"
#include "../shm/segment.h"
#include "../shm/visibility.h"

/* What stalls the projector, and passes by itself, has passed by then. */
#define RATINGS_STALL_GRACE_US INT64_C(3000000)

/* What is referred to must live until ratings_projector_destroy; the struct itself is copied. */
typedef struct {
    /* Of a store of the projector's own, with one connection, so that requests never keep it
     * waiting. */
    ratings_store_options_t store;
    /* That of the requests, or NULL: gives up the lease when the projector's own was interrupted */
    ratings_store_t *requests_store;
    ratings_stream_t *stream; /* the child's: tells about the topic, appends what it lacks */
    const ratings_stream_options_t *reader; /* of a consumer of the projector's own */
    ratings_shm_t *shared;
    ratings_metrics_t *metrics;       /* or NULL */
    ratings_visibility_t *visibility; /* of events that are durable, which wait for publications */
    ratings_append_rings_t *rings;    /* of all children of the host */
    const char *topic;
    const char *ranking; /* the prior by which talks are ranked; "": they are not */
    const ratings_electorate_t *electorate; /* of this host's secret; none: it has no secret */
    int64_t lease;                          /* how long it is taken for, microseconds */
    bool has_idempotency_keys;              /* for which the topic must keep append times */
    bool (*is_draining)(void); /* whether httpd drains this child; called by the thread */
    const server_rec *server;  /* into whose error log it writes */
} ratings_projector_options_t;

#endif
