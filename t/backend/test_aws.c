/* Signed calls of the function, and where their credentials come from: t/chaos/tools/aws judges
 * the one by computing the signature itself, and hands out the other. */
#include "../../src/backend/stats/stats.h"
#include "script_peer.h"

#include <apr_general.h>
#include <apr_strings.h>
#include <sys/stat.h>

#define AUTH "aws-sigv4:eu-central-1"

static apr_pool_t *pool;
static script_peer_t peer;
static char directory[] = "/tmp/mod_ratings-aws-XXXXXX";

static const ratings_histogram_t some = {{0, 0, 1, 0, 7}};

/* ---- files ---- */

static const char *path_of(const char *name)
{
    return apr_pstrcat(pool, directory, "/", name, NULL);
}

static const char *write_file(const char *name, const char *text)
{
    const char *path = path_of(name), *new = path_of("new");
    FILE *file = fopen(new, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(rename(new, path), 0);
    return path;
}

/* How the stub hands out credentials from now on; its events begin anew. */
static void set_mode(const char *mode)
{
    unlink(path_of("events"));
    (void)write_file("mode", mode);
}

/* How many events there are that begin so. */
static int events(const char *begin)
{
    char line[256];
    int count = 0;
    FILE *file = fopen(path_of("events"), "r");
    while (file && fgets(line, sizeof line, file))
        count += strncmp(line, begin, strlen(begin)) == 0;
    if (file)
        fclose(file);
    return count;
}

/* ---- set up ---- */

static int set_up(void **state)
{
    (void)state;
    alarm(TEST_SECONDS);
    count_threads();
    signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    apr_pool_create(&pool, NULL);
    assert_non_null(mkdtemp(directory));
    script_peer_start(&peer, "t/chaos/tools/aws", directory);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const files[] = {"mode", "events", "credentials", "token"};
    (void)state;
    script_peer_stop(&peer);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        unlink(path_of(files[i]));
    assert_int_equal(rmdir(directory), 0);
    AWAIT(threads() == 0);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

/* ---- the module's side ---- */

typedef struct {
    ratings_stats_log_t log;
    atomic_int failed, refreshed;
} log_t;

static void count_log(ratings_stats_log_t *log, ratings_stats_log_e event, const char *why)
{
    log_t *own = (log_t *)log;
    assert_non_null(why);
    atomic_fetch_add(event == RATINGS_STATS_LOG_REFRESHED ? &own->refreshed : &own->failed, 1);
}

static log_t logged;

static ratings_stats_t *stats_of(const ratings_aws_environment_t *environment, int timeout_ms)
{
    ratings_aws_source_t source;
    ratings_stats_t *stats = NULL;
    ratings_result_t why;
    char reason[256];
    if (!ratings_aws_source_find(environment, &source, reason, sizeof reason))
        fail_msg("%s", reason);
    logged = (log_t){.log = {count_log}};
    const ratings_stats_options_t options = {
        .url = apr_psprintf(pool, "http://127.0.0.1:%d/signed", peer.port),
        .handles_max = 8,
        .timeout = apr_time_from_msec(timeout_ms),
        .auth = AUTH,
        .credentials = &source,
        .log = &logged.log,
    };
    assert_int_equal(ratings_stats_create(&stats, &options, &why), APR_SUCCESS);
    return stats;
}

static ratings_stats_t *stats_of_instance(int timeout_ms)
{
    const ratings_aws_environment_t environment = {
        .instance_url = apr_psprintf(pool, "http://127.0.0.1:%d/", peer.port)};
    return stats_of(&environment, timeout_ms);
}

static void expect_success_with(ratings_stats_t *stats, const ratings_trace_t *trace)
{
    ratings_statistics_t out = {0, 0};
    ratings_result_t why;
    if (ratings_stats_compute(stats, &some, trace, NO_DEADLINE, &out, &why) != APR_SUCCESS)
        fail_msg("%d: %s", why.status, why.detail);
    assert_int_equal(out.total_count, 8);
}

static void expect_success(ratings_stats_t *stats)
{
    expect_success_with(stats, NULL);
}

/* libcurl signs the headers of a trace as well. */
static void expect_traced_success(ratings_stats_t *stats)
{
    static const ratings_trace_t trace = {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                          "rojo=00f067aa0ba902b7,congo=t6 1rcWkgMzE"};
    expect_success_with(stats, &trace);
}

/* The call ends within `high` milliseconds, with `text` in its reason. */
static void expect_failure(ratings_stats_t *stats, apr_status_t status, const char *text, int high)
{
    ratings_statistics_t out;
    ratings_result_t why;
    int64_t begin = now_ms();
    (void)ratings_stats_compute(stats, &some, NULL, NO_DEADLINE, &out, &why);
    if (why.status != status || !strstr(why.detail, text))
        fail_msg("%d: %s", why.status, why.detail);
    assert_took(now_ms() - begin, 0, high);
}

/* ---- signatures ---- */

static void stub_agrees_with_the_published_vectors(void **state)
{
    (void)state;
    assert_int_equal(system("python3 t/chaos/tools/aws_signature.py"), 0);
}

static void environment_signs(void **state)
{
    static const ratings_aws_environment_t rows[] = {
        {.key_id = "AKIDEXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
        {.key_id = "AKIDSESSION",
         .secret = "secret/of+the=session",
         .token = "token/of+the=session"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratings_stats_t *stats = stats_of(&rows[i], 5000);
        for (int k = 0; k < 3; k++) {
            expect_success(stats);
            expect_traced_success(stats);
        }
        ratings_stats_destroy(stats);
    }
}

static void wrong_secret_is_refused(void **state)
{
    static const ratings_aws_environment_t rows[] = {
        {.key_id = "AKIDEXAMPLE", .secret = "another"},
        {.key_id = "AKIDUNKNOWN", .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
        {.key_id = "AKIDSESSION", .secret = "secret/of+the=session"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratings_stats_t *stats = stats_of(&rows[i], 5000);
        expect_failure(stats, APR_EINVAL, "status 403", 1000);
        ratings_stats_destroy(stats);
    }
}

static void shared_file_signs(void **state)
{
    const char *file = write_file("credentials", "[default]\naws_access_key_id = AKIDOTHER\n"
                                                 "aws_secret_access_key = x\n\n[test]\n"
                                                 "aws_access_key_id = AKIDSESSION\n"
                                                 "aws_secret_access_key=secret/of+the=session\n"
                                                 "aws_session_token = token/of+the=session\n");
    const ratings_aws_environment_t environment = {.file = file, .profile = "test"};
    (void)state;
    assert_int_equal(chmod(file, 0600), 0);
    ratings_stats_t *stats = stats_of(&environment, 5000);
    expect_success(stats);
    ratings_stats_destroy(stats);
}

static void misfits_are_found(void **state)
{
    static const struct {
        const char *auth, *url, *header;
        bool fits;
    } rows[] = {
        {"off", "http://u:p@h/a:b?c", "X-Key: v", true},
        {"aws-sigv4", "https://id.lambda-url.eu-central-1.on.aws", NULL, true},
        {"aws-sigv4", "https://id.lambda-url.eu-central-1.on.aws/", NULL, true},
        {"aws-sigv4:us-east-1", "https://stats.example.org/v1/stats_x-y~z.json", NULL, true},
        {"aws-sigv4", "https://stats.example.org/", NULL, false},
        {"aws-sigv4", "http://id.lambda-url.eu-central-1.on.aws/", NULL, false},
        {"aws-sigv4", "https://id.lambda-url.eu-central-1.on.aws.example.org/", NULL, false},
        {"aws-sigv4", "https://id.lambda-url.eu-central-1.on.aws/", "X-Key: v", false},
        {"aws-sigv4", "https://id.lambda-url.eu-central-1.on.aws/?a=b", NULL, false},
        {"aws-sigv4", "https://id.lambda-url.eu-central-1.on.aws?a", NULL, false},
        {"aws-sigv4:us-east-1", "https://h/a:b", NULL, false},
        {"aws-sigv4:us-east-1", "https://h/a%20b", NULL, false},
        {"aws-sigv4:us-east-1", "https://h/a//b", NULL, false},
        {"aws-sigv4:us-east-1", "https://h/a/../b", NULL, false},
        {"aws-sigv4:us-east-1", "https://u@h/", NULL, false},
        {"aws-sigv4:us-east-1", "https://u:p@h/", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_null(ratings_stats_auth_problem(rows[i].auth));
        const char *misfit = ratings_stats_auth_misfit(rows[i].auth, rows[i].url, rows[i].header);
        if (!misfit != rows[i].fits)
            fail_msg("%s %s: %s", rows[i].auth, rows[i].url, misfit ? misfit : "is taken");
    }
}

static void auth_problem_is_found(void **state)
{
    static const char *const bad[] = {"",
                                      "on",
                                      "aws-sigv4:",
                                      "aws-sigv4a",
                                      "aws-sigv4:EU",
                                      "aws-sigv4:a:b",
                                      "AWS-SIGV4",
                                      "aws-sigv4:eu-central-1-eu-central-1-eu-central"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(ratings_stats_auth_problem(bad[i]));
}

/* ---- a container, an instance ---- */

static void instance_signs(void **state)
{
    (void)state;
    set_mode("ok 3600 0");
    ratings_stats_t *stats = stats_of_instance(5000);
    for (int k = 0; k < 5; k++)
        expect_success(stats);
    ratings_stats_destroy(stats);
    assert_int_equal(events("asked"), 1);
    assert_int_equal(logged.failed + logged.refreshed, 0);
}

static void container_signs(void **state)
{
    const ratings_aws_environment_t environment = {
        .container_url = apr_psprintf(pool, "http://127.0.0.1:%d/container", peer.port),
        .authorization = "of the container"};
    (void)state;
    set_mode("ok 3600 0");
    ratings_stats_t *stats = stats_of(&environment, 5000);
    expect_success(stats);
    ratings_stats_destroy(stats);
    assert_int_equal(events("asked"), 1);
}

/* What follows the port of a container's URL may be a secret. */
static void url_is_named_without_its_path(void **state)
{
    const ratings_aws_environment_t environment = {
        .container_url = apr_psprintf(pool, "http://127.0.0.1:%d/hunter2?key=hunter3", peer.port)};
    ratings_statistics_t out;
    ratings_result_t why;
    (void)state;
    set_mode("ok 3600 0");
    ratings_stats_t *stats = stats_of(&environment, 5000);
    (void)ratings_stats_compute(stats, &some, NULL, NO_DEADLINE, &out, &why);
    ratings_stats_destroy(stats);
    const char *said =
        apr_psprintf(pool, "the answer of http://127.0.0.1:%d to GET has status 401", peer.port);
    if (!strstr(why.detail, said) || strstr(why.detail, "hunter"))
        fail_msg("%s", why.detail);
}

static void token_of_a_file_is_read_each_time(void **state)
{
    const ratings_aws_environment_t environment = {
        .container_url = apr_psprintf(pool, "http://127.0.0.1:%d/container", peer.port),
        .authorization = "is not looked at",
        .authorization_file = write_file("token", "another\n")};
    (void)state;
    set_mode("ok 3600 0");
    ratings_stats_t *stats = stats_of(&environment, 5000);
    expect_failure(stats, APR_ECONNREFUSED, "status 401", 1000);
    (void)write_file("token", "of the container\n");
    pause_ms(2100);
    expect_success(stats);
    ratings_stats_destroy(stats);
    assert_int_equal(logged.failed, 1);
    assert_int_equal(logged.refreshed, 1);
}

/* ---- credentials that expire ---- */

/* 301 seconds: in one from now they are to be refreshed. */
static void refreshed_before_they_expire(void **state)
{
    (void)state;
    set_mode("ok 302 0");
    ratings_stats_t *stats = stats_of_instance(5000);
    expect_success(stats);
    set_mode("ok 3600 1000");
    pause_ms(2500);
    int64_t begin = now_ms();
    expect_success(stats);
    assert_took(now_ms() - begin, 0, 300);
    assert_int_equal(events("issued"), 0);
    AWAIT(events("issued") == 1);
    pause_ms(100);
    unlink(path_of("events"));
    expect_success(stats);
    assert_int_equal(events("asked"), 0);
    ratings_stats_destroy(stats);
    assert_int_equal(logged.failed + logged.refreshed, 0);
}

static void expired_ones_are_waited_for(void **state)
{
    (void)state;
    set_mode("ok 3 0");
    ratings_stats_t *stats = stats_of_instance(5000);
    expect_success(stats);
    set_mode("ok 3600 300");
    pause_ms(3100);
    expect_success(stats);
    assert_int_equal(events("issued"), 1);
    ratings_stats_destroy(stats);
}

/* While the service fails, those at hand are used, and the failure is logged once. */
static void valid_ones_outlive_a_failure(void **state)
{
    (void)state;
    set_mode("ok 290 0");
    ratings_stats_t *stats = stats_of_instance(5000);
    expect_success(stats);
    set_mode("status 500");
    for (int k = 0; k < 25; k++) {
        expect_success(stats);
        pause_ms(200);
    }
    assert_in_range(events("asked"), 1, 3);
    assert_int_equal(logged.failed, 1);
    set_mode("ok 3600 0");
    pause_ms(2100);
    expect_success(stats);
    AWAIT(logged.refreshed == 1);
    ratings_stats_destroy(stats);
    assert_int_equal(logged.failed, 1);
}

static void service_fails(void **state)
{
    static const struct {
        const char *mode, *text;
    } rows[] = {
        {"status 404", "has status 404"},
        {"status 302", "has status 302"},
        {"say {}", "there is no access key id"},
        {"say no JSON", "the answer of http"},
        {"say {\"Code\":\"Failed\"}", "its Code is not Success"},
        {"say {\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\",\"Expiration\":\"soon\"}",
         "its Expiration is no time"},
        {"say {\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"b\\r\\nX: y\"}",
         "the secret access key is none"},
        {"ok -10 0", "have expired"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_mode(rows[i].mode);
        ratings_stats_t *stats = stats_of_instance(5000);
        for (int k = 0; k < 5; k++)
            expect_failure(stats, APR_ECONNREFUSED, rows[i].text, 1000);
        ratings_stats_destroy(stats);
        assert_int_equal(events("asked"), 1);
        assert_int_equal(events("called"), 0);
        assert_int_equal(logged.failed, 1);
    }
}

static void nobody_listens(void **state)
{
    const ratings_aws_environment_t environment = {
        .instance_url = apr_psprintf(pool, "http://127.0.0.1:%d", free_port())};
    (void)state;
    ratings_stats_t *stats = stats_of(&environment, 5000);
    expect_failure(stats, APR_ECONNREFUSED, "there are no credentials of AWS", 1000);
    ratings_stats_destroy(stats);
}

static void service_hangs(void **state)
{
    (void)state;
    set_mode("hang");
    ratings_stats_t *stats = stats_of_instance(300);
    for (int k = 0; k < 3; k++)
        expect_failure(stats, APR_TIMEUP, "no credentials of AWS came in time", 600);
    AWAIT(threads() == 1);
    int64_t begin = now_ms();
    ratings_stats_destroy(stats);
    assert_took(now_ms() - begin, 0, 200);
    AWAIT(threads() == 0);
}

typedef struct {
    ratings_stats_t *stats;
    pthread_t thread;
} caller_t;

static void *call_often(void *data)
{
    const caller_t *caller = data;
    for (int k = 0; k < 20; k++)
        expect_success(caller->stats);
    return NULL;
}

/* All wait for the same answer. */
static void many_threads(void **state)
{
    caller_t callers[8];
    (void)state;
    set_mode("ok 3600 200");
    ratings_stats_t *stats = stats_of_instance(10000);
    for (int i = 0; i < 8; i++) {
        callers[i].stats = stats;
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(callers[i].thread, NULL);
    ratings_stats_destroy(stats);
    assert_int_equal(events("asked"), 1);
    assert_int_equal(events("called"), 8 * 20);
}

static void nothing_is_left_open(void **state)
{
    int before = open_files();
    (void)state;
    set_mode("ok 3600 0");
    for (int i = 0; i < 5; i++) {
        ratings_stats_t *stats = stats_of_instance(5000);
        expect_success(stats);
        ratings_stats_destroy(stats);
    }
    AWAIT(threads() == 0);
    assert_int_equal(open_files(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stub_agrees_with_the_published_vectors),
        cmocka_unit_test(environment_signs),
        cmocka_unit_test(wrong_secret_is_refused),
        cmocka_unit_test(shared_file_signs),
        cmocka_unit_test(misfits_are_found),
        cmocka_unit_test(auth_problem_is_found),
        cmocka_unit_test(instance_signs),
        cmocka_unit_test(container_signs),
        cmocka_unit_test(url_is_named_without_its_path),
        cmocka_unit_test(token_of_a_file_is_read_each_time),
        cmocka_unit_test(refreshed_before_they_expire),
        cmocka_unit_test(expired_ones_are_waited_for),
        cmocka_unit_test(valid_ones_outlive_a_failure),
        cmocka_unit_test(service_fails),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(service_hangs),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(nothing_is_left_open),
    };
    return cmocka_run_group_tests_name("aws", tests, set_up, tear_down);
}
