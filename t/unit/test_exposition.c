#include "unit.h"

#include "../../src/core/exposition.h"

static const int64_t bounds[] = {500, 1000000, 2500000};

static const ratings_metric_t requests = {
    .name = "x_requests",
    .type = RATINGS_METRIC_COUNTER,
    .help = "Requests with \"quotes\", a \\ and\na second line",
    .labels = {"path", "status"},
};
static const ratings_metric_t threads = {
    .name = "x_threads", .type = RATINGS_METRIC_GAUGE, .help = "Threads"};
static const ratings_metric_t lag = {.name = "x_lag_seconds",
                                     .type = RATINGS_METRIC_GAUGE,
                                     .unit = "seconds",
                                     .is_micro = true,
                                     .help = "Lag",
                                     .labels = {"n"}};
static const ratings_metric_t build = {
    .name = "x_build", .type = RATINGS_METRIC_INFO, .help = "Build", .labels = {"version"}};
static const ratings_metric_t calls = {
    .name = "x_call_seconds",
    .type = RATINGS_METRIC_HISTOGRAM,
    .unit = "seconds",
    .is_micro = true,
    .help = "Calls",
    .labels = {"backend"},
    .bounds = bounds,
    .bound_count = 3,
};
static const ratings_metric_t sizes = {.name = "x_size_records",
                                       .type = RATINGS_METRIC_HISTOGRAM,
                                       .unit = "records",
                                       .help = "Sizes",
                                       .bounds = bounds,
                                       .bound_count = 1};

static void give(ratings_exposition_t *page, const char *one, const char *two, int64_t value)
{
    ratings_exposition_value(page, (const char *const[]){one, two, NULL}, value);
}

static void write_page(ratings_exposition_t *page)
{
    ratings_exposition_metric(page, &requests);
    give(page, "/a\"b\\c\nd\te", "200", 7);
    give(page, "/\xc3\xa9", "404", INT64_MAX);
    ratings_exposition_metric(page, &threads);
    give(page, NULL, NULL, -3);
    ratings_exposition_metric(page, &lag);
    give(page, "0", NULL, 0);
    give(page, "1", NULL, 2500000);
    give(page, "2", NULL, 1);
    give(page, "3", NULL, -1500000);
    give(page, "4", NULL, -250000);
    give(page, "5", NULL, 3000000);
    ratings_exposition_metric(page, &build);
    give(page, "1.0", NULL, 1);
    ratings_exposition_metric(page, &calls);
    ratings_exposition_histogram(page, (const char *const[]){"talks", NULL, NULL},
                                 (const uint64_t[]){1, 0, 2, 4}, 12000250);
    ratings_exposition_metric(page, &sizes);
    ratings_exposition_histogram(page, (const char *const[]){NULL, NULL, NULL},
                                 (const uint64_t[]){5, 6}, 700);
}

static void check(ratings_exposition_format_e format, const char *expected)
{
    size_t length = 0;
    ratings_exposition_t *page = ratings_exposition_begin(format);
    assert_non_null(page);
    write_page(page);
    char *text = ratings_exposition_end(page, &length);
    assert_non_null(text);
    assert_string_equal(text, expected);
    assert_int_equal(length, strlen(expected));
    free(text);
}

static void as_the_text_format_has_it(void **state)
{
    (void)state;
    check(RATINGS_EXPOSITION_TEXT,
          "# HELP x_requests_total Requests with \"quotes\", a \\\\ and\\na second line\n"
          "# TYPE x_requests_total counter\n"
          "x_requests_total{path=\"/a\\\"b\\\\c\\nd\te\",status=\"200\"} 7\n"
          "x_requests_total{path=\"/\xc3\xa9\",status=\"404\"} 9223372036854775807\n"
          "# HELP x_threads Threads\n"
          "# TYPE x_threads gauge\n"
          "x_threads -3\n"
          "# HELP x_lag_seconds Lag\n"
          "# TYPE x_lag_seconds gauge\n"
          "x_lag_seconds{n=\"0\"} 0\n"
          "x_lag_seconds{n=\"1\"} 2.5\n"
          "x_lag_seconds{n=\"2\"} 0.000001\n"
          "x_lag_seconds{n=\"3\"} -1.5\n"
          "x_lag_seconds{n=\"4\"} -0.25\n"
          "x_lag_seconds{n=\"5\"} 3\n"
          "# HELP x_build_info Build\n"
          "# TYPE x_build_info gauge\n"
          "x_build_info{version=\"1.0\"} 1\n"
          "# HELP x_call_seconds Calls\n"
          "# TYPE x_call_seconds histogram\n"
          "x_call_seconds_bucket{backend=\"talks\",le=\"0.0005\"} 1\n"
          "x_call_seconds_bucket{backend=\"talks\",le=\"1\"} 1\n"
          "x_call_seconds_bucket{backend=\"talks\",le=\"2.5\"} 3\n"
          "x_call_seconds_bucket{backend=\"talks\",le=\"+Inf\"} 7\n"
          "x_call_seconds_sum{backend=\"talks\"} 12.00025\n"
          "x_call_seconds_count{backend=\"talks\"} 7\n"
          "# HELP x_size_records Sizes\n"
          "# TYPE x_size_records histogram\n"
          "x_size_records_bucket{le=\"500\"} 5\n"
          "x_size_records_bucket{le=\"+Inf\"} 11\n"
          "x_size_records_sum 700\n"
          "x_size_records_count 11\n");
}

static void as_openmetrics_has_it(void **state)
{
    (void)state;
    check(RATINGS_EXPOSITION_OPENMETRICS,
          "# HELP x_requests Requests with \\\"quotes\\\", a \\\\ and\\na second line\n"
          "# TYPE x_requests counter\n"
          "x_requests_total{path=\"/a\\\"b\\\\c\\nd\te\",status=\"200\"} 7\n"
          "x_requests_total{path=\"/\xc3\xa9\",status=\"404\"} 9223372036854775807\n"
          "# HELP x_threads Threads\n"
          "# TYPE x_threads gauge\n"
          "x_threads -3\n"
          "# HELP x_lag_seconds Lag\n"
          "# TYPE x_lag_seconds gauge\n"
          "# UNIT x_lag_seconds seconds\n"
          "x_lag_seconds{n=\"0\"} 0\n"
          "x_lag_seconds{n=\"1\"} 2.5\n"
          "x_lag_seconds{n=\"2\"} 0.000001\n"
          "x_lag_seconds{n=\"3\"} -1.5\n"
          "x_lag_seconds{n=\"4\"} -0.25\n"
          "x_lag_seconds{n=\"5\"} 3\n"
          "# HELP x_build Build\n"
          "# TYPE x_build info\n"
          "x_build_info{version=\"1.0\"} 1\n"
          "# HELP x_call_seconds Calls\n"
          "# TYPE x_call_seconds histogram\n"
          "# UNIT x_call_seconds seconds\n"
          "x_call_seconds_bucket{backend=\"talks\",le=\"0.0005\"} 1\n"
          "x_call_seconds_bucket{backend=\"talks\",le=\"1.0\"} 1\n"
          "x_call_seconds_bucket{backend=\"talks\",le=\"2.5\"} 3\n"
          "x_call_seconds_bucket{backend=\"talks\",le=\"+Inf\"} 7\n"
          "x_call_seconds_sum{backend=\"talks\"} 12.00025\n"
          "x_call_seconds_count{backend=\"talks\"} 7\n"
          "# HELP x_size_records Sizes\n"
          "# TYPE x_size_records histogram\n"
          "# UNIT x_size_records records\n"
          "x_size_records_bucket{le=\"500.0\"} 5\n"
          "x_size_records_bucket{le=\"+Inf\"} 11\n"
          "x_size_records_sum 700\n"
          "x_size_records_count 11\n"
          "# EOF\n");
}

static void as_json_has_it(void **state)
{
    (void)state;
    check(
        RATINGS_EXPOSITION_JSON,
        "{\"metrics\":["
        "{\"name\":\"x_requests_total\",\"type\":\"counter\","
        "\"help\":\"Requests with \\\"quotes\\\", a \\\\ and\\na second line\",\"values\":["
        "{\"labels\":{\"path\":\"/a\\\"b\\\\c\\nd\\u0009e\",\"status\":\"200\"},\"value\":7},"
        "{\"labels\":{\"path\":\"/\xc3\xa9\",\"status\":\"404\"},\"value\":9223372036854775807}]},"
        "{\"name\":\"x_threads\",\"type\":\"gauge\",\"help\":\"Threads\",\"values\":["
        "{\"labels\":{},\"value\":-3}]},"
        "{\"name\":\"x_lag_seconds\",\"type\":\"gauge\",\"unit\":\"seconds\",\"help\":\"Lag\","
        "\"values\":[{\"labels\":{\"n\":\"0\"},\"value\":0},"
        "{\"labels\":{\"n\":\"1\"},\"value\":2.5},{\"labels\":{\"n\":\"2\"},\"value\":0.000001},"
        "{\"labels\":{\"n\":\"3\"},\"value\":-1.5},{\"labels\":{\"n\":\"4\"},\"value\":-0.25},"
        "{\"labels\":{\"n\":\"5\"},\"value\":3}]},"
        "{\"name\":\"x_build_info\",\"type\":\"info\",\"help\":\"Build\",\"values\":["
        "{\"labels\":{\"version\":\"1.0\"},\"value\":1}]},"
        "{\"name\":\"x_call_seconds\",\"type\":\"histogram\",\"unit\":\"seconds\","
        "\"help\":\"Calls\",\"values\":[{\"labels\":{\"backend\":\"talks\"},\"count\":7,"
        "\"buckets\":[{\"le\":0.0005,\"count\":1},{\"le\":1,\"count\":1},{\"le\":2.5,\"count\":3}],"
        "\"sum\":12.00025}]},"
        "{\"name\":\"x_size_records\",\"type\":\"histogram\",\"unit\":\"records\","
        "\"help\":\"Sizes\",\"values\":[{\"labels\":{},\"count\":11,"
        "\"buckets\":[{\"le\":500,\"count\":5}],\"sum\":700}]}]}");
}

static void a_page_without_metrics_is_one(void **state)
{
    static const char *const empty[RATINGS_EXPOSITIONS] = {"", "# EOF\n", "{\"metrics\":[]}"};
    (void)state;
    for (int i = 0; i < RATINGS_EXPOSITIONS; i++) {
        size_t length = 99;
        char *text = ratings_exposition_end(
            ratings_exposition_begin((ratings_exposition_format_e)i), &length);
        assert_string_equal(text, empty[i]);
        assert_int_equal(length, strlen(empty[i]));
        free(text);
    }
}

/* What is negotiated by is the beginning of what is sent. */
static void media_types_have_parameters(void **state)
{
    (void)state;
    for (int i = 0; i < RATINGS_EXPOSITIONS; i++) {
        const char *type = ratings_exposition_type((ratings_exposition_format_e)i);
        const char *field = ratings_exposition_content_type((ratings_exposition_format_e)i);
        assert_memory_equal(field, type, strlen(type));
        assert_true(field[strlen(type)] == ';' || field[strlen(type)] == '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_text_format_has_it),
        cmocka_unit_test(as_openmetrics_has_it),
        cmocka_unit_test(as_json_has_it),
        cmocka_unit_test(a_page_without_metrics_is_one),
        cmocka_unit_test(media_types_have_parameters),
    };
    return cmocka_run_group_tests_name("exposition", tests, NULL, NULL);
}
