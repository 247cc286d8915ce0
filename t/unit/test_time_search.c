/* Whether a log is the one that was applied, as far as brokers find records by their times. */
#include "unit.h"

#include "../../src/projector/time_search.h"

#include <apr_general.h>

/* ---- httpd's log, and brokers that a test has answer ---- */

module AP_MODULE_DECLARE_DATA ratings_module;

static int lines;

void ap_log_error_(const char *file, int line, int module_index, int level, apr_status_t status,
                   const server_rec *server, const char *format, ...)
{
    (void)file, (void)line, (void)module_index, (void)level, (void)status, (void)server;
    assert_non_null(strstr(format, "RT0321"));
    lines++;
}

/* In place of the store's. */
uint16_t ratings_log_id(const ratings_fingerprint_t *of)
{
    return (uint16_t)of->timestamp;
}

/* No partition has a batch here. */
int64_t batch_next_offset(const batch_t *batch)
{
    (void)batch;
    return -1;
}

#define COUNT 3
#define NONE (-1) /* offset, or time */

/* The first record of each partition's log, by which brokers answer. */
static struct {
    int64_t offset, time;
} log_begin[COUNT];

static bool can_search;
static int questions, fails_at; /* the question that stays without an answer; 0: none */

apr_status_t ratings_stream_offsets_after(ratings_stream_t *stream, int count, const int64_t *times,
                                          apr_interval_time_t timeout, int64_t *offsets,
                                          ratings_result_t *why)
{
    (void)stream;
    assert_int_equal(timeout, 500);
    questions++;
    if (questions == fails_at)
        return ratings_result_set(why, APR_TIMEUP, "no answer");
    for (int i = 0; i < count; i++) {
        bool is_younger = !can_search || log_begin[i].time > times[i];
        offsets[i] = times[i] >= 0 && is_younger ? log_begin[i].offset : NONE;
    }
    return ratings_result_ok(why);
}

/* ---- a search ---- */

static const ratings_fingerprint_t applied_first[COUNT] = {
    {0, 1000, 7}, {5, 1000, 8}, {.offset = RATINGS_FINGERPRINT_EMPTY}};

static ratings_projector_options_t options;
static time_search_t search;
static partition_t partition[COUNT];
static apr_pool_t *pool;

static int begin(void **state)
{
    (void)state;
    assert_int_equal(apr_pool_create(&pool, NULL), APR_SUCCESS);
    time_search_init(&search, &options, 500);
    memset(partition, 0, sizeof partition);
    for (int i = 0; i < COUNT; i++) {
        log_begin[i].offset = applied_first[i].offset >= 0 ? applied_first[i].offset : NONE;
        log_begin[i].time = 1000;
    }
    can_search = true;
    questions = fails_at = lines = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    apr_pool_destroy(pool);
    return 0;
}

static apr_status_t look(void)
{
    ratings_result_t why;
    questions = 0;
    return time_search_younger(&search, applied_first, partition, COUNT, pool, &why);
}

static bool is_another(int i)
{
    return partition_is_another_log(&partition[i], &applied_first[i]);
}

static void log_that_was_applied_takes_one_question(void **state)
{
    (void)state;
    assert_int_equal(look(), APR_SUCCESS);
    assert_int_equal(questions, 1);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(partition[i].younger, NONE);
}

static void recreated_log_is_another_at_each_look(void **state)
{
    (void)state;
    log_begin[1].time = 2000;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(look(), APR_SUCCESS);
        assert_int_equal(questions, 2);
        assert_false(is_another(0));
        assert_true(is_another(1));
    }
    assert_int_equal(lines, 0);
}

static void log_whose_beginning_was_deleted_is_no_other(void **state)
{
    (void)state;
    log_begin[0].offset = 9;
    log_begin[0].time = 2000;
    assert_int_equal(look(), APR_SUCCESS);
    assert_int_equal(questions, 1);
    assert_int_equal(partition[0].younger, 9);
    assert_false(is_another(0));
}

static void brokers_that_name_a_record_for_any_time_are_asked_no_more(void **state)
{
    (void)state;
    can_search = false;
    assert_int_equal(look(), APR_SUCCESS);
    assert_int_equal(questions, 2);
    assert_int_equal(lines, 1);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(partition[i].younger, NONE);
    partition[0].younger = 0;
    assert_int_equal(look(), APR_SUCCESS);
    assert_int_equal(questions, 0);
    assert_false(is_another(0));
    assert_int_equal(lines, 1);
}

/* The projection is closed then, and opened again. */
static void question_without_an_answer_says_so(void **state)
{
    (void)state;
    log_begin[0].time = 2000;
    for (fails_at = 1; fails_at <= 2; fails_at++)
        assert_int_equal(look(), APR_TIMEUP);
    assert_false(search.is_misled);
    assert_int_equal(lines, 0);
}

#define LOOKING(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOKING(log_that_was_applied_takes_one_question),
        LOOKING(recreated_log_is_another_at_each_look),
        LOOKING(log_whose_beginning_was_deleted_is_no_other),
        LOOKING(brokers_that_name_a_record_for_any_time_are_asked_no_more),
        LOOKING(question_without_an_answer_says_so),
    };
    apr_initialize();
    atexit(apr_terminate);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
