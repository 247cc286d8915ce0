#include "pending_write.h"

#include "../core/assertion.h"
#include "../core/clock.h"
#include "../core/container_of.h"
#include "../shm/futex.h"

#include <pthread.h>
#include <stdlib.h>

#define LATE_US 10000 /* how late a request may learn that its event is not visible in time */

/* Who has a pointer to it has a hold, and gives it back: the request, the stream until its delivery
 * report, and the visibility barrier while it is queued there. */
struct ratings_pending_write_t {
    ratings_pending_write_options_t options;
    ratings_call_token_t token; /* of the call of Kafka; finished by who ends SENT */
    int64_t floor;              /* the applied watermark before the event was appended */
    atomic_int holds;
    pthread_mutex_t lock;        /* taken before that of the barrier; never held while waiting */
    _Atomic uint32_t state;      /* changed under the lock; the word that the request sleeps on */
    ratings_delivery_t delivery; /* set before SENT ends, but for ABANDONED */
    _Atomic int64_t expires_at;  /* of WAITING, set before it begins; of ratings_monotonic */
    ratings_visibility_waiter_t waiter; /* queued while WAITING */
    ratings_receiver_t receiver;        /* of the delivery report */
};

/* ---- its memory ---- */

static void drop_holds(ratings_pending_write_t *write, int holds)
{
    int before = atomic_fetch_sub(&write->holds, holds);
    RATINGS_ASSERT(before >= holds);
    if (before > holds)
        return;
    pthread_mutex_destroy(&write->lock);
    free(write);
}

/* ---- states ---- */

#define TO(state) (1U << RATINGS_PENDING_WRITE_##state)

static const unsigned allowed[] = {
    [RATINGS_PENDING_WRITE_SENT] =
        TO(WAITING) | TO(FAILED) | TO(DURABLE) | TO(VISIBLE) | TO(ABANDONED),
    [RATINGS_PENDING_WRITE_WAITING] = TO(DURABLE) | TO(VISIBLE),
    [RATINGS_PENDING_WRITE_FAILED] = 0,
    [RATINGS_PENDING_WRITE_DURABLE] = 0,
    [RATINGS_PENDING_WRITE_VISIBLE] = 0,
    [RATINGS_PENDING_WRITE_ABANDONED] = 0,
};

static ratings_pending_write_state_e write_state(const ratings_pending_write_t *write)
{
    return (ratings_pending_write_state_e)atomic_load(&write->state);
}

/* Under the lock. */
static void set_state(ratings_pending_write_t *write, ratings_pending_write_state_e state)
{
    RATINGS_ASSERT(allowed[write_state(write)] & 1U << state);
    atomic_store(&write->state, (uint32_t)state);
}

static bool is_final(ratings_pending_write_state_e state)
{
    return state != RATINGS_PENDING_WRITE_SENT && state != RATINGS_PENDING_WRITE_WAITING;
}

/* ---- by the visibility barrier ---- */

/* A request that left the barrier at the same time has found its event visible, too. */
static void became_visible(ratings_visibility_waiter_t *waiter)
{
    ratings_pending_write_t *write = RATINGS_CONTAINER_OF(waiter, ratings_pending_write_t, waiter);
    pthread_mutex_lock(&write->lock);
    if (write_state(write) == RATINGS_PENDING_WRITE_WAITING)
        set_state(write, RATINGS_PENDING_WRITE_VISIBLE);
    pthread_mutex_unlock(&write->lock);
    ratings_futex_wake(&write->state);
    drop_holds(write, 1);
}

/* ---- by the request: before ---- */

static void complete_pending_write(ratings_receiver_t *receiver,
                                   const ratings_delivery_t *delivery);

ratings_pending_write_t *
ratings_pending_write_create(const ratings_pending_write_options_t *options, ratings_result_t *why)
{
    ratings_pending_write_t *write = calloc(1, sizeof *write);
    if (!write) {
        ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
        return NULL;
    }
    if (!ratings_call_policy_begin(options->policy, options->deadline, &write->token, why)) {
        free(write);
        return NULL;
    }
    write->options = *options;
    write->floor = ratings_shm_watermark(options->shared, options->partition).offset;
    write->holds = 2;
    write->receiver.delivered = complete_pending_write;
    write->waiter.reached = became_visible;
    write->waiter.partition = options->partition;
    pthread_mutex_init(&write->lock, NULL);
    return write;
}

ratings_receiver_t *ratings_pending_write_receiver(ratings_pending_write_t *write)
{
    return &write->receiver;
}

void ratings_pending_write_cancel(ratings_pending_write_t *write, const ratings_result_t *why)
{
    RATINGS_ASSERT(write_state(write) == RATINGS_PENDING_WRITE_SENT);
    (void)ratings_call_policy_end(&write->token, why);
    drop_holds(write, 2);
}

/* ---- by the delivery report ---- */

/* An offset that Kafka does not tell (a duplicate of its own retry) cannot be waited for. One below
 * the watermark of before is that of another log: the topic was recreated, and the store is to be
 * rebuilt. */
static bool can_become_visible(const ratings_pending_write_t *write)
{
    int64_t offset = write->delivery.offset;
    if (offset >= 0 && offset < write->floor)
        ratings_shm_request_rebuild(write->options.shared, RATINGS_REBUILD_REQUEST_LOG);
    return offset >= write->floor && write->options.visible_for > 0;
}

/* Enters the barrier. Returns whether the request is to be woken though it then waits on: only if
 * it has less time than it counts on. */
static bool await_visibility(ratings_pending_write_t *write)
{
    int64_t now = ratings_monotonic(), until;
    int64_t expires_at = ratings_earlier(now + write->options.visible_for, write->options.deadline);
    switch (ratings_visibility_enter(write->options.visibility, &write->waiter,
                                     write->delivery.offset, now, &until)) {
    case RATINGS_VISIBILITY_REACHED:
        set_state(write, RATINGS_PENDING_WRITE_VISIBLE);
        return true;
    case RATINGS_VISIBILITY_REFUSED:
        set_state(write, RATINGS_PENDING_WRITE_DURABLE);
        return true;
    case RATINGS_VISIBILITY_QUEUED:
        break;
    }
    atomic_fetch_add(&write->holds, 1);
    atomic_store(&write->expires_at, ratings_earlier(expires_at, until));
    set_state(write, RATINGS_PENDING_WRITE_WAITING);
    return until < expires_at;
}

/* Returns whether the request is to be woken. */
static bool apply_report(ratings_pending_write_t *write, const ratings_delivery_t *delivery)
{
    write->delivery = *delivery;
    if (delivery->result.status == APR_SUCCESS && can_become_visible(write))
        return await_visibility(write);
    set_state(write, delivery->result.status == APR_SUCCESS ? RATINGS_PENDING_WRITE_DURABLE
                                                            : RATINGS_PENDING_WRITE_FAILED);
    return true;
}

/* By a thread of the stream: once, if it took the event. Does not block. */
static void complete_pending_write(ratings_receiver_t *receiver, const ratings_delivery_t *delivery)
{
    ratings_pending_write_t *write =
        RATINGS_CONTAINER_OF(receiver, ratings_pending_write_t, receiver);
    pthread_mutex_lock(&write->lock);
    bool is_abandoned = write_state(write) == RATINGS_PENDING_WRITE_ABANDONED;
    bool wakes = !is_abandoned && apply_report(write, delivery);
    pthread_mutex_unlock(&write->lock);
    if (!is_abandoned)
        (void)ratings_call_policy_end(&write->token, &delivery->result);
    if (wakes)
        ratings_futex_wake(&write->state);
    drop_holds(write, 1);
}

/* ---- by the request: waiting ---- */

static int64_t deadline_of(const ratings_pending_write_t *write,
                           ratings_pending_write_state_e state, int64_t durable_by)
{
    return state == RATINGS_PENDING_WRITE_WAITING ? atomic_load(&write->expires_at) : durable_by;
}

/* When the request has to look again without being woken: it is woken only once the write is
 * settled, and how long it may wait for visibility counts from a delivery report that does not wake
 * it. */
static int64_t sleeps_until(const ratings_pending_write_t *write,
                            ratings_pending_write_state_e state, int64_t now, int64_t durable_by)
{
    int64_t visible_for = write->options.visible_for;
    if (state == RATINGS_PENDING_WRITE_WAITING || visible_for <= 0)
        return deadline_of(write, state, durable_by);
    return ratings_earlier(now + (visible_for > LATE_US ? visible_for : LATE_US), durable_by);
}

/* Takes a write that waits out of the barrier. Returns how many holds the request then has more. */
static int leave_barrier(ratings_pending_write_t *write)
{
    bool is_visible;
    bool was_queued =
        ratings_visibility_leave(write->options.visibility, &write->waiter, &is_visible);
    set_state(write, !was_queued || is_visible ? RATINGS_PENDING_WRITE_VISIBLE
                                               : RATINGS_PENDING_WRITE_DURABLE);
    return was_queued;
}

/* At its deadline. Looks again under the lock: what has happened meanwhile stands. */
static void stop_waiting(ratings_pending_write_t *write, int64_t durable_by, int *holds)
{
    pthread_mutex_lock(&write->lock);
    ratings_pending_write_state_e state = write_state(write);
    if (!is_final(state) && ratings_monotonic() >= deadline_of(write, state, durable_by)) {
        if (state == RATINGS_PENDING_WRITE_SENT)
            set_state(write, RATINGS_PENDING_WRITE_ABANDONED);
        else
            *holds += leave_barrier(write);
    }
    pthread_mutex_unlock(&write->lock);
}

ratings_pending_write_state_e ratings_pending_write_wait(ratings_pending_write_t *write,
                                                         int64_t durable_by,
                                                         ratings_delivery_t *delivery)
{
    ratings_pending_write_state_e state;
    int holds = 1;
    while (!is_final(state = write_state(write))) {
        int64_t now = ratings_monotonic();
        if (now >= deadline_of(write, state, durable_by))
            stop_waiting(write, durable_by, &holds);
        else
            ratings_futex_wait(&write->state, (uint32_t)state,
                               sleeps_until(write, state, now, durable_by) - now);
    }
    if (state == RATINGS_PENDING_WRITE_ABANDONED) {
        ratings_result_set(&delivery->result, APR_TIMEUP, "Kafka did not answer in time");
        (void)ratings_call_policy_end(&write->token, &delivery->result);
    } else {
        *delivery = write->delivery;
    }
    drop_holds(write, holds);
    return state;
}
