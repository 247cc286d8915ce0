#include "../../src/backend/talks/talks.h"
#include "../../src/backend/talks/talks_conninfo.h"
#include "../../src/backend/talks/talks_redact.h"
#include "backend_test.h"
#include "slow_resolver.h"

#include <apr_dbd.h>
#include <apr_general.h>
#include <apr_strings.h>
#include <libpq-fe.h>
#include <sys/wait.h>

static char directory[] = "/tmp/ratings-talks-XXXXXX";
static int port;
static apr_pool_t *pool;

/* ---- the server ---- */

static int server(const char *command, const char *argument)
{
    char *line = apr_psprintf(pool, "t/backend/postgres.sh %s %s %s </dev/null >>%s/log 2>&1",
                              command, directory, argument, directory);
    return system(line);
}

static void start_server(void)
{
    assert_int_equal(server("start", apr_itoa(pool, port)), 0);
}

static void stop_server(const char *mode)
{
    assert_int_equal(server("stop", mode), 0);
}

static pid_t postmaster(void)
{
    FILE *file = fopen(apr_pstrcat(pool, directory, "/data/postmaster.pid", NULL), "r");
    int pid = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

static PGconn *connect_as_owner(void)
{
    PGconn *owner = PQconnectdb(apr_psprintf(
        pool, "postgres://owner:secret@127.0.0.1:%d/postgres?application_name=owner", port));
    assert_int_equal(PQstatus(owner), CONNECTION_OK);
    return owner;
}

/* Runs `sql` as the superuser; the first field of the first row, or "". */
static const char *run(PGconn *owner, const char *sql)
{
    PGresult *result = PQexec(owner, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
        print_error("%s: %s", sql, PQerrorMessage(owner));
    assert_true(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK);
    char *value = apr_pstrdup(pool, PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return value;
}

static const char *run_once(const char *sql)
{
    PGconn *owner = connect_as_owner();
    const char *value = run(owner, sql);
    PQfinish(owner);
    return value;
}

#define OF_MODULE "FROM pg_stat_activity WHERE application_name = 'mod_ratings'"

/* Backends of the server that serve the module. */
static int sessions(void)
{
    return atoi(run_once("SELECT count(*) " OF_MODULE));
}

/* Of the test before: a session goes on for a moment after it was left. */
static int until_no_session_is_left(void **state)
{
    (void)state;
    AWAIT(sessions() == 0);
    return 0;
}

/* ... that wait for the lock on the table: each has a query under way that does not end. */
static int waiting_sessions(void)
{
    return atoi(run_once("SELECT count(*) " OF_MODULE " AND wait_event_type = 'Lock'"));
}

/* Until it is finished, no talk can be read. */
static PGconn *lock_table(void)
{
    PGconn *owner = connect_as_owner();
    run(owner, "BEGIN");
    run(owner, "LOCK TABLE talks");
    return owner;
}

static const char *const odd_ids[] = {
    "it's",        "\"quoted\"",
    "back\\slash", "100%",
    "%s",          "%d%n",
    "$1",          "a;DROP TABLE",
    "--",          "na\xc3\xafve \xe2\x98\x83",
    "E'\\x41'",    "\xf0\x9f\x8e\x89",
    " blank ",     "{}",
    "NULL",        "'; DELETE FROM talks; --",
};
#define ODD_IDS (sizeof odd_ids / sizeof odd_ids[0])

static void add_talk(PGconn *owner, const char *id)
{
    const char *values[] = {id};
    PGresult *result =
        PQexecParams(owner, "INSERT INTO talks VALUES ($1)", 1, NULL, values, NULL, NULL, 0);
    assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
    PQclear(result);
}

/* What a column of talks may be: each in a schema of its own, with one talk. */
static const char *const columns[][3] = {
    {"uuid", "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
    {"integer", "integer", "7"},
    {"padded", "char(8)", "Alpha"},
    {"narrow", "varchar(5)", "Alpha"},
    {"citext", "public.citext", "Alpha"},
    {"icu", "text COLLATE public.ignores_case", "Alpha"},
    {"dated", "date", "2026-11-29"},
};
#define COLUMNS (sizeof columns / sizeof columns[0])

static void make_columns(PGconn *owner)
{
    run(owner, "CREATE EXTENSION citext");
    run(owner, "CREATE COLLATION ignores_case "
               "(provider = icu, locale = 'und-u-ks-level1', deterministic = false)");
    for (size_t i = 0; i < COLUMNS; i++) {
        const char *name = columns[i][0];
        run(owner, apr_psprintf(pool, "CREATE SCHEMA %s", name));
        run(owner, apr_psprintf(pool, "GRANT USAGE ON SCHEMA %s TO reader", name));
        run(owner,
            apr_psprintf(pool, "CREATE TABLE %s.talks (uuid %s PRIMARY KEY)", name, columns[i][1]));
        run(owner, apr_psprintf(pool, "INSERT INTO %s.talks VALUES ('%s')", name, columns[i][2]));
        run(owner, apr_psprintf(pool, "GRANT SELECT ON %s.talks TO reader", name));
    }
}

/* Tables with columns for the window, each in a schema of its own. */
static const char *const windows[][2] = {
    {"window_both", "TABLE window_both.talks (uuid text PRIMARY KEY, opens_at timestamptz, "
                    "closes_at timestamptz)"},
    {"window_opens", "TABLE window_opens.talks (uuid text PRIMARY KEY, opens_at timestamptz)"},
    {"window_closes",
     "TABLE window_closes.talks (closes_at timestamptz(0), uuid text PRIMARY KEY)"},
    {"window_domain", "TABLE window_domain.talks (uuid text PRIMARY KEY, opens_at public.moment)"},
    {"window_view",
     "VIEW window_view.talks AS SELECT uuid, timestamptz '2026-11-29 12:00:00+01' AS "
     "opens_at FROM window_both.talks"},
    {"window_local", "TABLE window_local.talks (uuid text PRIMARY KEY, opens_at timestamp)"},
    {"window_date", "TABLE window_date.talks (uuid text PRIMARY KEY, closes_at date)"},
    {"window_text", "TABLE window_text.talks (uuid text PRIMARY KEY, closes_at text)"},
    {"window_later", "TABLE window_later.talks (uuid text PRIMARY KEY)"},
};
#define WINDOWS (sizeof windows / sizeof windows[0])

static void make_windows(PGconn *owner)
{
    run(owner, "CREATE DOMAIN moment AS timestamptz");
    for (size_t i = 0; i < WINDOWS; i++) {
        const char *name = windows[i][0];
        run(owner, apr_psprintf(pool, "CREATE SCHEMA %s", name));
        run(owner, apr_psprintf(pool, "GRANT USAGE ON SCHEMA %s TO reader", name));
        run(owner, apr_pstrcat(pool, "CREATE ", windows[i][1], NULL));
        run(owner, apr_psprintf(pool, "GRANT SELECT ON %s.talks TO reader", name));
    }
}

static PGconn *connect_to(const char *database)
{
    PGconn *owner = PQconnectdb(apr_psprintf(
        pool, "postgres://owner:secret@127.0.0.1:%d/%s?client_encoding=UTF8", port, database));
    assert_int_equal(PQstatus(owner), CONNECTION_OK);
    return owner;
}

/* A database in an encoding of its own, with the talk `id` (of UTF-8). */
static void make_database(PGconn *owner, const char *encoding, const char *id)
{
    run(owner, apr_psprintf(pool, "CREATE DATABASE in_%s TEMPLATE template0 ENCODING '%s'",
                            encoding, encoding));
    PGconn *there = connect_to(apr_psprintf(pool, "in_%s", encoding));
    run(there, "CREATE TABLE talks (uuid text PRIMARY KEY)");
    run(there, "GRANT SELECT ON talks TO reader");
    add_talk(there, id);
    PQfinish(there);
}

static void make_tables(void)
{
    PGconn *owner = connect_as_owner();
    run(owner, "CREATE TABLE talks (uuid text PRIMARY KEY)");
    add_talk(owner, "here");
    for (size_t i = 0; i < ODD_IDS; i++)
        add_talk(owner, odd_ids[i]);
    run(owner, "CREATE ROLE reader LOGIN PASSWORD 'p@ss/w%rd ''\\'");
    run(owner, "CREATE ROLE few LOGIN PASSWORD 'few' CONNECTION LIMIT 2");
    run(owner, "CREATE ROLE pooled LOGIN PASSWORD 'pooled'");
    run(owner, "CREATE ROLE nothing LOGIN PASSWORD 'nothing'");
    run(owner, "GRANT SELECT ON talks TO reader, few, pooled");
    make_columns(owner);
    make_windows(owner);
    make_database(owner, "latin1", "na\xc3\xafve");
    make_database(owner, "euc_jp", "\xc2\xa6");
    make_database(owner, "sql_ascii", "na\xc3\xafve");
    PQfinish(owner);
}

static int set_up(void **state)
{
    (void)state;
    alarm(TEST_SECONDS);
    count_threads();
    apr_initialize();
    apr_pool_create(&pool, NULL);
    assert_non_null(mkdtemp(directory));
    port = free_port();
    assert_int_equal(system(apr_psprintf(pool,
                                         "t/backend/postgres.sh guard %s %d </dev/null "
                                         ">/dev/null 2>&1 &",
                                         directory, getpid())),
                     0);
    start_server();
    make_tables();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_server("immediate");
    AWAIT(threads() == 0);
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

/* ---- the module's side ---- */

#define READER "postgres://reader:p%%40ss%%2Fw%%25rd%%20%%27%%5C@127.0.0.1:%d/postgres%s"

static ratings_talks_t *talks_at(const char *connection, int connections_max, int timeout_ms)
{
    ratings_talks_options_t options = {connection, connections_max, apr_time_from_msec(timeout_ms),
                                       NULL};
    ratings_talks_t *talks = NULL;
    ratings_result_t why;
    apr_status_t status = ratings_talks_create(&talks, &options, pool, &why);
    if (status != APR_SUCCESS)
        print_error("%s\n", why.detail);
    assert_int_equal(status, APR_SUCCESS);
    return talks;
}

static ratings_talks_t *talks_of(const char *parameters, int connections_max, int timeout_ms)
{
    return talks_at(apr_psprintf(pool, READER, port, parameters), connections_max, timeout_ms);
}

static ratings_result_t ask_until(ratings_talks_t *talks, const char *id, int64_t deadline)
{
    ratings_result_t why;
    apr_pool_t *request;
    memset(&why, 'x', sizeof why);
    apr_pool_create(&request, NULL);
    ratings_window_t window;
    apr_status_t status = ratings_talks_find(talks, id, deadline, request, &window, &why);
    apr_pool_destroy(request);
    assert_int_equal(status, why.status);
    return why;
}

static ratings_result_t ask(ratings_talks_t *talks, const char *id)
{
    return ask_until(talks, id, NO_DEADLINE);
}

static void expect(ratings_talks_t *talks, const char *id, apr_status_t status)
{
    ratings_result_t why = ask(talks, id);
    if (why.status != status)
        print_error("%s: %d: %s\n", id, why.status, why.detail);
    assert_int_equal(why.status, status);
    assert_int_equal(why.detail[0] == '\0', status == APR_SUCCESS || status == APR_NOTFOUND);
}

/* The call ends within `low`..`high` milliseconds. */
static ratings_result_t expect_within(ratings_talks_t *talks, apr_status_t status, int64_t low,
                                      int64_t high)
{
    int64_t begin = now_ms();
    ratings_result_t why = ask(talks, "here");
    int64_t took = now_ms() - begin;
    if (why.status != status || took < low || took > high)
        print_error("%d after %d ms: %s\n", why.status, (int)took, why.detail);
    assert_int_equal(why.status, status);
    assert_took(took, low, high);
    return why;
}

static void destroy_within(ratings_talks_t *talks, int64_t high)
{
    int64_t begin = now_ms();
    ratings_talks_destroy(talks);
    assert_took(now_ms() - begin, 0, high);
}

/* Threads that each call `count` times. */
typedef struct {
    ratings_talks_t *talks;
    const char *id;
    int count;
    pthread_t thread;
    int succeeded, not_found, timed_out, refused, failed, not_asked;
    int64_t longest_ms;
    ratings_result_t last;
} caller_t;

static void count_result(caller_t *caller, const ratings_result_t *why)
{
    caller->last = *why;
    caller->succeeded += why->status == APR_SUCCESS;
    caller->not_found += why->status == APR_NOTFOUND;
    caller->timed_out += why->status == APR_TIMEUP;
    caller->refused += why->status == APR_ECONNREFUSED;
    caller->failed += why->status == APR_EGENERAL;
    caller->not_asked += why->status == RATINGS_NOT_ASKED;
}

static void *call_often(void *data)
{
    caller_t *caller = data;
    apr_pool_t *request;
    apr_pool_create(&request, NULL);
    for (int i = 0; i < caller->count; i++) {
        ratings_result_t why;
        int64_t begin = now_ms();
        ratings_window_t window;
        (void)ratings_talks_find(caller->talks, caller->id, NO_DEADLINE, request, &window, &why);
        int64_t took = now_ms() - begin;
        if (took > caller->longest_ms)
            caller->longest_ms = took;
        count_result(caller, &why);
        apr_pool_clear(request);
    }
    apr_pool_destroy(request);
    return NULL;
}

static void start_callers(caller_t *callers, int n, ratings_talks_t *talks, int count)
{
    for (int i = 0; i < n; i++) {
        callers[i] = (caller_t){.talks = talks, .id = i % 2 ? "away" : "here", .count = count};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
    }
}

/* The sum of all. */
static caller_t join_callers(caller_t *callers, int n)
{
    caller_t sum = {0};
    for (int i = 0; i < n; i++) {
        pthread_join(callers[i].thread, NULL);
        sum.succeeded += callers[i].succeeded;
        sum.not_found += callers[i].not_found;
        sum.timed_out += callers[i].timed_out;
        sum.refused += callers[i].refused;
        sum.failed += callers[i].failed;
        sum.not_asked += callers[i].not_asked;
        if (callers[i].longest_ms > sum.longest_ms)
            sum.longest_ms = callers[i].longest_ms;
        if (callers[i].last.status != APR_SUCCESS)
            sum.last = callers[i].last;
    }
    return sum;
}

/* ---- the connection string ---- */

static void expect_word(const char *connection, const char *keyword, const char *expected)
{
    const char *conninfo = talks_conninfo(pool, connection, apr_time_from_msec(1500));
    PQconninfoOption *options = conninfo ? PQconninfoParse(conninfo, NULL) : NULL;
    assert_non_null(options);
    for (PQconninfoOption *option = options; option->keyword; option++)
        if (strcmp(option->keyword, keyword) == 0) {
            if (expected)
                assert_string_equal(option->val, expected);
            else
                assert_null(option->val);
        }
    PQconninfoFree(options);
}

static void conninfo_keeps_what_is_set(void **state)
{
    static const char *const rows[][3] = {
        {"postgres://u:p@h:1/d", "user", "u"},
        {"postgres://u:p@h:1/d", "host", "h"},
        {"postgresql://u:p@h:1/d?sslmode=require", "sslmode", "require"},
        {"postgres://u:p@h:1/d?connect_timeout=9&application_name=x", "connect_timeout", "9"},
        {"postgres://u:p@h:1/d?connect_timeout=9&application_name=x", "application_name", "x"},
        {"postgres://h/d?options=-c%20search_path%3Dtalks", "options", "-c search_path=talks"},
        {"postgres://h/d?options=", "options", ""},
        {"postgres://h1:1,h2:2/d", "host", "h1,h2"},
        {"postgres://h1:1,h2:2/d", "port", "1,2"},
        {"postgres://u:it%27s%5C%20a%25@h/d", "password", "it's\\ a%"},
        {"postgres:///d?host=/var/run/postgresql", "host", "/var/run/postgresql"},
        {"host=h dbname=d password='it\\'s\\\\ a%'", "password", "it's\\ a%"},
        {"host=h client_encoding=LATIN1", "client_encoding", "LATIN1"},
        {"host = h", "host", "h"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_word(rows[i][0], rows[i][1], rows[i][2]);
}

static void conninfo_adds_what_is_not(void **state)
{
    static const char *const rows[][3] = {
        {"postgres://h/d", "connect_timeout", "2"},
        {"postgres://h/d?sslmode=disable", "tcp_user_timeout", "1500"},
        {"postgres://h/d?", "client_encoding", "UTF8"},
        {"host=h", "fallback_application_name", "mod_ratings"},
        {"host=h", "options", NULL}, /* PgBouncer refuses any */
        {"host=h", "keepalives_idle", "30"},
        {"host=h", "password", NULL},
        {"host=h", "sslmode", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_word(rows[i][0], rows[i][1], rows[i][2]);
}

static void secrets_are_found(void **state)
{
    (void)state;
    const char *const *secrets =
        talks_secrets(pool, "postgres://u:a%2Fb@h/d?sslpassword=two&sslmode=disable");
    assert_string_equal(secrets[0], "a/b");
    assert_string_equal(secrets[1], "two");
    assert_null(secrets[2]);
    assert_null(talks_secrets(pool, "host=h")[0]);
    assert_null(talks_secrets(pool, "postgres://u:%zz@h/d")[0]);
}

/* ---- redaction ---- */

/* NULL: as it is */
static const char *const redaction_rows[][2] = {
    {"postgres://h:5432/talks?sslmode=disable", NULL},
    {"postgresql://user@h1:1,h2:2/talks?a%70plication_name=x", NULL},
    {"postgres:///talks?host=/run/postgresql", NULL},
    {"host=h port=5432  user='u' dbname = talks", NULL},
    {"user=password host=h", NULL},
    {"passfile=/etc/pgpass host=h", NULL},
    {"", NULL},

    {"postgres://postgres:secret@127.0.0.1:5432/postgres?sslmode=disable",
     "postgres://postgres:***@127.0.0.1:5432/postgres?sslmode=disable"},
    {"postgresql://u:secret@h", "postgresql://u:***@h"},
    {"postgres://:secret@h/d", "postgres://:***@h/d"},
    {"postgres://u:sec:ret@h/d", "postgres://u:***@h/d"},
    {"postgres://u:sec?ret@h/d", "postgres://u:***@h/d"},
    {"postgres://u:sec#ret@h/d", "postgres://u:***@h/d"},
    {"postgres://u:%73ecret@h/d", "postgres://u:***@h/d"},
    {"postgres://a%40b:secret@h/d%2Fe", "postgres://a%40b:***@h/d%2Fe"},
    {"postgres://u@h:1/db?password=x@secret", "postgres://u:***@h:1/db"},
    {"postgres://h/d?pass%77ord=secret", "postgres://:***@h/d"},
    {"postgres://h/d?password=secret&password=", "postgres://:***@h/d"},
    {"postgres://u:secret@h/d?password=other", "postgres://u:***@h/d"},
    {"postgres://h/d?sslpassword=secret&sslkey=/k.pem",
     "postgres://h/d?sslkey=/k.pem&sslpassword=***"},
    {"postgres://u:secret@[::1]:5432,h2/d", "postgres://u:***@[::1]:5432,h2/d"},
    {"postgres://u:secret@h1:1,h2:2/d", "postgres://u:***@h1:1,h2:2/d"},
    {"postgres://u:secret@h1,h2/d?port=5", "postgres://u:***@/d?host=h1,h2&port=5"},
    {"postgres://u:secret@%2Frun%2Fpg/d", "postgres://u:***@%2Frun%2Fpg/d"},
    {"postgres:///d?host=/run/pg&password=secret", "postgres://:***@%2Frun%2Fpg/d"},
    {"postgres://u:secret@h/d?options=-c%20search_path%3Da,b",
     "postgres://u:***@h/d?options=-c%20search_path%3Da,b"},

    {"host=h password=secret user=u", "user=u password=*** host=h"},
    {"user='u'password=secret", "user=u password=***"},
    {"password='sec\\'ret' host=h", "password=*** host=h"},
    {"password=sec\\ ret host=h", "password=*** host=h"},
    {"password = secret\nhost\n=\nh", "password=*** host=h"},
    {"host=h password=secret sslpassword=other", "password=*** host=h sslpassword=***"},
    {"host=h password=''", "password=*** host=h"},
    {"password=secret dbname='it\\'s'", "password=*** dbname='it\\'s'"},
    {"password=secret user='' host='a b'", "user='' password=*** host='a b'"},

    {"postgres://u:secret%zz@h", "postgres://***"},
    {"host=h secret", "***"},
};

static void shows_no_password(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof redaction_rows / sizeof redaction_rows[0]; i++)
        assert_string_equal(ratings_talks_redact(redaction_rows[i][0], pool),
                            redaction_rows[i][1] ? redaction_rows[i][1] : redaction_rows[i][0]);
}

static const char *piece(unsigned *seed)
{
    static const char *const pieces[] = {
        "postgres://", "postgresql://",
        "u",           "secret",
        ":",           "@",
        "/",           "?",
        "&",           "=",
        "%2F",         "%27",
        ",",           "5432",
        "[::1]",       "h",
        "password",    "sslpassword",
        "sslmode",     "host=",
        "port=",       " ",
        "'",           "\\",
        "dbname",      "user=",
        "%",           "#",
    };
    *seed = *seed * 1103515245u + 12345u;
    return pieces[*seed / 65536 % (sizeof pieces / sizeof pieces[0])];
}

/* What libpq reads from the one and the other is the same, but for the passwords. */
static void expect_same_but_for_secrets(const char *connection, const char *redacted)
{
    PQconninfoOption *a = talks_conninfo_parse(connection), *b = talks_conninfo_parse(redacted);
    if (!a) {
        assert_true(strlen(redacted) <= strlen("postgresql://***"));
        assert_null(b && talks_is_uri(redacted) ? NULL : strstr(redacted, "secret"));
        PQconninfoFree(b);
        return;
    }
    if (!b)
        print_error("%s is redacted to %s\n", connection, redacted);
    assert_non_null(b);
    for (int i = 0; a[i].keyword; i++) {
        bool secret = a[i].dispchar[0] != '\0' && a[i].val;
        const char *expected = secret ? "***" : a[i].val;
        bool same = expected ? b[i].val && strcmp(b[i].val, expected) == 0 : !b[i].val;
        if (!same)
            print_error("%s of %s is %s in %s\n", a[i].keyword, connection, b[i].val, redacted);
        assert_true(same);
    }
    PQconninfoFree(a);
    PQconninfoFree(b);
}

static void shows_all_but_passwords(void **state)
{
    unsigned seed = 1;
    int read = 0;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        char connection[256] = "";
        apr_pool_t *scratch;
        apr_pool_create(&scratch, pool);
        if (i % 4)
            strcat(connection, i % 4 == 1 ? "postgres://u:secret@" : "host=h password=");
        for (int n = (int)(seed / 65536 % 9); n >= 0; n--)
            strcat(connection, piece(&seed));
        if (!ratings_talks_connection_problem(connection))
            read++;
        expect_same_but_for_secrets(connection, ratings_talks_redact(connection, scratch));
        apr_pool_destroy(scratch);
    }
    assert_in_range(read, 10000, 200000);
}

static void connection_problem_quotes_nothing(void **state)
{
    static const char *const bad[] = {
        "hunter2",
        "postgres://u:hunter2%@h/d",
        "host=h password=hunter2 x",
        "postgres://u:hun/ter2@h/d",
        "postgres://u:hun@ter2@h/d",
        "host='hunter2",
        "postgres://h/d?hunter2=1",
        "postgres://u:1/hunter2@h/d",
        "host=h dbname=postgres://u:hunter2@h/d",
    };
    static const char *const good[] = {"postgres://u:p@h:5432/d", "host=h", "",
                                       "postgres://[::1]:5432/d", "postgres://h1:1,h2:2/d"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *problem = ratings_talks_connection_problem(bad[i]);
        if (!problem)
            print_error("%s is taken\n", bad[i]);
        assert_non_null(problem);
        assert_null(strstr(problem, "hun"));
        assert_null(strstr(problem, "ter2"));
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(ratings_talks_connection_problem(good[i]));
}

static void create_refuses_what_libpq_cannot_read(void **state)
{
    ratings_talks_options_t options = {"postgres://u:%zz@h/d", 1, APR_USEC_PER_SEC, NULL};
    ratings_talks_t *talks;
    ratings_result_t why;
    (void)state;
    assert_int_equal(ratings_talks_create(&talks, &options, pool, &why), APR_EINVAL);
    assert_null(strstr(why.detail, "zz"));
}

static void redact_text_replaces_secrets_alone(void **state)
{
    static const char *const rows[][3] = {
        {"no secret", "Hunter2Hunter2", "no secret"},
        {"a Hunter2! b Hunter2!", "Hunter2!", "a *** b ***"},
        {"\"Hunter2!\"", "Hunter2!", "\"***\""},
        {"Hunter2!", "Hunter2!", "***"},
        {"xHunter22 Hunter22", "Hunter22", "xHunter22 ***"},
        {"Hunter22x", "Hunter22", "Hunter22x"},
        {"a+1234567+b", "+1234567+", "a***b"},
        {"aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "***"},
        /* what could be a word of any text */
        {"~/.postgresql/postgresql.crt", "postgres", "~/.postgresql/postgresql.crt"},
        {"for user \"postgres\"", "postgres", "for user \"postgres\""},
        {"connection refused", "connection", "connection refused"},
        {"short Ab1", "Ab1", "short Ab1"},
        {"same", "", "same"},
        {"", "Hunter22", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *const secrets[] = {"not in it 1", rows[i][1], NULL};
        assert_string_equal(talks_redact_text(pool, rows[i][0], secrets), rows[i][2]);
    }
    assert_string_equal(talks_redact_text(pool, "same", (const char *const[]){NULL}), "same");
}

/* ---- answers ---- */

static void talk_exists_or_not(void **state)
{
    ratings_talks_t *talks = talks_of("", 2, 5000);
    (void)state;
    expect(talks, "here", APR_SUCCESS);
    expect(talks, "away", APR_NOTFOUND);
    expect(talks, "HERE", APR_NOTFOUND);
    expect(talks, "", APR_NOTFOUND);
    assert_int_equal(sessions(), 1);
    destroy_within(talks, 200);
    AWAIT(sessions() == 0);
}

static void key_value_words_do_as_well(void **state)
{
    ratings_talks_t *talks = talks_at(
        apr_psprintf(pool, "host=127.0.0.1 port=%d dbname=postgres user=few password=few", port), 2,
        5000);
    (void)state;
    expect(talks, "here", APR_SUCCESS);
    ratings_talks_destroy(talks);
}

static void ids_are_data(void **state)
{
    ratings_talks_t *talks = talks_of("", 2, 5000);
    (void)state;
    for (size_t i = 0; i < ODD_IDS; i++) {
        expect(talks, odd_ids[i], APR_SUCCESS);
        expect(talks, apr_pstrcat(pool, odd_ids[i], "'", NULL), APR_NOTFOUND);
    }
    expect(talks, "blank", APR_NOTFOUND);
    expect(talks, "\xff", APR_NOTFOUND); /* no UTF-8, so no talk's id */
    expect(talks, "here", APR_SUCCESS);
    assert_int_equal(sessions(), 1); /* none of it cost the connection */
    ratings_talks_destroy(talks);
}

/* A talk has one id: that of its row, byte by byte. What the column's type or collation holds equal
 * to it, and what it cannot hold, is no talk, and no fault of the server. */
static const struct {
    const char *schema, *id;
    bool found;
} column_rows[] = {
    {"uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", true},
    {"uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", false},
    {"uuid", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", false},
    {"uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12", false},
    {"uuid", "no uuid", false},
    {"integer", "7", true},
    {"integer", "007", false},
    {"integer", " 7", false},
    {"integer", "+7", false},
    {"integer", "seven", false},
    {"integer", "99999999999", false}, /* 22003 */
    {"padded", "Alpha", true},
    {"padded", "Alpha   ", false},
    {"padded", "Alpha ", false},
    {"padded", "Alpha and more than the column holds", false},
    {"narrow", "Alpha", true},
    {"narrow", "Alpha and more than the column holds", false},
    {"citext", "Alpha", true},
    {"citext", "ALPHA", false},
    {"icu", "Alpha", true},
    {"icu", "ALPHA", false},
    {"icu", "\xc3\x84lpha", false},
    {"dated", "2026-11-29", true},
    {"dated", "20261129", false},
    {"dated", "2026-02-31", false}, /* 22008 */
    {"dated", "yesterday", false},
};

static void column_of_each_type(void **state)
{
    (void)state;
    for (size_t c = 0; c < COLUMNS; c++) {
        ratings_talks_t *talks = talks_of(
            apr_psprintf(pool, "?options=-csearch_path%%3D%s,public", columns[c][0]), 2, 5000);
        ratings_result_t why;
        for (size_t i = 0; i < sizeof column_rows / sizeof column_rows[0]; i++)
            if (strcmp(column_rows[i].schema, columns[c][0]) == 0)
                expect(talks, column_rows[i].id, column_rows[i].found ? APR_SUCCESS : APR_NOTFOUND);
        assert_int_equal(ratings_talks_check(talks, NO_DEADLINE, pool, &why), APR_SUCCESS);
        assert_int_equal(sessions(), 1); /* none of it cost the connection */
        ratings_talks_destroy(talks);
        AWAIT(sessions() == 0);
    }
}

static const struct {
    const char *encoding, *id;
    bool found;
} encoding_rows[] = {
    {"latin1", "na\xc3\xafve", true},      {"latin1", "\xe6\xbc\xa2", false}, /* 22P05 */
    {"latin1", "nai\xcc\x88ve", false},    /* the other form of the same text: 22P05 as well */
    {"euc_jp", "\xef\xbf\xa4", true},      /* which is what the database gives back */
    {"euc_jp", "\xc2\xa6", false},         /* the same bytes in the database */
    {"euc_jp", "\xf0\x9f\x8e\x89", false}, /* 22P05 */
    {"sql_ascii", "na\xc3\xafve", true},   {"sql_ascii", "nai\xcc\x88ve", false},
};

static void database_of_each_encoding(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof encoding_rows / sizeof encoding_rows[0]; i++) {
        ratings_talks_t *talks =
            talks_at(apr_psprintf(pool, "postgres://owner:secret@127.0.0.1:%d/in_%s", port,
                                  encoding_rows[i].encoding),
                     2, 5000);
        expect(talks, encoding_rows[i].id, encoding_rows[i].found ? APR_SUCCESS : APR_NOTFOUND);
        assert_int_equal(sessions(), 1);
        ratings_talks_destroy(talks);
        AWAIT(sessions() == 0);
    }
}

static void check_needs_the_table(void **state)
{
    ratings_talks_t *talks = talks_of("", 2, 5000);
    ratings_talks_t *without = talks_of("?options=-csearch_path%3Dnowhere", 2, 5000);
    ratings_result_t why;
    (void)state;
    assert_int_equal(ratings_talks_check(talks, NO_DEADLINE, pool, &why), APR_SUCCESS);
    assert_int_equal(ratings_talks_check(without, NO_DEADLINE, pool, &why), APR_EGENERAL);
    assert_non_null(strstr(why.detail, "\"talks\" does not exist"));
    assert_null(strchr(why.detail, '\n'));
    assert_int_equal(ratings_talks_check(without, NO_DEADLINE, pool, &why), APR_EGENERAL);
    assert_int_equal(sessions(), 2); /* an error of the query does not cost the connection */
    ratings_talks_destroy(without);
    ratings_talks_destroy(talks);
}

static void check_needs_the_right_to_read(void **state)
{
    ratings_talks_t *talks = talks_at(
        apr_psprintf(pool, "postgres://nothing:nothing@127.0.0.1:%d/postgres", port), 2, 5000);
    ratings_result_t why;
    (void)state;
    assert_int_equal(ratings_talks_check(talks, NO_DEADLINE, pool, &why), APR_EGENERAL);
    assert_non_null(strstr(why.detail, "permission denied"));
    ratings_talks_destroy(talks);
}

/* ---- windows ---- */

static ratings_talks_t *talks_in(const char *schema, const char *parameters)
{
    return talks_of(apr_psprintf(pool, "?options=-csearch_path%%3D%s%s", schema, parameters), 2,
                    5000);
}

static ratings_window_t window_of(ratings_talks_t *talks, const char *id)
{
    ratings_window_t window = {4711, 4711};
    ratings_result_t why;
    if (ratings_talks_find(talks, id, NO_DEADLINE, pool, &window, &why) != APR_SUCCESS)
        print_error("%s: %s\n", id, why.detail);
    assert_int_equal(why.status, APR_SUCCESS);
    return window;
}

static void expect_window(ratings_talks_t *talks, const char *id, int64_t opens_at,
                          int64_t closes_at)
{
    ratings_window_t window = window_of(talks, id);
    assert_true(window.opens_at == opens_at);
    assert_true(window.closes_at == closes_at);
}

/* A table without columns for a window has talks that can always be rated, and is asked for none.
 */
static void no_columns_are_no_bounds(void **state)
{
    ratings_talks_t *talks = talks_of("", 1, 5000);
    (void)state;
    expect_window(talks, "here", RATINGS_ALWAYS, RATINGS_NEVER); /* looks for the columns */
    assert_non_null(strstr(run_once("SELECT query " OF_MODULE), "opens_at"));
    expect_window(talks, "here", RATINGS_ALWAYS, RATINGS_NEVER);
    assert_string_equal(run_once("SELECT query " OF_MODULE),
                        "SELECT uuid::text FROM talks WHERE uuid = $1 AND "
                        "uuid::text COLLATE \"C\" = $2 LIMIT 1");
    assert_int_equal(sessions(), 1);
    ratings_talks_destroy(talks);
}

#define AT_12 INT64_C(1795953600000000) /* 2026-11-29T12:00:00Z */

static const struct {
    const char *id, *opens_at, *closes_at; /* of SQL */
    int64_t opens, closes;
} window_rows[] = {
    {"no bounds", "NULL", "NULL", RATINGS_ALWAYS, RATINGS_NEVER},
    {"both", "'2026-11-29 12:00:00+00'", "'2026-11-29 13:00:00.25+01'", AT_12, AT_12 + 250000},
    {"an end", "NULL", "'2026-11-29 17:45:00+05:45'", RATINGS_ALWAYS, AT_12},
    {"an opening", "'2026-11-29 12:00:00Z'", "NULL", AT_12, RATINGS_NEVER},
    {"infinity", "'-infinity'", "'infinity'", RATINGS_ALWAYS, RATINGS_NEVER},
    {"never open", "'infinity'", "'-infinity'", RATINGS_NEVER, RATINGS_ALWAYS},
    {"1970", "'1970-01-01 00:00:00Z'", "'1969-12-31 23:59:59.5Z'", 0, -500000},
    {"the ends of time", "'4713-01-01 00:00:00Z BC'", "'294276-12-31 23:59:59Z'",
     INT64_C(-210863520000000000), RATINGS_NEVER},
};

static void window_is_read(void **state)
{
    /* whatever the server's texts look like */
    static const char *const settings[] = {
        "", "%20-cDateStyle%3DSQL,DMY%20-cTimeZone%3DAsia/Kathmandu"};
    (void)state;
    for (size_t i = 0; i < sizeof window_rows / sizeof window_rows[0]; i++)
        run_once(apr_psprintf(pool, "INSERT INTO window_both.talks VALUES ('%s', %s, %s)",
                              window_rows[i].id, window_rows[i].opens_at,
                              window_rows[i].closes_at));
    for (size_t s = 0; s < sizeof settings / sizeof settings[0]; s++) {
        ratings_talks_t *talks = talks_in("window_both", settings[s]);
        for (size_t i = 0; i < sizeof window_rows / sizeof window_rows[0]; i++)
            expect_window(talks, window_rows[i].id, window_rows[i].opens, window_rows[i].closes);
        expect(talks, "away", APR_NOTFOUND);
        ratings_talks_destroy(talks);
    }
}

static void window_of_one_bound(void **state)
{
    static const char *const schemas[] = {"window_opens", "window_domain", "window_view"};
    (void)state;
    run_once("INSERT INTO window_both.talks VALUES ('viewed', 'infinity', 'infinity')");
    run_once("INSERT INTO window_opens.talks VALUES ('viewed', '2026-11-29 11:00:00Z')");
    run_once("INSERT INTO window_domain.talks VALUES ('viewed', '2026-11-29 11:00:00Z')");
    run_once("INSERT INTO window_closes.talks VALUES ('2026-11-29 12:00:00Z', 'here')");
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        ratings_talks_t *talks = talks_in(schemas[i], "");
        expect_window(talks, "viewed", AT_12 - 3600 * INT64_C(1000000), RATINGS_NEVER);
        ratings_talks_destroy(talks);
    }
    ratings_talks_t *closes = talks_in("window_closes", "");
    expect_window(closes, "here", RATINGS_ALWAYS, AT_12);
    ratings_talks_destroy(closes);
}

/* A time that the organiser has set and nobody understands is a failure, which readiness shows, and
 * not a talk that can always be rated. */
static void window_of_another_type_is_refused(void **state)
{
    static const char *const rows[][2] = {
        {"window_local", "must be timestamptz"},
        {"window_date", "must be timestamptz"},
        {"window_text", "extract"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratings_talks_t *talks = talks_in(rows[i][0], "");
        ratings_result_t why;
        for (int k = 0; k < 3; k++) {
            assert_int_not_equal(ratings_talks_check(talks, NO_DEADLINE, pool, &why), APR_SUCCESS);
            assert_non_null(strstr(why.detail, rows[i][1]));
        }
        assert_int_not_equal(ask(talks, "here").status, APR_NOTFOUND);
        ratings_talks_destroy(talks);
    }
}

static void columns_come_and_go(void **state)
{
    ratings_talks_t *talks = talks_in("window_later", "");
    (void)state;
    run_once("INSERT INTO window_later.talks VALUES ('here')");
    expect_window(talks, "here", RATINGS_ALWAYS, RATINGS_NEVER);
    run_once(
        "ALTER TABLE window_later.talks ADD closes_at timestamptz DEFAULT '2026-11-29 12:00:00Z'");
    int64_t begin = now_ms();
    AWAIT(window_of(talks, "here").closes_at == AT_12);
    assert_took(now_ms() - begin, 0, RATINGS_TALKS_COLUMNS_S * 1000 + 500);
    run_once(
        "ALTER TABLE window_later.talks ADD opens_at timestamptz DEFAULT '2026-11-29 12:00:00Z'");
    expect_window(talks, "here", AT_12, AT_12);
    run_once("ALTER TABLE window_later.talks DROP opens_at, DROP closes_at");
    expect_window(talks, "here", RATINGS_ALWAYS, RATINGS_NEVER); /* at once, and without an error */
    assert_int_equal(sessions(), 1);
    ratings_talks_destroy(talks);
}

/* ---- lists ---- */

static ratings_result_t list_of(ratings_talks_t *talks, const char *id, ratings_talk_list_t *list)
{
    ratings_result_t why;
    *list = (ratings_talk_list_t){NULL, 0, NULL};
    apr_status_t status = ratings_talks_list(talks, id, NO_DEADLINE, pool, list, &why);
    assert_int_equal(status, why.status);
    return why;
}

static const char *key_of(ratings_talks_t *talks, const char *text)
{
    const char *key = NULL;
    ratings_result_t why;
    if (ratings_talks_key(talks, text, NO_DEADLINE, pool, &key, &why) != APR_SUCCESS)
        print_error("%s: %s\n", text, why.detail);
    return key;
}

/* Whatever the type of the id is, and whatever columns there are. */
static void list_of_a_table_of_ids(void **state)
{
    (void)state;
    for (size_t i = 0; i < COLUMNS; i++) {
        ratings_talks_t *talks = talks_in(columns[i][0], "");
        ratings_talk_list_t list, one;
        assert_int_equal(list_of(talks, NULL, &list).status, APR_SUCCESS);
        assert_int_equal(list.count, 1);
        const ratings_talk_t *talk = list.talks;
        assert_null(talk->title);
        assert_null(talk->speakers);
        assert_null(talk->day);
        assert_string_equal(talk->title_key, "");
        assert_true(talk->starts_at == RATINGS_NEVER && talk->ends_at == RATINGS_NEVER);
        assert_true(talk->window.opens_at == RATINGS_ALWAYS &&
                    talk->window.closes_at == RATINGS_NEVER);
        expect(talks, talk->id, APR_SUCCESS); /* what is listed can be rated */
        assert_int_equal(list_of(talks, talk->id, &one).status, APR_SUCCESS);
        assert_string_equal(one.talks->id, talk->id);
        assert_int_equal(list_of(talks, "nobody", &one).status, APR_NOTFOUND);
        ratings_talks_destroy(talks);
    }
}

static void list_of_each_encoding(void **state)
{
    static const struct {
        const char *encoding, *id, *text, *key;
    } rows[] = {
        {"latin1", "na\xc3\xafve", "NA\xc3\xaf", NULL},
        {"euc_jp", "\xc2\xa6", "ABC", "abc"},
        {"sql_ascii", "na\xc3\xafve", "ABC", "abc"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ratings_talks_t *talks =
            talks_at(apr_psprintf(pool, "postgres://owner:secret@127.0.0.1:%d/in_%s", port,
                                  rows[i].encoding),
                     2, 5000);
        ratings_talk_list_t list;
        ratings_result_t why = list_of(talks, NULL, &list);
        if (why.status != APR_SUCCESS)
            print_error("%s: %s\n", rows[i].encoding, why.detail);
        assert_int_equal(list.count, 1);
        const char *key = key_of(talks, rows[i].text);
        assert_non_null(key);
        if (rows[i].key)
            assert_string_equal(key, rows[i].key);
        ratings_talks_destroy(talks);
    }
}

/* This database's locale is C, which knows the case of ASCII alone: of letters with accents, once
 * they have lost these. */
static void keys_have_neither_case_nor_accents(void **state)
{
    static const char *const rows[][2] = {
        {"ABC xyz 1", "abc xyz 1"},
        {"Caf\xc3\xa9", "cafe"},
        {"CAFE\xcc\x81", "cafe"},
        {"\xc3\x85ngstr\xc3\xb6m", "angstrom"},
        {"\xef\xac\x81ne", "fine"}, /* a ligature */
        {"\xf0\x9f\x98\x80 %s '\\\\ \"", "\xf0\x9f\x98\x80 %s '\\\\ \""},
        {"", ""},
    };
    ratings_talks_t *talks = talks_of("", 2, 5000);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(key_of(talks, rows[i][0]), rows[i][1]);
    ratings_talks_destroy(talks);
}

/* What stops a list stops no look-up that needs less, and no circuit breaker counts it. */
static void list_that_cannot_be_read(void **state)
{
    static const char *const schemas[] = {"window_local", "window_date", "window_text"};
    (void)state;
    for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
        ratings_talks_t *talks = talks_in(schemas[i], "");
        ratings_talk_list_t list;
        ratings_result_t why = list_of(talks, NULL, &list);
        assert_int_equal(why.status, APR_EAGAIN);
        assert_string_not_equal(why.detail, "");
        ratings_talks_destroy(talks);
    }
    ratings_talks_t *without = talks_at(
        apr_psprintf(pool, "postgres://nothing:nothing@127.0.0.1:%d/postgres", port), 2, 5000);
    ratings_talk_list_t list;
    ratings_result_t why = list_of(without, NULL, &list);
    assert_int_equal(why.status, APR_EAGAIN);
    assert_non_null(strstr(why.detail, "permission denied"));
    ratings_talks_destroy(without);
}

static void list_has_a_bound(void **state)
{
    ratings_talks_t *talks = talks_in("window_later", "");
    ratings_talk_list_t list;
    (void)state;
    run_once("DELETE FROM window_later.talks");
    run_once("INSERT INTO window_later.talks SELECT n::text FROM generate_series(1, " APR_STRINGIFY(
        RATINGS_TALKS_MAX) ") n");
    assert_int_equal(list_of(talks, NULL, &list).status, APR_SUCCESS);
    assert_int_equal(list.count, RATINGS_TALKS_MAX);
    run_once("INSERT INTO window_later.talks VALUES ('one more')");
    ratings_result_t why = list_of(talks, NULL, &list);
    assert_int_equal(why.status, APR_EAGAIN);
    assert_non_null(strstr(why.detail, "too long"));
    run_once("DELETE FROM window_later.talks; ALTER TABLE window_later.talks ADD title text;"
             "INSERT INTO window_later.talks (uuid, title) VALUES ('long', repeat('x', 33554432))");
    assert_int_equal(list_of(talks, NULL, &list).status, APR_EAGAIN);
    ratings_talks_destroy(talks);
}

/* ---- failures ---- */

static void wrong_password_is_not_repeated(void **state)
{
    ratings_talks_t *talks = talks_at(
        apr_psprintf(pool, "postgres://reader:hunter2@127.0.0.1:%d/postgres", port), 2, 5000);
    ratings_talks_t *same = talks_at(
        apr_psprintf(pool, "postgres://reader:reader@127.0.0.1:%d/postgres", port), 2, 5000);
    ratings_result_t why = ask(talks, "here");
    (void)state;
    assert_int_equal(why.status, APR_ECONNREFUSED);
    assert_non_null(strstr(why.detail, "password authentication failed for user \"reader\""));
    assert_null(strstr(why.detail, "hunter2"));
    why = ask(same, "here");
    assert_int_equal(why.status, APR_ECONNREFUSED);
    assert_non_null(strstr(why.detail, "password authentication failed for user \"reader\""));
    ratings_talks_destroy(talks);
    ratings_talks_destroy(same);
}

static void nobody_listens(void **state)
{
    ratings_talks_t *talks =
        talks_at(apr_psprintf(pool, "postgres://127.0.0.1:%d/d", free_port()), 2, 5000);
    (void)state;
    expect_within(talks, APR_ECONNREFUSED, 0, 1000);
    expect_within(talks, APR_ECONNREFUSED, 0, 1000);
    destroy_within(talks, 200);
}

/* The first is down, the second is no server for writing. */
static void several_hosts(void **state)
{
    ratings_talks_t *any =
        talks_at(apr_psprintf(pool, "postgres://few:few@127.0.0.1:%d,127.0.0.1:%d/postgres",
                              free_port(), port),
                 2, 5000);
    ratings_talks_t *writable = talks_at(
        apr_psprintf(pool,
                     "host=127.0.0.1,127.0.0.1 port=%d,%d dbname=postgres user=few password=few "
                     "target_session_attrs=read-write",
                     free_port(), port),
        2, 5000);
    (void)state;
    expect(any, "here", APR_SUCCESS);
    expect(writable, "here", APR_SUCCESS);
    run_once("ALTER ROLE few SET default_transaction_read_only = on");
    run_once("SELECT count(pg_terminate_backend(pid, 5000)) " OF_MODULE);
    expect(any, "here", APR_SUCCESS);
    ratings_result_t why = ask(writable, "here");
    assert_int_equal(why.status, APR_ECONNREFUSED);
    assert_non_null(strstr(why.detail, "read-only"));
    run_once("ALTER ROLE few RESET default_transaction_read_only");
    expect(writable, "here", APR_SUCCESS);
    ratings_talks_destroy(any);
    ratings_talks_destroy(writable);
}

static void resolver_hangs(void **state)
{
    ratings_talks_t *talks = talks_at("postgres://" SLOW_NAME "/d", 2, 200);
    (void)state;
    expect_within(talks, APR_TIMEUP, 200, 400);
    destroy_within(talks, 800);
    AWAIT(threads() == 0); /* the opener goes by itself, and frees what was left */
}

static void server_stops_and_comes_back(void **state)
{
    ratings_talks_t *talks = talks_of("", 3, 5000);
    (void)state;
    expect(talks, "here", APR_SUCCESS);
    stop_server("fast");
    expect_within(talks, APR_ECONNREFUSED, 0, 1000);
    start_server();
    expect(talks, "here", APR_SUCCESS);
    ratings_talks_destroy(talks);
}

/* Makes `n` connections idle at once. */
static void warm_up(ratings_talks_t *talks, int n)
{
    caller_t callers[32];
    PGconn *owner = lock_table();
    start_callers(callers, n, talks, 1);
    AWAIT(waiting_sessions() == n);
    PQfinish(owner);
    caller_t sum = join_callers(callers, n);
    assert_int_equal(sum.succeeded + sum.not_found, n);
    assert_int_equal(sessions(), n);
}

static void restart_is_not_noticed(void **state)
{
    ratings_talks_t *talks = talks_of("", 5, 5000);
    (void)state;
    for (int i = 0; i < 2; i++) {
        warm_up(talks, 5);
        stop_server(i == 0 ? "fast" : "immediate");
        start_server();
        for (int k = 0; k < 5; k++)
            expect(talks, "here", APR_SUCCESS);
        assert_in_range(sessions(), 1, 5);
    }
    ratings_talks_destroy(talks);
}

static void terminated_while_idle(void **state)
{
    ratings_talks_t *talks = talks_of("", 3, 5000);
    (void)state;
    warm_up(talks, 3);
    run_once("SELECT count(pg_terminate_backend(pid, 5000)) " OF_MODULE);
    AWAIT(sessions() == 0);
    expect(talks, "here", APR_SUCCESS);
    assert_int_equal(sessions(), 1); /* the dead ones have made room */
    ratings_talks_destroy(talks);
}

static void terminated_in_a_query(void **state)
{
    ratings_talks_t *talks = talks_of("", 3, 5000);
    PGconn *owner = lock_table();
    caller_t caller;
    (void)state;
    start_callers(&caller, 1, talks, 1);
    AWAIT(waiting_sessions() == 1);
    run(owner, "SELECT pg_terminate_backend(pid, 5000) " OF_MODULE);
    PQfinish(owner);
    assert_int_equal(join_callers(&caller, 1).succeeded, 1);
    ratings_talks_destroy(talks);
}

static void server_ends_a_slow_query(void **state)
{
    ratings_talks_t *talks = talks_of("?options=-cstatement_timeout%3D100", 3, 5000);
    PGconn *owner = lock_table();
    (void)state;
    ratings_result_t why = expect_within(talks, APR_TIMEUP, 100, 1000);
    assert_non_null(strstr(why.detail, "statement timeout"));
    PQfinish(owner);
    expect(talks, "here", APR_SUCCESS);
    assert_int_equal(sessions(), 1);
    ratings_talks_destroy(talks);
}

static void abandoned_query_ends_on_the_server(void **state)
{
    ratings_talks_t *talks = talks_of("", 3, 300);
    (void)state;
    expect(talks, "here", APR_SUCCESS);
    PGconn *owner = lock_table();
    expect_within(talks, APR_TIMEUP, 250, 600);
    AWAIT(waiting_sessions() == 0);
    PQfinish(owner);
    ratings_talks_destroy(talks);
}

/* ---- a server that hangs ---- */

static int resume_server(void **state)
{
    (void)state;
    return kill(postmaster(), SIGCONT);
}

static void hangs_in_a_query(void **state)
{
    ratings_talks_t *talks = talks_of("", 1, 400);
    (void)state;
    expect(talks, "here", APR_SUCCESS);
    pid_t backend = atoi(run_once("SELECT pid " OF_MODULE));
    stop_process(backend);
    expect_within(talks, APR_TIMEUP, 390, 600);
    expect(talks, "here", APR_SUCCESS); /* by another connection */
    kill(backend, SIGCONT);
    destroy_within(talks, 200);
}

static void hangs_while_connecting(void **state)
{
    ratings_talks_t *talks = talks_of("", 2, 300);
    (void)state;
    stop_process(postmaster());
    expect_within(talks, APR_TIMEUP, 300, 500);
    expect_within(talks, APR_TIMEUP, 300, 500);
    assert_int_equal(threads(), 1); /* one opener is enough for one call at a time */
    kill(postmaster(), SIGCONT);
    AWAIT(threads() == 0);
    int64_t begin = now_ms();
    expect(talks, "here", APR_SUCCESS); /* the connection that came too late was kept */
    assert_took(now_ms() - begin, 0, 250);
    assert_int_equal(sessions(), 1);
    destroy_within(talks, 200);
}

/* The time a caller's deadline allows, be it spent in a query, in connecting or in waiting. */
static void expect_deadline_kept(ratings_talks_t *talks, apr_status_t status)
{
    int64_t begin = now_ms();
    ratings_result_t why = ask_until(talks, "here", deadline_in(200));
    if (why.status != status)
        print_error("%d: %s\n", why.status, why.detail);
    assert_int_equal(why.status, status);
    assert_took(now_ms() - begin, 195, 400);
    begin = now_ms();
    assert_int_equal(ratings_talks_check(talks, deadline_in(200), pool, &why), status);
    assert_took(now_ms() - begin, 195, 400);
}

static void ends_at_the_deadline_of_its_caller(void **state)
{
    ratings_talks_t *talks = talks_of("", 1, 5000);
    caller_t caller;
    (void)state;
    expect(talks, "here", APR_SUCCESS);
    PGconn *owner = lock_table();
    expect_deadline_kept(talks, APR_TIMEUP); /* in a query */
    PQfinish(owner);
    AWAIT(waiting_sessions() == 0);
    owner = lock_table();
    start_callers(&caller, 1, talks, 1);
    AWAIT(waiting_sessions() == 1);
    expect_deadline_kept(talks, RATINGS_NOT_ASKED); /* waiting for a connection to come free */
    PQfinish(owner);
    assert_int_equal(join_callers(&caller, 1).succeeded, 1);
    ratings_talks_destroy(talks);
}

static void connecting_ends_at_the_deadline_of_its_caller(void **state)
{
    ratings_talks_t *talks = talks_of("", 1, 5000);
    (void)state;
    stop_process(postmaster());
    expect_deadline_kept(talks, APR_TIMEUP);
    kill(postmaster(), SIGCONT);
    AWAIT(threads() == 0);
    expect(talks, "here", APR_SUCCESS);
    ratings_talks_destroy(talks);
}

/* Nor does it cost the connection, as a query that is given up does. */
static void passed_deadline_asks_nothing(void **state)
{
    ratings_talks_t *talks = talks_of("", 1, 5000);
    (void)state;
    expect(talks, "here", APR_SUCCESS);
    const char *pid = run_once("SELECT pid " OF_MODULE);
    assert_int_equal(ask_until(talks, "here", deadline_in(0)).status, RATINGS_NOT_ASKED);
    expect(talks, "here", APR_SUCCESS);
    assert_string_equal(run_once("SELECT pid " OF_MODULE), pid);
    ratings_talks_destroy(talks);
}

static void destroyed_while_it_hangs(void **state)
{
    ratings_talks_t *talks = talks_of("", 4, 4000);
    caller_t callers[3];
    (void)state;
    stop_process(postmaster());
    start_callers(callers, 3, talks, 1);
    AWAIT(threads() == 3 + 3);
    destroy_within(talks, 900);
    caller_t sum = join_callers(callers, 3);
    assert_int_equal(sum.not_asked, 3);
    assert_took(sum.longest_ms, 0, 1000);
    AWAIT(threads() == 0); /* by connect_timeout */
    kill(postmaster(), SIGCONT);
}

static void destroyed_during_queries(void **state)
{
    ratings_talks_t *talks = talks_of("", 2, 30000);
    PGconn *owner = lock_table();
    caller_t callers[4];
    (void)state;
    start_callers(callers, 4, talks, 1); /* two ask, two wait for a connection */
    AWAIT(waiting_sessions() == 2);
    destroy_within(talks, 200);
    caller_t sum = join_callers(callers, 4);
    assert_int_equal(sum.not_asked, 4);
    assert_non_null(strstr(sum.last.detail, "stops"));
    PQfinish(owner);
}

/* ---- not enough connections ---- */

static void pool_is_exhausted(void **state)
{
    ratings_talks_t *talks = talks_of("", 2, 500);
    caller_t callers[6];
    (void)state;
    warm_up(talks, 2);
    PGconn *owner = lock_table();
    start_callers(callers, 6, talks, 1);
    caller_t sum = join_callers(callers, 6);
    assert_true(sum.timed_out >= 2); /* one that gets its turn at its very end asks as well */
    assert_int_equal(sum.timed_out + sum.not_asked, 6);
    assert_took(sum.longest_ms, 500, 800);
    PQfinish(owner);
    expect(talks, "here", APR_SUCCESS);
    ratings_talks_destroy(talks);
}

static void waits_for_one_to_come_free(void **state)
{
    ratings_talks_t *talks = talks_of("", 1, 5000);
    caller_t callers[8];
    (void)state;
    start_callers(callers, 8, talks, 50);
    caller_t sum = join_callers(callers, 8);
    assert_int_equal(sum.succeeded + sum.not_found, 8 * 50);
    assert_int_equal(sessions(), 1);
    ratings_talks_destroy(talks);
}

static int fill_server(PGconn **connections, int max)
{
    for (int n = 0; n < max; n++) {
        connections[n] =
            PQconnectdb(apr_psprintf(pool, READER "?application_name=filler", port, ""));
        if (PQstatus(connections[n]) != CONNECTION_OK) {
            PQfinish(connections[n]);
            return n;
        }
    }
    return max;
}

static void server_has_no_room(void **state)
{
    ratings_talks_t *talks = talks_of("", 2, 5000);
    PGconn *fillers[64];
    (void)state;
    int n = fill_server(fillers, 64);
    assert_in_range(n, 1, 63);
    ratings_result_t why = expect_within(talks, APR_ECONNREFUSED, 0, 1000);
    assert_non_null(strstr(why.detail, "connection"));
    while (n > 0)
        PQfinish(fillers[--n]);
    AWAIT(atoi(run_once("SELECT count(*) FROM pg_stat_activity "
                        "WHERE application_name = 'filler'")) == 0);
    expect(talks, "here", APR_SUCCESS);
    ratings_talks_destroy(talks);
}

/* The pool may have 8 and the server gives 2: those that exist are shared. */
static void server_has_little_room(void **state)
{
    ratings_talks_t *talks =
        talks_at(apr_psprintf(pool, "postgres://few:few@127.0.0.1:%d/postgres", port), 8, 5000);
    caller_t callers[8];
    (void)state;
    expect(talks, "here", APR_SUCCESS);
    start_callers(callers, 8, talks, 100);
    caller_t sum = join_callers(callers, 8);
    assert_int_equal(sum.succeeded + sum.not_found, 8 * 100);
    ratings_talks_destroy(talks);
}

/* ---- many ---- */

static void many_threads(void **state)
{
    ratings_talks_t *talks = talks_of("", 8, 20000);
    caller_t callers[32];
    (void)state;
    start_callers(callers, 32, talks, 300);
    caller_t sum = join_callers(callers, 32);
    assert_int_equal(sum.succeeded, 16 * 300);
    assert_int_equal(sum.not_found, 16 * 300);
    assert_in_range(sessions(), 1, 8);
    ratings_talks_destroy(talks);
}

/* Connections die all the time. A call whose second connection dies as well fails, and says so. */
static void many_threads_and_a_murderer(void **state)
{
    ratings_talks_t *talks = talks_of("", 8, 20000);
    caller_t callers[32];
    PGconn *owner = connect_as_owner();
    (void)state;
    start_callers(callers, 32, talks, 100);
    run(owner, "SET client_min_messages = error"); /* the victim may have gone already */
    for (int i = 0; i < 40; i++) {
        run(owner, "SELECT pg_terminate_backend(pid) " OF_MODULE " ORDER BY random() LIMIT 2");
        pause_ms(5);
    }
    caller_t sum = join_callers(callers, 32);
    assert_int_equal(sum.succeeded + sum.not_found + sum.failed, 32 * 100);
    assert_in_range(sum.failed, 0, 32);
    AWAIT(threads() == 0);
    for (int i = 0; i < 100; i++)
        expect(talks, "here", APR_SUCCESS);
    assert_in_range(sessions(), 1, 8);
    PQfinish(owner);
    ratings_talks_destroy(talks);
}

/* ---- behind PgBouncer ---- */

#define POOLER_SESSIONS 4 /* default_pool_size in postgres.sh */
static int pooler_port;

static PGconn *connect_to_console(void)
{
    return PQconnectdb(
        apr_psprintf(pool, "postgres://admin:admin@127.0.0.1:%d/pgbouncer", pooler_port));
}

static bool pooler_answers(void)
{
    PGconn *console = connect_to_console();
    bool good = PQstatus(console) == CONNECTION_OK;
    PQfinish(console);
    return good;
}

static void start_pooler(const char *mode)
{
    assert_int_equal(server("pool", apr_psprintf(pool, "%d %s %d", pooler_port, mode, port)), 0);
    AWAIT(pooler_answers());
}

static int stop_pooler(void **state)
{
    (void)state;
    return server("unpool", "");
}

static void command_pooler(const char *command)
{
    PGconn *console = connect_to_console();
    run(console, command);
    PQfinish(console);
}

/* Clients of PgBouncer that are the module's. */
static int pooled_clients(void)
{
    PGconn *console = connect_to_console();
    PGresult *result = PQexec(console, "SHOW CLIENTS");
    int user = PQfnumber(result, "user"), count = 0;
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    for (int i = 0; i < PQntuples(result); i++)
        count += strcmp(PQgetvalue(result, i, user), "pooled") == 0;
    PQclear(result);
    PQfinish(console);
    return count;
}

static ratings_talks_t *pooled_talks(const char *mode, int connections_max, int timeout_ms)
{
    if (pooler_port == 0)
        pooler_port = free_port();
    start_pooler(mode);
    return talks_at(
        apr_psprintf(pool, "postgres://pooled:pooled@127.0.0.1:%d/postgres", pooler_port),
        connections_max, timeout_ms);
}

/* With as many connections as a pooler that gives each a session for good must have, or more. */
static void pooler_serves(const char *mode, int connections)
{
    ratings_talks_t *talks = pooled_talks(mode, connections, 20000);
    caller_t callers[16];
    expect(talks, "here", APR_SUCCESS);
    expect(talks, "away", APR_NOTFOUND);
    start_callers(callers, 16, talks, 50);
    caller_t sum = join_callers(callers, 16);
    assert_int_equal(sum.succeeded, 8 * 50);
    assert_int_equal(sum.not_found, 8 * 50);
    ratings_talks_destroy(talks);
    AWAIT(pooled_clients() == 0);
}

static void pooler_of_sessions(void **state)
{
    (void)state;
    pooler_serves("session", POOLER_SESSIONS);
}

static void pooler_of_transactions(void **state)
{
    (void)state;
    pooler_serves("transaction", 3 * POOLER_SESSIONS);
}

static void pooler_of_statements(void **state)
{
    (void)state;
    pooler_serves("statement", 3 * POOLER_SESSIONS);
}

static void pooler_is_paused(void **state)
{
    ratings_talks_t *talks = pooled_talks("transaction", 4, 5000);
    (void)state;
    expect(talks, "here", APR_SUCCESS);
    command_pooler("PAUSE");
    for (int i = 0; i < 6; i++)
        assert_int_equal(ask_until(talks, "here", deadline_in(200)).status, APR_TIMEUP);
    command_pooler("RESUME");
    for (int i = 0; i < 20; i++)
        expect(talks, "here", APR_SUCCESS);
    AWAIT(pooled_clients() <= 4); /* those that gave up are gone */
    ratings_talks_destroy(talks);
}

static void pooler_is_restarted(void **state)
{
    ratings_talks_t *talks = pooled_talks("transaction", 4, 5000);
    caller_t callers[4];
    (void)state;
    for (int i = 0; i < 3; i++) {
        start_callers(callers, 4, talks, 200);
        pause_ms(20);
        (void)stop_pooler(state);
        start_pooler("transaction");
        caller_t sum = join_callers(callers, 4);
        assert_int_equal(sum.timed_out, 0);
        assert_took(sum.longest_ms, 0, 2000);
        for (int k = 0; k < 20; k++)
            expect(talks, "here", APR_SUCCESS);
    }
    ratings_talks_destroy(talks);
}

static void pooler_passes_on_that_a_query_was_given_up(void **state)
{
    ratings_talks_t *talks = pooled_talks("transaction", 4, 300);
    (void)state;
    expect(talks, "here", APR_SUCCESS);
    PGconn *owner = lock_table();
    for (int i = 0; i < 3; i++)
        expect_within(talks, APR_TIMEUP, 290, 600);
    AWAIT(waiting_sessions() == 0);
    PQfinish(owner);
    expect(talks, "here", APR_SUCCESS);
    ratings_talks_destroy(talks);
}

static void nothing_is_left_open(void **state)
{
    (void)state;
    talk_exists_or_not(state); /* what libraries open once is open */
    int before = open_files();
    for (int i = 0; i < 5; i++) {
        ratings_talks_t *talks = talks_of("", 8, 5000);
        warm_up(talks, 4);
        ratings_talks_destroy(talks);
    }
    assert_int_equal(open_files(), before);
    AWAIT(threads() == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conninfo_keeps_what_is_set),
        cmocka_unit_test(conninfo_adds_what_is_not),
        cmocka_unit_test(secrets_are_found),
        cmocka_unit_test(shows_no_password),
        cmocka_unit_test(shows_all_but_passwords),
        cmocka_unit_test(connection_problem_quotes_nothing),
        cmocka_unit_test(create_refuses_what_libpq_cannot_read),
        cmocka_unit_test(redact_text_replaces_secrets_alone),
        cmocka_unit_test_setup(talk_exists_or_not, until_no_session_is_left),
        cmocka_unit_test(key_value_words_do_as_well),
        cmocka_unit_test_setup(ids_are_data, until_no_session_is_left),
        cmocka_unit_test_setup(column_of_each_type, until_no_session_is_left),
        cmocka_unit_test_setup(database_of_each_encoding, until_no_session_is_left),
        cmocka_unit_test_setup(check_needs_the_table, until_no_session_is_left),
        cmocka_unit_test(check_needs_the_right_to_read),
        cmocka_unit_test_setup(no_columns_are_no_bounds, until_no_session_is_left),
        cmocka_unit_test(window_is_read),
        cmocka_unit_test(window_of_one_bound),
        cmocka_unit_test(window_of_another_type_is_refused),
        cmocka_unit_test_setup(columns_come_and_go, until_no_session_is_left),
        cmocka_unit_test(list_of_a_table_of_ids),
        cmocka_unit_test(list_of_each_encoding),
        cmocka_unit_test(keys_have_neither_case_nor_accents),
        cmocka_unit_test(list_that_cannot_be_read),
        cmocka_unit_test(list_has_a_bound),
        cmocka_unit_test(wrong_password_is_not_repeated),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(several_hosts),
        cmocka_unit_test(resolver_hangs),
        cmocka_unit_test(server_stops_and_comes_back),
        cmocka_unit_test(restart_is_not_noticed),
        cmocka_unit_test(terminated_while_idle),
        cmocka_unit_test(terminated_in_a_query),
        cmocka_unit_test(server_ends_a_slow_query),
        cmocka_unit_test(abandoned_query_ends_on_the_server),
        cmocka_unit_test_setup(hangs_in_a_query, until_no_session_is_left),
        cmocka_unit_test_teardown(hangs_while_connecting, resume_server),
        cmocka_unit_test(ends_at_the_deadline_of_its_caller),
        cmocka_unit_test_teardown(connecting_ends_at_the_deadline_of_its_caller, resume_server),
        cmocka_unit_test_setup(passed_deadline_asks_nothing, until_no_session_is_left),
        cmocka_unit_test_teardown(destroyed_while_it_hangs, resume_server),
        cmocka_unit_test(destroyed_during_queries),
        cmocka_unit_test(pool_is_exhausted),
        cmocka_unit_test(waits_for_one_to_come_free),
        cmocka_unit_test(server_has_no_room),
        cmocka_unit_test(server_has_little_room),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(many_threads_and_a_murderer),
        cmocka_unit_test_teardown(pooler_of_sessions, stop_pooler),
        cmocka_unit_test_teardown(pooler_of_transactions, stop_pooler),
        cmocka_unit_test_teardown(pooler_of_statements, stop_pooler),
        cmocka_unit_test_teardown(pooler_is_paused, stop_pooler),
        cmocka_unit_test_teardown(pooler_is_restarted, stop_pooler),
        cmocka_unit_test_teardown(pooler_passes_on_that_a_query_was_given_up, stop_pooler),
        cmocka_unit_test_setup(nothing_is_left_open, until_no_session_is_left),
    };
    return cmocka_run_group_tests_name("talks", tests, set_up, tear_down);
}
