/* Tickets, the lines they wait in, and the thread that watches the watermark for them. */
#include "waiters.h"

#include "../core/offset_queue.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WATCH_US 100000 /* how late the watcher can notice that it is not needed any more */
#define LATE_US 10000   /* how late an event may be told to be not visible in time */

struct ratings_pending_write_t {
    ratings_offset_queue_item_t link; /* first: while WAITING, in the line of its partition */
    ratings_visibility_t *owner;
    int64_t since;          /* when the stream's guard was entered */
    _Atomic uint32_t state; /* changed under the lock; the word that the request sleeps on */
    atomic_int holds;       /* of the request, and of the stream or the line */
    bool gone;              /* the request has left without any word from Kafka */
    ratings_delivery_t delivery;
    int64_t visible_for;           /* microseconds from when it is durable */
    int64_t deadline;              /* of the request; of ratings_monotonic */
    int64_t floor;                 /* the watermark before the event was appended */
    int64_t entered_at;            /* when it went through the gate, and into the line */
    ratings_pending_write_t *next; /* of those that are to be woken */
    _Atomic int64_t expires_at;    /* once it is durable; of ratings_monotonic */
};

struct ratings_visibility_t {
    ratings_shm_t *shared;
    ratings_call_policy_t *stream_guard;
    ratings_bulkhead_t *gate;
    pthread_t watcher;
    pthread_mutex_t lock; /* of all below, and of every ticket; never held while anything waits */
    pthread_cond_t arrived;
    ratings_offset_queue_t line[RATINGS_PARTITIONS_MAX];
    int partitions; /* beyond them no line was ever used */
    unsigned waiting;
    bool served; /* by the projector: the watcher has nothing to do */
    bool stop;
};

/* ---- sleeping: only one thread waits for a ticket, so its state is all that it takes ---- */

static void sleep_on(_Atomic uint32_t *word, uint32_t seen, int64_t us)
{
    struct timespec relative = {us / 1000000, (us % 1000000) * 1000};
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &relative, NULL, 0);
}

static void wake_from(_Atomic uint32_t *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void drop(ratings_pending_write_t *ticket, int holds)
{
    if (atomic_fetch_sub(&ticket->holds, holds) == holds)
        free(ticket);
}

/* Without the lock, which those who wake up may need at once. */
static void wake(ratings_pending_write_t *ticket)
{
    wake_from(&ticket->state);
    drop(ticket, 1);
}

/* Tickets that are to be woken: of a partition, who came first is first. */
typedef struct {
    ratings_pending_write_t *first, **end;
} settled_t;

static void wake_all(const settled_t *settled)
{
    for (ratings_pending_write_t *ticket = settled->first, *next; ticket; ticket = next) {
        next = ticket->next;
        wake(ticket);
    }
}

/* ---- the lines, under the lock ---- */

static ratings_offset_queue_t *line_of(const ratings_pending_write_t *ticket)
{
    return &ticket->owner->line[ticket->delivery.partition];
}

static bool is_visible(const ratings_pending_write_t *ticket)
{
    return ratings_shm_watermark(ticket->owner->shared, ticket->delivery.partition).position >
           ticket->delivery.offset;
}

static void enlist(ratings_pending_write_t *ticket)
{
    ratings_visibility_t *waiters = ticket->owner;
    ratings_offset_queue_insert(line_of(ticket), &ticket->link, ticket->delivery.offset);
    waiters->waiting++;
    if (waiters->partitions <= ticket->delivery.partition)
        waiters->partitions = ticket->delivery.partition + 1;
    atomic_store(&ticket->state, RATINGS_PENDING_WRITE_WAITING);
}

/* One that is out of its line already. */
static void leave(ratings_pending_write_t *ticket, ratings_pending_write_state_e state, int64_t now)
{
    (void)ratings_bulkhead_release(ticket->owner->gate, ticket->entered_at, now,
                                   state == RATINGS_PENDING_WRITE_VISIBLE);
    ticket->owner->waiting--;
    atomic_store(&ticket->state, state);
}

/* Those of a partition whose event is visible. */
static void settle_line(ratings_visibility_t *waiters, int partition, settled_t *settled)
{
    int64_t now = ratings_monotonic();
    int64_t position = ratings_shm_watermark(waiters->shared, partition).position;
    ratings_offset_queue_item_t *link;
    while ((link = ratings_offset_queue_pop_below(&waiters->line[partition], position))) {
        ratings_pending_write_t *ticket = (ratings_pending_write_t *)link;
        leave(ticket, RATINGS_PENDING_WRITE_VISIBLE, now);
        ticket->next = NULL;
        *settled->end = ticket;
        settled->end = &ticket->next;
    }
}

void ratings_visibility_notify(ratings_visibility_t *waiters)
{
    settled_t settled = {NULL, &settled.first};
    pthread_mutex_lock(&waiters->lock);
    for (int i = 0; i < waiters->partitions && waiters->waiting > 0; i++)
        if (waiters->line[i].first)
            settle_line(waiters, i, &settled);
    pthread_mutex_unlock(&waiters->lock);
    wake_all(&settled);
}

/* ---- the watcher ---- */

static bool needs_watcher(const ratings_visibility_t *waiters)
{
    return waiters->waiting > 0 && !waiters->served;
}

/* Looks, and sleeps until there is something else to see. */
static void watch_once(ratings_visibility_t *waiters)
{
    uint32_t seen = atomic_load(&waiters->shared->published); /* before looking */
    ratings_visibility_notify(waiters);
    pthread_mutex_lock(&waiters->lock);
    bool needed = needs_watcher(waiters);
    pthread_mutex_unlock(&waiters->lock);
    if (needed)
        ratings_shm_wait(&waiters->shared->published, seen, WATCH_US);
}

/* With nothing to do it sleeps on the child's own condition, so that publications do not wake
 * children that have no use for them. */
static void *watch(void *data)
{
    ratings_visibility_t *waiters = data;
    pthread_mutex_lock(&waiters->lock);
    while (!waiters->stop) {
        if (!needs_watcher(waiters)) {
            pthread_cond_wait(&waiters->arrived, &waiters->lock);
            continue;
        }
        pthread_mutex_unlock(&waiters->lock);
        watch_once(waiters);
        pthread_mutex_lock(&waiters->lock);
    }
    pthread_mutex_unlock(&waiters->lock);
    return NULL;
}

apr_status_t ratings_visibility_create(ratings_visibility_t **out, ratings_shm_t *shared,
                                       ratings_call_policy_t *stream_guard,
                                       ratings_bulkhead_t *gate, apr_pool_t *pool)
{
    ratings_visibility_t *waiters = apr_pcalloc(pool, sizeof *waiters);
    waiters->shared = shared;
    waiters->stream_guard = stream_guard;
    waiters->gate = gate;
    pthread_mutex_init(&waiters->lock, NULL);
    pthread_cond_init(&waiters->arrived, NULL);
    apr_status_t status = pthread_create(&waiters->watcher, NULL, watch, waiters);
    if (status == APR_SUCCESS)
        *out = waiters;
    return status;
}

void ratings_visibility_destroy(ratings_visibility_t *waiters)
{
    pthread_mutex_lock(&waiters->lock);
    waiters->stop = true;
    pthread_cond_signal(&waiters->arrived);
    pthread_mutex_unlock(&waiters->lock);
    pthread_join(waiters->watcher, NULL);
    pthread_cond_destroy(&waiters->arrived);
    pthread_mutex_destroy(&waiters->lock);
}

void ratings_visibility_serve(ratings_visibility_t *waiters, bool serves)
{
    pthread_mutex_lock(&waiters->lock);
    waiters->served = serves;
    pthread_cond_signal(&waiters->arrived);
    pthread_mutex_unlock(&waiters->lock);
}

bool ratings_visibility_has_waiters(ratings_visibility_t *waiters)
{
    pthread_mutex_lock(&waiters->lock);
    bool any = waiters->waiting > 0;
    pthread_mutex_unlock(&waiters->lock);
    return any;
}

/* ---- tickets ---- */

ratings_pending_write_t *ratings_pending_write_create(ratings_visibility_t *waiters, int partition,
                                                      int64_t since, int64_t visible_for,
                                                      int64_t deadline)
{
    ratings_pending_write_t *ticket = calloc(1, sizeof *ticket);
    if (!ticket)
        return NULL;
    ticket->owner = waiters;
    ticket->since = since;
    ticket->holds = 2;
    ticket->visible_for = visible_for;
    ticket->deadline = deadline;
    ticket->floor = ratings_shm_watermark(waiters->shared, partition).position;
    return ticket;
}

void ratings_pending_write_cancel(ratings_pending_write_t *ticket)
{
    free(ticket);
}

/* An offset that Kafka does not tell (a duplicate of its own retry) cannot be waited for. One below
 * the watermark of before is that of another log: the topic was made again. */
static bool can_become_visible(const ratings_pending_write_t *ticket)
{
    if (ticket->delivery.offset >= 0 && ticket->delivery.offset < ticket->floor)
        atomic_store(&ticket->owner->shared->suspect, RATINGS_REBUILD_REQUEST_LOG);
    return ticket->delivery.offset >= ticket->floor && ticket->visible_for > 0;
}

static int64_t soonest(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Until `until` at the latest. Enlisted first and looked at after, so that no publication falls
 * between the two. The request is not woken, as it would only wait again: unless it waits for less
 * time than it thinks. */
static void await_visibility(ratings_pending_write_t *ticket, int64_t now, int64_t until)
{
    int64_t expires_at = soonest(now + ticket->visible_for, ticket->deadline);
    atomic_store(&ticket->expires_at, soonest(expires_at, until));
    ticket->entered_at = now;
    enlist(ticket);
    if (is_visible(ticket)) {
        ratings_offset_queue_remove(line_of(ticket), &ticket->link);
        leave(ticket, RATINGS_PENDING_WRITE_VISIBLE, now);
    } else if (needs_watcher(ticket->owner)) {
        pthread_cond_signal(&ticket->owner->arrived);
    }
    if (until < expires_at)
        wake_from(&ticket->state);
}

static void became_durable(ratings_pending_write_t *ticket)
{
    int64_t now = ratings_monotonic(), until;
    bool may_wait = can_become_visible(ticket);
    if (may_wait && is_visible(ticket))
        atomic_store(&ticket->state, RATINGS_PENDING_WRITE_VISIBLE);
    else if (may_wait && ratings_bulkhead_try_acquire(ticket->owner->gate, now, &until))
        await_visibility(ticket, now, until);
    else
        atomic_store(&ticket->state, RATINGS_PENDING_WRITE_DURABLE);
}

/* The stream's hold becomes that of the line, or ends. Without it the ticket may be gone. */
void ratings_pending_write_complete(void *data, const ratings_delivery_t *delivery)
{
    ratings_pending_write_t *ticket = data;
    ratings_visibility_t *waiters = ticket->owner;
    int64_t since = ticket->since;
    pthread_mutex_lock(&waiters->lock);
    ticket->delivery = *delivery;
    if (delivery->result.status != APR_SUCCESS)
        atomic_store(&ticket->state, RATINGS_PENDING_WRITE_FAILED);
    else if (!ticket->gone)
        became_durable(ticket);
    bool waits = atomic_load(&ticket->state) == RATINGS_PENDING_WRITE_WAITING, gone = ticket->gone;
    pthread_mutex_unlock(&waiters->lock);
    if (!gone)
        (void)ratings_call_policy_end(waiters->stream_guard, since, &delivery->result);
    if (!waits)
        wake(ticket);
}

static bool is_settled(uint32_t state)
{
    return state != RATINGS_PENDING_WRITE_SENT && state != RATINGS_PENDING_WRITE_WAITING;
}

/* When the request must look again by itself, being woken once it is settled alone. How long it may
 * wait for visibility is counted from a delivery that it is not told of. */
static int64_t sleeps_until(const ratings_pending_write_t *ticket, uint32_t state, int64_t now,
                            int64_t durable_by)
{
    if (state == RATINGS_PENDING_WRITE_WAITING)
        return atomic_load(&ticket->expires_at);
    if (ticket->visible_for <= 0) /* it is settled with the delivery */
        return durable_by;
    return soonest(now + (ticket->visible_for > LATE_US ? ticket->visible_for : LATE_US),
                   durable_by);
}

static bool is_late(const ratings_pending_write_t *ticket, uint32_t state, int64_t durable_by)
{
    int64_t end =
        state == RATINGS_PENDING_WRITE_WAITING ? atomic_load(&ticket->expires_at) : durable_by;
    return ratings_monotonic() >= end;
}

/* Looks again under the lock: what has happened meanwhile stands. True: the wait is over. Takes the
 * hold of the line when it takes the ticket out of it. */
static bool give_up(ratings_pending_write_t *ticket, int64_t durable_by, int *holds)
{
    ratings_visibility_t *waiters = ticket->owner;
    pthread_mutex_lock(&waiters->lock);
    uint32_t state = atomic_load(&ticket->state);
    bool late = !is_settled(state) && is_late(ticket, state, durable_by);
    ticket->gone = late && state == RATINGS_PENDING_WRITE_SENT;
    if (late && !ticket->gone) {
        ratings_offset_queue_remove(line_of(ticket), &ticket->link);
        leave(ticket,
              is_visible(ticket) ? RATINGS_PENDING_WRITE_VISIBLE : RATINGS_PENDING_WRITE_DURABLE,
              ratings_monotonic());
        ++*holds;
    }
    pthread_mutex_unlock(&waiters->lock);
    return late;
}

ratings_pending_write_state_e ratings_pending_write_wait(ratings_pending_write_t *ticket,
                                                         int64_t durable_by,
                                                         ratings_delivery_t *delivery)
{
    uint32_t state;
    bool over = false;
    int holds = 1;
    while (!over && !is_settled(state = atomic_load(&ticket->state))) {
        int64_t now = ratings_monotonic(), until = sleeps_until(ticket, state, now, durable_by);
        if (is_late(ticket, state, durable_by))
            over = give_up(ticket, durable_by, &holds);
        else if (until > now)
            sleep_on(&ticket->state, state, until - now);
    }
    state = ticket->gone ? RATINGS_PENDING_WRITE_SENT : atomic_load(&ticket->state);
    if (state != RATINGS_PENDING_WRITE_SENT)
        *delivery = ticket->delivery;
    drop(ticket, holds);
    return (ratings_pending_write_state_e)state;
}
