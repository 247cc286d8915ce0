#include "writer.h"

#include "../core/clock.h"
#include "../core/container_of.h"
#include "../shm/append_ring.h"
#include "../shm/append_time.h"
#include "../shm/futex.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SURVEY_US INT64_C(50000)   /* how often all slots are looked at */
#define REPORTS_US INT64_C(300000) /* what a writer that ends in peace has for its reports */

/* An event that is durable, and waits for the projector. One for each slot, so that what nobody
 * waits for any more takes no room beyond that. */
typedef struct {
    ratings_visibility_waiter_t waiter;
    ratings_append_slot_t slot;
    writer_t *writer;
} durable_t;

#define SLOTS ((size_t)RATINGS_APPEND_RINGS * RATINGS_APPEND_SLOTS)

struct writer_t {
    const ratings_projector_options_t *options;
    own_records_t *own;
    bool has_thread; /* between begin and end; the next ones are the thread's then */
    pthread_t thread;
    ratings_host_lease_hold_t hold;
    int64_t resend_at, renew_at, survey_at;
    ratings_append_pass_t pass, survey;
    atomic_bool is_writing; /* the thread goes on */
    atomic_bool looks_back; /* something is to be sent again, which the pass is beyond */
    pthread_mutex_t lock;   /* of `durable`; taken before that of the barrier */
    durable_t *durable;     /* SLOTS of them, from the first begin on */
};

/* An event on its way to Kafka. */
typedef struct {
    ratings_receiver_t receiver;
    writer_t *writer;
    ratings_append_slot_t slot;
    uint64_t number; /* of the writer when it was sent */
    int64_t sent_at;
    int64_t floor;      /* the applied watermark then */
    bool until_durable; /* its request waits for the projector for less than it looks */
} message_t;

/* ---- visible ---- */

static void became_visible(ratings_visibility_waiter_t *waiter)
{
    const durable_t *durable = RATINGS_CONTAINER_OF(waiter, durable_t, waiter);
    writer_t *writer = durable->writer;
    pthread_mutex_lock(&writer->lock);
    ratings_append_slot_t slot = durable->slot;
    pthread_mutex_unlock(&writer->lock);
    ratings_append_wake(&slot);
}

/* The slot's request is woken when its event is visible. What the slot waited for with an earlier
 * ticket is forgotten. */
static void await_visibility(writer_t *writer, const ratings_append_slot_t *slot, int partition,
                             int64_t offset)
{
    ratings_visibility_t *visibility = writer->options->visibility;
    durable_t *durable = &writer->durable[(size_t)slot->ring * RATINGS_APPEND_SLOTS +
                                          slot->number % RATINGS_APPEND_SLOTS];
    pthread_mutex_lock(&writer->lock);
    (void)ratings_visibility_leave(visibility, &durable->waiter);
    durable->slot = *slot;
    durable->waiter.partition = partition;
    bool waits = ratings_visibility_enter(visibility, &durable->waiter, offset);
    pthread_mutex_unlock(&writer->lock);
    if (!waits)
        ratings_append_wake(slot);
}

/* ---- reports ---- */

/* An offset that Kafka does not tell (a duplicate of its own retry) cannot be waited for. One below
 * the watermark of before is that of another log: the topic was recreated, and the store is to be
 * rebuilt. */
static bool can_become_visible(const message_t *message, int64_t offset)
{
    if (offset >= 0 && offset < message->floor)
        ratings_shm_request_rebuild(message->writer->options->shared, RATINGS_REBUILD_REQUEST_LOG);
    return offset >= message->floor;
}

static void note_own_record(const message_t *message, const ratings_record_t *record)
{
    ratings_append_time_note_record(message->writer->options->shared, record->has_append_time);
    own_records_add(message->writer->own, record);
}

static void settle_durable(const message_t *message, const ratings_delivery_t *delivery)
{
    ratings_metrics_t *metrics = message->writer->options->metrics;
    ratings_metrics_appended(metrics, ratings_monotonic() - message->sent_at);
    if (delivery->offset >= 0)
        ratings_metrics_raise_end(metrics, delivery->partition, delivery->offset + 1);
    if (delivery->record)
        note_own_record(message, delivery->record);
    if (!ratings_append_settle_durable(&message->slot, message->number, delivery->offset))
        return;
    bool can = can_become_visible(message, delivery->offset);
    if (can)
        await_visibility(message->writer, &message->slot, delivery->partition, delivery->offset);
    if (!can || message->until_durable)
        ratings_append_wake(&message->slot);
}

/* Where nobody knows whether it is in the log, and where this process alone has failed, it is sent
 * again: a ticket counts once. */
static void settle_failure(const message_t *message, const ratings_delivery_t *delivery)
{
    writer_t *writer = message->writer;
    bool is_certain = delivery->result.status == APR_ECONNREFUSED;
    if (is_certain &&
        ratings_append_settle_failed(&message->slot, message->number, (uint16_t)delivery->code))
        ratings_append_wake(&message->slot);
    else if (!is_certain)
        (void)ratings_append_settle_again(&message->slot, message->number);
    atomic_store(&writer->looks_back, true);
}

/* By a thread of the stream. */
static void settle_message(ratings_receiver_t *receiver, const ratings_delivery_t *delivery)
{
    message_t *message = RATINGS_CONTAINER_OF(receiver, message_t, receiver);
    if (delivery->result.status == APR_SUCCESS)
        settle_durable(message, delivery);
    else
        settle_failure(message, delivery);
    free(message);
}

/* ---- sending ---- */

static void send_event(writer_t *writer, const ratings_append_taken_t *taken)
{
    ratings_delivery_t failure;
    message_t *message = calloc(1, sizeof *message);
    if (!message) {
        (void)ratings_append_settle_again(&taken->slot, writer->hold.number);
        atomic_store(&writer->looks_back, true);
        return;
    }
    *message = (message_t){
        .receiver.delivered = settle_message,
        .writer = writer,
        .slot = taken->slot,
        .number = writer->hold.number,
        .sent_at = ratings_monotonic(),
        .until_durable = taken->until_durable,
        .floor = ratings_shm_watermark(writer->options->shared, taken->partition).offset,
    };
    const ratings_trace_t *trace = taken->trace.parent[0] ? &taken->trace : NULL;
    if (ratings_stream_append(writer->options->stream, &taken->event, trace, &taken->ticket,
                              taken->partition, &message->receiver, &failure) != APR_SUCCESS)
        settle_message(&message->receiver, &failure);
}

/* What is to be sent again because it failed at once waits for the next survey, which is `whole`:
 * else this would spin. */
static void take_queued(writer_t *writer, bool whole)
{
    ratings_append_taken_t taken;
    ratings_append_begin_pass(writer->options->rings, &writer->pass, whole);
    while (ratings_append_take(writer->options->rings, &writer->pass, &taken))
        send_event(writer, &taken);
}

/* ---- what others have left ---- */

static void survey_slots(writer_t *writer, int64_t now)
{
    ratings_append_taken_t taken;
    ratings_append_found_e found;
    int64_t offset;
    ratings_append_begin_pass(writer->options->rings, &writer->survey, false);
    while ((found = ratings_append_survey(writer->options->rings, &writer->survey,
                                          now >= writer->resend_at, &taken, &offset)) !=
           RATINGS_APPEND_NOTHING) {
        if (found == RATINGS_APPEND_RESEND)
            send_event(writer, &taken);
        else if (offset != RATINGS_APPEND_NO_OFFSET)
            await_visibility(writer, &taken.slot, taken.partition, offset);
    }
    if (atomic_exchange(&writer->looks_back, false))
        take_queued(writer, true);
}

/* ---- the thread ---- */

static bool keep_lease(writer_t *writer, int64_t now)
{
    int64_t duration = writer->options->lease;
    if (now < writer->renew_at)
        return true;
    writer->renew_at = now + duration / 3;
    return ratings_host_lease_renew(ratings_append_lease(writer->options->rings), now, duration,
                                    &writer->hold);
}

/* Until when it may sleep. The stream frees what is not used for a while. */
static int64_t write_once(writer_t *writer, int64_t now)
{
    ratings_result_t ignored;
    take_queued(writer, false);
    if (now >= writer->survey_at) {
        (void)ratings_stream_prepare(writer->options->stream, &ignored);
        survey_slots(writer, now);
        writer->survey_at = now + SURVEY_US;
    }
    return ratings_earlier(writer->renew_at, writer->survey_at);
}

static void *run_writer(void *data)
{
    writer_t *writer = data;
    while (atomic_load(&writer->is_writing)) {
        uint32_t prepared = ratings_append_prepare_sleep(writer->options->rings);
        int64_t now = ratings_monotonic();
        if (!keep_lease(writer, now)) {
            atomic_store(&writer->is_writing, false);
            break;
        }
        int64_t until = write_once(writer, now);
        if (atomic_load(&writer->is_writing))
            ratings_append_sleep(writer->options->rings, prepared, until - now);
    }
    return NULL;
}

/* ---- for the projector ---- */

writer_t *writer_create(const ratings_projector_options_t *options, own_records_t *own,
                        apr_pool_t *pool)
{
    writer_t *writer = apr_pcalloc(pool, sizeof *writer);
    writer->options = options;
    writer->own = own;
    pthread_mutex_init(&writer->lock, NULL);
    return writer;
}

/* Most children never write. */
static bool make_durable(writer_t *writer)
{
    if (writer->durable)
        return true;
    writer->durable = calloc(SLOTS, sizeof *writer->durable);
    for (size_t i = 0; i < SLOTS && writer->durable; i++) {
        writer->durable[i].writer = writer;
        writer->durable[i].waiter.reached = became_visible;
    }
    return writer->durable != NULL;
}

/* A writer that has ended in peace still gets its reports, and settles by them. */
bool writer_begin(writer_t *writer)
{
    ratings_result_t why;
    int64_t now = ratings_monotonic(), duration = writer->options->lease;
    if (!ratings_host_lease_acquire(ratings_append_lease(writer->options->rings), now, duration,
                                    &writer->hold))
        return false;
    if (!make_durable(writer) ||
        !ratings_stream_prepare(writer->options->stream, &why)) { /* another child may be able to */
        writer_end(writer);
        return false;
    }
    writer->resend_at = writer->hold.was_clean ? now + REPORTS_US : now;
    writer->renew_at = now + duration / 3;
    writer->survey_at = 0;
    writer->pass = writer->survey = (ratings_append_pass_t){.number = writer->hold.number};
    atomic_store(&writer->is_writing, true);
    writer->has_thread = pthread_create(&writer->thread, NULL, run_writer, writer) == 0;
    if (!writer->has_thread)
        writer_end(writer);
    return writer->has_thread;
}

const atomic_bool *writer_is_writing(const writer_t *writer)
{
    return &writer->is_writing;
}

void writer_end(writer_t *writer)
{
    atomic_store(&writer->is_writing, false);
    if (writer->has_thread) {
        ratings_append_rouse(writer->options->rings);
        pthread_join(writer->thread, NULL);
    }
    writer->has_thread = false;
    if (ratings_host_lease_release(ratings_append_lease(writer->options->rings), &writer->hold))
        ratings_shm_wake(&writer->options->shared->handover);
}

void writer_destroy(writer_t *writer)
{
    pthread_mutex_destroy(&writer->lock);
    free(writer->durable);
}
