/* The Redis that sentinels name: a real one, and sentinels that misbehave. t/sentinel.t has real
 * ones. */
#include "redis_server.h"
#include "tcp_peer.h"

#define PEERS 3

static peer_t peers[PEERS];

static int set_up(void **state)
{
    (void)state;
    redis_set_up();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    redis_tear_down();
    return 0;
}

/* ---- sentinels ---- */

/* What one says of a master. */
static const char *naming(const char *host, int port)
{
    const char *number = apr_itoa(redis.pool, port);
    return apr_psprintf(redis.pool, "*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", (int)strlen(host), host,
                        (int)strlen(number), number);
}

#define UNKNOWN "*-1\r\n"

static ratings_store_t *store_behind(int count, const char *login, int timeout_ms)
{
    char *url = apr_pstrcat(redis.pool, "redis+sentinel://", login, NULL);
    ratings_store_t *store = NULL;
    ratings_result_t why;
    for (int i = 0; i < count; i++)
        url = apr_psprintf(redis.pool, "%s%s127.0.0.1:%d", url, i > 0 ? "," : "", peers[i].port);
    url = apr_pstrcat(redis.pool, url, "/ratings", NULL);
    const ratings_store_options_t options = {url,  2,    apr_time_from_msec(timeout_ms),
                                             NULL, NULL, NULL};
    assert_int_equal(ratings_store_create(&store, &options, &why), APR_SUCCESS);
    return store;
}

/* The connection's number at Redis; NULL on failure, which is `*why`. */
static const char *connection_id(ratings_store_t *store, ratings_result_t *why)
{
    redisReply *reply = NULL;
    if (store_command(store, &reply, INT64_MAX, why, "CLIENT", "ID", NULL) != APR_SUCCESS)
        return NULL;
    const char *id = apr_psprintf(redis.pool, "%" APR_INT64_T_FMT, (apr_int64_t)reply->integer);
    freeReplyObject(reply);
    return id;
}

static void expect_redis(ratings_store_t *store)
{
    ratings_result_t why;
    if (!connection_id(store, &why))
        fail_msg("%s", why.detail);
}

static ratings_result_t expect_reason(ratings_store_t *store, apr_status_t status, const char *text)
{
    ratings_result_t why;
    assert_null(connection_id(store, &why));
    if (why.status != status || !strstr(why.detail, text))
        print_error("%d: %s\n", why.status, why.detail);
    assert_int_equal(why.status, status);
    assert_non_null(strstr(why.detail, text));
    return why;
}

/* ---- which is asked ---- */

static void next_one_is_asked_when_one_does_not_know(void **state)
{
    const step_t ignorant[] = {{UNKNOWN, THEN_CLOSE}, {NULL, THEN_SILENCE}};
    const step_t strange[] = {{"+PONG\r\n", THEN_CLOSE}, {NULL, THEN_SILENCE}};
    const step_t knowing[] = {{naming("127.0.0.1", redis.port), THEN_CLOSE},
                              {naming("127.0.0.1", redis.port), THEN_CLOSE},
                              {NULL, THEN_SILENCE}};
    (void)state;
    peer_start(&peers[0], ignorant);
    peer_start(&peers[1], strange);
    peer_start(&peers[2], knowing);
    ratings_store_t *store = store_behind(3, "", 5000);
    expect_redis(store);
    ratings_store_retire(store, ratings_monotonic() + 1);
    expect_redis(store);
    ratings_store_destroy(store);
    for (int i = 0; i < 3; i++)
        peer_stop(&peers[i]);
    assert_int_equal(peers[0].accepted, 1);
    assert_int_equal(peers[1].accepted, 1);
    assert_int_equal(peers[2].accepted, 2); /* first, the second time */
}

/* A silent one has its share: a third of the second, as one is the master's. */
static void silent_one_leaves_time_for_the_next(void **state)
{
    const step_t silent[] = {{NULL, THEN_SILENCE}};
    const step_t knowing[] = {{naming("127.0.0.1", redis.port), THEN_CLOSE}, {NULL, THEN_SILENCE}};
    int64_t begin = now_ms();
    (void)state;
    peer_start(&peers[0], silent);
    peer_start(&peers[1], knowing);
    ratings_store_t *store = store_behind(2, "", 1000);
    expect_redis(store);
    assert_took(now_ms() - begin, 300, 700);
    ratings_store_destroy(store);
    peer_stop(&peers[0]);
    peer_stop(&peers[1]);
}

static void reason_names_the_sentinel_asked_last(void **state)
{
    static const struct {
        const char *answer;
        apr_status_t status;
        const char *text;
    } rows[] = {
        {UNKNOWN, APR_ECONNREFUSED, "it monitors no master with the name ratings"},
        {"*1\r\n$1\r\na\r\n", APR_ECONNREFUSED, "it monitors no master"},
        {"*2\r\n$1\r\na\r\n$1\r\n0\r\n", APR_ECONNREFUSED, "it monitors no master"},
        {"*2\r\n$0\r\n\r\n$1\r\n1\r\n", APR_ECONNREFUSED, "it monitors no master"},
        {":1\r\n", APR_EGENERAL, "what answers is no sentinel"},
        {"-ERR unknown command\r\n", APR_EGENERAL, "ERR unknown command"},
        {"HTTP/1.1 400 Bad Request\r\n", APR_EGENERAL, "not a Redis answer"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const step_t steps[] = {{rows[i].answer, THEN_CLOSE}, {NULL, THEN_SILENCE}};
        peer_start(&peers[0], steps);
        ratings_store_t *store = store_behind(1, "", 5000);
        ratings_result_t why = expect_reason(store, rows[i].status, rows[i].text);
        assert_non_null(
            strstr(why.detail, apr_psprintf(redis.pool, "sentinel 127.0.0.1:%d: ", peers[0].port)));
        ratings_store_destroy(store);
        peer_stop(&peers[0]);
    }
}

/* ---- a login ---- */

static void sentinel_that_wants_a_login_gets_the_stores(void **state)
{
    const step_t steps[] = {{"-NOAUTH Authentication required.\r\n", THEN_NEXT},
                            {"+OK\r\n", THEN_NEXT},
                            {naming("127.0.0.1", redis.port), THEN_CLOSE},
                            {NULL, THEN_SILENCE}};
    (void)state;
    peer_start(&peers[0], steps);
    ratings_store_t *store = store_behind(1, "reader:p%40ss%2Fw%25rd@", 5000);
    expect_redis(store);
    ratings_store_destroy(store);
    peer_stop(&peers[0]);
    assert_int_equal(peers[0].requests, 3);
}

static void refused_login_of_a_sentinel_is_told_without_its_password(void **state)
{
    const step_t steps[] = {{"-NOAUTH Authentication required.\r\n", THEN_NEXT},
                            {"-WRONGPASS hunter2\r\n", THEN_CLOSE},
                            {NULL, THEN_SILENCE}};
    (void)state;
    peer_start(&peers[0], steps);
    ratings_store_t *store = store_behind(1, ":hunter2@", 5000);
    ratings_result_t why = expect_reason(store, APR_EGENERAL, "Redis refused the login: WRONGPASS");
    assert_null(strstr(why.detail, "hunter2"));
    assert_int_equal(why.fault, RATINGS_STORE_LOGIN);
    ratings_store_destroy(store);
    peer_stop(&peers[0]);
}

/* ---- what it names ---- */

/* The first sentinel has missed a failover: the next connection is asked for at the other one. */
static void named_server_must_be_a_master(void **state)
{
    const step_t replica[] = {{"$23\r\n# Replication\r\nrole:sla\r\n" ECHOED, THEN_NEXT},
                              {NULL, THEN_SILENCE}};
    (void)state;
    peer_start(&peers[2], replica);
    const step_t late[] = {{naming("127.0.0.1", peers[2].port), THEN_CLOSE}, {NULL, THEN_SILENCE}};
    const step_t knowing[] = {{naming("127.0.0.1", redis.port), THEN_CLOSE}, {NULL, THEN_SILENCE}};
    peer_start(&peers[0], late);
    peer_start(&peers[1], knowing);
    ratings_store_t *store = store_behind(2, "", 5000);
    ratings_result_t why = expect_reason(store, APR_EGENERAL, "name a server that is no master");
    assert_int_equal(why.fault, RATINGS_STORE_REPLICA);
    expect_redis(store);
    ratings_store_destroy(store);
    for (int i = 0; i < 3; i++)
        peer_stop(&peers[i]);
}

/* A thread that holds a connection, in BLPOP. */
static void *block_once(void *data)
{
    redisReply *reply = NULL;
    ratings_result_t why;
    assert_int_equal(store_command(data, &reply, INT64_MAX, &why, "BLPOP", "queue", "0", NULL),
                     APR_SUCCESS);
    freeReplyObject(reply);
    return NULL;
}

static void push(void)
{
    redisContext *owner = redisConnect("127.0.0.1", redis.port);
    redisReply *reply = NULL;
    do {
        freeReplyObject(reply);
        reply = redisCommand(owner, "EVAL %s 0",
                             "return redis.call('INFO', 'clients'):find('blocked_clients:1', 1, "
                             "true) and redis.call('RPUSH', 'queue', 'x') or 0");
        assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
    } while (reply->integer == 0);
    freeReplyObject(reply);
    redisFree(owner);
}

/* The new one is the same server by another name here: connections to the old one would go on. */
static void connections_to_the_master_before_are_not_used_again(void **state)
{
    const step_t moving[] = {{naming("127.0.0.1", redis.port), THEN_CLOSE},
                             {naming("localhost", redis.port), THEN_CLOSE},
                             {naming("localhost", redis.port), THEN_CLOSE},
                             {naming("localhost", redis.port), THEN_CLOSE},
                             {NULL, THEN_SILENCE}};
    ratings_result_t why;
    pthread_t holder;
    (void)state;
    peer_start(&peers[0], moving);
    ratings_store_t *store = store_behind(1, "", 5000);
    const char *first = connection_id(store, &why);
    assert_string_equal(first, connection_id(store, &why));
    assert_int_equal(pthread_create(&holder, NULL, block_once, store), 0);
    while (peers[0].accepted <
           2) /* until the holder has the first connection, and this one another */
        expect_redis(store);
    push();
    pthread_join(holder, NULL);
    for (int i = 0; i < 3; i++)
        assert_string_not_equal(first, connection_id(store, &why));
    ratings_store_destroy(store);
    peer_stop(&peers[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_one_is_asked_when_one_does_not_know),
        cmocka_unit_test(silent_one_leaves_time_for_the_next),
        cmocka_unit_test(reason_names_the_sentinel_asked_last),
        cmocka_unit_test(sentinel_that_wants_a_login_gets_the_stores),
        cmocka_unit_test(refused_login_of_a_sentinel_is_told_without_its_password),
        cmocka_unit_test(named_server_must_be_a_master),
        cmocka_unit_test(connections_to_the_master_before_are_not_used_again),
    };
    return cmocka_run_group_tests_name("sentinel", tests, set_up, tear_down);
}
