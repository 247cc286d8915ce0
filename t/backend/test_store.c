#include "redis_server.h"
#include "slow_resolver.h"
#include "tcp_peer.h"

#include <sys/un.h>

/* ---- the server ---- */

static int resume_server(void **state)
{
    (void)state;
    return kill(redis_pid(), SIGCONT);
}

/* What Redis answers to `line` over a connection of the test's own. */
static const char *run_once(const char *line)
{
    redisContext *owner = redisConnect("127.0.0.1", redis.port);
    assert_int_equal(owner->err, 0);
    redisReply *reply = redisCommand(owner, line);
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_ERROR)
        print_error("%s: %s\n", line, reply->str);
    assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
    const char *text = apr_pstrdup(redis.pool, reply->str ? reply->str : "");
    freeReplyObject(reply);
    redisFree(owner);
    return text;
}

/* Calls that Redis keeps waiting, in BLPOP. */
static int blocked(void)
{
    const char *at = strstr(run_once("INFO clients"), "blocked_clients:");
    assert_non_null(at);
    return atoi(at + strlen("blocked_clients:"));
}

/* Connections, but for the one that asks. */
static int sessions(void)
{
    int count = -1;
    for (const char *at = run_once("CLIENT LIST TYPE normal"); at; at = strchr(at, '\n')) {
        at += *at == '\n';
        count += strncmp(at, "id=", 3) == 0;
    }
    return count;
}

static int set_up(void **state)
{
    (void)state;
    count_threads();
    redis_set_up();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    AWAIT(threads() == 0);
    redis_tear_down();
    return 0;
}

/* ---- the module's side ---- */

static ratings_store_t *store_at(const char *url, int connections_max, int timeout_ms)
{
    ratings_store_options_t options = {
        url, connections_max, apr_time_from_msec(timeout_ms), NULL, NULL, NULL};
    ratings_store_t *store = NULL;
    ratings_result_t why;
    assert_int_equal(ratings_store_create(&store, &options, &why), APR_SUCCESS);
    return store;
}

static ratings_store_t *store_on(int its_port, int connections_max, int timeout_ms)
{
    return store_at(apr_psprintf(redis.pool, "redis://127.0.0.1:%d", its_port), connections_max,
                    timeout_ms);
}

static ratings_store_t *store_of(int connections_max, int timeout_ms)
{
    return store_on(redis.port, connections_max, timeout_ms);
}

/* What the store says of PING, and how long that took. */
typedef struct {
    ratings_result_t why;
    int64_t ms;
} ping_t;

static ping_t ping_until(ratings_store_t *store, int64_t deadline)
{
    ping_t ping;
    redisReply *reply = NULL;
    int64_t begin = now_ms();
    memset(&ping, 'x', sizeof ping);
    apr_status_t status = store_command(store, &reply, deadline, &ping.why, "PING", NULL);
    ping.ms = now_ms() - begin;
    assert_int_equal(status, ping.why.status);
    assert_int_equal(status == APR_SUCCESS, reply != NULL);
    assert_int_equal(status == APR_SUCCESS, ping.why.detail[0] == '\0');
    freeReplyObject(reply);
    return ping;
}

static void expect_success(ratings_store_t *store)
{
    ping_t ping = ping_until(store, NO_DEADLINE);
    if (ping.why.status != APR_SUCCESS)
        print_error("%d: %s\n", ping.why.status, ping.why.detail);
    assert_int_equal(ping.why.status, APR_SUCCESS);
}

/* It ends within `low`..`high` milliseconds, with `text` in its reason. */
static void expect_failure_until(ratings_store_t *store, int64_t deadline, apr_status_t status,
                                 const char *text, int64_t low, int64_t high)
{
    ping_t ping = ping_until(store, deadline);
    if (ping.why.status != status || !strstr(ping.why.detail, text) || ping.ms < low ||
        ping.ms > high)
        print_error("%d after %d ms: %s\n", ping.why.status, (int)ping.ms, ping.why.detail);
    assert_int_equal(ping.why.status, status);
    assert_non_null(strstr(ping.why.detail, text));
    assert_took(ping.ms, low, high);
}

static void expect_failure(ratings_store_t *store, apr_status_t status, const char *text,
                           int64_t low, int64_t high)
{
    expect_failure_until(store, NO_DEADLINE, status, text, low, high);
}

/* The store's timeout is far, the caller's deadline near: and the other way round. */
static void expect_deadlines_kept(const char *url, const char *text)
{
    ratings_store_t *patient = store_at(url, 2, 10000), *hasty = store_at(url, 2, 250);
    expect_failure_until(patient, deadline_in(250), APR_TIMEUP, text, 245, 450);
    expect_failure_until(hasty, deadline_in(10000), APR_TIMEUP, text, 245, 450);
    ratings_store_destroy(patient);
    ratings_store_destroy(hasty);
}

/* A one-word answer, or that of a command that is to succeed. */
static const char *ask(ratings_store_t *store, const char *word, const char *more)
{
    redisReply *reply = NULL;
    ratings_result_t why;
    apr_status_t status = store_command(store, &reply, NO_DEADLINE, &why, word, more, NULL);
    if (status != APR_SUCCESS)
        print_error("%s: %d: %s\n", word, status, why.detail);
    assert_int_equal(status, APR_SUCCESS);
    const char *text =
        reply->type == REDIS_REPLY_INTEGER
            ? apr_psprintf(redis.pool, "%" APR_INT64_T_FMT, (apr_int64_t)reply->integer)
            : apr_pstrdup(redis.pool, reply->str);
    freeReplyObject(reply);
    return text;
}

/* What a script returns. */
static const char *evaluate(ratings_store_t *store, const char *script)
{
    redisReply *reply = NULL;
    ratings_result_t why;
    if (store_command(store, &reply, NO_DEADLINE, &why, "EVAL", script, "0", NULL) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    const char *text = apr_pstrdup(redis.pool, reply->str);
    freeReplyObject(reply);
    return text;
}

/* Threads that each call `count` times; BLPOP waits until somebody pushes. */
typedef struct {
    ratings_store_t *store;
    bool blocks;
    int count;
    pthread_t thread;
    int succeeded, timed_out, refused, failed, not_asked;
    int64_t longest_ms;
    ratings_result_t last;
} caller_t;

static void call_once(caller_t *caller)
{
    redisReply *reply = NULL;
    int64_t begin = now_ms();
    apr_status_t status = store_command(caller->store, &reply, NO_DEADLINE, &caller->last,
                                        caller->blocks ? "BLPOP" : "PING",
                                        caller->blocks ? "queue" : NULL, "0", NULL);
    int64_t took = now_ms() - begin;
    if (took > caller->longest_ms)
        caller->longest_ms = took;
    caller->succeeded += status == APR_SUCCESS;
    caller->timed_out += status == APR_TIMEUP;
    caller->refused += status == APR_ECONNREFUSED;
    caller->failed += status == APR_EGENERAL;
    caller->not_asked += status == RATINGS_NOT_ASKED;
    freeReplyObject(reply);
}

static void *call_often(void *data)
{
    caller_t *caller = data;
    for (int i = 0; i < caller->count; i++)
        call_once(caller);
    return NULL;
}

static void start_callers(caller_t *callers, int n, ratings_store_t *store, bool blocks, int count)
{
    for (int i = 0; i < n; i++) {
        callers[i] = (caller_t){.store = store, .blocks = blocks, .count = count};
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
        sum.refused += callers[i].refused;
        sum.failed += callers[i].failed;
        sum.not_asked += callers[i].not_asked;
        sum.last = callers[i].last;
        if (callers[i].longest_ms > sum.longest_ms)
            sum.longest_ms = callers[i].longest_ms;
    }
    return sum;
}

/* Makes `n` connections idle at once. */
static void warm_up(ratings_store_t *store, int n)
{
    caller_t callers[16];
    start_callers(callers, n, store, true, 1);
    AWAIT(blocked() == n);
    for (int i = 0; i < n; i++)
        run_once("RPUSH queue x");
    assert_int_equal(join_callers(callers, n).succeeded, n);
    assert_int_equal(sessions(), n);
}

/* ---- answers ---- */

static void login_and_database_are_asked_for(void **state)
{
    ratings_store_t *store = store_at(
        apr_psprintf(redis.pool, "redis://reader:p%%40ss%%2Fw%%25rd@127.0.0.1:%d/3", redis.port), 1,
        5000);
    (void)state;
    assert_non_null(strstr(ask(store, "CLIENT", "INFO"), " db=3 "));
    assert_non_null(strstr(ask(store, "CLIENT", "INFO"), " user=reader "));
    ratings_store_destroy(store);
}

static void login_is_wiped(void **state)
{
    ratings_store_t *store = store_at(
        apr_psprintf(redis.pool, "redis://reader:p%%40ss%%2Fw%%25rd@127.0.0.1:%d", redis.port), 1,
        5000);
    (void)state;
    assert_non_null(strstr(ask(store, "CLIENT", "INFO"), " user=reader "));
    assert_false(memory_has_command("p@ss/w%rd"));
    ratings_store_destroy(store);
    assert_false(memory_has_command("p@ss/w%rd"));
}

static void unix_socket_is_as_good_as_a_port(void **state)
{
    ratings_store_t *store =
        store_at(apr_psprintf(redis.pool, "unix://reader:p%%40ss%%2Fw%%25rd@%s/socket?db=3",
                              redis.directory),
                 1, 5000);
    (void)state;
    assert_non_null(strstr(ask(store, "CLIENT", "INFO"), " db=3 "));
    assert_non_null(strstr(ask(store, "CLIENT", "INFO"), " user=reader "));
    assert_non_null(strstr(ask(store, "CLIENT", "INFO"), "/socket:0 "));
    ratings_store_destroy(store);
}

static void refused_login_is_told_without_its_password(void **state)
{
    ratings_store_t *store = store_at(
        apr_psprintf(redis.pool, "redis://reader:hunter2@127.0.0.1:%d", redis.port), 1, 5000);
    (void)state;
    ping_t ping = ping_until(store, NO_DEADLINE);
    assert_int_equal(ping.why.status, APR_EGENERAL);
    assert_non_null(strstr(ping.why.detail, "WRONGPASS"));
    assert_null(strstr(ping.why.detail, "hunter2"));
    AWAIT(sessions() == 0);
    ratings_store_destroy(store);
}

static void refused_command_is_a_failure_and_costs_no_connection(void **state)
{
    ratings_store_t *store = store_of(1, 5000);
    redisReply *reply = NULL;
    ratings_result_t why;
    (void)state;
    const char *id = ask(store, "CLIENT", "ID");
    assert_int_equal(store_command(store, &reply, NO_DEADLINE, &why, "NOSUCH", NULL), APR_EGENERAL);
    assert_null(reply);
    assert_non_null(strstr(why.detail, "Redis refused: ERR unknown command"));
    assert_string_equal(ask(store, "CLIENT", "ID"), id);
    ratings_store_destroy(store);
}

/* More than a socket takes at once, in both directions, and any byte. */
static void pipeline_of_any_size_is_answered_in_order(void **state)
{
    ratings_store_t *store = store_of(1, 20000);
    size_t size = 16 << 20;
    char *value = calloc(1, size);
    const char *set[] = {"SET", "big", value}, *get[] = {"GET", "big"}, *del[] = {"DEL", "big"};
    size_t set_lengths[] = {3, 3, size}, get_lengths[] = {3, 3};
    store_command_t commands[] = {{3, set, set_lengths, 0, false, NULL},
                                  {2, get, get_lengths, size + 64, false, NULL},
                                  {2, del, get_lengths, 0, false, NULL}};
    redisReply *replies[3];
    ratings_result_t why;
    (void)state;
    value[size - 1] = '\r';
    assert_int_equal(store_pipeline(store, commands, 3, replies, NO_DEADLINE, &why), APR_SUCCESS);
    assert_string_equal(replies[0]->str, "OK");
    assert_int_equal(replies[1]->len, size);
    assert_memory_equal(replies[1]->str, value, size);
    assert_int_equal(replies[2]->integer, 1);
    for (int i = 0; i < 3; i++)
        freeReplyObject(replies[i]);
    free(value);
    ratings_store_destroy(store);
}

/* A batch of one rating of one talk, at the begin of a partition. */
typedef struct {
    ratings_increment_t increment;
    const ratings_increment_t *increments[1];
    ratings_batch_t batch;
} one_rating_t;

static const ratings_batch_t *one_rating(one_rating_t *one, int partition, const char *talk_id)
{
    one->increment = (ratings_increment_t){.talk_id = talk_id, .added = {0, 0, 0, 1, 0}};
    one->increments[0] = &one->increment;
    one->batch = (ratings_batch_t){.generation = "g",
                                   .partition = partition,
                                   .next_checkpoint = 1,
                                   .previous = {.offset = RATINGS_FINGERPRINT_NONE},
                                   .first = {.offset = RATINGS_FINGERPRINT_NONE},
                                   .increments = one->increments,
                                   .increment_count = 1};
    return &one->batch;
}

static void batches_of_one_exchange_are_applied_each_by_itself(void **state)
{
    static const char set_up[] =
        "redis.call('HSET', 'ratings:log', 'generation', 'g', 'position:0', 0, 'position:1', 7, "
        "'position:2', 0, 'position:3', 0) redis.call('SET', 'ratings/c', 'no hash') return 'OK'";
    static const char look[] = "return table.concat({redis.call('HGET', 'ratings:log', "
                               "'position:0'), redis.call('EXISTS', 'ratings/b'), "
                               "redis.call('HGET', 'ratings/d', '4')}, ' ')";
    ratings_store_t *store = store_of(1, 5000);
    one_rating_t ones[4];
    const ratings_batch_t *batches[] = {one_rating(&ones[0], 0, "a"), one_rating(&ones[1], 1, "b"),
                                        one_rating(&ones[2], 2, "c"), one_rating(&ones[3], 3, "d")};
    ratings_cas_e ends[4];
    ratings_result_t why;
    (void)state;
    assert_string_equal(evaluate(store, set_up), "OK");
    assert_int_equal(ratings_store_apply(store, batches, 4, ends, &why), APR_SUCCESS);
    assert_int_equal(ends[0], RATINGS_CAS_APPLIED);
    assert_int_equal(ends[1], RATINGS_CAS_CONFLICT);
    assert_int_equal(ends[2], RATINGS_CAS_CORRUPT);
    assert_int_equal(ends[3], RATINGS_CAS_APPLIED);
    assert_string_equal(evaluate(store, look), "1 0 1");
    assert_string_equal(ask(store, "FLUSHDB", "SYNC"), "OK");
    ratings_store_destroy(store);
}

/* Also of large counts, beside a batch that does not ask. */
static void counts_are_replied_to_who_asks(void **state)
{
    static const char set_up[] =
        "redis.call('HSET', 'ratings:log', 'generation', 'g', 'position:0', 0, 'position:1', 0, "
        "'position:2', 7) redis.call('HSET', 'ratings/a', '1', '999999999999999', '4', 255) "
        "return 'OK'";
    static const ratings_histogram_t expected = {{999999999999999, 0, 0, 256, 0}};
    ratings_store_t *store = store_of(1, 5000);
    one_rating_t ones[3];
    const ratings_batch_t *batches[] = {one_rating(&ones[0], 0, "a"), one_rating(&ones[1], 1, "b"),
                                        one_rating(&ones[2], 2, "c")};
    ratings_histogram_t counts[] = {{{0}}, {{1, 2, 3, 4, 5}}};
    ratings_cas_e ends[3];
    ratings_result_t why;
    (void)state;
    ones[0].batch.counts = &counts[0];
    ones[2].batch.counts = &counts[1];
    assert_string_equal(evaluate(store, set_up), "OK");
    assert_int_equal(ratings_store_apply(store, batches, 3, ends, &why), APR_SUCCESS);
    assert_int_equal(ends[0], RATINGS_CAS_APPLIED);
    assert_int_equal(ends[1], RATINGS_CAS_APPLIED);
    assert_int_equal(ends[2], RATINGS_CAS_CONFLICT);
    assert_memory_equal(&counts[0], &expected, sizeof expected);
    assert_int_equal(counts[1].count[4], 5);
    assert_string_equal(ask(store, "FLUSHDB", "SYNC"), "OK");
    ratings_store_destroy(store);
}

static void connection_used_last_is_used_next(void **state)
{
    ratings_store_t *store = store_of(4, 5000);
    (void)state;
    warm_up(store, 4);
    const char *id = ask(store, "CLIENT", "ID");
    for (int i = 0; i < 10; i++)
        assert_string_equal(ask(store, "CLIENT", "ID"), id);
    ratings_store_destroy(store);
}

/* ---- connecting ---- */

static void nobody_listens(void **state)
{
    ratings_store_t *store = store_on(free_port(), 2, 5000);
    (void)state;
    expect_failure(store, APR_ECONNREFUSED, "connecting: Connection refused", 0, 500);
    ratings_store_destroy(store);
}

static void socket_that_is_not_there_is_no_connection(void **state)
{
    ratings_store_t *store = store_at("unix:///nowhere/socket", 2, 5000);
    (void)state;
    expect_failure(store, APR_ECONNREFUSED, "connecting: No such file or directory", 0, 500);
    ratings_store_destroy(store);
}

/* A socket that never accepts, and has one place in its backlog. */
static int listen_on(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)apr_cpystrn(address.sun_path, path, sizeof address.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 0), 0);
    return fd;
}

static void full_backlog_of_a_socket_is_waited_for_until_the_deadline(void **state)
{
    const char *path = apr_pstrcat(redis.pool, redis.directory, "/full", NULL);
    ratings_store_t *store = store_at(apr_pstrcat(redis.pool, "unix://", path, NULL), 2, 5000);
    int listener = listen_on(path);
    (void)state;
    expect_failure_until(store, deadline_in(250), APR_TIMEUP, "timed out waiting", 245, 450);
    expect_failure_until(store, deadline_in(250), APR_TIMEUP, "timed out connecting", 245, 450);
    assert_int_equal(close(listener), 0);
    ratings_store_destroy(store);
}

static void name_that_does_not_exist_is_no_connection(void **state)
{
    ratings_store_t *store = store_at("redis://.invalid.", 2, 5000);
    (void)state;
    expect_failure(store, APR_ECONNREFUSED, "looking up .invalid.", 0, 4000);
    AWAIT(threads() == 0);
    ratings_store_destroy(store);
}

static void second_address_is_tried_when_the_first_refuses(void **state)
{
    ratings_store_t *store =
        store_at(apr_psprintf(redis.pool, "redis://" TWO_NAME ":%d", redis.port), 2, 5000);
    (void)state;
    expect_success(store);
    ratings_store_destroy(store);
}

/* ... in time, although nobody says that it does not */
static void second_address_is_tried_when_the_first_is_silent(void **state)
{
    ratings_store_t *store =
        store_at(apr_psprintf(redis.pool, "redis://" TWO_NAME ":%d", redis.port), 2, 5000);
    swamp_t swamp;
    (void)state;
    swamp_make(&swamp, TWO_FIRST, redis.port);
    ping_t ping = ping_until(store, deadline_in(2000)); /* half of it for each */
    assert_int_equal(ping.why.status, APR_SUCCESS);
    assert_took(ping.ms, 995, 1500);
    swamp_drain(&swamp);
    ratings_store_destroy(store);
}

/* That this host has no port for a connection tells nothing of the store, unless it is for good. */
static void address_that_cannot_be_asked_decides_nothing(void **state)
{
    static const struct {
        const char *host;
        bool is_served;
        apr_status_t status;
        const char *text;
    } rows[] = {{NO_PORT_FIRST, true, APR_SUCCESS, ""},
                {NO_PORT_FIRST, false, APR_ECONNREFUSED, "connecting: Connection refused"},
                {NO_PORT_LAST, false, APR_ECONNREFUSED, "connecting: Connection refused"},
                {NO_PORT, true, RATINGS_NOT_ASKED, "connecting: Cannot assign"},
                {"[" NO_PORT_6 "]", true, APR_ECONNREFUSED, "connecting: Cannot assign"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int its_port = rows[i].is_served ? redis.port : free_port();
        const char *url = apr_psprintf(redis.pool, "redis://%s:%d", rows[i].host, its_port);
        ratings_store_t *store = store_at(url, 1, 5000);
        expect_failure(store, rows[i].status, rows[i].text, 0, 500);
        ratings_store_destroy(store);
    }
}

/* ---- deadlines ---- */

static void connecting_ends_by_the_deadline(void **state)
{
    swamp_t swamp;
    (void)state;
    swamp_make(&swamp, "127.0.0.1", 0);
    expect_deadlines_kept(apr_psprintf(redis.pool, "redis://127.0.0.1:%d", swamp.port),
                          "timed out connecting");
    swamp_drain(&swamp);
}

static void looking_up_a_name_ends_by_the_deadline(void **state)
{
    (void)state;
    expect_deadlines_kept("redis://" SLOW_NAME, "not looked up in time");
    AWAIT(threads() == 0);
}

static void calls_share_one_thread_that_looks_up_a_name(void **state)
{
    ratings_store_t *store = store_at("redis://" SLOW_NAME, 8, 300);
    caller_t callers[8];
    (void)state;
    start_callers(callers, 8, store, false, 2);
    pause_ms(400); /* in the midst of the second round */
    assert_in_range(threads(), 1, 8 + 1);
    assert_int_equal(join_callers(callers, 8).timed_out, 16);
    AWAIT(threads() == 1);
    ratings_store_destroy(store); /* does not wait for it */
    AWAIT(threads() == 0);
}

static void call_ends_by_its_deadline_whatever_the_answer_does(void **state)
{
    static const step_t silence[] = {{NULL, THEN_SILENCE}};
    static const step_t half[] = {{"$10\r\nhal", THEN_SILENCE}, {NULL, THEN_SILENCE}};
    static const step_t drip[] = {
        {"$1000\r\n", THEN_DRIP}, {"$1000\r\n", THEN_DRIP}, {NULL, THEN_SILENCE}};
    static const step_t header[] = {{"*2\r\n$", THEN_SILENCE}, {NULL, THEN_SILENCE}};
    static const step_t *const rows[] = {silence, half, drip, header};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        peer_t peer;
        peer_start(&peer, rows[i]);
        expect_deadlines_kept(apr_psprintf(redis.pool, "redis://127.0.0.1:%d", peer.port),
                              "timed out waiting for an answer");
        peer_stop(&peer);
    }
}

static void logging_in_is_part_of_the_call(void **state)
{
    static const step_t silence[] = {{NULL, THEN_SILENCE}};
    static const step_t slow[] = {
        {"+OK\r\n" ECHOED, THEN_NEXT}, {"$1000\r\n", THEN_DRIP}, {NULL, THEN_SILENCE}};
    static const step_t *const rows[] = {silence, slow};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        peer_t peer;
        peer_start(&peer, rows[i]);
        ratings_store_t *store =
            store_at(apr_psprintf(redis.pool, "redis://:p@127.0.0.1:%d/1", peer.port), 1, 5000);
        expect_failure_until(store, deadline_in(250), APR_TIMEUP, "", 245, 450);
        ratings_store_destroy(store);
        peer_stop(&peer);
    }
}

/* One that does not read: what is sent fills the socket's buffers. That is so much that a busy
 * machine may take until the deadline to write it: the limit is for the waits. */
static void sending_ends_by_the_deadline(void **state)
{
    ratings_store_t *store = store_of(1, 5000);
    size_t size = 32 << 20;
    char *value = calloc(1, size);
    const char *words[] = {"SET", "big", value};
    size_t lengths[] = {3, 3, size};
    store_command_t command = {3, words, lengths, 0, false, NULL};
    redisReply *reply;
    ratings_result_t why;
    (void)state;
    expect_success(store);
    stop_process(redis_pid());
    int64_t begin = now_ms(), waited = waited_ms();
    assert_int_equal(store_pipeline(store, &command, 1, &reply, deadline_in(300), &why),
                     APR_TIMEUP);
    assert_true(now_ms() - begin >= 295);
    assert_took(waited_ms() - waited, 0, 400);
    kill(redis_pid(), SIGCONT);
    free(value);
    ratings_store_destroy(store);
}

static void server_that_was_stopped_is_used_again_when_it_goes_on(void **state)
{
    ratings_store_t *store = store_of(1, 250);
    (void)state;
    expect_success(store);
    stop_process(redis_pid());
    expect_failure(store, APR_TIMEUP, "timed out waiting", 245, 450);
    expect_failure(store, APR_TIMEUP, "timed out waiting", 245, 450);
    kill(redis_pid(), SIGCONT);
    expect_success(store);
    ratings_store_destroy(store);
}

/* Nor does it cost the connection, as a call that is given up does. */
static void passed_deadline_asks_nothing(void **state)
{
    static const step_t steps[] = {
        {"+PONG\r\n" ECHOED, THEN_NEXT}, {"+PONG\r\n" ECHOED, THEN_NEXT}, {NULL, THEN_SILENCE}};
    peer_t peer;
    (void)state;
    peer_start(&peer, steps);
    ratings_store_t *store = store_on(peer.port, 1, 5000);
    expect_success(store);
    expect_failure_until(store, deadline_in(0), RATINGS_NOT_ASKED, "no time was left", 0, 50);
    expect_success(store);
    assert_int_equal(peer.requests, 2);
    assert_int_equal(peer.accepted, 1);
    ratings_store_destroy(store);
    peer_stop(&peer);
}

static void deadline_of_a_call_without_one_is_the_timeout(void **state)
{
    ratings_store_t *store = store_of(1, 5000);
    (void)state;
    int64_t low = deadline_in(5000), deadline = store_deadline(store);
    assert_in_range(deadline, low, deadline_in(5000));
    ratings_store_destroy(store);
}

/* ---- connections that end ---- */

static void server_restarted_while_a_connection_was_idle_costs_no_failure(void **state)
{
    ratings_store_t *store = store_of(3, 5000);
    (void)state;
    warm_up(store, 3);
    redis_stop();
    redis_start("");
    warm_up(store, 3);
    ratings_store_destroy(store);
}

static void server_that_went_is_no_connection(void **state)
{
    ratings_store_t *store = store_of(2, 5000);
    (void)state;
    expect_success(store);
    redis_stop();
    expect_failure(store, APR_ECONNREFUSED, "refused", 0, 500);
    redis_start("");
    expect_success(store);
    ratings_store_destroy(store);
}

/* How the answers to two calls make the second end, and how many connections and requests it takes.
 */
static void connection_that_ends_is_replaced_once_if_nothing_came(void **state)
{
    static const struct {
        step_t steps[4];
        apr_status_t status;
        int accepted, requests;
    } rows[] = {
        {{{"+A\r\n" ECHOED, THEN_CLOSE}, {"+B\r\n" ECHOED, THEN_NEXT}}, APR_SUCCESS, 2, 2},
        {{{"+A\r\n" ECHOED, THEN_NEXT}, {"", THEN_CLOSE}, {"+B\r\n" ECHOED, THEN_NEXT}},
         APR_SUCCESS,
         2,
         3},
        {{{"+A\r\n" ECHOED, THEN_NEXT},
          {"", THEN_CLOSE},
          {"", THEN_CLOSE},
          {"+B\r\n" ECHOED, THEN_NEXT}},
         APR_EGENERAL,
         2,
         3},
        {{{"+A\r\n" ECHOED, THEN_NEXT}, {"$10\r\nha", THEN_CLOSE}, {"+B\r\n" ECHOED, THEN_NEXT}},
         APR_EGENERAL,
         1,
         2},
        {{{"+A\r\n" ECHOED, THEN_NEXT}, {"HTTP/1.1\r\n", THEN_NEXT}, {"+B\r\n" ECHOED, THEN_NEXT}},
         APR_EGENERAL,
         1,
         2},
        {{{"+A\r\n" ECHOED, THEN_NEXT}, {"", THEN_CLOSE}, {NULL, THEN_SILENCE}}, APR_TIMEUP, 2, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        peer_t peer;
        step_t steps[5] = {{NULL, THEN_SILENCE}};
        memcpy(steps, rows[i].steps, sizeof rows[i].steps);
        peer_start(&peer, steps);
        ratings_store_t *store = store_on(peer.port, 1, 5000);
        expect_success(store);
        bool hangs = rows[i].status == APR_TIMEUP;
        ping_t ping = ping_until(store, deadline_in(hangs ? 250 : 5000));
        ratings_store_destroy(store);
        peer_stop(&peer);
        if (ping.why.status != rows[i].status)
            print_error("row %d: %d: %s\n", (int)i, ping.why.status, ping.why.detail);
        assert_int_equal(ping.why.status, rows[i].status);
        assert_took(ping.ms, 0, 450);
        assert_int_equal(peer.accepted, rows[i].accepted);
        assert_int_equal(peer.requests, rows[i].requests);
    }
}

static void new_connection_that_ends_is_a_failure(void **state)
{
    static const step_t rows[][2] = {{{"", THEN_CLOSE}, {NULL, THEN_SILENCE}},
                                     {{"$10\r\nha", THEN_CLOSE}, {NULL, THEN_SILENCE}}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        peer_t peer;
        peer_start(&peer, rows[i]);
        ratings_store_t *store = store_on(peer.port, 1, 5000);
        ping_t ping = ping_until(store, NO_DEADLINE);
        assert_int_equal(ping.why.status, APR_EGENERAL);
        assert_non_null(strstr(ping.why.detail, "waiting for an answer"));
        /* as twemproxy does with a command that it does not pass on */
        assert_int_equal(ping.why.fault,
                         i == 0 ? RATINGS_STORE_HANGS_UP : RATINGS_STORE_UNREACHABLE);
        ratings_store_destroy(store);
        peer_stop(&peer);
        assert_int_equal(peer.accepted, 1);
    }
}

/* ... also where the server repeats an unknown command with its arguments, in whichever place that
 * comes, and ECHO is refused as well */
static void answer_to_a_refused_login_is_not_repeated(void **state)
{
#define REPEATED "-ERR unknown command 'AUTH', with args beginning with: 'hunter2'\r\n"
    static const struct {
        const char *answer, *told;
    } rows[] = {
        {REPEATED "-NOAUTH Authentication required.\r\n", "Redis refused the login: ERR"},
        {"+OK\r\n" REPEATED, "Redis refused the login: ERR"},
        {"+OK\r\n" REPEATED ECHOED, "Redis refused the login: ERR"},
        {"+OK\r\n" ECHOED REPEATED, "answers what it was not asked for"},
        {"-hunter2 is wrong\r\n" ECHOED, "Redis refused the login: "},
        {"+OK\r\n-NOPERM this user has no permissions to run the 'echo' command\r\n",
         "it refuses the command ECHO"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const step_t steps[] = {{rows[i].answer, THEN_NEXT}, {NULL, THEN_SILENCE}};
        peer_t peer;
        peer_start(&peer, steps);
        ratings_store_t *store = store_at(
            apr_psprintf(redis.pool, "redis://:hunter2@127.0.0.1:%d/1", peer.port), 1, 5000);
        ping_t ping = ping_until(store, NO_DEADLINE);
        if (ping.why.status != APR_EGENERAL || !strstr(ping.why.detail, rows[i].told))
            print_error("row %d: %d: %s\n", (int)i, ping.why.status, ping.why.detail);
        assert_int_equal(ping.why.status, APR_EGENERAL);
        assert_non_null(strstr(ping.why.detail, rows[i].told));
        assert_null(strstr(ping.why.detail, "hunter2"));
        ratings_store_destroy(store);
        peer_stop(&peer);
    }
}

static void login_that_is_cut_is_no_connection(void **state)
{
    static const step_t steps[] = {{"", THEN_CLOSE}, {NULL, THEN_SILENCE}};
    peer_t peer;
    (void)state;
    peer_start(&peer, steps);
    ratings_store_t *store =
        store_at(apr_psprintf(redis.pool, "redis://:p@127.0.0.1:%d", peer.port), 1, 5000);
    expect_failure(store, APR_ECONNREFUSED, "", 0, 500);
    ratings_store_destroy(store);
    peer_stop(&peer);
}

#define IN_SCRIPT "-ERR Error running script (call to f_1): @user_script:7: @user_script: 7: "

/* A refusal of the server itself: asked again it would refuse again, while the address may lead to
 * another by now. It may be one of several answers, or one of what a script met. */
static void server_that_is_the_wrong_one_is_not_asked_twice(void **state)
{
    static const struct {
        const char *answer;
        int accepted;
    } rows[] = {
        {"+OK\r\n-READONLY You can't write against a read only replica.\r\n" ECHOED, 2},
        {"+OK\r\n" IN_SCRIPT "-READONLY You can't write against a read only replica.\r\n" ECHOED,
         2},
        {"+OK\r\n*2\r\n-MASTERDOWN Link with MASTER is down\r\n*0\r\n" ECHOED, 2},
        {"-LOADING Redis is loading the dataset in memory\r\n-EXECABORT x\r\n-LOADING x\r\n", 2},
        {"-MASTERDOWN Link with MASTER is down\r\n-EXECABORT x\r\n-MASTERDOWN x\r\n", 2},
        {"-NOAUTH Authentication required.\r\n-NOAUTH x\r\n-NOAUTH x\r\n", 2},
        {"+OK\r\n-OOM command not allowed\r\n" ECHOED, 1},
        {"+OK\r\n" IN_SCRIPT "-OOM command not allowed\r\n" ECHOED, 1},
        {"+OK\r\n" IN_SCRIPT "not READONLY at all\r\n" ECHOED, 1},
        {"+OK\r\n+READONLY\r\n" ECHOED, 1},
    };
    const char *word[] = {"PING"};
    size_t length[] = {4};
    store_command_t commands[] = {{1, word, length, 0, false, NULL},
                                  {1, word, length, 0, false, NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const step_t steps[] = {
            {rows[i].answer, THEN_NEXT}, {"+PONG\r\n" ECHOED, THEN_NEXT}, {NULL, THEN_SILENCE}};
        redisReply *replies[2];
        ratings_result_t why;
        peer_t peer;
        peer_start(&peer, steps);
        ratings_store_t *store = store_on(peer.port, 1, 5000);
        if (store_pipeline(store, commands, 2, replies, NO_DEADLINE, &why) == APR_SUCCESS)
            store_free_replies(replies, 2);
        else
            assert_non_null(strstr(why.detail, "Redis refused: "));
        expect_success(store);
        ratings_store_destroy(store);
        peer_stop(&peer);
        assert_int_equal(peer.accepted, rows[i].accepted);
    }
}

/* ... but once more over another connection, at once, where the first had been idle. */
static void server_that_became_the_wrong_one_is_looked_for_at_once(void **state)
{
    static const step_t steps[] = {{"+A\r\n" ECHOED, THEN_NEXT},
                                   {"-READONLY x\r\n" ECHOED, THEN_NEXT},
                                   {"+B\r\n" ECHOED, THEN_NEXT},
                                   {NULL, THEN_SILENCE}};
    peer_t peer;
    (void)state;
    peer_start(&peer, steps);
    ratings_store_t *store = store_on(peer.port, 1, 5000);
    assert_string_equal(ask(store, "PING", NULL), "A");
    assert_string_equal(ask(store, "PING", NULL), "B");
    ratings_store_destroy(store);
    peer_stop(&peer);
    assert_int_equal(peer.accepted, 2);
}

static void retired_connections_are_not_used_again(void **state)
{
    _Atomic int64_t retired_at = 0;
    const char *url = apr_psprintf(redis.pool, "redis://127.0.0.1:%d", redis.port);
    const ratings_store_options_t options = {url, 1, apr_time_from_sec(5), &retired_at, NULL, NULL};
    ratings_store_t *one, *other;
    ratings_result_t why;
    (void)state;
    assert_int_equal(ratings_store_create(&one, &options, &why), APR_SUCCESS);
    assert_int_equal(ratings_store_create(&other, &options, &why), APR_SUCCESS);
    const char *id = ask(other, "CLIENT", "ID");
    int64_t before = ratings_monotonic();
    ratings_store_retire(one, before);
    const char *next = ask(other, "CLIENT", "ID");
    assert_string_not_equal(next, id);
    ratings_store_retire(one, before); /* those of after are kept */
    ratings_store_retire(one, before - 1000000);
    assert_string_equal(ask(other, "CLIENT", "ID"), next);
    ratings_store_destroy(one);
    ratings_store_destroy(other);
}

/* ---- answers that nobody asked for ---- */

static void reply_that_nobody_asked_for_is_no_answer(void **state)
{
    static const struct {
        step_t steps[5];
        const char *second; /* what the second call is answered; the first is A */
        int accepted;
    } rows[] = {
        {{{"+A\r\n" ECHOED, THEN_NEXT},
          {"+X\r\n+B\r\n" ECHOED, THEN_NEXT},
          {"+C\r\n" ECHOED, THEN_NEXT}},
         "C",
         2},
        {{{"+A\r\n" ECHOED "+X\r\n", THEN_NEXT}, {"+B\r\n" ECHOED, THEN_NEXT}}, "B", 2},
        {{{"+A\r\n" ECHOED "+", THEN_NEXT}, {"+B\r\n" ECHOED, THEN_NEXT}}, "B", 2},
        /* it comes before the next question, or with its answer */
        {{{"+A\r\n" ECHOED, THEN_MORE},
          {"+X\r\n", THEN_NEXT},
          {"+B\r\n" ECHOED, THEN_NEXT},
          {"+B\r\n" ECHOED, THEN_NEXT}},
         "B",
         2},
        {{{"+A\r\n" ECHOED, THEN_NEXT},
          {"+B\r\n$28\r\nmod_ratings:0123456789abcdef\r\n", THEN_NEXT},
          {"+C\r\n" ECHOED, THEN_NEXT}},
         "C",
         2},
        {{{"+A\r\n" ECHOED, THEN_NEXT},
          {"+B\r\n-ERR x\r\n", THEN_NEXT},
          {"+C\r\n" ECHOED, THEN_NEXT}},
         NULL,
         1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        peer_t peer;
        peer_start(&peer, rows[i].steps);
        ratings_store_t *store = store_on(peer.port, 1, 5000);
        assert_string_equal(ask(store, "PING", NULL), "A");
        if (rows[i].steps[0].then == THEN_MORE)
            AWAIT(peer.unasked == 1);
        if (rows[i].second)
            assert_string_equal(ask(store, "PING", NULL), rows[i].second);
        else
            expect_failure(store, APR_EGENERAL, "Redis refused: ERR x", 0, 500);
        ratings_store_destroy(store);
        peer_stop(&peer);
        assert_int_equal(peer.accepted, rows[i].accepted);
    }
}

static void server_that_never_answers_what_was_asked_is_a_failure(void **state)
{
    static const step_t steps[] = {{"+X\r\n+A\r\n" ECHOED, THEN_NEXT}, {NULL, THEN_SILENCE}};
    peer_t peer;
    (void)state;
    peer_start(&peer, steps);
    ratings_store_t *store = store_on(peer.port, 1, 5000);
    expect_failure(store, APR_EGENERAL, "answers what it was not asked for", 0, 500);
    ratings_store_destroy(store);
    peer_stop(&peer);
    assert_int_equal(peer.requests, 1);
}

/* Five counts are asked for. An announcement is refused before memory is taken for it, and before
 * what it announces has come. */
static void answer_that_announces_more_than_was_asked_for_is_refused(void **state)
{
    static const char *const announcements[] = {
        "*100000\r\n", "*2\r\n*3\r\n$1\r\n7\r\n$-1\r\n$-1\r\n*100000\r\n", "*4294967301\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n", "*1000\r\n*1000000\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof announcements / sizeof announcements[0]; i++) {
        const step_t steps[] = {
            {announcements[i], THEN_NEXT}, {announcements[i], THEN_NEXT}, {NULL, THEN_SILENCE}};
        ratings_snapshot_t snapshot;
        ratings_result_t why;
        peer_t peer;
        peer_start(&peer, steps);
        ratings_store_t *store = store_on(peer.port, 1, 5000);
        int64_t begin = now_ms();
        apr_status_t status = ratings_store_read(store, "talk", 0, NO_DEADLINE, &snapshot, &why);
        assert_took(now_ms() - begin, 0, 300);
        assert_true(status == RATINGS_REBUILD_NEEDED ||
                    status == APR_EGENERAL); /* it is no number at all */
        assert_true(strstr(why.detail, "more than it was asked for") ||
                    strstr(why.detail, "out of range"));
        ratings_store_destroy(store);
        peer_stop(&peer);
        assert_int_equal(peer.accepted, status == RATINGS_REBUILD_NEEDED ? 2 : 1);
    }
}

/* 400,000 bytes. */
static const char *long_answer(void)
{
    static char answer[400001];
    memset(answer, 'x', sizeof answer - 1);
    memcpy(answer, "$1000000000\r\n", 13);
    return answer;
}

/* What comes is counted, whatever it was announced as. */
static void answer_that_is_longer_than_what_was_asked_for_is_refused(void **state)
{
    const char *answer = long_answer();
    const step_t steps[] = {{answer, THEN_NEXT},
                            {answer, THEN_NEXT},
                            {"+PONG\r\n" ECHOED, THEN_NEXT},
                            {NULL, THEN_SILENCE}};
    ratings_snapshot_t snapshot;
    ratings_result_t why;
    peer_t peer;
    (void)state;
    peer_start(&peer, steps);
    ratings_store_t *store = store_on(peer.port, 1, 5000);
    int64_t begin = now_ms();
    assert_int_equal(ratings_store_read(store, "talk", 0, NO_DEADLINE, &snapshot, &why),
                     RATINGS_REBUILD_NEEDED);
    assert_took(now_ms() - begin, 0, 300);
    assert_non_null(strstr(why.detail, "more than it was asked for"));
    expect_success(store);
    ratings_store_destroy(store);
    peer_stop(&peer);
}

/* Another client's answer, say, whether the connection is a new one, had been idle, or takes the
 * place of one that was closed: the store is healthy, and what a new connection brings is its
 * answer.
 */
static void answer_that_is_too_long_is_asked_for_again(void **state)
{
    const char *answer = long_answer();
    const struct {
        step_t steps[4];
        int calls, accepted;
    } rows[] = {
        {{{answer, THEN_NEXT}, {"+A\r\n" ECHOED, THEN_NEXT}}, 1, 2},
        {{{"*100000\r\n", THEN_NEXT}, {"+A\r\n" ECHOED, THEN_NEXT}}, 1, 2},
        {{{"+A\r\n" ECHOED, THEN_NEXT}, {answer, THEN_NEXT}, {"+A\r\n" ECHOED, THEN_NEXT}}, 2, 2},
        {{{"+A\r\n" ECHOED, THEN_CLOSE}, {answer, THEN_NEXT}, {"+A\r\n" ECHOED, THEN_NEXT}}, 2, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        step_t steps[5] = {{NULL, THEN_SILENCE}};
        peer_t peer;
        memcpy(steps, rows[i].steps, sizeof rows[i].steps);
        peer_start(&peer, steps);
        ratings_store_t *store = store_on(peer.port, 1, 5000);
        for (int call = 0; call < rows[i].calls; call++)
            assert_string_equal(ask(store, "PING", NULL), "A");
        ratings_store_destroy(store);
        peer_stop(&peer);
        assert_int_equal(peer.accepted, rows[i].accepted);
    }
}

/* It is none of the store's data. */
static void answer_to_a_login_that_is_too_long_is_no_corruption(void **state)
{
    const step_t steps[] = {{long_answer(), THEN_NEXT}, {NULL, THEN_SILENCE}};
    peer_t peer;
    (void)state;
    peer_start(&peer, steps);
    ratings_store_t *store =
        store_at(apr_psprintf(redis.pool, "redis://:p@127.0.0.1:%d", peer.port), 1, 5000);
    expect_failure(store, APR_EGENERAL, "answers what it was not asked for", 0, 500);
    ratings_store_destroy(store);
    peer_stop(&peer);
    assert_int_equal(peer.requests, 1);
}

/* ---- what is wrong, and what to do ---- */

/* As Redis 7.0, 6.2 and twemproxy 0.5 say it. */
static void refusal_tells_what_is_wrong(void **state)
{
    static const struct {
        const char *answer;
        ratings_store_fault_e fault;
    } rows[] = {
        {"-READONLY You can't write against a read only replica. script: f, on @user_script:1.\r\n",
         RATINGS_STORE_REPLICA},
        {IN_SCRIPT "-READONLY You can't write against a read only replica.\r\n",
         RATINGS_STORE_REPLICA},
        {"-MOVED 3999 127.0.0.1:6381\r\n", RATINGS_STORE_CLUSTER},
        {"-CROSSSLOT Keys in request don't hash to the same slot\r\n", RATINGS_STORE_CLUSTER},
        {"-CLUSTERDOWN Hash slot not served\r\n", RATINGS_STORE_CLUSTER},
        {"-ERR Script attempted to access a non local key in a cluster node script: f\r\n",
         RATINGS_STORE_CLUSTER},
        {IN_SCRIPT "The user executing the script can't run this command or subcommand\r\n",
         RATINGS_STORE_DENIED},
        {"-NOAUTH Authentication required.\r\n", RATINGS_STORE_LOGIN},
        {"-LOADING Redis is loading the dataset in memory\r\n", RATINGS_STORE_LOADING},
        {"-OOM command not allowed when used memory > 'maxmemory'.\r\n", RATINGS_STORE_FULL},
        {"-MISCONF Redis is configured to save RDB snapshots\r\n", RATINGS_STORE_NOT_SAVING},
        {IN_SCRIPT "-MISCONF Errors writing to the AOF file\r\n", RATINGS_STORE_NOT_SAVING},
        {"-ERR unknown command 'CLIENT'\r\n", RATINGS_STORE_LACKS_COMMANDS},
        {"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
         RATINGS_STORE_UNREACHABLE},
        {"HTTP/1.1 400 Bad Request\r\n", RATINGS_STORE_NOT_REDIS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const step_t steps[] = {{apr_pstrcat(redis.pool, rows[i].answer, ECHOED, NULL), THEN_NEXT},
                                {NULL, THEN_SILENCE}};
        peer_t peer;
        peer_start(&peer, steps);
        ratings_store_t *store = store_on(peer.port, 1, 5000);
        ping_t ping = ping_until(store, NO_DEADLINE);
        const char *text = ratings_store_fault_text((int)rows[i].fault);
        if (ping.why.fault != (int)rows[i].fault)
            print_error("row %d: %d: %s\n", (int)i, ping.why.fault, ping.why.detail);
        assert_int_equal(ping.why.fault, rows[i].fault);
        if (rows[i].fault != RATINGS_STORE_UNREACHABLE)
            assert_ptr_equal(strstr(ping.why.detail, text), ping.why.detail);
        ratings_store_destroy(store);
        peer_stop(&peer);
    }
}

/* The answers to INFO of a server that is sound otherwise. */
static void check_finds_what_makes_a_store_unfit(void **state)
{
#define INFO_FIT "+x\r\n"
    static const struct {
        const char *cluster, *memory, *replication;
        ratings_store_fault_e fault;
    } rows[] = {
        {"$19\r\n\ncluster_enabled:0\n\r\n", INFO_FIT, INFO_FIT, RATINGS_STORE_HEALTHY},
        {"$19\r\n\ncluster_enabled:1\n\r\n", INFO_FIT, INFO_FIT, RATINGS_STORE_CLUSTER},
        {INFO_FIT, "$29\r\n\nmaxmemory_policy:allkeys-lru\r\n", INFO_FIT, RATINGS_STORE_EVICTS},
        {INFO_FIT, "$28\r\n\nmaxmemory:1\n\nused_memory:2\n\r\n", INFO_FIT, RATINGS_STORE_FULL},
        {INFO_FIT, INFO_FIT, "$11\r\n\nrole:slave\r\n", RATINGS_STORE_REPLICA},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *answer = apr_pstrcat(redis.pool, rows[i].cluster, rows[i].memory,
                                         rows[i].replication, ECHOED, NULL);
        const step_t steps[] = {{answer, THEN_NEXT}, {answer, THEN_NEXT}, {NULL, THEN_SILENCE}};
        ratings_store_fault_e fault;
        ratings_result_t why;
        peer_t peer;
        peer_start(&peer, steps);
        ratings_store_t *store = store_on(peer.port, 1, 5000);
        if (ratings_store_check(store, NO_DEADLINE, &fault, &why) != APR_SUCCESS)
            fail_msg("row %d: %s", (int)i, why.detail);
        assert_int_equal(fault, rows[i].fault);
        ratings_store_destroy(store);
        peer_stop(&peer);
        /* a replica's address is asked anew */
        assert_int_equal(peer.accepted, rows[i].fault == RATINGS_STORE_REPLICA ? 2 : 1);
    }
}

static void what_is_not_redis_is_told(void **state)
{
    static const step_t steps[] = {{"HTTP/1.1 400 Bad Request\r\n\r\n", THEN_CLOSE},
                                   {NULL, THEN_SILENCE}};
    peer_t peer;
    (void)state;
    peer_start(&peer, steps);
    ratings_store_t *store = store_on(peer.port, 1, 5000);
    expect_failure(store, APR_EGENERAL, "not a Redis answer", 0, 500);
    ratings_store_destroy(store);
    peer_stop(&peer);
}

/* ---- interrupted ---- */

/* Four calls, two of which wait for a connection; then a fifth. */
static void expect_interrupted(ratings_store_t *store, bool (*is_under_way)(void), bool blocks)
{
    caller_t callers[4];
    start_callers(callers, 4, store, blocks, 1);
    if (is_under_way)
        AWAIT(is_under_way());
    pause_ms(50); /* however far they are: none may end by itself, nor go on */
    int64_t begin = now_ms();
    ratings_store_cancel(store);
    caller_t sum = join_callers(callers, 4);
    assert_took(now_ms() - begin, 0, 100);
    assert_int_equal(sum.not_asked, 4);
    assert_non_null(strstr(sum.last.detail, "stops"));
    expect_failure(store, RATINGS_NOT_ASKED, "stops", 0, 50);
    ratings_store_destroy(store);
}

static bool two_are_blocked(void)
{
    return blocked() == 2;
}

static void interrupt_ends_calls_that_wait_for_an_answer(void **state)
{
    (void)state;
    expect_interrupted(store_of(2, 30000), two_are_blocked, true);
    AWAIT(blocked() == 0);
}

static void interrupt_ends_a_connect_that_hangs(void **state)
{
    swamp_t swamp;
    (void)state;
    swamp_make(&swamp, "127.0.0.1", 0);
    expect_interrupted(store_on(swamp.port, 2, 30000), NULL, false);
    swamp_drain(&swamp);
}

/* ... and does not go on to the next address */
static void interrupt_ends_the_first_of_several_connects(void **state)
{
    swamp_t swamp;
    (void)state;
    swamp_make(&swamp, TWO_FIRST, redis.port);
    expect_interrupted(
        store_at(apr_psprintf(redis.pool, "redis://" TWO_NAME ":%d", redis.port), 2, 30000), NULL,
        false);
    assert_int_equal(sessions(), 0);
    swamp_drain(&swamp);
}

static bool one_looks_up(void)
{
    return threads() == 4 + 1;
}

static void interrupt_ends_the_look_up_of_a_name(void **state)
{
    (void)state;
    expect_interrupted(store_at("redis://" SLOW_NAME, 2, 30000), one_looks_up, false);
    AWAIT(threads() == 0);
}

/* ---- not enough connections ---- */

static void exhausted_pool_says_so_by_the_deadline(void **state)
{
    ratings_store_t *store = store_of(2, 5000);
    caller_t callers[2];
    (void)state;
    start_callers(callers, 2, store, true, 1);
    AWAIT(blocked() == 2);
    expect_failure_until(store, deadline_in(250), RATINGS_NOT_ASKED, "of 2 allowed, 2 are in use",
                         245, 450);
    run_once("RPUSH queue x y");
    assert_int_equal(join_callers(callers, 2).succeeded, 2);
    expect_success(store);
    ratings_store_destroy(store);
}

static void exhausted_pool_frees_in_time(void **state)
{
    ratings_store_t *store = store_of(1, 5000);
    caller_t blocker, caller;
    (void)state;
    start_callers(&blocker, 1, store, true, 1);
    AWAIT(blocked() == 1);
    start_callers(&caller, 1, store, false, 1);
    pause_ms(100); /* on its way to waiting */
    run_once("RPUSH queue x");
    assert_int_equal(join_callers(&caller, 1).succeeded, 1);
    assert_int_equal(join_callers(&blocker, 1).succeeded, 1);
    assert_int_equal(sessions(), 1);
    ratings_store_destroy(store);
}

/* ---- many ---- */

static void many_threads_share_few_connections(void **state)
{
    ratings_store_t *store = store_of(8, 20000);
    caller_t callers[32];
    (void)state;
    start_callers(callers, 32, store, false, 500);
    assert_int_equal(join_callers(callers, 32).succeeded, 32 * 500);
    assert_in_range(sessions(), 1, 8);
    ratings_store_destroy(store);
}

/* A call whose second connection is closed as well fails, and says so. */
static void many_threads_whose_connections_are_closed(void **state)
{
    ratings_store_t *store = store_of(8, 20000);
    caller_t callers[16];
    (void)state;
    start_callers(callers, 16, store, false, 1000);
    for (int i = 0; i < 40; i++) {
        run_once("CLIENT KILL TYPE normal");
        pause_ms(5);
    }
    caller_t sum = join_callers(callers, 16);
    assert_int_equal(sum.succeeded + sum.failed + sum.refused, 16 * 1000);
    assert_in_range(sum.failed + sum.refused, 0, 40 * 8); /* a kill ends eight connections */
    for (int i = 0; i < 100; i++)
        expect_success(store);
    ratings_store_destroy(store);
}

static void nothing_is_left_open(void **state)
{
    int before = open_files();
    (void)state;
    for (int i = 0; i < 5; i++) {
        ratings_store_t *store = store_of(4, 5000);
        warm_up(store, 4);
        ratings_store_destroy(store);
        store = store_at(apr_psprintf(redis.pool, "redis://" TWO_NAME ":%d", free_port()), 2, 5000);
        expect_failure(store, APR_ECONNREFUSED, "", 0, 500);
        ratings_store_destroy(store);
    }
    AWAIT(threads() == 0);
    assert_int_equal(open_files(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(login_and_database_are_asked_for),
        cmocka_unit_test(login_is_wiped),
        cmocka_unit_test(unix_socket_is_as_good_as_a_port),
        cmocka_unit_test(refused_login_is_told_without_its_password),
        cmocka_unit_test(refused_command_is_a_failure_and_costs_no_connection),
        cmocka_unit_test(pipeline_of_any_size_is_answered_in_order),
        cmocka_unit_test(batches_of_one_exchange_are_applied_each_by_itself),
        cmocka_unit_test(counts_are_replied_to_who_asks),
        cmocka_unit_test(connection_used_last_is_used_next),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(socket_that_is_not_there_is_no_connection),
        cmocka_unit_test(full_backlog_of_a_socket_is_waited_for_until_the_deadline),
        cmocka_unit_test(name_that_does_not_exist_is_no_connection),
        cmocka_unit_test(second_address_is_tried_when_the_first_refuses),
        cmocka_unit_test(second_address_is_tried_when_the_first_is_silent),
        cmocka_unit_test(address_that_cannot_be_asked_decides_nothing),
        cmocka_unit_test(connecting_ends_by_the_deadline),
        cmocka_unit_test(looking_up_a_name_ends_by_the_deadline),
        cmocka_unit_test(calls_share_one_thread_that_looks_up_a_name),
        cmocka_unit_test(call_ends_by_its_deadline_whatever_the_answer_does),
        cmocka_unit_test(logging_in_is_part_of_the_call),
        cmocka_unit_test_teardown(sending_ends_by_the_deadline, resume_server),
        cmocka_unit_test_teardown(server_that_was_stopped_is_used_again_when_it_goes_on,
                                  resume_server),
        cmocka_unit_test(passed_deadline_asks_nothing),
        cmocka_unit_test(deadline_of_a_call_without_one_is_the_timeout),
        cmocka_unit_test(server_restarted_while_a_connection_was_idle_costs_no_failure),
        cmocka_unit_test(server_that_went_is_no_connection),
        cmocka_unit_test(connection_that_ends_is_replaced_once_if_nothing_came),
        cmocka_unit_test(new_connection_that_ends_is_a_failure),
        cmocka_unit_test(answer_to_a_refused_login_is_not_repeated),
        cmocka_unit_test(login_that_is_cut_is_no_connection),
        cmocka_unit_test(server_that_is_the_wrong_one_is_not_asked_twice),
        cmocka_unit_test(server_that_became_the_wrong_one_is_looked_for_at_once),
        cmocka_unit_test(retired_connections_are_not_used_again),
        cmocka_unit_test(reply_that_nobody_asked_for_is_no_answer),
        cmocka_unit_test(server_that_never_answers_what_was_asked_is_a_failure),
        cmocka_unit_test(answer_that_announces_more_than_was_asked_for_is_refused),
        cmocka_unit_test(answer_that_is_longer_than_what_was_asked_for_is_refused),
        cmocka_unit_test(answer_that_is_too_long_is_asked_for_again),
        cmocka_unit_test(answer_to_a_login_that_is_too_long_is_no_corruption),
        cmocka_unit_test(refusal_tells_what_is_wrong),
        cmocka_unit_test(check_finds_what_makes_a_store_unfit),
        cmocka_unit_test(what_is_not_redis_is_told),
        cmocka_unit_test(interrupt_ends_calls_that_wait_for_an_answer),
        cmocka_unit_test(interrupt_ends_a_connect_that_hangs),
        cmocka_unit_test(interrupt_ends_the_first_of_several_connects),
        cmocka_unit_test(interrupt_ends_the_look_up_of_a_name),
        cmocka_unit_test(exhausted_pool_says_so_by_the_deadline),
        cmocka_unit_test(exhausted_pool_frees_in_time),
        cmocka_unit_test(many_threads_share_few_connections),
        cmocka_unit_test(many_threads_whose_connections_are_closed),
        cmocka_unit_test(nothing_is_left_open),
    };
    return cmocka_run_group_tests_name("store", tests, set_up, tear_down);
}
