/* POSTs that wait: first for Kafka's word that the event is durable, then until it is visible.
 *
 * A request takes a ticket, hands it to the stream with its event, and waits once. The delivery
 * report (on the producer's thread) does not wake it, but puts it into the line of those that wait
 * for their offset; each is woken when the watermark has passed it. Who sees to that is the child's
 * projector, while it is the one that projects, and else a watcher thread. */
#ifndef RATINGS_SERVICE_WAITERS_H
#define RATINGS_SERVICE_WAITERS_H

#include "../core/clock.h"
#include "../backend/stream/stream.h"
#include "../shm/segment.h"
#include "call_policy.h"

#include <apr_pools.h>

typedef struct ratings_visibility_t ratings_visibility_t;
typedef struct ratings_pending_write_t ratings_pending_write_t;

typedef enum {
    RATINGS_PENDING_WRITE_SENT,    /* no word from Kafka */
    RATINGS_PENDING_WRITE_WAITING, /* in the log, not applied yet; never the end of a wait */
    RATINGS_PENDING_WRITE_FAILED,  /* see its result */
    RATINGS_PENDING_WRITE_DURABLE, /* in the log, not applied in time */
    RATINGS_PENDING_WRITE_VISIBLE  /* in the log, and applied */
} ratings_pending_write_state_e;

/* `stream_guard` is left when Kafka's word comes, which is reported to it. `gate` bounds how many
 * wait for visibility, once visibility is long in coming. */
apr_status_t ratings_visibility_create(ratings_visibility_t **waiters, ratings_shm_t *shared,
                                       ratings_call_policy_t *stream_guard,
                                       ratings_bulkhead_t *gate, apr_pool_t *pool);

/* Ends the watcher. No ticket may be held any more. */
void ratings_visibility_destroy(ratings_visibility_t *waiters);

/* Whether the caller will call ratings_visibility_notify after each publication, and so saves the
 * watcher the trouble. What others publish meanwhile is noticed by the next look alone. */
void ratings_visibility_serve(ratings_visibility_t *waiters, bool serves);

/* Wakes those whose event has become visible. Any thread. */
void ratings_visibility_notify(ratings_visibility_t *waiters);

/* A ticket for one event of `partition`, to be taken before the event is handed to the stream, and
 * in the stream's guard, entered at `since`; held by the request and by the stream: each gives it
 * back once. NULL when memory ran out. `visible_for`: how long, in microseconds, the request will
 * wait for visibility once the event is durable, and not beyond `deadline` (of ratings_monotonic).
 */
ratings_pending_write_t *ratings_pending_write_create(ratings_visibility_t *waiters, int partition,
                                                      int64_t since, int64_t visible_for,
                                                      int64_t deadline);

/* By the request: waits until the event is visible, or has failed, or is durable and not visible in
 * time; or until `durable_by` (a time of ratings_monotonic) without any word from Kafka: PENDING,
 * and the guard is still to be left. Gives its hold of the ticket back. `*delivery` is set if the
 * end is not PENDING. */
ratings_pending_write_state_e ratings_pending_write_wait(ratings_pending_write_t *ticket,
                                                         int64_t durable_by,
                                                         ratings_delivery_t *delivery);

/* By the request, when the stream did not take the event: gives both holds back. The guard is still
 * to be left. */
void ratings_pending_write_cancel(ratings_pending_write_t *ticket);

/* By the stream (ratings_delivery_fn): gives its hold back. */
void ratings_pending_write_complete(void *ticket, const ratings_delivery_t *delivery);

/* Whether any request of this child waits for visibility: for who follows another host. */
bool ratings_visibility_has_waiters(ratings_visibility_t *waiters);

#endif
