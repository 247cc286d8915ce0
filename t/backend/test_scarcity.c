/* The clients of Redis and of the function, where a call of theirs fails, each in turn (failing.h),
 * and where Redis answers what it must not, each part of each answer in turn: a failure with a
 * reason, nothing broken, and all is well again once it is over. Under ASan: no leak. */
#include "../../src/backend/stats/stats.h"
#include "../../src/backend/stream/stream.h"
#include "../../src/backend/stream/stream_reader.h"
#include "../../src/backend/stream/stream_topic.h"
#include "../unit/failing.h"
#include "lying_redis.h"
#include "mock_kafka.h"
#include "redis_server.h"
#include "script_peer.h"

static ratings_store_t *new_store(void);
static void start_kafka(void);
static void stop_kafka(void);
static ratings_store_t *owner; /* a store that nothing happens to */
static script_peer_t function, aws;
static char aws_directory[] = "/tmp/mod_ratings-scarcity-XXXXXX";

static const char *path_at_aws(const char *name)
{
    return apr_pstrcat(redis.pool, aws_directory, "/", name, NULL);
}

static void set_mode_of_aws(const char *mode)
{
    FILE *file = fopen(path_at_aws("mode"), "w");
    assert_non_null(file);
    assert_true(fputs(mode, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
    (void)state;
    redis_set_up();
    count_threads();
    assert_non_null(mkdtemp(aws_directory));
    set_mode_of_aws("ok 3600 0");
    owner = new_store();
    start_kafka();
    script_peer_start(&function, "t/chaos/tools/function", NULL);
    script_peer_start(&aws, "t/chaos/tools/aws", aws_directory);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ratings_store_destroy(owner);
    stop_kafka();
    script_peer_stop(&aws); /* it has inherited the other's pipe */
    script_peer_stop(&function);
    assert_int_equal(unlink(path_at_aws("events")) | unlink(path_at_aws("mode")), 0);
    assert_int_equal(rmdir(aws_directory), 0);
    AWAIT(threads() == 0);
    redis_tear_down();
    return 0;
}

/* ---- what a call may end in ---- */

static bool all_succeeded;

/* The end of one call of many: one of those that result.h lists, and with a reason unless it is a
 * success. */
static bool end_of_call(apr_status_t status, const ratings_result_t *why)
{
    static const apr_status_t ends[] = {
        APR_SUCCESS,      APR_NOTFOUND, APR_TIMEUP,   RATINGS_NOT_ASKED,      APR_EAGAIN,
        APR_ECONNREFUSED, APR_EINVAL,   APR_EGENERAL, RATINGS_REBUILD_NEEDED, APR_INCOMPLETE};
    size_t i = 0;
    while (i < sizeof ends / sizeof ends[0] && ends[i] != status)
        i++;
    if (i == sizeof ends / sizeof ends[0] || (status == APR_SUCCESS) != (why->detail[0] == '\0'))
        fail_msg("%d: %s", status, why->detail);
    all_succeeded = all_succeeded && status == APR_SUCCESS;
    return status == APR_SUCCESS;
}

/* ---- the function ---- */

static const ratings_histogram_t some = {{0, 0, 1, 0, 7}};
static const ratings_trace_t trace = {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                      "rojo=00f067aa0ba902b7"};

static void compute(ratings_stats_t *stats)
{
    ratings_statistics_t out = {0, 0};
    ratings_result_t why;
    if (end_of_call(ratings_stats_compute(stats, &some, &trace, NO_DEADLINE, &out, &why), &why))
        assert_int_equal(out.total_count, 8);
    else if (strstr(why.detail, "resolve host"))
        fail_msg("it was called without its proxy, which alone knows its name: %s", why.detail);
}

static void call_function(const ratings_stats_options_t *options)
{
    ratings_stats_t *stats = NULL;
    ratings_result_t why;
    if (!end_of_call(ratings_stats_create(&stats, options, &why), &why))
        return;
    compute(stats);
    compute(stats);
    ratings_stats_destroy(stats);
}

static void call_plainly(void)
{
    static char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/", function.port);
    call_function(&(ratings_stats_options_t){
        .url = url, .header = "X-Key: value", .handles_max = 1, .timeout = apr_time_from_sec(5)});
}

static const char *proxy_of_function(void)
{
    return apr_psprintf(redis.pool, "http://u%%40:p%%3A@127.0.0.1:%d", function.port);
}

static void call_by_proxy(void)
{
    const char *proxy = proxy_of_function();
    call_function(&(ratings_stats_options_t){.url = "http://function.example/",
                                             .proxy = proxy,
                                             .handles_max = 1,
                                             .timeout = apr_time_from_sec(5)});
}

static void call_signed(void)
{
    static ratings_aws_source_t source;
    static char url[64], place[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/signed", aws.port);
    (void)snprintf(place, sizeof place, "http://127.0.0.1:%d", aws.port);
    source.kind = RATINGS_AWS_INSTANCE;
    (void)apr_cpystrn(source.url, place, sizeof source.url);
    call_function(&(ratings_stats_options_t){.url = url,
                                             .handles_max = 1,
                                             .timeout = apr_time_from_sec(5),
                                             .auth = "aws-sigv4:eu-central-1",
                                             .credentials = &source});
}

static void proxy_may_refuse(void **state)
{
    ratings_stats_t *stats = NULL;
    ratings_statistics_t out;
    ratings_result_t why;
    const ratings_stats_options_t options = {.url = "http://function.example/407",
                                             .proxy = proxy_of_function(),
                                             .handles_max = 1,
                                             .timeout = apr_time_from_sec(5)};
    (void)state;
    assert_int_equal(ratings_stats_create(&stats, &options, &why), APR_SUCCESS);
    assert_int_equal(ratings_stats_compute(stats, &some, NULL, NO_DEADLINE, &out, &why),
                     APR_ECONNREFUSED);
    assert_string_equal(why.detail, "the proxy refuses the call (status 407)");
    ratings_stats_destroy(stats);
}

/* ---- Kafka: librdkafka's mock of it ---- */

static rd_kafka_t *kafka; /* has the mock */
static ratings_stream_options_t stream_options;

static void say_nothing(ratings_stream_log_t *log, int level, const char *text)
{
    (void)log, (void)level, (void)text;
}

static void note_broker(ratings_stream_log_t *log, const char *broker)
{
    (void)log, (void)broker;
}

static void note_outage(ratings_stream_log_t *log, const char *broker, const char *text)
{
    (void)log, (void)broker, (void)text;
}

static void note_refusal(ratings_stream_log_t *log, const char *text)
{
    (void)log;
    assert_true(text[0]);
}

static void start_kafka(void)
{
    static ratings_stream_log_t log = {say_nothing, note_outage, note_broker, note_refusal};
    rd_kafka_mock_cluster_t *cluster = mock_kafka_start(&kafka, "ratings");
    stream_options =
        (ratings_stream_options_t){.brokers = rd_kafka_mock_cluster_bootstraps(cluster),
                                   .topic = "ratings",
                                   .kafka = apr_table_make(redis.pool, 1),
                                   .timeout = apr_time_from_sec(5),
                                   .partitions = 1,
                                   .log = &log};
}

static void stop_kafka(void)
{
    rd_kafka_destroy(kafka);
}

/* For LeakSanitizer: the properties of a producer that librdkafka refuses are not freed, since it
 * may have freed a part of them (stream_handle.c). */
__attribute__((visibility("default"))) const char *
leaks_on_purpose(void) __asm__("__lsan_default_suppressions");
const char *leaks_on_purpose(void)
{
    return "leak:make_producer_handle\n";
}

static ratings_receiver_t receiver;
static atomic_int reports;

static void note_report(ratings_receiver_t *it, const ratings_delivery_t *delivery)
{
    assert_ptr_equal(it, &receiver);
    assert_true((delivery->result.status == APR_SUCCESS) == (delivery->offset >= 0));
    atomic_fetch_add(&reports, 1);
}

/* What was accepted is reported once, what was not never. */
static void append_records(ratings_stream_t *stream, int *accepted)
{
    const ratings_event_t event = {.rating = {"a", 5}, .key = {"k", 1000}};
    const ratings_electorate_record_t begun = {{"f434d3dbc99487f9a3b227a6f8359485"}, {""}};
    const ratings_ticket_t ticket = {7, 1};
    ratings_delivery_t failure;
    receiver.delivered = note_report;
    *accepted +=
        end_of_call(ratings_stream_append(stream, &event, &trace, &ticket, 0, &receiver, &failure),
                    &failure.result);
    *accepted +=
        end_of_call(ratings_stream_append_routing(stream, 1, &receiver, &failure), &failure.result);
    *accepted += end_of_call(ratings_stream_append_electorate(stream, &begun, &receiver, &failure),
                             &failure.result);
}

static void use_stream(void)
{
    ratings_stream_t *stream = ratings_stream_create(&stream_options, redis.pool);
    ratings_result_t why;
    int accepted = 0;
    int64_t first, next;
    atomic_store(&reports, 0);
    if (!ratings_stream_prepare(stream, &why))
        (void)end_of_call(why.status, &why);
    append_records(stream, &accepted);
    (void)end_of_call(ratings_stream_ends(stream, 1, apr_time_from_sec(2), &first, &next, &why),
                      &why);
    (void)end_of_call(ratings_stream_check(stream, 1, 0, apr_time_from_sec(2), &why), &why);
    (void)end_of_call(ratings_stream_check(stream, 0, 0, apr_time_from_sec(2), &why), &why);
    ratings_stream_destroy(stream, apr_time_from_sec(5));
    assert_int_equal(atomic_load(&reports), accepted);
}

static void read_log(void)
{
    static ratings_record_t records[RATINGS_READ_MAX];
    const int64_t offsets[] = {0};
    ratings_reader_t *reader;
    ratings_result_t why;
    int count = 0;
    if (!end_of_call(ratings_reader_create(&reader, &stream_options, &why), &why))
        return;
    (void)end_of_call(ratings_reader_connect(reader, 1, apr_time_from_sec(2), &why), &why);
    if (end_of_call(ratings_reader_assign(reader, offsets, 1, &why), &why)) {
        (void)end_of_call(
            ratings_reader_read(reader, apr_time_from_sec(2), records, 10, &count, &why), &why);
        ratings_reader_commit(reader, offsets, 1);
    }
    ratings_reader_unassign(reader);
    ratings_reader_destroy(reader);
}

/* ---- Redis ---- */

static ratings_store_t *new_store(void)
{
    ratings_store_options_t options = {apr_psprintf(redis.pool, "redis://127.0.0.1:%d", redis.port),
                                       1,
                                       apr_time_from_sec(5),
                                       NULL,
                                       NULL,
                                       NULL};
    ratings_store_t *store = NULL;
    ratings_result_t why;
    return end_of_call(ratings_store_create(&store, &options, &why), &why) ? store : NULL;
}

#define VOTER                                                                                      \
    {                                                                                              \
        "0123456789abcde"                                                                          \
    }
static const ratings_voter_t voter = VOTER;
static const ratings_store_key_t used_key = {"a", &voter, "key"};
static ratings_store_state_t seen;

#define TOKEN "0123456789abcdef"

static void load_state(ratings_store_t *store)
{
    ratings_result_t why;
    if (!end_of_call(ratings_store_load_state(store, NO_DEADLINE, &seen, &why), &why))
        seen = (ratings_store_state_t){.topic = ""};
}

/* One step of a rebuild, or of another write. */
#define WRITES(call)                                                                               \
    do {                                                                                           \
        ratings_cas_e end;                                                                         \
        ratings_result_t reason;                                                                   \
        (void)end_of_call((call), &reason);                                                        \
    } while (0)

static void rebuild(ratings_store_t *store)
{
    static const bool empty[1] = {false};
    ratings_sweep_t sweep = {.token = TOKEN, .cursor = "0"};
    load_state(store);
    WRITES(ratings_store_claim(store, &seen, &sweep, &end, &reason));
    WRITES(ratings_store_sweep(store, &sweep, &end, &reason));
    WRITES(ratings_store_open(store, &sweep, "ratings", 1, 1, empty, &end, &reason));
    WRITES(ratings_store_set_ranking(store, TOKEN, "3/10", &end, &reason));
}

/* A record that does all that one can. */
static void apply(ratings_store_t *store)
{
    static const ratings_vote_t votes[] = {{VOTER, 0, 5, 0}};
    static const ratings_increment_t a = {"a", {1, 0, 0, 0, 0}, votes, 1};
    static const ratings_increment_t *const increments[] = {&a};
    static const ratings_bar_t bars[] = {{{"barred voter..."}, true}};
    static const ratings_ticket_window_t windows[] = {{.life = 7, .highest = 3, .offset = 0}};
    ratings_key_use_t use = {
        .key = used_key, .use = {.value = 5, .expires_ms = 5000}, .changed = true};
    ratings_key_use_t *const uses[] = {&use};
    ratings_histogram_t counts[1];
    ratings_batch_t batch = {.generation = TOKEN,
                             .next_checkpoint = 1,
                             .log_time = 1000,
                             .previous = {RATINGS_FINGERPRINT_NONE, -1, 0},
                             .last = {0, 1000, 7},
                             .first = {0, 1000, 7},
                             .increments = increments,
                             .increment_count = 1,
                             .voted_count = 1,
                             .uses = uses,
                             .use_count = 1,
                             .bars = bars,
                             .bar_count = 1,
                             .windows = windows,
                             .window_count = 1,
                             .counts = counts};
    const ratings_batch_t *const batches[] = {&batch};
    WRITES(ratings_store_load_uses(store, &batch, &end, &reason));
    use.use = (ratings_use_t){.value = 5, .expires_ms = 5000};
    use.changed = true;
    WRITES(ratings_store_apply(store, batches, 1, &end, &reason));
}

/* The next record of a rebuild, in parts. */
static void fill(ratings_store_t *store)
{
    static const ratings_vote_t votes[] = {{VOTER, 1, 4, 0}};
    static const ratings_increment_t b = {"b", {0, 0, 0, 0, 0}, votes, 1};
    static const ratings_increment_t *const increments[] = {&b};
    const ratings_batch_t batch = {.generation = TOKEN,
                                   .checkpoint = 1,
                                   .next_checkpoint = 2,
                                   .log_time = 1000,
                                   .previous = {0, 1000, 7},
                                   .last = {1, 1000, 8},
                                   .first = {RATINGS_FINGERPRINT_NONE, -1, 0},
                                   .increments = increments,
                                   .increment_count = 1,
                                   .voted_count = 1,
                                   .barred = 1,
                                   .lives = 1};
    ratings_fill_t in_parts = {
        .batch = &batch, .token = "fedcba9876543210", .part_size = RATINGS_FILL_PART};
    ratings_cas_e end = RATINGS_CAS_APPLIED;
    ratings_result_t why;
    for (int part = 0; part < 8 && !in_parts.is_complete && end == RATINGS_CAS_APPLIED; part++)
        if (!end_of_call(ratings_store_fill(store, &in_parts, &end, &why), &why))
            end = RATINGS_CAS_CONFLICT;
}

static void load_sets(ratings_store_t *store)
{
    ratings_voter_set_t barred = {0};
    ratings_ticket_windows_t tickets = {0};
    load_state(store);
    WRITES(ratings_store_load_barred(store, &seen, 0, &barred, &end, &reason));
    WRITES(ratings_store_load_tickets(store, &seen, 0, &tickets, &end, &reason));
    ratings_voter_set_free(&barred);
    ratings_ticket_windows_free(&tickets);
}

static void go_on(ratings_store_t *store)
{
    WRITES(ratings_store_caught_up(store, TOKEN, &end, &reason));
    WRITES(ratings_store_rank(store, TOKEN, &end, &reason));
    WRITES(ratings_store_set_routing(store, &seen, 1, 0, &end, &reason));
    WRITES(ratings_store_advance(store, &seen, 0, 9, &end, &reason));
    WRITES(ratings_store_add_partitions(store, &seen, 2, &end, &reason));
}

static void count_talk(void *data, const char *talk_id, double score)
{
    assert_true(talk_id[0] != '\0' && score > 0);
    ++*(int *)data;
}

static void read_all(ratings_store_t *store)
{
    ratings_snapshot_t snapshot;
    ratings_store_talk_t talks[] = {{.talk_id = "a"}, {.talk_id = "b"}};
    ratings_use_t use;
    ratings_store_fault_e fault;
    ratings_result_t why;
    bool is_barred;
    int64_t checkpoint;
    int value, ranked = 0;
    (void)end_of_call(ratings_store_check(store, NO_DEADLINE, &fault, &why), &why);
    (void)end_of_call(ratings_store_read(store, "a", 0, NO_DEADLINE, &snapshot, &why), &why);
    (void)end_of_call(
        ratings_store_read_vote(store, "a", &voter, 0, NO_DEADLINE, &snapshot, &value, &why), &why);
    (void)end_of_call(ratings_store_read_many(store, talks, 2, NO_DEADLINE, &why), &why);
    (void)end_of_call(ratings_store_read_top(store, NO_DEADLINE, count_talk, &ranked, &why), &why);
    (void)end_of_call(
        ratings_store_read_use(store, &used_key, 0, NO_DEADLINE, &use, &checkpoint, &why), &why);
    (void)end_of_call(
        ratings_store_read_barred(store, &voter, 0, NO_DEADLINE, &is_barred, &checkpoint, &why),
        &why);
}

static void lease(ratings_store_t *store)
{
    char holder[RATINGS_TOKEN_MAX + 2];
    ratings_result_t why;
    bool held;
    WRITES(ratings_store_request_rebuild(store, TOKEN, 1, &end, &reason));
    (void)end_of_call(
        ratings_store_acquire_lease(store, "mine", "", apr_time_from_sec(3), &held, holder, &why),
        &why);
    (void)end_of_call(ratings_store_release_lease(store, "mine", NO_DEADLINE, &why), &why);
}

static void use_store(ratings_store_t *store)
{
    rebuild(store);
    apply(store);
    fill(store);
    load_sets(store);
    go_on(store);
    read_all(store);
    lease(store);
}

static void use_new_store(void)
{
    ratings_store_t *store = new_store();
    if (!store)
        return;
    use_store(store);
    ratings_store_destroy(store);
}

static void empty_redis(void)
{
    redisReply *reply = NULL;
    ratings_result_t why;
    if (store_command(owner, &reply, NO_DEADLINE, &why, "FLUSHALL", NULL) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    freeReplyObject(reply);
}

/* ---- each call in turn ---- */

typedef struct {
    const char *name;
    void (*work)(void);
} row_t;

static row_t rows[] = {
    {"the function is called", call_plainly},
    {"the function is called by a proxy", call_by_proxy},
    {"the function is called with a signature", call_signed},
    {"Redis is asked", use_new_store},
    {"events are appended, and Kafka asked", use_stream},
    {"the log is read", read_log},
};

static void says_that_it_failed(void **state)
{
    const row_t *row = *state;
    size_t call = 0;
    bool was_reached;
    do {
        empty_redis();
        all_succeeded = true;
        failing_begin(++call);
        row->work();
        const char *name = failing_name();
        was_reached = failing_end();
        if (!all_succeeded && !was_reached)
            fail_msg("call %zu, %s", call, name ? name : "none");
    } while (was_reached);
    assert_true(call > 10);
}

/* ---- answers that Redis must not give ---- */

/* Whatever Redis answers to whatever is asked; then all is well again. */
static void survives_each_lie(void **state)
{
    ratings_store_t *store = new_store();
    (void)state;
    for (int lie = 0; lie < LIE_KINDS; lie++) {
        bool was_told = true;
        for (long part = 1; was_told; part++) {
            empty_redis();
            lying_begin((lie_e)lie, part);
            use_store(store);
            was_told = lying_end();
        }
        empty_redis();
        all_succeeded = true;
        use_store(store);
        assert_true(all_succeeded);
    }
    ratings_store_destroy(store);
}

int main(void)
{
    struct CMUnitTest tests[sizeof rows / sizeof rows[0] + 2];
    size_t count = sizeof rows / sizeof rows[0];
    for (size_t i = 0; i < count; i++)
        tests[i] = (struct CMUnitTest){rows[i].name, says_that_it_failed, NULL, NULL, &rows[i]};
    tests[count] = (struct CMUnitTest)cmocka_unit_test(survives_each_lie);
    tests[count + 1] = (struct CMUnitTest)cmocka_unit_test(proxy_may_refuse);
    return cmocka_run_group_tests_name("scarcity", tests, set_up, tear_down);
}
