/* What a host knows of its topic: what Kafka says of it, and what its records have shown. */
#include "unit.h"

#include "../../src/projector/topic_watch.h"

#include <pthread.h>

/* ---- httpd's log, and a stream of which nothing is asked ---- */

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

apr_status_t ratings_stream_topic_describe(ratings_stream_t *stream, apr_interval_time_t timeout,
                                           ratings_topic_t *topic, ratings_result_t *why)
{
    (void)stream, (void)timeout, (void)topic;
    return ratings_result_set(why, APR_TIMEUP, "nothing is asked");
}

apr_status_t ratings_stream_check(ratings_stream_t *stream, int count, int in_sync,
                                  apr_interval_time_t timeout, ratings_result_t *why)
{
    (void)stream, (void)count, (void)in_sync, (void)timeout;
    return ratings_result_set(why, APR_TIMEUP, "nothing is asked");
}

/* ---- append times ---- */

#define UNKNOWN RATINGS_APPEND_TIME_UNKNOWN
#define KEPT RATINGS_APPEND_TIME_KEPT
#define NOT_KEPT RATINGS_APPEND_TIME_NOT_KEPT
#define DOUBTED RATINGS_APPEND_TIME_DOUBTED
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
    {"a topic that keeps append times", UNKNOWN, KEPT, KEPT, 0},
    {"one that does not is logged once", UNKNOWN, NOT_KEPT, NOT_KEPT, 1},
    {"nor any more", KEPT, NOT_KEPT, NOT_KEPT, 1},
    {"as a request has found", DOUBTED, NOT_KEPT, NOT_KEPT, 1},
    {"what a request has doubted may be so", DOUBTED, KEPT, KEPT, 0},
    {"one that is altered keeps them", NOT_KEPT, KEPT, KEPT, 0},
    {"its records tell otherwise, which is logged once", DENIED, KEPT, DENIED, 1},
    {"it says so itself by now", DENIED, NOT_KEPT, NOT_KEPT, 1},
    {"settings that may not be read change nothing", KEPT, UNKNOWN, KEPT, 0},
    {"also not what records tell", DENIED, UNKNOWN, DENIED, 0},
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

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, test_row, ROWS(rows));
    unit_add(&suite, "what records show is not lost", what_records_show_is_not_lost, NULL);
    return unit_run("topic_watch", &suite);
}
