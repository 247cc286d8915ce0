/* The writer, before a stream of this file's: what it is given waits for the report that a test
 * makes of it. */
#include "unit.h"

#include "../../src/backend/stream/stream_topic.h"
#include "../../src/core/clock.h"
#include "../../src/projector/writer.h"
#include "../../src/shm/append_ring.h"
#include "../../src/shm/process.h"

#include <apr_general.h>

#include <pthread.h>
#include <unistd.h>

#define P 2
#define LOG 100
#define LEASE_US INT64_C(60000000) /* so long that none runs out by itself */
#define SHORT_LEASE_US INT64_C(30000)
#define AWAIT_US INT64_C(20000000)
#define REFUSAL (-190)

#define AWAIT(condition)                                                                           \
    do {                                                                                           \
        int64_t await_end_ = ratings_monotonic() + AWAIT_US;                                       \
        while (!(condition) && ratings_monotonic() < await_end_)                                   \
            (void)usleep(500);                                                                     \
        assert_true(condition);                                                                    \
    } while (0)

/* ---- the stream ---- */

#define SENT_MAX 65536

typedef struct {
    ratings_ticket_t ticket;
    ratings_receiver_t *receiver; /* NULL: it has its report */
} sent_t;

static struct {
    bool cannot_be_made;
    atomic_int refuses;  /* so many of the next events, at once, ... */
    apr_status_t status; /* ... with this status and librdkafka's code */
    int code;
    pthread_mutex_t lock; /* of what follows */
    sent_t sent[SENT_MAX];
    int count;
} the_stream = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void stream_open(void)
{
    the_stream.cannot_be_made = false;
    the_stream.count = 0;
    atomic_store(&the_stream.refuses, 0);
}

bool ratings_stream_prepare(ratings_stream_t *stream, ratings_result_t *why)
{
    (void)stream;
    if (!the_stream.cannot_be_made)
        return true;
    ratings_result_set(why, RATINGS_NOT_ASKED, "it cannot be made");
    return false;
}

static void keep(const ratings_ticket_t *ticket, ratings_receiver_t *receiver)
{
    pthread_mutex_lock(&the_stream.lock);
    assert_true(the_stream.count < SENT_MAX);
    the_stream.sent[the_stream.count++] = (sent_t){*ticket, receiver};
    pthread_mutex_unlock(&the_stream.lock);
}

apr_status_t ratings_stream_append(ratings_stream_t *stream, const ratings_event_t *event,
                                   const ratings_trace_t *trace, const ratings_ticket_t *ticket,
                                   int partition, ratings_receiver_t *receiver,
                                   ratings_delivery_t *failure)
{
    (void)stream, (void)trace;
    *failure = (ratings_delivery_t){.partition = partition, .offset = -1};
    assert_string_equal(event->rating.talk_id, "talk");
    assert_int_equal(partition, P);
    if (atomic_load(&the_stream.refuses) > 0) {
        atomic_fetch_sub(&the_stream.refuses, 1);
        failure->code = the_stream.code;
        return ratings_result_set(&failure->result, the_stream.status, "it refuses");
    }
    keep(ticket, receiver);
    return ratings_result_ok(&failure->result);
}

void ratings_reader_wake(ratings_reader_t *reader)
{
    (void)reader;
}

static int count_sent(void)
{
    pthread_mutex_lock(&the_stream.lock);
    int count = the_stream.count;
    pthread_mutex_unlock(&the_stream.lock);
    return count;
}

static void await_sent(int count)
{
    AWAIT(count_sent() >= count);
    assert_int_equal(count_sent(), count);
}

static sent_t take_sent(int at)
{
    pthread_mutex_lock(&the_stream.lock);
    sent_t sent = the_stream.sent[at];
    the_stream.sent[at].receiver = NULL;
    pthread_mutex_unlock(&the_stream.lock);
    return sent;
}

static void deliver(ratings_receiver_t *receiver, apr_status_t status, int64_t offset)
{
    const ratings_delivery_t delivery = {.result.status = status,
                                         .code = status == APR_SUCCESS ? 0 : REFUSAL,
                                         .partition = P,
                                         .offset = offset};
    receiver->delivered(receiver, &delivery);
}

/* The report of what was sent as number `at`. */
static void report(int at, apr_status_t status, int64_t offset)
{
    deliver(take_sent(at).receiver, status, offset);
}

/* As the stream's end does. */
static void report_the_rest(void)
{
    for (int i = 0; i < count_sent(); i++) {
        ratings_receiver_t *receiver = take_sent(i).receiver;
        if (receiver)
            deliver(receiver, APR_TIMEUP, -1);
    }
}

/* ---- a host with two children ---- */

typedef struct {
    ratings_projector_options_t options;
    apr_pool_t *pool;
    own_records_t own;
    writer_t *first, *second;
} host_t;

static void *zeroed(size_t size)
{
    size = (size + RATINGS_CACHE_LINE - 1) / RATINGS_CACHE_LINE * RATINGS_CACHE_LINE;
    void *memory = aligned_alloc(RATINGS_CACHE_LINE, size);
    assert_non_null(memory);
    return memset(memory, 0, size);
}

static void host_open(host_t *host)
{
    stream_open();
    *host = (host_t){.options.lease = LEASE_US};
    apr_pool_create(&host->pool, NULL);
    host->options.shared = zeroed(sizeof *host->options.shared);
    host->options.rings = zeroed(ratings_append_rings_size());
    assert_int_equal(ratings_append_rings_init(host->options.rings), APR_SUCCESS);
    host->options.visibility = ratings_visibility_create(host->options.shared, host->pool);
    own_records_init(&host->own);
    host->first = writer_create(&host->options, &host->own, host->pool);
    host->second = writer_create(&host->options, &host->own, host->pool);
}

static void host_close(host_t *host)
{
    writer_end(host->first);
    writer_end(host->second);
    report_the_rest();
    writer_destroy(host->first);
    writer_destroy(host->second);
    own_records_destroy(&host->own);
    ratings_visibility_destroy(host->options.visibility);
    free(host->options.shared);
    free(host->options.rings);
    apr_pool_destroy(host->pool);
}

static void run_out_lease(const host_t *host)
{
    atomic_store(&ratings_append_lease(host->options.rings)->until, 1);
}

/* The first child has the lease, and loses it as one does that is frozen. */
static void begin_first_for_a_while(host_t *host)
{
    host->options.lease = SHORT_LEASE_US;
    assert_true(writer_begin(host->first));
}

static void lose_lease(host_t *host)
{
    run_out_lease(host);
    AWAIT(!atomic_load(writer_is_writing(host->first)));
    host->options.lease = LEASE_US;
}

static void publish(host_t *host, int64_t next)
{
    ratings_shm_publish_watermark(host->options.shared, P, (ratings_checkpoint_t){LOG, next});
    ratings_visibility_notify(host->options.visibility);
}

/* ---- a request ---- */

typedef struct {
    ratings_append_slot_t slot;
    uint32_t wakes; /* before it was queued */
} request_t;

static request_t queue_until(host_t *host, bool until_durable)
{
    const ratings_event_t event = {.rating = {"talk", 4}};
    request_t request;
    assert_true(
        ratings_append_claim(host->options.rings, P, ratings_process_self(), &request.slot));
    request.wakes = ratings_append_wakes(&request.slot);
    assert_true(ratings_append_queue(&request.slot, &event, NULL, P, until_durable));
    return request;
}

static request_t queue(host_t *host)
{
    return queue_until(host, false);
}

static bool was_woken(const request_t *request)
{
    return ratings_append_wakes(&request->slot) != request->wakes;
}

static ratings_append_state_e state_of(const request_t *request)
{
    return ratings_append_look(&request->slot).state;
}

static void assert_slot(const request_t *request, ratings_append_state_e state, int64_t detail)
{
    ratings_append_view_t view = ratings_append_look(&request->slot);
    assert_int_equal(view.state, state);
    assert_int_equal(view.detail, detail);
}

/* What was sent as number `at` is this request's event, under its ticket. */
static void assert_sent(int at, const request_t *request)
{
    assert_int_equal(the_stream.sent[at].ticket.number, request->slot.number);
    assert_true(the_stream.sent[at].ticket.life == the_stream.sent[0].ticket.life);
    assert_true(the_stream.sent[at].ticket.life != 0);
}

/* ---- the lease ---- */

static void one_child_writes(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    assert_false(atomic_load(writer_is_writing(host.first)));
    assert_true(writer_begin(host.first));
    assert_true(atomic_load(writer_is_writing(host.first)));
    assert_false(writer_begin(host.second));
    writer_end(host.first);
    assert_false(atomic_load(writer_is_writing(host.first)));
    assert_true(writer_begin(host.second));
    host_close(&host);
}

static void who_has_no_stream_leaves_the_lease_to_another(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    the_stream.cannot_be_made = true;
    assert_false(writer_begin(host.first));
    the_stream.cannot_be_made = false;
    assert_true(writer_begin(host.second));
    host_close(&host);
}

static void who_has_lost_the_lease_stops(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    begin_first_for_a_while(&host);
    lose_lease(&host);
    assert_true(writer_begin(host.second));
    host_close(&host);
}

/* ---- one event ---- */

static void what_is_visible_is_woken_then(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    assert_true(writer_begin(host.first));
    request_t request = queue(&host);
    await_sent(1);
    assert_sent(0, &request);
    report(0, APR_SUCCESS, 7);
    assert_slot(&request, RATINGS_APPEND_DURABLE, 7);
    publish(&host, 7);
    assert_false(was_woken(&request));
    publish(&host, 8);
    assert_true(was_woken(&request));
    host_close(&host);
}

/* The projector may be faster than the report. */
static void what_was_visible_before_its_report_is_woken_by_that(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    assert_true(writer_begin(host.first));
    request_t request = queue(&host);
    await_sent(1);
    publish(&host, 8);
    report(0, APR_SUCCESS, 7);
    assert_true(was_woken(&request));
    host_close(&host);
}

static void who_waits_for_less_is_woken_when_it_is_durable(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    assert_true(writer_begin(host.first));
    request_t request = queue_until(&host, true);
    await_sent(1);
    report(0, APR_SUCCESS, 7);
    assert_true(was_woken(&request));
    host_close(&host);
}

typedef struct {
    const char *name;
    int64_t offset, detail;
    bool requests_rebuild;
} unwaitable_row_t;

static unwaitable_row_t unwaitable[] = {
    {"an offset that Kafka does not tell cannot be waited for", -1, RATINGS_APPEND_NO_OFFSET,
     false},
    {"an offset below what was applied before is of another log, and the store is rebuilt", 3, 3,
     true},
};

static void what_cannot_be_waited_for_is_woken(void **state)
{
    const unwaitable_row_t *row = *state;
    host_t host;
    host_open(&host);
    publish(&host, 50);
    assert_true(writer_begin(host.first));
    request_t request = queue(&host);
    await_sent(1);
    report(0, APR_SUCCESS, row->offset);
    assert_slot(&request, RATINGS_APPEND_DURABLE, row->detail);
    assert_true(was_woken(&request));
    assert_int_equal(atomic_load(&host.options.shared->rebuild_request) != 0,
                     row->requests_rebuild);
    host_close(&host);
}

/* ---- failures ---- */

static void what_the_stream_refuses_at_once_has_failed_for_its_reason(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    the_stream.status = APR_ECONNREFUSED;
    the_stream.code = REFUSAL;
    atomic_store(&the_stream.refuses, 1);
    assert_true(writer_begin(host.first));
    request_t request = queue(&host);
    AWAIT(was_woken(&request));
    assert_slot(&request, RATINGS_APPEND_FAILED, (uint16_t)REFUSAL);
    host_close(&host);
}

static void what_kafka_refuses_has_failed_for_its_reason(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    assert_true(writer_begin(host.first));
    request_t request = queue(&host);
    await_sent(1);
    report(0, APR_ECONNREFUSED, -1);
    assert_slot(&request, RATINGS_APPEND_FAILED, (uint16_t)REFUSAL);
    assert_true(was_woken(&request));
    host_close(&host);
}

static void what_this_process_cannot_send_is_sent_again(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    the_stream.status = RATINGS_NOT_ASKED;
    atomic_store(&the_stream.refuses, 3);
    assert_true(writer_begin(host.first));
    request_t request = queue(&host);
    await_sent(1);
    assert_sent(0, &request);
    assert_false(was_woken(&request));
    host_close(&host);
}

static void what_may_be_in_the_log_is_sent_again_and_does_not_fail(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    assert_true(writer_begin(host.first));
    request_t request = queue(&host);
    await_sent(1);
    report(0, APR_TIMEUP, -1);
    await_sent(2);
    report(1, APR_ECONNREFUSED, -1);
    await_sent(3);
    assert_false(was_woken(&request));
    for (int i = 1; i < 3; i++)
        assert_sent(i, &request);
    report(2, APR_SUCCESS, 9);
    assert_slot(&request, RATINGS_APPEND_DURABLE, 9);
    host_close(&host);
}

/* As Kafka reports what it has appended, with its own time or without one. */
static void report_record(int at, int64_t offset, bool has_append_time)
{
    const ratings_record_t record = {.partition = P,
                                     .offset = offset,
                                     .has_append_time = has_append_time,
                                     .key = "",
                                     .value = ""};
    const ratings_delivery_t delivery = {.partition = P, .offset = offset, .record = &record};
    ratings_receiver_t *receiver = take_sent(at).receiver;
    receiver->delivered(receiver, &delivery);
}

static void what_is_appended_tells_whether_append_times_are_kept(void **state)
{
    static const struct {
        ratings_append_time_e before;
        bool has_append_time;
        ratings_append_time_e after;
    } rows[] = {{RATINGS_APPEND_TIME_KEPT, true, RATINGS_APPEND_TIME_KEPT},
                {RATINGS_APPEND_TIME_KEPT, false, RATINGS_APPEND_TIME_DENIED},
                {RATINGS_APPEND_TIME_DENIED, false, RATINGS_APPEND_TIME_DENIED},
                {RATINGS_APPEND_TIME_DENIED, true, RATINGS_APPEND_TIME_KEPT},
                {RATINGS_APPEND_TIME_NOT_KEPT, true, RATINGS_APPEND_TIME_NOT_KEPT},
                {RATINGS_APPEND_TIME_UNKNOWN, true, RATINGS_APPEND_TIME_KEPT},
                {RATINGS_APPEND_TIME_UNKNOWN, false, RATINGS_APPEND_TIME_DENIED}};
    host_t host;
    (void)state;
    host_open(&host);
    assert_true(writer_begin(host.first));
    for (int i = 0; i < (int)(sizeof rows / sizeof rows[0]); i++) {
        atomic_store(&host.options.shared->append_time, rows[i].before);
        (void)queue(&host);
        await_sent(i + 1);
        report_record(i, i, rows[i].has_append_time);
        assert_int_equal(atomic_load(&host.options.shared->append_time), rows[i].after);
    }
    host_close(&host);
}

/* ---- one writer after the other ---- */

static void who_ends_in_peace_still_settles_by_its_reports(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    assert_true(writer_begin(host.first));
    request_t request = queue(&host);
    await_sent(1);
    writer_end(host.first);
    assert_true(writer_begin(host.second));
    report(0, APR_SUCCESS, 5);
    assert_slot(&request, RATINGS_APPEND_DURABLE, 5);
    publish(&host, 6);
    assert_true(was_woken(&request));
    assert_int_equal(count_sent(), 1);
    host_close(&host);
}

/* The first one's report comes when the second has sent the event under the same ticket. */
typedef struct {
    const char *name;
    apr_status_t status;
} late_row_t;

static late_row_t late_reports[] = {
    {"a late report of success settles nothing of another writer's", APR_SUCCESS},
    {"a late refusal settles nothing of another writer's", APR_ECONNREFUSED},
    {"a late doubt settles nothing of another writer's", APR_TIMEUP},
};

static void what_another_has_sent_is_sent_again_and_settled_by_that(void **state)
{
    const late_row_t *row = *state;
    host_t host;
    host_open(&host);
    begin_first_for_a_while(&host);
    request_t request = queue(&host);
    await_sent(1);
    lose_lease(&host);
    assert_true(writer_begin(host.second));
    await_sent(2);
    assert_sent(1, &request);
    report(0, row->status, row->status == APR_SUCCESS ? 4 : -1);
    assert_int_equal(state_of(&request), RATINGS_APPEND_SENT);
    assert_false(was_woken(&request));
    report(1, APR_SUCCESS, 5);
    assert_slot(&request, RATINGS_APPEND_DURABLE, 5);
    host_close(&host);
}

/* Its request sleeps on, as the barrier that had it is gone with its process. */
static void what_another_has_made_durable_is_woken(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    begin_first_for_a_while(&host);
    request_t request = queue(&host);
    await_sent(1);
    report(0, APR_SUCCESS, 5);
    lose_lease(&host);
    ratings_visibility_t *of_the_first = host.options.visibility;
    host.options.visibility = ratings_visibility_create(host.options.shared, host.pool);
    assert_true(writer_begin(host.second));
    AWAIT(ratings_visibility_has_waiters(host.options.visibility));
    assert_false(was_woken(&request));
    publish(&host, 6);
    assert_true(was_woken(&request));
    assert_int_equal(count_sent(), 1);
    host_close(&host);
    ratings_visibility_destroy(of_the_first);
}

static void what_is_queued_while_nobody_writes_is_sent(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    request_t first = queue(&host), second = queue(&host);
    assert_true(writer_begin(host.first));
    await_sent(2);
    assert_sent(0, &first);
    assert_sent(1, &second);
    report(0, APR_SUCCESS, 1);
    report(1, APR_SUCCESS, 2);
    host_close(&host);
}

/* ---- many handovers, under load (SANITIZE=thread) ---- */

#define REQUESTERS 3
#define HANDOVERS 20

typedef struct {
    host_t host;
    atomic_bool stops_requests, stops_reports;
    unsigned char outcome[SENT_MAX]; /* of each ticket, as its request was told */
    bool has_landed[SENT_MAX];       /* the same: it is in the log, maybe more than once */
} load_t;

static void *request_on(void *data)
{
    load_t *load = data;
    while (!atomic_load(&load->stops_requests)) {
        request_t request = queue(&load->host);
        ratings_append_state_e state;
        do {
            (void)usleep(200);
            state = state_of(&request);
        } while (state != RATINGS_APPEND_DURABLE && state != RATINGS_APPEND_FAILED);
        load->outcome[request.slot.number] = (unsigned char)state;
        ratings_append_free(&request.slot);
    }
    return NULL;
}

/* Of ten events six are durable; one is refused; of three nobody knows, and two of these are in the
 * log. */
static void report_one(load_t *load, int at)
{
    static const apr_status_t statuses[] = {
        0, 0, 0, 0, 0, 0, APR_ECONNREFUSED, APR_TIMEUP, APR_TIMEUP, APR_TIMEUP};
    int drawn = (int)((unsigned)at * 2654435761U >> 8) % 10;
    sent_t sent = take_sent(at);
    load->has_landed[sent.ticket.number] |= drawn < 6 || drawn > 7;
    deliver(sent.receiver, statuses[drawn], drawn < 6 ? at : -1);
}

/* The last first, now and then: reports of one writer come amid those of the next. */
static void *report_on(void *data)
{
    load_t *load = data;
    for (int reported = 0;;) {
        bool stops = atomic_load(&load->stops_reports);
        int count = count_sent();
        for (int at = count - 1; at >= reported; at--)
            report_one(load, at);
        reported = count;
        if (stops)
            return NULL;
        (void)usleep(reported % 7 == 0 ? 20000 : 300);
    }
}

/* Every other one in peace. */
static void hand_over(load_t *load, int i)
{
    writer_t *from = i % 2 ? load->host.second : load->host.first;
    writer_t *to = i % 2 ? load->host.first : load->host.second;
    if (i % 4 < 2)
        writer_end(from);
    else
        run_out_lease(&load->host);
    writer_end(to);
    for (int64_t until = ratings_monotonic() + AWAIT_US; !writer_begin(to); (void)usleep(500))
        assert_true(ratings_monotonic() < until);
    (void)usleep(60000);
}

static void no_handover_loses_or_fails_an_event(void **state)
{
    static load_t load;
    pthread_t requester[REQUESTERS], reporter;
    int events = 0;
    (void)state;
    host_open(&load.host);
    load.host.options.lease = SHORT_LEASE_US;
    assert_true(writer_begin(load.host.first));
    assert_int_equal(pthread_create(&reporter, NULL, report_on, &load), 0);
    for (int i = 0; i < REQUESTERS; i++)
        assert_int_equal(pthread_create(&requester[i], NULL, request_on, &load), 0);
    for (int i = 0; i < HANDOVERS; i++)
        hand_over(&load, i);
    atomic_store(&load.stops_requests, true);
    for (int i = 0; i < REQUESTERS; i++)
        pthread_join(requester[i], NULL);
    atomic_store(&load.stops_reports, true);
    pthread_join(reporter, NULL);
    for (int i = 0; i < SENT_MAX; i++) {
        events += load.outcome[i] != 0;
        assert_true(load.outcome[i] != RATINGS_APPEND_DURABLE || load.has_landed[i]);
        assert_true(load.outcome[i] != RATINGS_APPEND_FAILED || !load.has_landed[i]);
    }
    assert_true(events > 100);
    assert_int_equal(ratings_append_in_use(load.host.options.rings, P), 0);
    host_close(&load.host);
}

#define ADD(test) unit_add(&suite, #test, test, NULL)

int main(void)
{
    unit_suite_t suite = {.count = 0};
    if (apr_initialize() != APR_SUCCESS)
        return 1;
    ADD(one_child_writes);
    ADD(who_has_no_stream_leaves_the_lease_to_another);
    ADD(who_has_lost_the_lease_stops);
    ADD(what_is_visible_is_woken_then);
    ADD(what_was_visible_before_its_report_is_woken_by_that);
    ADD(who_waits_for_less_is_woken_when_it_is_durable);
    unit_add_rows(&suite, what_cannot_be_waited_for_is_woken, ROWS(unwaitable));
    ADD(what_the_stream_refuses_at_once_has_failed_for_its_reason);
    ADD(what_kafka_refuses_has_failed_for_its_reason);
    ADD(what_this_process_cannot_send_is_sent_again);
    ADD(what_may_be_in_the_log_is_sent_again_and_does_not_fail);
    ADD(what_is_appended_tells_whether_append_times_are_kept);
    ADD(who_ends_in_peace_still_settles_by_its_reports);
    unit_add_rows(&suite, what_another_has_sent_is_sent_again_and_settled_by_that,
                  ROWS(late_reports));
    ADD(what_another_has_made_durable_is_woken);
    ADD(what_is_queued_while_nobody_writes_is_sent);
    ADD(no_handover_loses_or_fails_an_event);
    int failed = unit_run("writer", &suite);
    apr_terminate();
    return failed;
}
