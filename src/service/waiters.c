/* Tickets, and the thread that watches the watermark for them. */
#include "waiters.h"

#include <pthread.h>
#include <stdlib.h>

#define WATCH_US 100000 /* how late the watcher can notice that it is to end */

struct ratings_ticket_t {
    ratings_waiters_t *owner;
    pthread_cond_t changed;
    int holds; /* request and stream */
    ratings_ticket_state_e state;
    ratings_delivery_t delivery;
    int64_t visible_for;               /* microseconds from when it is durable */
    int64_t deadline;                  /* of the request; of ratings_monotonic */
    int64_t entered_at;                /* when it went through the gate; 0: it did not */
    int64_t floor;                     /* the watermark before the event was appended */
    int64_t expires_at;                /* once it is durable; of ratings_monotonic */
    ratings_ticket_t *next, **pointer; /* among those that wait for their offset */
};

struct ratings_waiters_t {
    ratings_shared_t *shared;
    ratings_gate_t *gate;
    pthread_t watcher;
    pthread_condattr_t monotonic;
    pthread_mutex_t lock; /* of all below, and of every ticket */
    pthread_cond_t arrived;
    ratings_ticket_t *waiting;
    bool stop;
};

/* ---- the list, under the lock ---- */

static void enlist(ratings_waiters_t *waiters, ratings_ticket_t *ticket)
{
    ticket->next = waiters->waiting;
    ticket->pointer = &waiters->waiting;
    if (ticket->next)
        ticket->next->pointer = &ticket->next;
    waiters->waiting = ticket;
}

static void delist(ratings_ticket_t *ticket)
{
    if (!ticket->pointer)
        return;
    *ticket->pointer = ticket->next;
    if (ticket->next)
        ticket->next->pointer = ticket->pointer;
    ticket->pointer = NULL;
}

static void leave_gate(ratings_ticket_t *ticket, bool visible)
{
    int64_t now = ratings_monotonic();
    if (ticket->entered_at)
        ratings_gate_leave(ticket->owner->gate, now,
                           visible && now - ticket->entered_at <= RATINGS_GATE_PATIENCE_US);
    ticket->entered_at = 0;
}

static void settle(ratings_ticket_t *ticket, ratings_ticket_state_e state)
{
    delist(ticket);
    leave_gate(ticket, state == RATINGS_TICKET_VISIBLE);
    ticket->state = state;
    pthread_cond_signal(&ticket->changed);
}

static bool is_visible(const ratings_ticket_t *ticket)
{
    return ratings_shared_watermark(ticket->owner->shared, ticket->delivery.partition).position >
           ticket->delivery.offset;
}

static void drop(ratings_ticket_t *ticket)
{
    if (--ticket->holds > 0)
        return;
    pthread_cond_destroy(&ticket->changed);
    free(ticket);
}

/* ---- the watcher ---- */

/* Settles those whose time has come; when the next one's wait will be over. */
static int64_t settle_due(ratings_waiters_t *waiters)
{
    int64_t now = ratings_monotonic(), next_at = now + WATCH_US;
    for (ratings_ticket_t *ticket = waiters->waiting, *next; ticket; ticket = next) {
        next = ticket->next;
        if (is_visible(ticket))
            settle(ticket, RATINGS_TICKET_VISIBLE);
        else if (ticket->expires_at <= now)
            settle(ticket, RATINGS_TICKET_DURABLE);
        else if (ticket->expires_at < next_at)
            next_at = ticket->expires_at;
    }
    return next_at;
}

/* With nobody waiting it sleeps on the child's own condition, so that publications do not wake
 * children that have no use for them. */
static void wait_for_news(ratings_waiters_t *waiters, uint32_t seen, int64_t until)
{
    if (!waiters->waiting) {
        pthread_cond_wait(&waiters->arrived, &waiters->lock);
        return;
    }
    pthread_mutex_unlock(&waiters->lock);
    ratings_shared_wait(&waiters->shared->published, seen, until - ratings_monotonic());
    pthread_mutex_lock(&waiters->lock);
}

static void *watch(void *data)
{
    ratings_waiters_t *waiters = data;
    pthread_mutex_lock(&waiters->lock);
    while (!waiters->stop) {
        uint32_t seen = atomic_load(&waiters->shared->published); /* before looking */
        int64_t until = settle_due(waiters);
        if (!waiters->stop)
            wait_for_news(waiters, seen, until);
    }
    pthread_mutex_unlock(&waiters->lock);
    return NULL;
}

apr_status_t ratings_waiters_create(ratings_waiters_t **out, ratings_shared_t *shared,
                                    ratings_gate_t *gate, apr_pool_t *pool)
{
    ratings_waiters_t *waiters = apr_pcalloc(pool, sizeof *waiters);
    waiters->shared = shared;
    waiters->gate = gate;
    pthread_mutex_init(&waiters->lock, NULL);
    pthread_cond_init(&waiters->arrived, NULL);
    pthread_condattr_init(&waiters->monotonic);
    pthread_condattr_setclock(&waiters->monotonic, CLOCK_MONOTONIC);
    apr_status_t status = pthread_create(&waiters->watcher, NULL, watch, waiters);
    if (status == APR_SUCCESS)
        *out = waiters;
    return status;
}

void ratings_waiters_destroy(ratings_waiters_t *waiters)
{
    pthread_mutex_lock(&waiters->lock);
    waiters->stop = true;
    pthread_cond_signal(&waiters->arrived);
    pthread_mutex_unlock(&waiters->lock);
    pthread_join(waiters->watcher, NULL);
    pthread_condattr_destroy(&waiters->monotonic);
    pthread_cond_destroy(&waiters->arrived);
    pthread_mutex_destroy(&waiters->lock);
}

bool ratings_waiters_any(ratings_waiters_t *waiters)
{
    pthread_mutex_lock(&waiters->lock);
    bool any = waiters->waiting != NULL;
    pthread_mutex_unlock(&waiters->lock);
    return any;
}

/* ---- tickets ---- */

ratings_ticket_t *ratings_ticket_take(ratings_waiters_t *waiters, int partition,
                                      int64_t visible_for, int64_t deadline)
{
    ratings_ticket_t *ticket = calloc(1, sizeof *ticket);
    if (!ticket)
        return NULL;
    ticket->owner = waiters;
    ticket->holds = 2;
    ticket->visible_for = visible_for;
    ticket->deadline = deadline;
    ticket->floor = ratings_shared_watermark(waiters->shared, partition).position;
    pthread_cond_init(&ticket->changed, &waiters->monotonic);
    return ticket;
}

void ratings_ticket_cancel(ratings_ticket_t *ticket)
{
    pthread_mutex_t *lock = &ticket->owner->lock;
    pthread_mutex_lock(lock);
    ticket->holds = 1;
    drop(ticket);
    pthread_mutex_unlock(lock);
}

/* An offset that Kafka does not tell (a duplicate of its own retry) cannot be waited for. One below
 * the watermark of before is that of another log: the topic was made again. */
static bool can_become_visible(const ratings_ticket_t *ticket)
{
    if (ticket->delivery.offset >= 0 && ticket->delivery.offset < ticket->floor)
        atomic_store(&ticket->owner->shared->suspect, RATINGS_SUSPECT_LOG);
    return ticket->delivery.offset >= ticket->floor && ticket->visible_for > 0;
}

/* Enlisted first and looked at after, so that no publication falls between the two. The request is
 * not woken: it would only wait again. */
static void became_durable(ratings_ticket_t *ticket)
{
    int64_t now = ratings_monotonic();
    if (!can_become_visible(ticket) || !ratings_gate_try(ticket->owner->gate, now)) {
        settle(ticket, RATINGS_TICKET_DURABLE);
        return;
    }
    ticket->entered_at = now;
    ticket->expires_at = now + ticket->visible_for;
    if (ticket->expires_at > ticket->deadline)
        ticket->expires_at = ticket->deadline;
    ticket->state = RATINGS_TICKET_WAITING;
    enlist(ticket->owner, ticket);
    if (is_visible(ticket))
        settle(ticket, RATINGS_TICKET_VISIBLE);
    else
        pthread_cond_signal(&ticket->owner->arrived);
}

void ratings_ticket_deliver(void *data, const ratings_delivery_t *delivery)
{
    ratings_ticket_t *ticket = data;
    pthread_mutex_t *lock = &ticket->owner->lock;
    pthread_mutex_lock(lock);
    ticket->delivery = *delivery;
    if (delivery->result.status != APR_SUCCESS)
        settle(ticket, RATINGS_TICKET_FAILED);
    else if (ticket->holds == 2) /* else the request has gone */
        became_durable(ticket);
    drop(ticket);
    pthread_mutex_unlock(lock);
}

static bool is_settled(const ratings_ticket_t *ticket)
{
    return ticket->state != RATINGS_TICKET_PENDING && ticket->state != RATINGS_TICKET_WAITING;
}

/* Whether the wait is over: settled, or no word from Kafka in time. A ticket that waits for
 * visibility is settled by the watcher in its time, or here if the watcher is late. */
static bool is_over(ratings_ticket_t *ticket, int64_t durable_by)
{
    int64_t now = ratings_monotonic();
    if (ticket->state == RATINGS_TICKET_WAITING && now >= ticket->expires_at + WATCH_US)
        settle(ticket, RATINGS_TICKET_DURABLE);
    return is_settled(ticket) || (ticket->state == RATINGS_TICKET_PENDING && now >= durable_by);
}

ratings_ticket_state_e ratings_ticket_wait(ratings_ticket_t *ticket, int64_t durable_by,
                                           ratings_delivery_t *delivery)
{
    pthread_mutex_t *lock = &ticket->owner->lock;
    pthread_mutex_lock(lock);
    while (!is_over(ticket, durable_by)) {
        (void)ratings_wait_until(
            &ticket->changed, lock,
            ticket->state == RATINGS_TICKET_PENDING ? durable_by : ticket->expires_at + WATCH_US);
    }
    ratings_ticket_state_e state = ticket->state;
    *delivery = ticket->delivery;
    drop(ticket);
    pthread_mutex_unlock(lock);
    return state;
}
