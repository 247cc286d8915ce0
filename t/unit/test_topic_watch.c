/* What a host knows of its topic: what Kafka says of it, and what its records have shown. */
#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/projector/topic_watch.h"

#include <pthread.h>

/* ---- httpd's log, and a stream that a test lets answer ---- */

module AP_MODULE_DECLARE_DATA ratings_module;

static atomic_int lines;

void ap_log_error_(const char *file, int line, int module_index, int level, apr_status_t status,
                   const server_rec *server, const char *format, ...)
{
    (void)file, (void)line, (void)module_index, (void)level, (void)status, (void)server;
    assert_non_null(strstr(format, "RT0307"));
    atomic_fetch_add(&lines, 1);
}

const char *ratings_topic_fault_text(ratings_topic_fault_e fault)
{
    (void)fault;
    return NULL;
}

static struct {
    bool answers;
    int described, checked; /* how often it was asked */
    int count, in_sync;     /* what it was to check */
} stream;

static apr_status_t answer(ratings_result_t *why)
{
    return stream.answers ? APR_SUCCESS : ratings_result_set(why, APR_TIMEUP, "no answer");
}

/* The records that were appended to find out, and by whom their reports are awaited. */
static int proofs, proof_partitions;
static ratings_receiver_t *proof_receiver;

apr_status_t ratings_stream_append_routing(ratings_stream_t *unused, int partitions,
                                           ratings_receiver_t *receiver,
                                           ratings_delivery_t *failure)
{
    (void)unused, (void)failure;
    proofs++;
    proof_partitions = partitions;
    proof_receiver = receiver;
    return APR_SUCCESS;
}

apr_status_t ratings_stream_topic_describe(ratings_stream_t *unused, apr_interval_time_t timeout,
                                           ratings_topic_t *topic, ratings_result_t *why)
{
    (void)unused, (void)timeout;
    stream.described++;
    *topic = (ratings_topic_t){.append_time = RATINGS_APPEND_TIME_KEPT, .in_sync = 2};
    return answer(why);
}

apr_status_t ratings_stream_check(ratings_stream_t *unused, int count, int in_sync,
                                  apr_interval_time_t timeout, ratings_result_t *why)
{
    (void)unused, (void)timeout;
    stream.checked++;
    stream.count = count;
    stream.in_sync = in_sync;
    return answer(why);
}

/* ---- append times ---- */

#define UNKNOWN RATINGS_APPEND_TIME_UNKNOWN
#define KEPT RATINGS_APPEND_TIME_KEPT
#define NOT_KEPT RATINGS_APPEND_TIME_NOT_KEPT
#define DENIED RATINGS_APPEND_TIME_DENIED

typedef struct {
    ratings_shm_t *shared;
    ratings_projector_options_t options;
    topic_watch_t watch;
} host_t;

static void host_open(host_t *host)
{
    memset(host, 0, sizeof *host);
    host->shared = aligned_alloc(RATINGS_CACHE_LINE, sizeof *host->shared);
    assert_non_null(host->shared);
    memset(host->shared, 0, sizeof *host->shared);
    host->options.shared = host->shared;
    host->options.topic = "ratings";
    host->options.has_idempotency_keys = true;
    topic_watch_init(&host->watch, &host->options);
    atomic_store(&lines, 0);
    proofs = 0;
    memset(&stream, 0, sizeof stream);
}

static void publish(host_t *host, ratings_append_time_e said)
{
    const ratings_topic_t topic = {.append_time = said};
    topic_watch_publish(&host->watch, &topic);
}

typedef struct {
    const char *name;
    ratings_append_time_e known, said, after;
    int lines; /* when it is said twice */
} row_t;

static row_t rows[] = {
    {"a topic that says it keeps append times has not shown it", UNKNOWN, KEPT, UNKNOWN, 0},
    {"one that has goes on", KEPT, KEPT, KEPT, 0},
    {"one that does not is logged once", UNKNOWN, NOT_KEPT, NOT_KEPT, 1},
    {"nor any more", KEPT, NOT_KEPT, NOT_KEPT, 1},
    {"one that is altered, and never shows it", NOT_KEPT, KEPT, DENIED, 1},
    {"its records tell otherwise, which is logged once", DENIED, KEPT, DENIED, 1},
    {"it says so itself by now", DENIED, NOT_KEPT, NOT_KEPT, 1},
    {"settings that may not be read change nothing", KEPT, UNKNOWN, KEPT, 0},
    {"also not that it keeps none", NOT_KEPT, UNKNOWN, NOT_KEPT, 0},
    {"nor that nothing is known", UNKNOWN, UNKNOWN, UNKNOWN, 0},
    {"nor what records tell, which is logged once", DENIED, UNKNOWN, DENIED, 1},
};

static void test_row(void **state)
{
    const row_t *row = *state;
    host_t host;
    host_open(&host);
    atomic_store(&host.shared->append_time, row->known);
    publish(&host, row->said);
    publish(&host, row->said);
    assert_int_equal(atomic_load(&host.shared->append_time), row->after);
    assert_int_equal(atomic_load(&lines), row->lines);
    free(host.shared);
}

/* ---- what the log has shown ---- */

typedef struct {
    const char *name;
    ratings_append_time_e known, said;
    bool has_append_times;
    ratings_append_time_e after;
} log_row_t;

static log_row_t log_rows[] = {
    {"a log with append times, of a topic that keeps them", UNKNOWN, KEPT, true, KEPT},
    {"a log without", UNKNOWN, KEPT, false, UNKNOWN},
    {"of a topic of which nothing is known", UNKNOWN, UNKNOWN, true, UNKNOWN},
    {"of one that keeps none any more", KEPT, NOT_KEPT, true, NOT_KEPT},
    {"of one that is altered, which a record has to show", NOT_KEPT, KEPT, true, DENIED},
    {"the last record tells more", DENIED, KEPT, true, DENIED},
};

static void test_log_row(void **state)
{
    const log_row_t *row = *state;
    host_t host;
    host_open(&host);
    atomic_store(&host.shared->append_time, row->known);
    publish(&host, row->said);
    topic_watch_note_log(&host.watch, row->has_append_times);
    assert_int_equal(atomic_load(&host.shared->append_time), row->after);
    free(host.shared);
}

/* ---- a record that shows it ---- */

typedef struct {
    const char *name;
    ratings_append_time_e known;
    int partitions;
    bool has_idempotency_keys;
    int proofs;
} proof_row_t;

static proof_row_t proof_rows[] = {
    {"is appended if nothing is known", UNKNOWN, 4, true, 1},
    {"also after one that had no append time", DENIED, 4, true, 1},
    {"not if append times are kept", KEPT, 4, true, 0},
    {"not if the settings say otherwise", NOT_KEPT, 4, true, 0},
    {"not before it is known how talks are routed", UNKNOWN, 0, true, 0},
    {"not where no rating may have a key", UNKNOWN, 4, false, 0},
};

static void test_proof_row(void **state)
{
    const proof_row_t *row = *state;
    host_t host;
    host_open(&host);
    host.options.has_idempotency_keys = row->has_idempotency_keys;
    atomic_store(&host.shared->append_time, row->known);
    atomic_store(&host.shared->routing_partitions, row->partitions);
    topic_watch_poll(&host.watch);
    assert_int_equal(proofs, 0);
    host.watch.prove_at = host.watch.prove_at ? 1 : 0; /* the pause is over */
    topic_watch_poll(&host.watch);
    topic_watch_poll(&host.watch);
    assert_int_equal(proofs, row->proofs);
    if (proofs)
        assert_int_equal(proof_partitions, row->partitions);
    free(host.shared);
}

static void report_proof(bool has_append_time)
{
    const ratings_record_t record = {.has_append_time = has_append_time};
    const ratings_delivery_t delivery = {.record = &record};
    proof_receiver->delivered(proof_receiver, &delivery);
}

/* An altered topic is found out by itself, also one whose first record came too soon. */
static void records_that_show_it_come_ever_more_rarely(void **state)
{
    host_t host;
    int64_t pause = 0;
    (void)state;
    host_open(&host);
    atomic_store(&host.shared->routing_partitions, 4);
    publish(&host, KEPT);
    topic_watch_poll(&host.watch);
    for (int i = 1; i < 30; i++) {
        host.watch.prove_at = 1;
        topic_watch_poll(&host.watch);
        assert_int_equal(proofs, i);
        report_proof(false);
        assert_int_equal(atomic_load(&host.shared->append_time), DENIED);
        assert_true(host.watch.prove_pause >= pause);
        pause = host.watch.prove_pause;
    }
    assert_int_equal(pause, INT64_C(3600000000));
    report_proof(true);
    assert_int_equal(atomic_load(&host.shared->append_time), KEPT);
    topic_watch_poll(&host.watch);
    assert_int_equal(host.watch.prove_at, 0);
    free(host.shared);
}

static void record_that_was_not_appended_shows_nothing(void **state)
{
    const ratings_delivery_t failure = {.result.status = APR_TIMEUP, .offset = -1};
    host_t host;
    (void)state;
    host_open(&host);
    atomic_store(&host.shared->routing_partitions, 4);
    topic_watch_poll(&host.watch);
    host.watch.prove_at = 1;
    topic_watch_poll(&host.watch);
    proof_receiver->delivered(proof_receiver, &failure);
    assert_int_equal(atomic_load(&host.shared->append_time), UNKNOWN);
    free(host.shared);
}

/* ---- while records tell ---- */

#define ROUNDS 200000
#define LOOKS 20

/* As the writer does. Counts the rounds in which that was lost before it was looked at. */
static void *deny(void *data)
{
    _Atomic uint32_t *append_time = data;
    uintptr_t lost = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t kept = KEPT;
        if (!atomic_compare_exchange_strong(append_time, &kept, DENIED))
            continue;
        for (int look = 0; look < LOOKS && atomic_load(append_time) == DENIED; look++)
            ;
        lost += atomic_load(append_time) != DENIED;
        atomic_store(append_time, KEPT);
    }
    return (void *)lost;
}

static void what_records_show_is_not_lost(void **state)
{
    host_t host;
    pthread_t thread;
    void *lost;
    (void)state;
    host_open(&host);
    atomic_store(&host.shared->append_time, KEPT);
    assert_int_equal(pthread_create(&thread, NULL, deny, &host.shared->append_time), 0);
    for (int i = 0; i < 4 * ROUNDS; i++)
        publish(&host, KEPT);
    pthread_join(thread, &lost);
    assert_int_equal((uintptr_t)lost, 0);
    free(host.shared);
}

/* ---- when Kafka is asked ---- */

#define PARTITIONS 3
#define SECOND INT64_C(1000000)

static void polling_host_open(host_t *host, bool answers)
{
    host_open(host);
    atomic_store(&host->shared->routing_partitions, PARTITIONS);
    stream.answers = answers;
    topic_watch_poll(&host->watch);
}

/* The time `at` is to come, and not for longer than `longest`. */
static void assert_soon(int64_t at, int64_t longest)
{
    int64_t left = at - ratings_monotonic();
    assert_true(left > 0 && left <= longest);
}

static void a_new_watch_asks_at_once(void **state)
{
    host_t host;
    (void)state;
    int64_t begun = ratings_monotonic();
    polling_host_open(&host, true);
    assert_int_equal(stream.described, 1);
    assert_int_equal(stream.checked, 1);
    assert_int_equal(stream.count, PARTITIONS);
    assert_int_equal(atomic_load(&host.shared->min_insync), 2);
    assert_true(atomic_load(&host.shared->topic_checked_at) >= begun);
    free(host.shared);
}

/* Readiness takes what is no older than a second. */
static void it_asks_again_when_it_is_time(void **state)
{
    host_t host;
    (void)state;
    polling_host_open(&host, true);
    topic_watch_poll(&host.watch);
    assert_int_equal(stream.described, 1);
    assert_int_equal(stream.checked, 1);
    assert_soon(host.watch.check_at, SECOND);
    assert_soon(host.watch.poll_at, 10 * SECOND);
    host.watch.check_at = host.watch.poll_at = 0; /* as if it had come */
    topic_watch_poll(&host.watch);
    assert_int_equal(stream.described, 2);
    assert_int_equal(stream.checked, 2);
    assert_int_equal(stream.in_sync, 2);
    free(host.shared);
}

static void a_failure_tells_nothing_and_is_asked_again(void **state)
{
    host_t host;
    (void)state;
    polling_host_open(&host, false);
    assert_int_equal(atomic_load(&host.shared->topic_checked_at), 0);
    assert_int_equal(atomic_load(&host.shared->min_insync), 0);
    assert_soon(host.watch.check_at, SECOND);
    assert_soon(host.watch.poll_at, 10 * SECOND);
    free(host.shared);
}

static void without_partitions_nothing_is_checked(void **state)
{
    host_t host;
    (void)state;
    host_open(&host);
    topic_watch_poll(&host.watch);
    assert_int_equal(stream.described, 1);
    assert_int_equal(stream.checked, 0);
    free(host.shared);
}

/* It is at the start, and while readiness has lately answered. */
static void it_checks_while_that_is_wanted(void **state)
{
    host_t host;
    (void)state;
    polling_host_open(&host, true);
    assert_soon(host.watch.wanted_until, 100 * SECOND);
    host.watch.check_at = host.watch.wanted_until = 0;
    topic_watch_poll(&host.watch);
    assert_int_equal(stream.checked, 1);
    atomic_fetch_add(&host.shared->health_answers, 1);
    topic_watch_poll(&host.watch);
    assert_int_equal(stream.checked, 2);
    assert_soon(host.watch.wanted_until, 100 * SECOND);
    free(host.shared);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, test_row, ROWS(rows));
    unit_add_rows(&suite, test_log_row, ROWS(log_rows));
    unit_add_rows(&suite, test_proof_row, ROWS(proof_rows));
    unit_add(&suite, "records that show it come ever more rarely",
             records_that_show_it_come_ever_more_rarely, NULL);
    unit_add(&suite, "a record that was not appended shows nothing",
             record_that_was_not_appended_shows_nothing, NULL);
    unit_add(&suite, "what records show is not lost", what_records_show_is_not_lost, NULL);
    unit_add(&suite, "a new watch asks at once", a_new_watch_asks_at_once, NULL);
    unit_add(&suite, "it asks again when it is time", it_asks_again_when_it_is_time, NULL);
    unit_add(&suite, "a failure tells nothing, and is asked again",
             a_failure_tells_nothing_and_is_asked_again, NULL);
    unit_add(&suite, "without partitions nothing is checked", without_partitions_nothing_is_checked,
             NULL);
    unit_add(&suite, "it checks while that is wanted", it_checks_while_that_is_wanted, NULL);
    return unit_run("topic_watch", &suite);
}
