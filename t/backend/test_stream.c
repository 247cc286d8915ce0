/* The stream without a broker: what becomes of an event that librdkafka refuses at once, or that
 * waits for too long, and for which reason. */
#include "../../src/backend/stream/stream.h"

#include "../../src/backend/stream/stream_inspect.h"
#include "../../src/backend/stream/stream_topic.h"
#include "../../src/core/container_of.h"
#include "mock_kafka.h"

#include <apr_general.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define TIMEOUT_US INT64_C(1000000)

/* ---- a stream ---- */

typedef struct {
    ratings_stream_options_t options;
    ratings_stream_log_t log;
    apr_pool_t *pool;
    char brokers[32];
    char broker[32], text[512]; /* of the first outage; written before it is counted */
    atomic_int outages, reached, lost;
    ratings_stream_t *stream;
} client_t;

static void note_line(ratings_stream_log_t *log, int level, const char *text)
{
    client_t *client = RATINGS_CONTAINER_OF(log, client_t, log);
    (void)level;
    if (strstr(text, "it has lost the topic"))
        atomic_fetch_add(&client->lost, 1);
}

static void note_outage(ratings_stream_log_t *log, const char *broker, const char *text)
{
    client_t *client = RATINGS_CONTAINER_OF(log, client_t, log);
    if (!client->broker[0]) {
        (void)snprintf(client->text, sizeof client->text, "%s", text);
        (void)snprintf(client->broker, sizeof client->broker, "%s", broker);
    }
    atomic_fetch_add(&client->outages, 1);
}

static void note_reached(ratings_stream_log_t *log, const char *broker)
{
    client_t *client = RATINGS_CONTAINER_OF(log, client_t, log);
    if (strncmp(broker, "127.0.0.1:", strlen("127.0.0.1:")) == 0)
        atomic_fetch_add(&client->reached, 1);
}

static void refuse_nothing(ratings_stream_log_t *log, const char *text)
{
    (void)log;
    fail_msg("the producer cannot be made: %s", text);
}

static void open_with(client_t *client, const char *property, const char *value)
{
    apr_table_t *kafka = apr_table_make(client->pool, 1);
    apr_table_set(kafka, property, value);
    client->options =
        (ratings_stream_options_t){.brokers = client->brokers[0] ? client->brokers : NULL,
                                   .topic = "nowhere",
                                   .kafka = kafka,
                                   .timeout = TIMEOUT_US,
                                   .partitions = 1,
                                   .log = &client->log};
    client->stream = ratings_stream_create(&client->options, client->pool);
}

static void client_init(client_t *client)
{
    *client = (client_t){.log = {note_line, note_outage, note_reached, refuse_nothing}};
    apr_pool_create(&client->pool, NULL);
}

/* Of a broker that is not there. */
static void client_open(client_t *client)
{
    client_init(client);
    (void)snprintf(client->brokers, sizeof client->brokers, "127.0.0.1:%d", free_port());
    open_with(client, "message.max.bytes", "1000"); /* no less is possible */
}

static void client_close(client_t *client)
{
    ratings_stream_destroy(client->stream, 0);
    apr_pool_destroy(client->pool);
}

/* ---- events, and their reports ---- */

typedef struct {
    ratings_receiver_t receiver;
    ratings_delivery_t delivery;
    atomic_int reports;
} event_t;

static void note_report(ratings_receiver_t *receiver, const ratings_delivery_t *delivery)
{
    event_t *event = RATINGS_CONTAINER_OF(receiver, event_t, receiver);
    event->delivery = *delivery;
    atomic_fetch_add(&event->reports, 1);
}

static apr_status_t append(client_t *client, event_t *event, size_t talk_len, size_t key_len,
                           ratings_delivery_t *failure)
{
    static uint64_t number;
    const ratings_ticket_t ticket = {1, number++};
    ratings_event_t content = {.rating.value = 5, .key.window_ms = 1000};
    memset(content.rating.talk_id, '"', talk_len);
    memset(content.key.text, 'k', key_len);
    *event = (event_t){.receiver.delivered = note_report};
    return ratings_stream_append(client->stream, &content, NULL, &ticket, 0, &event->receiver,
                                 failure);
}

static void assert_failure(const ratings_delivery_t *failure, apr_status_t status,
                           const char *reason)
{
    assert_int_equal(failure->result.status, status);
    assert_string_equal(ratings_stream_error_text(failure->code), reason);
    assert_int_equal(failure->partition, 0);
    assert_null(failure->record);
}

static void what_is_refused_at_once_says_why(void **state)
{
    client_t client;
    event_t event;
    ratings_delivery_t failure;
    (void)state;
    client_open(&client);
    assert_int_equal(append(&client, &event, RATINGS_TALK_ID_MAX, RATINGS_KEY_MAX, &failure),
                     APR_ECONNREFUSED);
    assert_failure(&failure, APR_ECONNREFUSED, "Broker: Message size too large");
    client_close(&client);
    assert_int_equal(event.reports, 0);
}

/* The second one waits for the report of the first, which comes when both are too late. */
static void what_waits_for_too_long_says_why(void **state)
{
    client_t client;
    event_t first, second;
    ratings_delivery_t failure;
    (void)state;
    client_open(&client);
    assert_int_equal(append(&client, &first, 1, 0, &failure), APR_SUCCESS);
    assert_int_equal(append(&client, &second, 1, 0, &failure), APR_SUCCESS);
    AWAIT(atomic_load(&second.reports) > 0);
    assert_int_equal(atomic_load(&first.reports), 1);
    assert_failure(&first.delivery, APR_ECONNREFUSED, "Local: Message timed out");
    assert_failure(&second.delivery, APR_ECONNREFUSED, "Local: Message timed out");
    client_close(&client);
    assert_int_equal(second.reports, 1);
}

static void a_broker_that_cannot_be_reached_is_named_with_the_reason(void **state)
{
    client_t client;
    event_t event;
    ratings_delivery_t failure;
    (void)state;
    client_open(&client);
    assert_int_equal(append(&client, &event, 1, 0, &failure), APR_SUCCESS);
    AWAIT(atomic_load(&client.outages) > 0);
    assert_string_equal(client.broker, client.brokers);
    assert_non_null(strstr(client.text, "Connection refused"));
    client_close(&client);
    assert_int_equal(client.reached, 0);
}

/* A broker of librdkafka's own, for tests. */
static void a_broker_that_answers_is_named(void **state)
{
    client_t client;
    ratings_result_t why;
    (void)state;
    client_init(&client);
    open_with(&client, "test.mock.num.brokers", "1");
    assert_true(ratings_stream_prepare(client.stream, &why));
    AWAIT(atomic_load(&client.reached) > 0);
    client_close(&client);
    assert_int_equal(client.outages, 0);
}

#define EVENTS 10002 /* one is sent, and ten thousand may wait */

static void what_is_one_too_many_is_a_matter_of_this_process(void **state)
{
    static event_t events[EVENTS];
    client_t client;
    ratings_delivery_t failure;
    (void)state;
    client_open(&client);
    for (int i = 0; i < EVENTS - 1; i++)
        assert_int_equal(append(&client, &events[i], 1, 0, &failure), APR_SUCCESS);
    assert_int_equal(append(&client, &events[EVENTS - 1], 1, 0, &failure), RATINGS_NOT_ASKED);
    assert_int_equal(failure.code, 0);
    assert_string_equal(failure.result.detail, "too many events wait for Kafka already");
    client_close(&client);
    for (int i = 0; i < EVENTS; i++)
        assert_int_equal(events[i].reports, i < EVENTS - 1);
}

/* ---- a topic that the handle has lost ---- */

#define LIST_OFFSETS 2
#define FAILURES 1000

typedef struct {
    rd_kafka_t *handle; /* whose threads are the brokers */
    rd_kafka_mock_cluster_t *cluster;
} brokers_t;

static void brokers_start(brokers_t *brokers, client_t *client)
{
    brokers->cluster = mock_kafka_start(&brokers->handle, "nowhere");
    (void)snprintf(client->brokers, sizeof client->brokers, "%s",
                   rd_kafka_mock_cluster_bootstraps(brokers->cluster));
}

/* No question for offsets is answered, while the brokers tell who leads. */
static void fail_offsets(brokers_t *brokers)
{
    rd_kafka_resp_err_t errors[FAILURES];
    for (int i = 0; i < FAILURES; i++)
        errors[i] = RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT;
    rd_kafka_mock_push_request_errors_array(brokers->cluster, LIST_OFFSETS, FAILURES, errors);
}

static apr_status_t ask_for_ends(client_t *client)
{
    int64_t first, next;
    ratings_result_t why;
    return ratings_stream_ends(client->stream, 1, TIMEOUT_US / 4, &first, &next, &why);
}

static void a_handle_that_has_lost_the_topic_is_replaced(void **state)
{
    brokers_t brokers;
    client_t client;
    (void)state;
    client_init(&client);
    brokers_start(&brokers, &client);
    open_with(&client, "message.max.bytes", "1000");
    AWAIT(ask_for_ends(&client) == APR_SUCCESS);
    fail_offsets(&brokers);
    assert_int_equal(ask_for_ends(&client), APR_TIMEUP);
    AWAIT(ask_for_ends(&client) != APR_SUCCESS && atomic_load(&client.lost) == 1);
    rd_kafka_mock_clear_request_errors(brokers.cluster, LIST_OFFSETS);
    AWAIT(ask_for_ends(&client) == APR_SUCCESS);
    client_close(&client);
    rd_kafka_destroy(brokers.handle);
}

/* ---- an inspection, in a process of its own ---- */

typedef struct {
    ratings_findings_t findings;
    bool is_connected;
    char settings[RATINGS_FINDING_TEXT]; /* what was found of them */
} inspector_t;

static void note_finding(ratings_findings_t *findings, const ratings_finding_t *finding)
{
    inspector_t *inspector = RATINGS_CONTAINER_OF(findings, inspector_t, findings);
    if (strcmp(finding->subject, "connection") == 0)
        inspector->is_connected = finding->verdict == RATINGS_FINDING_GOOD;
    if (strcmp(finding->subject, "settings") == 0)
        (void)snprintf(inspector->settings, sizeof inspector->settings, "%s", finding->text);
}

/* librdkafka warns of a consumer's property when it makes a producer, and its own broker tells no
 * settings. */
static void inspect_mock(inspector_t *inspector)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, NULL);
    apr_table_t *kafka = apr_table_make(pool, 2);
    apr_table_set(kafka, "test.mock.num.brokers", "1");
    apr_table_set(kafka, "fetch.wait.max.ms", "100");
    const ratings_stream_options_t options = {.brokers = "127.0.0.1:1",
                                              .topic = "nowhere",
                                              .kafka = kafka,
                                              .timeout = TIMEOUT_US,
                                              .partitions = 1};
    inspector->findings = (ratings_findings_t){.report = note_finding, .us = -1};
    ratings_stream_inspect(&options, pool, &inspector->findings);
    _exit(0);
}

static void what_was_said_before_a_question_is_not_why_it_fails(void **state)
{
    int status;
    inspector_t *inspector =
        mmap(NULL, sizeof *inspector, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    (void)state;
    assert_ptr_not_equal(inspector, MAP_FAILED);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        inspect_mock(inspector);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(inspector->is_connected);
    assert_string_not_equal(inspector->settings, "");
    if (strstr(inspector->settings, "consumer property"))
        fail_msg("%s", inspector->settings);
    (void)munmap(inspector, sizeof *inspector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_at_once_says_why),
        cmocka_unit_test(what_waits_for_too_long_says_why),
        cmocka_unit_test(a_broker_that_cannot_be_reached_is_named_with_the_reason),
        cmocka_unit_test(a_broker_that_answers_is_named),
        cmocka_unit_test(what_is_one_too_many_is_a_matter_of_this_process),
        cmocka_unit_test(a_handle_that_has_lost_the_topic_is_replaced),
        cmocka_unit_test(what_was_said_before_a_question_is_not_why_it_fails),
    };
    alarm(TEST_SECONDS);
    if (apr_initialize() != APR_SUCCESS)
        return 1;
    count_threads();
    int failed = cmocka_run_group_tests_name("stream", tests, NULL, NULL);
    apr_terminate();
    return failed;
}
