/* The call policy is httpd's error log and a breaker: here, a counter of tokens that were finished,
 * and whether it lets the call in. */
#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/service/pending_write.h"

#include <apr_general.h>
#include <apr_pools.h>

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
    *token = (ratings_call_token_t){policy, ratings_monotonic()};
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

typedef struct {
    apr_pool_t *pool;
    ratings_shm_t *shared;
    ratings_call_policy_t policy;
    ratings_bulkhead_t bulkhead;
    ratings_visibility_t *visibility;
} service_t;

static void service_open(service_t *service)
{
    assert_int_equal(apr_pool_create(&service->pool, NULL), APR_SUCCESS);
    service->shared = aligned_alloc(RATINGS_CACHE_LINE, sizeof *service->shared);
    assert_non_null(service->shared);
    memset(service->shared, 0, sizeof *service->shared);
    ratings_bulkhead_init(&service->bulkhead, 10);
    assert_int_equal(ratings_visibility_create(&service->visibility, service->shared,
                                               &service->bulkhead, service->pool),
                     APR_SUCCESS);
    service->policy = (ratings_call_policy_t){.is_usable = true};
    atomic_store(&finished, 0);
    atomic_store(&failures, 0);
}

static void service_close(service_t *service)
{
    ratings_visibility_destroy(service->visibility);
    ratings_bulkhead_destroy(&service->bulkhead);
    free(service->shared);
    apr_pool_destroy(service->pool);
}

static void publish(service_t *service, int64_t next)
{
    ratings_shm_publish_applied(service->shared, P, (ratings_checkpoint_t){LOG, next}, NULL, 0);
}

static ratings_pending_write_t *create(service_t *service, int64_t visible_for)
{
    const ratings_pending_write_options_t options = {
        .policy = &service->policy,
        .shared = service->shared,
        .visibility = service->visibility,
        .partition = P,
        .visible_for = visible_for,
        .deadline = ratings_monotonic() + 10 * SECOND_US,
    };
    ratings_result_t why = {.status = APR_SUCCESS};
    ratings_pending_write_t *write = ratings_pending_write_create(&options, &why);
    assert_int_equal(why.status, write ? APR_SUCCESS : RATINGS_NOT_ASKED);
    return write;
}

static void report(ratings_pending_write_t *write, apr_status_t status, int64_t offset)
{
    ratings_delivery_t delivery = {.partition = P, .offset = offset};
    delivery.result.status = status;
    ratings_receiver_t *receiver = ratings_pending_write_receiver(write);
    receiver->delivered(receiver, &delivery);
}

static ratings_pending_write_state_e wait_for(ratings_pending_write_t *write, int64_t timeout,
                                              ratings_delivery_t *delivery)
{
    return ratings_pending_write_wait(write, ratings_monotonic() + timeout, delivery);
}

/* ---- the ends ---- */

static void what_is_applied_before_its_report_is_visible(void **state)
{
    service_t service;
    ratings_delivery_t delivery;
    (void)state;
    service_open(&service);
    ratings_pending_write_t *write = create(&service, SECOND_US);
    publish(&service, 8);
    report(write, APR_SUCCESS, 7);
    assert_int_equal(wait_for(write, SECOND_US, &delivery), RATINGS_PENDING_WRITE_VISIBLE);
    assert_int_equal(delivery.offset, 7);
    service_close(&service);
    assert_int_equal(finished, 1);
}

static void *publish_later(void *data)
{
    service_t *service = data;
    while (!ratings_visibility_has_waiters(service->visibility))
        ;
    publish(service, 8);
    return NULL;
}

static void what_is_applied_after_its_report_becomes_visible(void **state)
{
    service_t service;
    ratings_delivery_t delivery;
    pthread_t publisher;
    (void)state;
    service_open(&service);
    ratings_pending_write_t *write = create(&service, 10 * SECOND_US);
    assert_int_equal(pthread_create(&publisher, NULL, publish_later, &service), 0);
    report(write, APR_SUCCESS, 7);
    assert_int_equal(finished, 1); /* the wait for visibility is no call of Kafka */
    assert_int_equal(wait_for(write, SECOND_US, &delivery), RATINGS_PENDING_WRITE_VISIBLE);
    assert_int_equal(pthread_join(publisher, NULL), 0);
    service_close(&service);
    assert_int_equal(finished, 1);
}

static void what_is_not_applied_in_time_is_durable(void **state)
{
    service_t service;
    ratings_delivery_t delivery;
    (void)state;
    service_open(&service);
    ratings_pending_write_t *write = create(&service, 20000);
    report(write, APR_SUCCESS, 7);
    assert_int_equal(wait_for(write, SECOND_US, &delivery), RATINGS_PENDING_WRITE_DURABLE);
    assert_false(ratings_visibility_has_waiters(service.visibility));
    assert_int_equal(service.bulkhead.in_use, 0);
    service_close(&service);
}

static void what_is_not_waited_for_is_durable(void **state)
{
    service_t service;
    ratings_delivery_t delivery;
    (void)state;
    service_open(&service);
    ratings_pending_write_t *write = create(&service, 0);
    report(write, APR_SUCCESS, 7);
    assert_int_equal(wait_for(write, SECOND_US, &delivery), RATINGS_PENDING_WRITE_DURABLE);
    service_close(&service);
}

static void an_offset_below_the_watermark_of_before_is_of_another_log(void **state)
{
    service_t service;
    ratings_delivery_t delivery;
    (void)state;
    service_open(&service);
    publish(&service, 100);
    ratings_pending_write_t *write = create(&service, SECOND_US);
    report(write, APR_SUCCESS, 7);
    assert_int_equal(wait_for(write, SECOND_US, &delivery), RATINGS_PENDING_WRITE_DURABLE);
    assert_int_equal(atomic_load(&service.shared->rebuild_request), RATINGS_REBUILD_REQUEST_LOG);
    service_close(&service);
}

static void what_kafka_refuses_has_failed(void **state)
{
    service_t service;
    ratings_delivery_t delivery;
    (void)state;
    service_open(&service);
    ratings_pending_write_t *write = create(&service, SECOND_US);
    report(write, APR_ECONNREFUSED, -1);
    assert_int_equal(wait_for(write, SECOND_US, &delivery), RATINGS_PENDING_WRITE_FAILED);
    assert_int_equal(delivery.result.status, APR_ECONNREFUSED);
    service_close(&service);
    assert_int_equal(finished, 1);
    assert_int_equal(failures, 1);
}

static void a_report_after_the_request_has_gone_is_not_counted(void **state)
{
    service_t service;
    ratings_delivery_t delivery;
    (void)state;
    service_open(&service);
    ratings_pending_write_t *write = create(&service, SECOND_US);
    assert_int_equal(wait_for(write, 10000, &delivery), RATINGS_PENDING_WRITE_ABANDONED);
    assert_int_equal(delivery.result.status, APR_TIMEUP);
    report(write, APR_SUCCESS, 7);
    assert_false(ratings_visibility_has_waiters(service.visibility));
    service_close(&service);
    assert_int_equal(finished, 1);
    assert_int_equal(failures, 1);
}

static void what_the_stream_does_not_take_is_cancelled(void **state)
{
    service_t service;
    ratings_result_t why = {.status = RATINGS_NOT_ASKED};
    (void)state;
    service_open(&service);
    ratings_pending_write_cancel(create(&service, SECOND_US), &why);
    service_close(&service);
    assert_int_equal(finished, 1);
}

static void what_the_policy_refuses_is_not_written(void **state)
{
    service_t service;
    (void)state;
    service_open(&service);
    service.policy.is_usable = false;
    assert_null(create(&service, SECOND_US));
    service_close(&service);
    assert_int_equal(finished, 0);
}

/* ---- all at once ---- */

#define ROUNDS 3000

typedef struct {
    service_t *service;
    _Atomic(ratings_pending_write_t *) write; /* to be reported */
    atomic_bool stop;
} kafka_t;

static void *report_all(void *data)
{
    kafka_t *kafka = data;
    int64_t offset = 0;
    while (!atomic_load(&kafka->stop)) {
        ratings_pending_write_t *write = atomic_exchange(&kafka->write, NULL);
        if (write)
            report(write, APR_SUCCESS, offset++);
    }
    return NULL;
}

static void *apply_all(void *data)
{
    kafka_t *kafka = data;
    for (int64_t next = 0; !atomic_load(&kafka->stop); next++)
        publish(kafka->service, next < ROUNDS ? next : ROUNDS);
    return NULL;
}

/* Report, deadline and publication meet in every order: the token is finished once, and nothing is
 * used after it was freed (SANITIZE=1, SANITIZE=thread). */
static void report_deadline_and_publication_meet(void **state)
{
    service_t service;
    kafka_t kafka = {.service = &service};
    pthread_t thread[2];
    (void)state;
    service_open(&service);
    assert_int_equal(pthread_create(&thread[0], NULL, report_all, &kafka), 0);
    assert_int_equal(pthread_create(&thread[1], NULL, apply_all, &kafka), 0);
    for (int i = 0; i < ROUNDS; i++) {
        ratings_delivery_t delivery;
        ratings_pending_write_t *write = create(&service, i % 3 * INT64_C(20));
        atomic_store(&kafka.write, write);
        ratings_pending_write_state_e end = wait_for(write, i % 7 * INT64_C(10), &delivery);
        assert_int_not_equal(end, RATINGS_PENDING_WRITE_SENT);
        assert_int_not_equal(end, RATINGS_PENDING_WRITE_WAITING);
        while (atomic_load(&kafka.write)) /* the stream reports each that it has taken */
            ;
    }
    atomic_store(&kafka.stop, true);
    assert_int_equal(pthread_join(thread[0], NULL), 0);
    assert_int_equal(pthread_join(thread[1], NULL), 0);
    assert_false(ratings_visibility_has_waiters(service.visibility));
    assert_int_equal(service.bulkhead.in_use, 0);
    service_close(&service);
    assert_int_equal(finished, ROUNDS);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    if (apr_initialize() != APR_SUCCESS)
        return 1;
    unit_add(&suite, "what is applied before its report is visible",
             what_is_applied_before_its_report_is_visible, NULL);
    unit_add(&suite, "what is applied after its report becomes visible",
             what_is_applied_after_its_report_becomes_visible, NULL);
    unit_add(&suite, "what is not applied in time is durable",
             what_is_not_applied_in_time_is_durable, NULL);
    unit_add(&suite, "what is not waited for is durable", what_is_not_waited_for_is_durable, NULL);
    unit_add(&suite, "an offset below the watermark of before is of another log",
             an_offset_below_the_watermark_of_before_is_of_another_log, NULL);
    unit_add(&suite, "what Kafka refuses has failed", what_kafka_refuses_has_failed, NULL);
    unit_add(&suite, "a report after the request has gone is not counted",
             a_report_after_the_request_has_gone_is_not_counted, NULL);
    unit_add(&suite, "what the stream does not take is cancelled",
             what_the_stream_does_not_take_is_cancelled, NULL);
    unit_add(&suite, "what the call policy refuses is not written",
             what_the_policy_refuses_is_not_written, NULL);
    unit_add(&suite, "report, deadline and publication meet", report_deadline_and_publication_meet,
             NULL);
    int failed = unit_run("pending write", &suite);
    apr_terminate();
    return failed;
}
