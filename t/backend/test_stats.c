#include "../../src/backend/stats/stats.h"
#include "backend_test.h"
#include "script_peer.h"
#include "slow_resolver.h"

#include <apr_general.h>
#include <apr_strings.h>

static apr_pool_t *pool;
static script_peer_t peer;

static const ratings_histogram_t some = {{0, 0, 1, 0, 7}};

static int set_up(void **state)
{
    (void)state;
    alarm(TEST_SECONDS);
    count_threads();
    signal(SIGPIPE, SIG_IGN);
    /* a proxy of the environment is not for this call: if it were, all that follows would fail */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    apr_initialize();
    apr_pool_create(&pool, NULL);
    script_peer_start(&peer, "t/chaos/tools/function", NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    script_peer_stop(&peer);
    AWAIT(threads() == 0);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

/* ---- the module's side ---- */

static ratings_stats_t *stats_with(ratings_stats_options_t options)
{
    ratings_stats_t *stats = NULL;
    ratings_result_t why;
    assert_int_equal(ratings_stats_create(&stats, &options, &why), APR_SUCCESS);
    return stats;
}

static ratings_stats_t *stats_at(const char *url, int handles_max, int timeout_ms)
{
    return stats_with((ratings_stats_options_t){
        .url = url, .handles_max = handles_max, .timeout = apr_time_from_msec(timeout_ms)});
}

static ratings_stats_t *stats_of(const char *path, int handles_max, int timeout_ms)
{
    return stats_at(apr_psprintf(pool, "http://127.0.0.1:%d/%s", peer.port, path), handles_max,
                    timeout_ms);
}

static apr_status_t compute(ratings_stats_t *stats, ratings_statistics_t *out,
                            ratings_result_t *why)
{
    return ratings_stats_compute(stats, &some, NULL, NO_DEADLINE, out, why);
}

static double expect_success(ratings_stats_t *stats)
{
    ratings_statistics_t out = {0, 0};
    ratings_result_t why;
    apr_status_t status = compute(stats, &out, &why);
    if (status != APR_SUCCESS)
        print_error("%d: %s\n", status, why.detail);
    assert_int_equal(status, APR_SUCCESS);
    assert_int_equal(why.status, APR_SUCCESS);
    assert_string_equal(why.detail, "");
    assert_int_equal(out.total_count, 8);
    return out.avg;
}

/* The call ends within `low`..`high` milliseconds, with `text` in its reason. */
static void expect_failure(ratings_stats_t *stats, apr_status_t status, const char *text,
                           int64_t low, int64_t high)
{
    ratings_statistics_t out;
    ratings_result_t why;
    int64_t begin = now_ms();
    (void)compute(stats, &out, &why);
    int64_t took = now_ms() - begin;
    if (why.status != status || !strstr(why.detail, text) || took < low || took > high)
        print_error("%d after %d ms: %s\n", why.status, (int)took, why.detail);
    assert_int_equal(why.status, status);
    assert_non_null(strstr(why.detail, text));
    assert_took(took, low, high);
}

static void destroy_within(ratings_stats_t *stats, int64_t high)
{
    int64_t begin = now_ms();
    ratings_stats_destroy(stats);
    assert_took(now_ms() - begin, 0, high);
}

typedef struct {
    ratings_stats_t *stats;
    int count;
    pthread_t thread;
    int succeeded, timed_out, not_asked;
    int64_t longest_ms;
    ratings_result_t last;
} caller_t;

static void *call_often(void *data)
{
    caller_t *caller = data;
    for (int i = 0; i < caller->count; i++) {
        ratings_statistics_t out = {0, 0};
        int64_t begin = now_ms();
        apr_status_t status = compute(caller->stats, &out, &caller->last);
        int64_t took = now_ms() - begin;
        if (took > caller->longest_ms)
            caller->longest_ms = took;
        caller->succeeded += status == APR_SUCCESS && out.total_count == 8;
        caller->timed_out += status == APR_TIMEUP;
        caller->not_asked += status == RATINGS_NOT_ASKED;
    }
    return NULL;
}

static void start_callers(caller_t *callers, int n, ratings_stats_t *stats, int count)
{
    for (int i = 0; i < n; i++) {
        callers[i] = (caller_t){.stats = stats, .count = count};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
}

static caller_t join_callers(caller_t *callers, int n)
{
    caller_t sum = {0};
    for (int i = 0; i < n; i++) {
        pthread_join(callers[i].thread, NULL);
        sum.succeeded += callers[i].succeeded;
        sum.timed_out += callers[i].timed_out;
        sum.not_asked += callers[i].not_asked;
        if (callers[i].longest_ms > sum.longest_ms)
            sum.longest_ms = callers[i].longest_ms;
    }
    return sum;
}

/* ---- the URL ---- */

static void url_is_redacted(void **state)
{
    static const char *const rows[][2] = {
        {"http://127.0.0.1:9000/", NULL},
        {"https://id.lambda-url.eu-central-1.on.aws", NULL},
        {"http://h/a/path;x=1", NULL},
        {"http://h/?code=secret", "http://h/?code=***"},
        {"http://h/f?a=secret&b=secret&secret&=", "http://h/f?a=***&b=***&***&=***"},
        {"http://h/?code=sec=ret", "http://h/?code=***"},
        {"http://h?secret", "http://h/?***"},
        {"https://u:secret@h:444/x", "https://u:***@h:444/x"},
        {"http://secret@h/", "http://***@h/"},
        {"http://:secret@h/", "http://:***@h/"},
        {"http://h/#secret", "http://h/"},
        {"http://[::1]:9000/?secret=secret", "http://[::1]:9000/?secret=***"},
        {"http://h:99999/?code=secret", "http://***"},
        {"secret", "***"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(ratings_stats_url_redact(rows[i][0], pool),
                            rows[i][1] ? rows[i][1] : rows[i][0]);
}

static void url_problem_is_found(void **state)
{
    static const char *const good[] = {
        "http://127.0.0.1:9001/",
        "https://abc.lambda-url.eu-west-1.on.aws/",
        "http://h",
        "http://[::1]:9001/2015-03-31/functions/f/invocations",
        "http://user:p%61ss@h:80/%61?a=%62",
        "http://[fe80::1%25eth0]:9001/",
    };
    static const char *const bad[] = {
        "",
        "h",
        "ftp://h/",
        "file:///etc/passwd",
        "http:///path",
        "http://",
        "http://h:0/",
        "http://h:65536/",
        "http://h:port/",
        "http://a b/",
        "//h/",
        "http://h/\n",
        "HTTP//h",
        "redis://h/",
        "http:h",
        "http://1%308/",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(ratings_stats_url_problem(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (!ratings_stats_url_problem(bad[i]))
            print_error("%s is taken\n", bad[i]);
        assert_non_null(ratings_stats_url_problem(bad[i]));
    }
}

static void proxy_problem_is_found(void **state)
{
    static const char *const good[] = {
        "none",
        "http://proxy.example.org:3128",
        "http://proxy.example.org:3128/",
        "http://[::1]:8080",
        "http://user:pass@h:80",
        "http://us%40er:p%3Aa%2Fs%23s@h:80",
        "http://user@h:80",
        "https://proxy.example.org:3129",
    };
    static const char *const bad[] = {
        "",
        "None",
        "h:3128",
        "http://h",
        "http://h/",
        "http://h:",
        "http://h:0",
        "http://h:65536",
        "http://:3128",
        "http://h:3128/path",
        "http://h:3128?a=b",
        "http://h:3128/#f",
        "socks5://h:1080",
        "ftp://h:21",
        "http://user:pass word@h:80",
        "http://user:%00@h:80",
        "http://user:pa/ss@h:80",
        "http://%68:80",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (ratings_stats_proxy_problem(good[i]))
            print_error("%s: %s\n", good[i], ratings_stats_proxy_problem(good[i]));
        assert_null(ratings_stats_proxy_problem(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (!ratings_stats_proxy_problem(bad[i]))
            print_error("%s is taken\n", bad[i]);
        assert_non_null(ratings_stats_proxy_problem(bad[i]));
        assert_null(strstr(ratings_stats_proxy_problem(bad[i]), "pass word"));
    }
}

static void header_problem_is_found(void **state)
{
    static const char *const bad_names[] = {"",     "X Key",  "X-Key:", "X-K\xc3\xa9y",
                                            "Host", "accept", "EXPECT", "content-length"};
    static const char *const bad_values[] = {"", " v", "v ", "a\tb", "a\r\nX: y", "\xc3\xa9"};
    (void)state;
    assert_null(ratings_stats_header_name_problem("X-Stats-Key"));
    assert_null(ratings_stats_header_name_problem("Authorization"));
    assert_null(ratings_stats_header_value_problem("Bearer abc=="));
    for (size_t i = 0; i < sizeof bad_names / sizeof bad_names[0]; i++)
        assert_non_null(ratings_stats_header_name_problem(bad_names[i]));
    for (size_t i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++)
        assert_non_null(ratings_stats_header_value_problem(bad_values[i]));
    char *value = apr_pcalloc(pool, RATINGS_STATS_HEADER_MAX + 2);
    memset(value, 'v', RATINGS_STATS_HEADER_MAX);
    assert_null(ratings_stats_header_value_problem(value));
    value[RATINGS_STATS_HEADER_MAX] = 'v';
    assert_non_null(ratings_stats_header_value_problem(value));
}

static void create_refuses_a_bad_url(void **state)
{
    ratings_stats_options_t options = {
        .url = "ftp://h/", .handles_max = 1, .timeout = APR_USEC_PER_SEC};
    ratings_stats_t *stats;
    ratings_result_t why;
    (void)state;
    assert_int_equal(ratings_stats_create(&stats, &options, &why), APR_EINVAL);
}

/* ---- answers ---- */

static void computes(void **state)
{
    static const char *const paths[] = {"ok", "chunked", "limit", "cookie", "rounded"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ratings_stats_t *stats = stats_of(paths[i], 2, 5000);
        for (int k = 0; k < 3; k++)
            assert_true(expect_success(stats) > 4.749 && expect_success(stats) < 4.751);
        destroy_within(stats, 200);
    }
}

static void header_is_sent(void **state)
{
    ratings_stats_options_t options = {.url =
                                           apr_psprintf(pool, "http://127.0.0.1:%d/key", peer.port),
                                       .handles_max = 1,
                                       .timeout = apr_time_from_sec(5)};
    ratings_stats_t *without = stats_with(options);
    (void)state;
    expect_failure(without, APR_EINVAL, "status 403", 0, 1000);
    ratings_stats_destroy(without);
    options.header = "X-Stats-Key: of the test";
    ratings_stats_t *with = stats_with(options);
    for (int k = 0; k < 3; k++)
        (void)expect_success(with);
    ratings_stats_destroy(with);
}

static const ratings_trace_t trace = {
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
};

static apr_status_t compute_with(ratings_stats_t *stats, const ratings_trace_t *of)
{
    ratings_statistics_t out;
    ratings_result_t why;
    return ratings_stats_compute(stats, &some, of, NO_DEADLINE, &out, &why);
}

/* Each call has the trace that it was given, and none of the one before by the same handle. */
static void trace_is_sent(void **state)
{
    static const ratings_trace_t other = {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
                                          ""};
    ratings_stats_t *traced = stats_of("traced", 1, 5000),
                    *untraced = stats_of("untraced", 1, 5000);
    (void)state;
    for (int k = 0; k < 3; k++) {
        assert_int_equal(compute_with(traced, &trace), APR_SUCCESS);
        assert_int_equal(compute_with(traced, NULL), APR_EINVAL);
        assert_int_equal(compute_with(traced, &other), APR_EINVAL);
        assert_int_equal(compute_with(untraced, &trace), APR_EINVAL);
        assert_int_equal(compute_with(untraced, NULL), APR_SUCCESS);
    }
    ratings_stats_destroy(traced);
    ratings_stats_destroy(untraced);
}

/* The longest that there is, beside a header of the administrator's, over a connection that the
 * function has closed, too. */
static void longest_trace_is_sent(void **state)
{
    ratings_trace_t longest = trace;
    ratings_stats_options_t options = {
        .url = apr_psprintf(pool, "http://127.0.0.1:%d/close", peer.port),
        .handles_max = 1,
        .timeout = apr_time_from_sec(5),
        .header = "X-Stats-Key: of the test"};
    ratings_stats_t *stats = stats_with(options);
    (void)state;
    memset(longest.state, 'a', RATINGS_TRACE_STATE_MAX);
    longest.state[1] = '=';
    longest.state[RATINGS_TRACE_STATE_MAX] = '\0';
    for (int k = 0; k < 3; k++)
        assert_int_equal(compute_with(stats, &longest), APR_SUCCESS);
    ratings_stats_destroy(stats);
}

static void computes_nothing(void **state)
{
    ratings_stats_t *stats = stats_of("ok", 2, 5000);
    ratings_histogram_t none = {{0}};
    ratings_statistics_t out = {1, 1};
    ratings_result_t why;
    (void)state;
    assert_int_equal(ratings_stats_compute(stats, &none, NULL, NO_DEADLINE, &out, &why),
                     APR_SUCCESS);
    assert_true(out.total_count == 0 && !(out.avg > 0) && !(out.avg < 0));
    ratings_stats_destroy(stats);
}

static void refuses_what_does_not_fit(void **state)
{
    static const char *const rows[][2] = {
        {"500", "status 500"},
        {"204", "status 204"},
        {"redirect", "status 302"},
        {"html", ""},
        {"empty", ""},
        {"nan", ""},
        {"half", ""},
        {"wrong", "totalCount is not that"},
        {"lie", "avg is not the average"},
        {"huge", "longer than 65536"},
        {"huge_chunked", "longer than 65536"},
        {"huge_headers", "longer than 65536"},
        {"over_limit", "longer than 65536"},
        {"no_http", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratings_stats_t *stats = stats_of(rows[i][0], 2, 5000);
        for (int k = 0; k < 3; k++) /* the handle is as good as new after each */
            expect_failure(stats, APR_EINVAL, rows[i][1], 0, 1000);
        ratings_stats_destroy(stats);
    }
}

static void connection_that_breaks(void **state)
{
    static const char *const paths[] = {"cut", "no_answer"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ratings_stats_t *stats = stats_of(paths[i], 2, 5000);
        expect_failure(stats, APR_EGENERAL, "", 0, 1000);
        ratings_stats_destroy(stats);
    }
}

/* ---- connections ---- */

static void connection_is_kept(void **state)
{
    ratings_stats_t *stats = stats_of("connections", 4, 5000);
    double first = expect_success(stats);
    (void)state;
    for (int i = 0; i < 20; i++) {
        double again = expect_success(stats);
        assert_true(!(again > first) && !(again < first));
    }
    ratings_stats_destroy(stats);
}

/* The peer closes it after each answer, which is noticed at the next call, or in the midst of it.
 */
static void connection_that_was_closed_is_replaced(void **state)
{
    ratings_stats_t *stats = stats_of("close", 1, 5000);
    (void)state;
    for (int i = 0; i < 100; i++)
        expect_success(stats);
    ratings_stats_destroy(stats);
}

static void nobody_listens(void **state)
{
    ratings_stats_t *stats =
        stats_at(apr_psprintf(pool, "http://127.0.0.1:%d/", free_port()), 2, 5000);
    (void)state;
    expect_failure(stats, APR_ECONNREFUSED, "", 0, 1000);
    destroy_within(stats, 200);
}

static void no_such_host(void **state)
{
    ratings_stats_t *stats = stats_at("http://.invalid./", 2, 5000);
    (void)state;
    expect_failure(stats, APR_ECONNREFUSED, "", 0, 5000);
    ratings_stats_destroy(stats);
}

static void peer_without_tls(void **state)
{
    ratings_stats_t *stats =
        stats_at(apr_psprintf(pool, "https://127.0.0.1:%d/ok", peer.port), 2, 5000);
    (void)state;
    expect_failure(stats, APR_ECONNREFUSED, "", 0, 5000);
    ratings_stats_destroy(stats);
}

/* ---- time ---- */

static void ends_at_its_deadline(void **state)
{
    static const char *const paths[] = {"hang", "hang_in_headers", "hang_in_body", "drip"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ratings_stats_t *stats = stats_of(paths[i], 2, 250);
        expect_failure(stats, APR_TIMEUP, "", 245, 450);
        expect_failure(stats, APR_TIMEUP, "", 245, 450);
        destroy_within(stats, 200);
    }
}

/* The caller's deadline or the timeout of create, whichever is earlier. */
static void ends_at_the_deadline_of_its_caller(void **state)
{
    static const struct {
        int timeout_ms, deadline_ms, low, high;
        apr_status_t status;
    } rows[] = {{10000, 250, 245, 450, APR_TIMEUP},
                {250, 10000, 245, 450, APR_TIMEUP},
                {10000, 0, 0, 50, RATINGS_NOT_ASKED}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratings_stats_t *stats = stats_of("hang", 2, rows[i].timeout_ms);
        ratings_statistics_t out;
        ratings_result_t why;
        int64_t begin = now_ms();
        assert_int_equal(
            ratings_stats_compute(stats, &some, NULL, deadline_in(rows[i].deadline_ms), &out, &why),
            rows[i].status);
        assert_took(now_ms() - begin, rows[i].low, rows[i].high);
        ratings_stats_destroy(stats);
    }
}

static void wait_for_a_handle_ends_at_the_deadline_of_its_caller(void **state)
{
    ratings_stats_t *stats = stats_of("hang", 1, 3000);
    ratings_statistics_t out;
    ratings_result_t why;
    caller_t caller;
    (void)state;
    int before = open_files();
    start_callers(&caller, 1, stats, 1);
    AWAIT(open_files() > before);
    int64_t begin = now_ms();
    assert_int_equal(ratings_stats_compute(stats, &some, NULL, deadline_in(200), &out, &why),
                     RATINGS_NOT_ASKED);
    assert_took(now_ms() - begin, 195, 400);
    assert_non_null(strstr(why.detail, "in use"));
    assert_int_equal(join_callers(&caller, 1).timed_out, 1);
    ratings_stats_destroy(stats);
}

static void resolver_hangs(void **state)
{
    ratings_stats_t *stats = stats_at("http://" SLOW_NAME "/", 2, 250);
    (void)state;
    expect_failure(stats, APR_TIMEUP, "", 245, 450);
    destroy_within(stats, 200);
    AWAIT(threads() == 0);
}

static void peer_that_was_stopped(void **state)
{
    ratings_stats_t *stats = stats_of("ok", 2, 250);
    (void)state;
    expect_success(stats);
    stop_process(peer.pid);
    expect_failure(stats, APR_TIMEUP, "", 245, 450);
    kill(peer.pid, SIGCONT);
    expect_success(stats);
    ratings_stats_destroy(stats);
}

static void pool_is_exhausted(void **state)
{
    ratings_stats_t *stats = stats_of("hang", 2, 300);
    caller_t callers[6];
    (void)state;
    start_callers(callers, 6, stats, 1);
    caller_t sum = join_callers(callers, 6);
    assert_true(sum.timed_out >= 2); /* one that gets a handle at its very end asks as well */
    assert_int_equal(sum.timed_out + sum.not_asked, 6);
    assert_took(sum.longest_ms, 295, 600);
    ratings_stats_destroy(stats);
}

static void waits_for_one_to_come_free(void **state)
{
    ratings_stats_t *stats = stats_of("ok", 1, 10000);
    caller_t callers[8];
    (void)state;
    start_callers(callers, 8, stats, 20);
    assert_int_equal(join_callers(callers, 8).succeeded, 8 * 20);
    ratings_stats_destroy(stats);
}

/* Two calls hang, two wait for a handle. */
static void destroyed_during_calls(void **state)
{
    static const char *const paths[] = {"hang", "hang_in_headers", "hang_in_body", "drip"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ratings_stats_t *stats = stats_of(paths[i], 2, 30000);
        caller_t callers[4];
        int before = open_files();
        start_callers(callers, 4, stats, 1);
        AWAIT(open_files() >= before + 2);
        pause_ms(50); /* on the way to the peer's silence: no call may end however far it is */
        destroy_within(stats, 100);
        caller_t sum = join_callers(callers, 4);
        assert_int_equal(sum.not_asked, 4);
        assert_non_null(strstr(callers[0].last.detail, "stops"));
    }
}

/* ---- many ---- */

static void many_threads(void **state)
{
    ratings_stats_t *stats = stats_of("ok", 8, 30000);
    caller_t callers[32];
    (void)state;
    start_callers(callers, 32, stats, 50);
    assert_int_equal(join_callers(callers, 32).succeeded, 32 * 50);
    ratings_stats_destroy(stats);
}

static void many_threads_and_closed_connections(void **state)
{
    ratings_stats_t *stats = stats_of("close", 8, 30000);
    caller_t callers[32];
    (void)state;
    start_callers(callers, 32, stats, 30);
    assert_int_equal(join_callers(callers, 32).succeeded, 32 * 30);
    ratings_stats_destroy(stats);
}

static void nothing_is_left_open(void **state)
{
    int before = open_files();
    (void)state;
    for (int i = 0; i < 5; i++) {
        ratings_stats_t *stats = stats_of("ok", 8, 10000);
        caller_t callers[8];
        start_callers(callers, 8, stats, 5);
        assert_int_equal(join_callers(callers, 8).succeeded, 8 * 5);
        ratings_stats_destroy(stats);
    }
    assert_int_equal(open_files(), before);
    AWAIT(threads() == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url_is_redacted),
        cmocka_unit_test(url_problem_is_found),
        cmocka_unit_test(proxy_problem_is_found),
        cmocka_unit_test(header_problem_is_found),
        cmocka_unit_test(create_refuses_a_bad_url),
        cmocka_unit_test(computes),
        cmocka_unit_test(header_is_sent),
        cmocka_unit_test(trace_is_sent),
        cmocka_unit_test(longest_trace_is_sent),
        cmocka_unit_test(computes_nothing),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(connection_that_breaks),
        cmocka_unit_test(connection_is_kept),
        cmocka_unit_test(connection_that_was_closed_is_replaced),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(no_such_host),
        cmocka_unit_test(peer_without_tls),
        cmocka_unit_test(ends_at_its_deadline),
        cmocka_unit_test(ends_at_the_deadline_of_its_caller),
        cmocka_unit_test(wait_for_a_handle_ends_at_the_deadline_of_its_caller),
        cmocka_unit_test(resolver_hangs),
        cmocka_unit_test(peer_that_was_stopped),
        cmocka_unit_test(pool_is_exhausted),
        cmocka_unit_test(waits_for_one_to_come_free),
        cmocka_unit_test(destroyed_during_calls),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(many_threads_and_closed_connections),
        cmocka_unit_test(nothing_is_left_open),
    };
    return cmocka_run_group_tests_name("stats", tests, set_up, tear_down);
}
