/* ratingsctl, where a call of its own fails, each in turn (failing.h), and where Redis answers what
 * it must not (lying_redis.h): it says so, and never ends by a signal. With a PostgreSQL and a
 * Redis of the test's own, and librdkafka's mock of Kafka. RATINGS_EVERY=N: each Nth call, and lie.
 */
#include "lying_redis.h"
#include "mock_kafka.h"
#include "redis_server.h"

#include <limits.h>
#include <sys/wait.h>

#define TOPIC "ratings"
#define VOTER "0123456789abcdef0123456789abcd00"

static char program[PATH_MAX]; /* ratingsctl_failing, as it was built with this test */
static char connections[512];
static const char *reached; /* a file that is there if the program came so far */
static rd_kafka_t *kafka;

/* ---- servers ---- */

static void start_postgres(int port)
{
    const char *line = apr_psprintf(
        redis.pool,
        "mkdir -p %s/postgres && chmod 711 %s && { t/backend/postgres.sh guard %s/postgres %d "
        "</dev/null >/dev/null 2>&1 & t/backend/postgres.sh start %s/postgres %d </dev/null "
        ">>%s/log 2>&1; }",
        redis.directory, redis.directory, redis.directory, (int)getpid(), redis.directory, port,
        redis.directory);
    assert_int_equal(system(line), 0);
}

static const char *start_kafka(void)
{
    return rd_kafka_mock_cluster_bootstraps(mock_kafka_start(&kafka, TOPIC));
}

static void append(const char *key, const char *value)
{
    rd_kafka_resp_err_t code = rd_kafka_producev(
        kafka, RD_KAFKA_V_TOPIC(TOPIC), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(key, strlen(key)),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
    assert_int_equal(code, 0);
    assert_int_equal(rd_kafka_flush(kafka, 5000), 0);
}

static void fill_log(void)
{
    append("ratings:routing", "{\"version\":1,\"partitions\":1}");
    append("ratings:electorate",
           "{\"version\":1,\"electorate\":\"f434d3dbc99487f9a3b227a6f8359485\","
           "\"follows\":\"\"}");
    append("a", "{\"version\":1,\"talkId\":\"a\",\"value\":5}");
    append("a", "{\"version\":1,\"talkId\":\"a\",\"value\":4,\"voter\":\"" VOTER "\"}");
    append("b", "{\"version\":1,\"talkId\":\"b\",\"value\":1,\"idempotencyKey\":\"k\","
                "\"idempotencyWindow\":1000}");
    append("a", "{\"version\":1,\"talkId\":\"a\",\"value\":null,\"voter\":\"" VOTER "\"}");
    append("ratings:barred", "{\"version\":1,\"voter\":\"" VOTER "\",\"barred\":true}");
    append("a", "nonsense");
}

static int set_up(void **state)
{
    int port = free_port();
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    (void)state;
    redis_set_up();
    assert_true(len > 0);
    strcpy(strrchr(program, '/'), "/ratingsctl_failing");
    start_postgres(port);
    (void)snprintf(connections, sizeof connections,
                   "TALKS_CONNECTION=postgres://owner:secret@127.0.0.1:%d/postgres "
                   "RATINGS_CONNECTION=redis://127.0.0.1:%d STREAMS_CONNECTION=%s",
                   port, redis.port, start_kafka());
    reached = apr_pstrcat(redis.pool, redis.directory, "/reached", NULL);
    fill_log();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rd_kafka_destroy(kafka);
    assert_int_equal(system(apr_psprintf(redis.pool,
                                         "t/backend/postgres.sh stop %s/postgres immediate "
                                         "</dev/null >>%s/log 2>&1",
                                         redis.directory, redis.directory)),
                     0);
    redis_tear_down();
    return 0;
}

/* ---- the program ---- */

static char said[65536]; /* by it, on both streams: the last of it */

/* Its exit code; `how` are the variables that make it fail. */
static int run_with(const char *how, const char *words)
{
    const char *line = apr_psprintf(redis.pool,
                                    "cd %s; exec 2>&1 </dev/null; rm -f reached; %s "
                                    "ASAN_OPTIONS=detect_leaks=0 RATINGS_REACHED=%s %s '%s' %s",
                                    redis.directory, connections, reached, how, program, words);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    read_end(pipe, said, sizeof said);
    int status = pclose(pipe);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 2)
        fail_msg("%s %s: status %#x: %s", how, words, (unsigned)status, said);
    return WEXITSTATUS(status);
}

/* It is as when nothing happens, or says why not. */
static bool run_disturbed(const char *how, const char *words, int code)
{
    int ended = run_with(how, words);
    bool was_disturbed = access(reached, F_OK) == 0;
    if (ended == 2 ? !strstr(said, "ratingsctl: ") : !was_disturbed && ended != code)
        fail_msg("%s %s: %d: %s", how, words, ended, said);
    return was_disturbed;
}

/* ---- what it is asked for ---- */

typedef struct {
    const char *words;
    int code;
    const char *before; /* a command of its own that comes before each, or NULL */
    const char *redis;  /* one of Redis's, or NULL */
    bool hears_lies;    /* it asks Redis, as no other does */
} row_t;

#define SCHEDULE_OPTIONS " --opens '5 min before end' --closes '7 days after end'"

#define APPLIED_TO_THE_END "HSET ratings:log position:0 100000"

static row_t rows[] = {
    {"talks migrate", 0, NULL, NULL, false},
    {"talks import schedule.json --yes" SCHEDULE_OPTIONS, 0, NULL, NULL, false},
    {"talks import schedule.ics --json --yes", 0, "talks import schedule.json --yes", NULL, false},
    {"talks import other.csv --zone UTC --yes", 0, "talks import schedule.json --yes", NULL, false},
    {"talks export --page https://x.example/{id}", 0, "talks import schedule.json --yes", NULL,
     false},
    {"talks qr codes --page https://x.example/{id}", 0, NULL, NULL, false},
    {"audit", 1, NULL, NULL, true},
    {"audit --json --talk a", 1, NULL, NULL, true},
    {"repair", 1, NULL, NULL, false},
    {"explain a", 1, NULL, NULL, true},
    {"explain a --json", 1, NULL, NULL, true},
    {"export ratings", 0, NULL, NULL, false},
    {"export events --format ndjson", 0, NULL, NULL, false},
    {"electorate", 0, NULL, NULL, true},
    {"electorate --json", 0, NULL, NULL, true},
    {"status --json", 1, NULL, NULL, true},
    {"rebuild --yes", 0, NULL, NULL, true},
    {"bar " VOTER " --reason why", 0, NULL, APPLIED_TO_THE_END, true},
    {"unbar " VOTER " --json", 0, NULL, APPLIED_TO_THE_END, false},
    {"erase " VOTER, 0, NULL, APPLIED_TO_THE_END, false},
};

static void write_files(void)
{
    const char *line =
        apr_psprintf(redis.pool,
                     "cp t/schedules/schedule.json t/schedules/schedule.ics %s && printf "
                     "'title,code,start,speakers\\nA,a,2026-11-28T10:00,Ada;Bo\\n' >%s/other.csv",
                     redis.directory, redis.directory);
    assert_int_equal(system(line), 0);
}

/* What the service could have written, but for the counts; and more. */
static void fill_redis(const char *more)
{
    const char *const commands[] = {
        "FLUSHALL",
        "HSET ratings/a 1 0 2 0 3 0 4 1 5 1 anonymous 1",
        "HSET ratings/gone 1 1 2 0 3 0 4 0 5 0",
        "HSET ratings:log topic ratings partitions 1 routing 0 positions 1 position:0 8 generation "
        "0123456789abcdef voters:0 0 electorate 1:-1:f434d3dbc99487f9a3b227a6f8359485",
        "HSET ratings:keys:0 some-key 5:5000:0",
        "HSET ratings:barred:0 " VOTER " 1",
        more ? more : "PING",
    };
    redisContext *owner = redisConnect("127.0.0.1", redis.port);
    assert_int_equal(owner->err, 0);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        redisReply *reply = redisCommand(owner, commands[i]);
        assert_non_null(reply);
        assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
        freeReplyObject(reply);
    }
    redisFree(owner);
}

static void prepare(const row_t *row)
{
    fill_redis(row->redis);
    if (row->before)
        assert_int_equal(run_with("", row->before), 0);
}

static int every(int otherwise)
{
    const char *number = getenv("RATINGS_EVERY");
    return number ? atoi(number) : otherwise;
}

/* Of calls, and of parts of answers (of each kind of lie others). */
#ifdef __SANITIZE_ADDRESS__ /* a run takes many times as long */
#define CALLS_EVERY 11
#define LIES_EVERY 23
#else
#define CALLS_EVERY 1
#define LIES_EVERY 4
#endif

static void says_that_it_failed(void **state)
{
    const row_t *row = *state;
    bool was_reached = true;
    alarm(2 * TEST_SECONDS);
    write_files();
    for (int call = 1; was_reached; call += every(CALLS_EVERY)) {
        prepare(row);
        was_reached = run_disturbed(apr_psprintf(redis.pool, "RATINGS_FAILING=%d", call),
                                    row->words, row->code);
    }
}

static void survives_each_lie(void **state)
{
    const row_t *row = *state;
    alarm(2 * TEST_SECONDS);
    for (int lie = 0; lie < LIE_KINDS; lie++) {
        bool was_told = true;
        for (int part = 1 + lie % every(LIES_EVERY); was_told; part += every(LIES_EVERY)) {
            prepare(row);
            was_told = run_disturbed(apr_psprintf(redis.pool, "RATINGS_LIE=%d:%d", lie, part),
                                     row->words, row->code);
        }
    }
}

#define ROWS (sizeof rows / sizeof rows[0])

int main(void)
{
    struct CMUnitTest tests[2 * ROWS];
    size_t count = 0;
    for (size_t i = 0; i < ROWS; i++) {
        tests[count++] =
            (struct CMUnitTest){rows[i].words, says_that_it_failed, NULL, NULL, &rows[i]};
        if (rows[i].hears_lies)
            tests[count++] =
                (struct CMUnitTest){rows[i].words, survives_each_lie, NULL, NULL, &rows[i]};
    }
    return _cmocka_run_group_tests("ctl_scarcity", tests, count, set_up, tear_down);
}
