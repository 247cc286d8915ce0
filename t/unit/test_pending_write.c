/* The call policy is httpd's error log and a breaker: here, a counter of tokens that were finished,
 * and whether it lets the call in. */
#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/service/pending_write.h"
#include "../../src/shm/append_ring.h"
#include "../../src/shm/process.h"

#include <apr_general.h>

#include <pthread.h>

#define P 0
#define LOG 100
#define SECOND_US INT64_C(1000000)

static atomic_int finished, failures;

bool ratings_call_policy_begin(ratings_call_policy_t *policy, int64_t deadline,
                               ratings_call_token_t *token, ratings_result_t *why)
{
    assert_true(deadline > ratings_monotonic());
    if (!policy->is_usable) {
        ratings_result_set(why, RATINGS_NOT_ASKED, "not let in");
        return false;
    }
    *token = (ratings_call_token_t){policy, ratings_monotonic(), NULL};
    return true;
}

apr_status_t ratings_call_policy_end(ratings_call_token_t *token, const ratings_result_t *why)
{
    assert_non_null(token->policy);
    token->policy = NULL;
    atomic_fetch_add(&finished, 1);
    if (why->status != APR_SUCCESS)
        atomic_fetch_add(&failures, 1);
    return why->status;
}

const char *ratings_stream_error_text(int code)
{
    (void)code;
    return "its text";
}

typedef struct {
    ratings_shm_t *shared;
    ratings_append_rings_t *rings;
    ratings_call_policy_t policy;
    ratings_bulkhead_t bulkhead;
} service_t;

static void *zeroed(size_t size)
{
    size = (size + RATINGS_CACHE_LINE - 1) / RATINGS_CACHE_LINE * RATINGS_CACHE_LINE;
    void *memory = aligned_alloc(RATINGS_CACHE_LINE, size);
    assert_non_null(memory);
    return memset(memory, 0, size);
}

static void service_open(service_t *service)
{
    service->shared = zeroed(sizeof *service->shared);
    service->rings = zeroed(ratings_append_rings_size());
    assert_int_equal(ratings_append_rings_init(service->rings), APR_SUCCESS);
    ratings_bulkhead_init(&service->bulkhead, 10);
    service->policy = (ratings_call_policy_t){.is_usable = true};
    atomic_store(&finished, 0);
    atomic_store(&failures, 0);
}

static void service_close(service_t *service)
{
    for (int i = 0; i < RATINGS_APPEND_RINGS; i++)
        assert_int_equal(ratings_append_in_use(service->rings, i), 0);
    assert_int_equal(service->bulkhead.in_use, 0);
    ratings_bulkhead_destroy(&service->bulkhead);
    free(service->shared);
    free(service->rings);
}

static void publish(service_t *service, int64_t next)
{
    ratings_shm_publish_watermark(service->shared, P, (ratings_checkpoint_t){LOG, next});
}

/* ---- the writer's part, by a thread of the test ---- */

typedef struct {
    service_t *service;
    enum { TELLS_OFFSET, TELLS_NO_OFFSET, REFUSES, HOLDS_BACK, SLEEPS } does;
    bool publishes;
    int64_t offset;
    atomic_bool stops;
    pthread_t thread;
} writer_t;

#define WRITER 7
#define CODE 42

static void settle(writer_t *writer, const ratings_append_taken_t *taken)
{
    if (writer->does == TELLS_OFFSET) {
        (void)ratings_append_settle_durable(&taken->slot, WRITER, writer->offset);
        if (writer->publishes)
            publish(writer->service, writer->offset + 1);
        writer->offset++;
    } else if (writer->does == TELLS_NO_OFFSET) {
        (void)ratings_append_settle_durable(&taken->slot, WRITER, -1);
    } else if (writer->does == REFUSES) {
        (void)ratings_append_settle_failed(&taken->slot, WRITER, CODE);
    }
    ratings_append_wake(&taken->slot);
}

static void *write_all(void *data)
{
    writer_t *writer = data;
    ratings_append_pass_t pass = {.number = WRITER};
    ratings_append_taken_t taken;
    while (!atomic_load(&writer->stops)) {
        uint32_t prepared = ratings_append_prepare_sleep(writer->service->rings);
        ratings_append_begin_pass(writer->service->rings, &pass, false);
        while (writer->does != SLEEPS && ratings_append_take(writer->service->rings, &pass, &taken))
            settle(writer, &taken);
        ratings_append_sleep(writer->service->rings, prepared, 1000);
    }
    return NULL;
}

static void start(writer_t *writer, service_t *service)
{
    writer->service = service;
    assert_int_equal(pthread_create(&writer->thread, NULL, write_all, writer), 0);
}

static void stop(writer_t *writer)
{
    atomic_store(&writer->stops, true);
    assert_int_equal(pthread_join(writer->thread, NULL), 0);
}

/* What one request comes to beside such a writer, if it waits so long for visibility and for Kafka.
 */
static ratings_pending_write_end_e write_event(service_t *service, int64_t visible_for,
                                               int64_t timeout, ratings_delivery_t *delivery)
{
    int64_t now = ratings_monotonic();
    const ratings_event_t event = {.rating = {"talk", 5}};
    const ratings_pending_write_options_t options = {
        .policy = &service->policy,
        .bulkhead = &service->bulkhead,
        .shared = service->shared,
        .rings = service->rings,
        .owner = ratings_process_self(),
        .partition = P,
        .durable_by = now + timeout,
        .visible_for = visible_for,
        .deadline = now + 10 * SECOND_US,
    };
    return ratings_pending_write(&options, &event, delivery);
}

static ratings_pending_write_end_e write_beside(writer_t *writer, int64_t visible_for,
                                                int64_t timeout, ratings_delivery_t *delivery)
{
    service_t service;
    service_open(&service);
    start(writer, &service);
    ratings_pending_write_end_e end = write_event(&service, visible_for, timeout, delivery);
    stop(writer);
    if (writer->does ==
        HOLDS_BACK) { /* what may be in the log keeps its slot until it is settled */
        ratings_append_slot_t slot = {service.rings, P % RATINGS_APPEND_RINGS, 0};
        assert_int_equal(ratings_append_look(&slot).state, RATINGS_APPEND_SENT);
        assert_false(ratings_append_settle_durable(&slot, WRITER, 7));
    }
    service_close(&service);
    assert_int_equal(finished, 1);
    return end;
}

/* ---- the ends ---- */

static void what_is_applied_is_visible(void **state)
{
    writer_t writer = {.does = TELLS_OFFSET, .publishes = true, .offset = 7};
    ratings_delivery_t delivery;
    (void)state;
    assert_int_equal(write_beside(&writer, SECOND_US, SECOND_US, &delivery),
                     RATINGS_PENDING_WRITE_VISIBLE);
    assert_int_equal(delivery.offset, 7);
    assert_int_equal(delivery.partition, P);
    assert_int_equal(failures, 0);
}

static void what_is_not_applied_in_time_is_durable(void **state)
{
    writer_t writer = {.does = TELLS_OFFSET, .offset = 7};
    ratings_delivery_t delivery;
    (void)state;
    assert_int_equal(write_beside(&writer, 20000, SECOND_US, &delivery),
                     RATINGS_PENDING_WRITE_DURABLE);
    assert_int_equal(delivery.offset, 7);
    assert_int_equal(failures, 0);
}

static void what_is_not_waited_for_is_durable(void **state)
{
    writer_t writer = {.does = TELLS_OFFSET, .offset = 7};
    ratings_delivery_t delivery;
    (void)state;
    assert_int_equal(write_beside(&writer, 0, SECOND_US, &delivery), RATINGS_PENDING_WRITE_DURABLE);
}

static void without_an_offset_it_is_durable(void **state)
{
    writer_t writer = {.does = TELLS_NO_OFFSET};
    ratings_delivery_t delivery;
    (void)state;
    assert_int_equal(write_beside(&writer, 10 * SECOND_US, SECOND_US, &delivery),
                     RATINGS_PENDING_WRITE_DURABLE);
    assert_int_equal(delivery.offset, -1);
}

static void what_kafka_refuses_has_failed(void **state)
{
    writer_t writer = {.does = REFUSES};
    ratings_delivery_t delivery;
    (void)state;
    assert_int_equal(write_beside(&writer, SECOND_US, SECOND_US, &delivery),
                     RATINGS_PENDING_WRITE_FAILED);
    assert_int_equal(delivery.result.status, APR_ECONNREFUSED);
    assert_int_equal(delivery.code, CODE);
    assert_string_equal(delivery.result.detail, "delivery: its text");
    assert_int_equal(failures, 1);
}

static void what_nobody_has_sent_has_failed(void **state)
{
    writer_t writer = {.does = SLEEPS};
    ratings_delivery_t delivery;
    (void)state;
    assert_int_equal(write_beside(&writer, SECOND_US, 10000, &delivery),
                     RATINGS_PENDING_WRITE_FAILED);
    assert_int_equal(delivery.result.status, APR_ECONNREFUSED);
}

static void what_was_sent_and_not_answered_is_unknown(void **state)
{
    writer_t writer = {.does = HOLDS_BACK};
    ratings_delivery_t delivery;
    (void)state;
    assert_int_equal(write_beside(&writer, SECOND_US, SECOND_US, &delivery),
                     RATINGS_PENDING_WRITE_UNKNOWN);
    assert_int_equal(delivery.result.status, APR_TIMEUP);
}

static void what_the_policy_refuses_is_not_written(void **state)
{
    service_t service;
    ratings_delivery_t delivery;
    (void)state;
    service_open(&service);
    service.policy.is_usable = false;
    assert_int_equal(write_event(&service, SECOND_US, SECOND_US, &delivery),
                     RATINGS_PENDING_WRITE_FAILED);
    assert_int_equal(delivery.result.status, RATINGS_NOT_ASKED);
    service_close(&service);
    assert_int_equal(finished, 0);
}

static void what_a_full_ring_refuses_is_not_written(void **state)
{
    service_t service;
    ratings_delivery_t delivery;
    ratings_append_slot_t slot[RATINGS_APPEND_SLOTS];
    (void)state;
    service_open(&service);
    for (int i = 0; i < RATINGS_APPEND_SLOTS; i++)
        assert_true(ratings_append_claim(service.rings, P, ratings_process_self(), &slot[i]));
    assert_int_equal(write_event(&service, SECOND_US, SECOND_US, &delivery),
                     RATINGS_PENDING_WRITE_FAILED);
    assert_int_equal(delivery.result.status, RATINGS_NOT_ASKED);
    for (int i = 0; i < RATINGS_APPEND_SLOTS; i++)
        (void)ratings_append_leave(&slot[i]);
    service_close(&service);
    assert_int_equal(finished, 1);
}

/* ---- all at once ---- */

#define ROUNDS 2000

/* Report, deadline and publication meet in every order: the call is finished once, and each slot is
 * free in the end (SANITIZE=thread). */
static void report_deadline_and_publication_meet(void **state)
{
    service_t service;
    writer_t writer = {.does = TELLS_OFFSET, .publishes = true};
    ratings_delivery_t delivery;
    int ends[4] = {0};
    (void)state;
    service_open(&service);
    start(&writer, &service);
    for (int i = 0; i < ROUNDS; i++)
        ends[write_event(&service, i % 3 * INT64_C(20), i % 7 * INT64_C(10), &delivery)]++;
    assert_int_equal(ends[RATINGS_PENDING_WRITE_FAILED] + ends[RATINGS_PENDING_WRITE_UNKNOWN] +
                         ends[RATINGS_PENDING_WRITE_DURABLE] + ends[RATINGS_PENDING_WRITE_VISIBLE],
                     ROUNDS);
    stop(&writer);
    service_close(&service);
    assert_int_equal(finished, ROUNDS);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    if (apr_initialize() != APR_SUCCESS)
        return 1;
    unit_add(&suite, "what is applied is visible", what_is_applied_is_visible, NULL);
    unit_add(&suite, "what is not applied in time is durable",
             what_is_not_applied_in_time_is_durable, NULL);
    unit_add(&suite, "what is not waited for is durable", what_is_not_waited_for_is_durable, NULL);
    unit_add(&suite, "without an offset it is durable", without_an_offset_it_is_durable, NULL);
    unit_add(&suite, "what Kafka refuses has failed", what_kafka_refuses_has_failed, NULL);
    unit_add(&suite, "what nobody has sent has failed", what_nobody_has_sent_has_failed, NULL);
    unit_add(&suite, "what was sent and not answered is unknown",
             what_was_sent_and_not_answered_is_unknown, NULL);
    unit_add(&suite, "what the call policy refuses is not written",
             what_the_policy_refuses_is_not_written, NULL);
    unit_add(&suite, "what a full ring refuses is not written",
             what_a_full_ring_refuses_is_not_written, NULL);
    unit_add(&suite, "report, deadline and publication meet", report_deadline_and_publication_meet,
             NULL);
    int failed = unit_run("pending write", &suite);
    apr_terminate();
    return failed;
}
