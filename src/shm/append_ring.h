/* The append rings: how the children of a host hand their events to the one that appends them, the
 * writer, and learn what becomes of each.
 *
 * A request claims a slot, which has a ticket, writes its event into it, queues it, and sleeps on
 * the slot's own word. The writer takes what is queued, appends it under the ticket's name, settles
 * the slot by Kafka's answer, and wakes the request once its rating is visible, or has failed. The
 * slot keeps the event until then: when the writer dies, or is late, the next one sends it again,
 * and the fold counts a ticket once (../core/ticket_window.h).
 *
 * The protocol is that of t/model/tickets.pml, and t/model/README.md says which order each word
 * needs. A slot's word holds all that is compared and swapped:
 *
 *   state     entered by                          left to
 *   free      whoever frees it, for its next lap  filling
 *   filling   the request that claims it          queued; free, if that dies
 *   queued    it, once the event is whole         sent; free, if it gives up
 *   sent      a writer                            durable, failed; queued, to be sent again
 *   durable   the writer that sent it last        free, by its request
 *   failed    the same, if nobody else sent it    free, by its request
 *
 * A ticket is given once the one of a lap before is settled and free: no event is ever below the
 * window in which the fold tells repeats. So a full ring refuses, and a partition that cannot be
 * written to stops those of its ring; hence more than one.
 *
 * Lock-free atomics, all zero but for the rings' lives: a child that is killed at any point leaves
 * nothing locked, and its slots are reclaimed once it is dead for certain. Any thread of any child.
 * Times are microseconds of ratings_monotonic. */
#ifndef RATINGS_SHM_APPEND_RING_H
#define RATINGS_SHM_APPEND_RING_H

#include "../core/event.h"
#include "../core/ticket.h"
#include "../core/trace_context.h"
#include "host_lease.h"
#include "layout.h"

#define RATINGS_APPEND_RINGS 4
#define RATINGS_APPEND_SLOTS RATINGS_TICKETS /* of each: as many as the fold's window has */

typedef struct ratings_append_rings_t ratings_append_rings_t;

/* Bytes of all rings; where they lie begins with a cache line. */
size_t ratings_append_rings_size(void);

/* In zeroed memory; nothing, where that was done. Errors: those of apr_generate_random_bytes. */
int ratings_append_rings_init(ratings_append_rings_t *rings);

/* Whether a ticket's life is that of one of these rings. */
bool ratings_append_has_life(const ratings_append_rings_t *rings, uint64_t life);

/* Whose holder is the writer. */
ratings_host_lease_t *ratings_append_lease(ratings_append_rings_t *rings);

typedef enum {
    RATINGS_APPEND_FREE,
    RATINGS_APPEND_FILLING,
    RATINGS_APPEND_QUEUED,
    RATINGS_APPEND_SENT,
    RATINGS_APPEND_DURABLE,
    RATINGS_APPEND_FAILED
} ratings_append_state_e;

/* A slot, while it has this ticket. Plain data, of one process. */
typedef struct {
    ratings_append_rings_t *rings;
    int ring;
    uint64_t number; /* of the ticket */
} ratings_append_slot_t;

/* ---- by a request ---- */

/* A slot for an event of this partition, for `owner` (ratings_process_self). False: the ring is
 * full. */
bool ratings_append_claim(ratings_append_rings_t *rings, int partition, uint64_t owner,
                          ratings_append_slot_t *slot);

/* Hands the event over, with the trace that it is part of (NULL: with none), and wakes the writer
 * if it sleeps. False: the slot was reclaimed, as if this process were dead; nothing was handed
 * over. `until_durable`: it is to be woken as soon as the event is in the log, however long it then
 * takes to be visible. */
bool ratings_append_queue(const ratings_append_slot_t *slot, const ratings_event_t *event,
                          const ratings_trace_t *trace, int partition, bool until_durable);

/* A delivery report's content, as it fits into the word of a slot. */
#define RATINGS_APPEND_NO_OFFSET                                                                   \
    INT64_C(0xFFFFFFFFFFF) /* durable, and Kafka did not tell where                                \
                            */

typedef struct {
    ratings_append_state_e state; /* FREE: the slot has another ticket */
    bool is_repeated; /* queued again, or sent by more than one: it may be in the log already */
    int64_t detail;   /* of DURABLE: the offset. Of FAILED: what the writer has said */
} ratings_append_view_t;

ratings_append_view_t ratings_append_look(const ratings_append_slot_t *slot);

/* To be read before a look; then ratings_append_wait sleeps until somebody has woken the slot
 * since, or for `timeout`. */
uint32_t ratings_append_wakes(const ratings_append_slot_t *slot);
void ratings_append_wait(const ratings_append_slot_t *slot, uint32_t wakes, int64_t timeout);

/* The request's time is over. Returns what it left: QUEUED: nobody has sent it, and nobody will
 * (it may not even have been queued); the slot is free. SENT: it may be in the log; the slot is
 * kept until that is settled. DURABLE, FAILED: it was settled just now, and is still the request's
 * to free. */
ratings_append_state_e ratings_append_leave(const ratings_append_slot_t *slot);

/* Once it is durable or has failed. */
void ratings_append_free(const ratings_append_slot_t *slot);

/* ---- by a writer ---- */

#define RATINGS_APPEND_OWNERS 64

/* A pass of a writer over the rings, either of ratings_append_take or of ratings_append_survey, and
 * where the next one begins. All zero but for `number`, which is that of its lease. */
typedef struct {
    uint64_t number;
    uint64_t from[RATINGS_APPEND_RINGS];   /* the next pass begins there */
    uint64_t at[RATINGS_APPEND_RINGS];     /* where the pass is */
    bool is_held_up[RATINGS_APPEND_RINGS]; /* by something below `at` */
    uint64_t alive[RATINGS_APPEND_OWNERS]; /* owners that the pass has found alive */
} ratings_append_pass_t;

/* An event that the writer has taken, and is to send. */
typedef struct {
    ratings_append_slot_t slot;
    ratings_ticket_t ticket;
    int partition;
    bool until_durable;
    ratings_event_t event;
    ratings_trace_t trace; /* parent "": the event has none */
} ratings_append_taken_t;

/* Begins a pass over what may still be to do; `whole`: over all that is in use. What is queued
 * again (below) is behind the passes of ratings_append_take: a whole one finds it. */
void ratings_append_begin_pass(ratings_append_rings_t *rings, ratings_append_pass_t *pass,
                               bool whole);

/* The next event that is queued, in the order of tickets, which is sent by this writer from now on.
 * False: the pass is over. */
bool ratings_append_take(ratings_append_rings_t *rings, ratings_append_pass_t *pass,
                         ratings_append_taken_t *taken);

typedef enum {
    RATINGS_APPEND_NOTHING,    /* the survey is over */
    RATINGS_APPEND_RESEND,     /* `taken`: another writer has sent it, and this one is to */
    RATINGS_APPEND_IS_DURABLE, /* `taken`: slot and partition alone, durable at `*offset` */
} ratings_append_found_e;

/* Looks at all slots that are in use, one call after the other: what other writers have sent (if
 * `resends`), what is durable and may wait to be told that it is visible. Reclaims on its way what
 * is left by processes that are dead. It costs a look at each ticket that was given since the last
 * pass, and at each that is in use. */
ratings_append_found_e ratings_append_survey(ratings_append_rings_t *rings,
                                             ratings_append_pass_t *pass, bool resends,
                                             ratings_append_taken_t *taken, int64_t *offset);

/* Kafka's answer to what this writer has sent: it is in the log at `offset`; it is not, for a
 * reason
 * (`detail`, 0 to 2^44 - 1); or it is to be sent again. False: nobody waits for it any more (the
 * slot is free, or another writer has it). A failure of what may be in the log, by another
 * writer or from before, is not one: it is queued again, until nobody has waited for it for a
 * minute. */
bool ratings_append_settle_durable(const ratings_append_slot_t *slot, uint64_t writer,
                                   int64_t offset);
bool ratings_append_settle_failed(const ratings_append_slot_t *slot, uint64_t writer,
                                  int64_t detail);
bool ratings_append_settle_again(const ratings_append_slot_t *slot, uint64_t writer);

/* Wakes the request of the slot. */
void ratings_append_wake(const ratings_append_slot_t *slot);

/* The writer sleeps until something is queued, or for `timeout`: first prepare, then take what is
 * queued, then sleep. A process that is killed when it is about to wake the writer does not: so the
 * timeout is what that may cost. */
uint32_t ratings_append_prepare_sleep(ratings_append_rings_t *rings);
void ratings_append_sleep(ratings_append_rings_t *rings, uint32_t prepared, int64_t timeout);

/* Wakes the writer for another reason than an event. */
void ratings_append_rouse(ratings_append_rings_t *rings);

/* ---- for metrics ---- */

/* Slots of a ring that are not free: looks at each. */
int ratings_append_in_use(const ratings_append_rings_t *rings, int ring);

#endif
