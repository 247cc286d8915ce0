/* Redis by TLS: a real one, with certificates that the test makes, and servers that misbehave. */
#include "redis_server.h"
#include "tcp_peer.h"

#include <poll.h>

/* ---- certificates ---- */

static const char *file_of(const char *name)
{
    return apr_pstrcat(redis.pool, redis.directory, "/", name, NULL);
}

/* Two authorities; of the first, certificates for servers and for a client. */
static const char make_certificates[] =
    "cd %s && exec >certificates.log 2>&1\n"
    "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "authority() { openssl req -x509 $key -days 2 -keyout $1.key -out $1.pem -subj /CN=$1; }\n"
    "certificate() { openssl req $key -keyout $2.key -out $2.csr -subj /CN=$2 && "
    "echo subjectAltName=$3 >$2.ext && openssl x509 -req -in $2.csr -CA $1.pem -CAkey $1.key "
    "-CAcreateserial -days $4 -extfile $2.ext -out $2.pem; }\n"
    "authority ours && authority theirs && mkdir hashed && cp ours.pem hashed && "
    "openssl rehash hashed && certificate ours server DNS:localhost,IP:127.0.0.1 2 && "
    "certificate ours elsewhere DNS:example.org 2 && certificate ours expired IP:127.0.0.1 0 && "
    "certificate ours client DNS:client 2 && certificate theirs stranger DNS:client 2 && "
    "openssl ec -in client.key -aes128 -passout pass:secret -out locked.key && "
    "cp client.key open.key && chmod 644 open.key && echo nothing >nothing.pem";

static int set_up(void **state)
{
    (void)state;
    redis_set_up();
    assert_int_equal(system(apr_psprintf(redis.pool, make_certificates, redis.directory)), 0);
    redis_stop();
    count_threads();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    redis_start("");
    redis_tear_down();
    return 0;
}

static ratings_tls_settings_t trusting(const char *authority)
{
    return (ratings_tls_settings_t){.ca = file_of(authority)};
}

/* ---- servers and stores ---- */

/* A Redis that has a port of TLS as well, which wants a client's certificate if `clients` is yes.
 */
static int start_tls(const char *certificate, const char *clients)
{
    int port = free_port();
    redis_start(apr_psprintf(redis.pool,
                             "--tls-port %d --tls-cert-file %s.pem --tls-key-file %s.key "
                             "--tls-ca-cert-file %s --tls-auth-clients %s",
                             port, file_of(certificate), file_of(certificate), file_of("ours.pem"),
                             clients));
    return port;
}

typedef struct {
    ratings_tls_context_t *context;
    ratings_store_t *store;
} secure_store_t;

static secure_store_t store_by_tls(const char *host, int port, ratings_tls_settings_t settings)
{
    ratings_tls_failure_t failure;
    ratings_result_t why;
    secure_store_t it = {.context = ratings_tls_context_new(&settings, &failure)};
    if (!it.context)
        fail_msg("%s", failure.text);
    const ratings_store_options_t options = {
        .url = apr_psprintf(redis.pool, "rediss://reader:p%%40ss%%2Fw%%25rd@%s:%d/1", host, port),
        .connections_max = 2,
        .timeout = apr_time_from_sec(2),
        .tls = it.context};
    assert_int_equal(ratings_store_create(&it.store, &options, &why), APR_SUCCESS);
    return it;
}

static void destroy_secure(secure_store_t it)
{
    ratings_store_destroy(it.store);
    ratings_tls_context_free(it.context);
}

static ratings_result_t ask_for_user(ratings_store_t *store)
{
    redisReply *reply = NULL;
    ratings_result_t why;
    if (store_command(store, &reply, NO_DEADLINE, &why, "CLIENT", "INFO", NULL) == APR_SUCCESS)
        assert_non_null(strstr(reply->str, " user=reader "));
    freeReplyObject(reply);
    return why;
}

/* `text` NULL: it succeeds. */
static void expect_end(const char *host, int port, ratings_tls_settings_t settings, int fault,
                       const char *text)
{
    secure_store_t it = store_by_tls(host, port, settings);
    ratings_result_t why = ask_for_user(it.store);
    if (text ? !strstr(why.detail, text) : why.status != APR_SUCCESS)
        fail_msg("%d: %s", why.status, why.detail);
    assert_int_equal(why.status, text ? APR_ECONNREFUSED : APR_SUCCESS);
    assert_int_equal(why.fault, fault);
    destroy_secure(it);
}

/* ---- whom it talks to ---- */

static void server_must_have_a_certificate_of_the_authority_for_its_name(void **state)
{
    const ratings_tls_settings_t ours = trusting("ours.pem"), systems = {.ca = NULL};
    const ratings_tls_settings_t named = {.ca = file_of("ours.pem"), .name = "example.org"};
    int port = start_tls("server", "no");
    (void)state;
    expect_end("127.0.0.1", port, ours, 0, NULL);
    expect_end("localhost", port, ours, 0, NULL);
    expect_end("127.0.0.1", port, trusting("hashed"), 0, NULL);
    expect_end("127.0.0.1", port, trusting("theirs.pem"), RATINGS_STORE_UNTRUSTED, "refused: ");
    expect_end("127.0.0.1", port, systems, RATINGS_STORE_UNTRUSTED, "refused: ");
    expect_end("127.0.0.1", port, named, RATINGS_STORE_UNTRUSTED, "ostname mismatch");
    redis_stop();
    port = start_tls("elsewhere", "no");
    expect_end("localhost", port, ours, RATINGS_STORE_UNTRUSTED, "ostname mismatch");
    expect_end("127.0.0.1", port, ours, RATINGS_STORE_UNTRUSTED, "IP address mismatch");
    expect_end("127.0.0.1", port, named, 0, NULL);
    redis_stop();
    port = start_tls("expired", "no");
    expect_end("127.0.0.1", port, ours, RATINGS_STORE_UNTRUSTED, "certificate has expired");
    redis_stop();
}

static void server_without_tls_is_none(void **state)
{
    static const step_t plain[] = {{"-ERR unknown command\r\n", THEN_CLOSE}, {NULL, THEN_SILENCE}};
    peer_t peer;
    (void)state;
    peer_start(&peer, plain);
    expect_end("127.0.0.1", peer.port, trusting("ours.pem"), RATINGS_STORE_WITHOUT_TLS,
               "write redis:// (connecting: TLS: ");
    peer_stop(&peer);
}

static void server_of_tls_alone_is_named_to_who_asks_without(void **state)
{
    int port = start_tls("server", "no");
    const ratings_store_options_t options = {
        .url = apr_psprintf(redis.pool, "redis://127.0.0.1:%d", port),
        .connections_max = 1,
        .timeout = apr_time_from_sec(2)};
    ratings_store_t *store;
    ratings_result_t why;
    redisReply *reply = NULL;
    (void)state;
    assert_int_equal(ratings_store_create(&store, &options, &why), APR_SUCCESS);
    assert_int_not_equal(store_command(store, &reply, NO_DEADLINE, &why, "PING", NULL),
                         APR_SUCCESS);
    if (!strstr(why.detail, "by rediss:// if it wants TLS"))
        fail_msg("%s", why.detail);
    ratings_store_destroy(store);
    redis_stop();
}

static void client_shows_its_certificate(void **state)
{
    ratings_tls_settings_t settings = trusting("ours.pem");
    int port = start_tls("server", "yes");
    (void)state;
    expect_end("127.0.0.1", port, settings, RATINGS_STORE_REFUSES_CLIENT,
               "correct RatingsStoreTLSCertificate");
    settings.certificate = file_of("stranger.pem");
    settings.key = file_of("stranger.key");
    expect_end("127.0.0.1", port, settings, RATINGS_STORE_REFUSES_CLIENT,
               "correct RatingsStoreTLSCertificate");
    settings.certificate = file_of("client.pem");
    settings.key = file_of("client.key");
    expect_end("127.0.0.1", port, settings, 0, NULL);
    redis_stop();
}

static int socket_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

static bool is_listened_on(int port)
{
    int fd = socket_to(port);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* By openssl s_server: a Redis of today does not speak TLS 1.1 any more. */
static void tls_1_1_is_too_old(void **state)
{
    int port = free_port(), pid = 0;
    const char *start =
        apr_psprintf(redis.pool,
                     "timeout 60 openssl s_server -accept 127.0.0.1:%d -quiet -cert %s -key %s "
                     "-tls1_1 -cipher ALL:@SECLEVEL=0 >/dev/null 2>&1 </dev/null & echo $!",
                     port, file_of("server.pem"), file_of("server.key"));
    FILE *shell = popen(start, "r");
    (void)state;
    assert_non_null(shell);
    assert_int_equal(fscanf(shell, "%d", &pid), 1);
    pclose(shell);
    AWAIT(is_listened_on(port));
    expect_end("127.0.0.1", port, trusting("ours.pem"), RATINGS_STORE_UNREACHABLE, "version");
    kill(pid, SIGTERM);
}

/* ---- what goes over it ---- */

/* More than a record, and than a socket takes at once, in both directions. */
static void values_of_any_size_pass(void **state)
{
    const size_t size = (size_t)8 << 20;
    char *value = malloc(size);
    secure_store_t it = store_by_tls("127.0.0.1", start_tls("server", "no"), trusting("ours.pem"));
    const char *set[] = {"SET", "big", value}, *get[] = {"GET", "big"};
    size_t set_lengths[] = {3, 3, size}, get_lengths[] = {3, 3};
    store_command_t commands[] = {{3, set, set_lengths, 0, false, NULL},
                                  {2, get, get_lengths, size + 64, false, NULL}};
    redisReply *replies[2];
    ratings_result_t why;
    (void)state;
    memset(value, 'x', size);
    for (int i = 0; i < 3; i++) {
        if (store_pipeline(it.store, commands, 2, replies, NO_DEADLINE, &why) != APR_SUCCESS)
            fail_msg("%s", why.detail);
        assert_int_equal(replies[1]->len, size);
        assert_memory_equal(replies[1]->str, value, size);
        store_free_replies(replies, 2);
    }
    free(value);
    destroy_secure(it);
    redis_stop();
}

static int64_t connection_id(ratings_store_t *store)
{
    redisReply *reply = NULL;
    ratings_result_t why;
    if (store_command(store, &reply, NO_DEADLINE, &why, "CLIENT", "ID", NULL) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    int64_t id = reply->integer;
    freeReplyObject(reply);
    return id;
}

static void connection_is_used_again_and_replaced_when_it_ends(void **state)
{
    secure_store_t it = store_by_tls("127.0.0.1", start_tls("server", "no"), trusting("ours.pem"));
    (void)state;
    int64_t first = connection_id(it.store);
    assert_int_equal(connection_id(it.store), first);
    assert_false(memory_has_command("p@ss/w%rd"));
    redisContext *owner = redisConnect("127.0.0.1", redis.port);
    freeReplyObject(redisCommand(owner, "CLIENT KILL USER reader"));
    redisFree(owner);
    assert_int_not_equal(connection_id(it.store), first);
    destroy_secure(it);
    redis_stop();
}

/* ---- deadlines ---- */

static void expect_timeout(ratings_store_t *store, const char *text)
{
    ratings_result_t why;
    redisReply *reply = NULL;
    int64_t begin = now_ms();
    assert_int_equal(store_command(store, &reply, deadline_in(250), &why, "GET", "big", NULL),
                     APR_TIMEUP);
    assert_took(now_ms() - begin, 245, 450);
    if (!strstr(why.detail, text))
        fail_msg("%s", why.detail);
}

static void handshake_ends_by_the_deadline(void **state)
{
    static const step_t silent[] = {{NULL, THEN_SILENCE}};
    static const step_t half[] = {{"\x16\x03\x03\x01", THEN_SILENCE}};
    static const step_t drip[] = {{"\x16\x03\x03\x02", THEN_DRIP}};
    const step_t *const scripts[] = {silent, half, drip};
    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        peer_t peer;
        peer_start(&peer, scripts[i]);
        secure_store_t it = store_by_tls("127.0.0.1", peer.port, trusting("ours.pem"));
        expect_timeout(it.store, "in the handshake of TLS, which the server may not speak");
        destroy_secure(it);
        peer_stop(&peer);
    }
}

/* Between one client and a server, and passes on `left` bytes of the server's. */
typedef struct {
    int listener, port, to;
    size_t left;
    pthread_t thread;
} relay_t;

/* What is there, at most `max` bytes; 0: the end of a connection. */
static size_t pass_on(int from, int to, size_t max)
{
    char bytes[4096];
    ssize_t got = read(from, bytes, max < sizeof bytes ? max : sizeof bytes);
    return got > 0 && write(to, bytes, (size_t)got) == got ? (size_t)got : 0;
}

/* Until one of the two closes. */
static void *run_relay(void *data)
{
    relay_t *relay = data;
    size_t got = 1;
    int client = accept(relay->listener, NULL, NULL), server = socket_to(relay->to);
    while (got > 0) {
        struct pollfd both[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
        poll(both, relay->left > 0 ? 2 : 1, -1);
        if (both[0].revents) {
            got = pass_on(client, server, SIZE_MAX);
        } else {
            got = pass_on(server, client, relay->left);
            relay->left -= got;
        }
    }
    close(client);
    close(server);
    return NULL;
}

static void start_relay(relay_t *relay, int to, size_t left)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *relay = (relay_t){.listener = socket(AF_INET, SOCK_STREAM, 0), .to = to, .left = left};
    assert_int_equal(bind(relay->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(relay->listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(listen(relay->listener, 1), 0);
    relay->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&relay->thread, NULL, run_relay, relay), 0);
}

/* Some of a record is no answer, and no reason to look again and again. */
static void part_of_a_record_is_waited_for(void **state)
{
    const size_t beyond_the_handshake = 40000;
    relay_t relay;
    int port = start_tls("server", "no");
    redisContext *owner = redisConnect("127.0.0.1", redis.port);
    (void)state;
    freeReplyObject(redisCommand(owner, "SELECT 1"));
    freeReplyObject(redisCommand(owner, "SETRANGE big 60000 x"));
    redisFree(owner);
    start_relay(&relay, port, beyond_the_handshake);
    secure_store_t it = store_by_tls("127.0.0.1", relay.port, trusting("ours.pem"));
    int64_t waited = waited_ms();
    expect_timeout(it.store, "timed out waiting for an answer");
    assert_in_range(waited_ms() - waited, 150, 100000);
    destroy_secure(it);
    pthread_join(relay.thread, NULL);
    close(relay.listener);
    redis_stop();
}

/* ---- files ---- */

static void files_are_read_when_the_context_is_made(void **state)
{
    const struct {
        const char *ca, *certificate, *key, *text; /* `text` NULL: they can be used */
    } rows[] = {
        {NULL, NULL, NULL, NULL},
        {"ours.pem", "client.pem", "client.key", NULL},
        {"hashed", NULL, NULL, NULL},
        {"nowhere", NULL, NULL, "/nowhere: No such file or directory"},
        {"nothing.pem", NULL, NULL, "/nothing.pem: "},
        {NULL, "client.pem", NULL, "/client.pem: a certificate needs its key"},
        {NULL, NULL, "client.key", "/client.key: a key needs its certificate"},
        {NULL, "nowhere", "client.key", "/nowhere: No such file or directory"},
        {NULL, "client.key", "client.key", "/client.key: "},
        {NULL, "client.pem", "nowhere", "/nowhere: No such file or directory"},
        {NULL, "client.pem", "client.pem", "/client.pem: others than its owner and group"},
        {NULL, "client.pem", "open.key", "/open.key: others than its owner and group"},
        {NULL, "client.pem", "locked.key", "/locked.key: "},
        {NULL, "client.pem", "server.key", "/server.key: key values mismatch"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const ratings_tls_settings_t settings = {
            .ca = rows[i].ca ? file_of(rows[i].ca) : NULL,
            .certificate = rows[i].certificate ? file_of(rows[i].certificate) : NULL,
            .key = rows[i].key ? file_of(rows[i].key) : NULL};
        ratings_tls_failure_t why = {.text = ""};
        ratings_tls_context_t *context = ratings_tls_context_new(&settings, &why);
        if (!context != (rows[i].text != NULL) || (rows[i].text && !strstr(why.text, rows[i].text)))
            fail_msg("row %zu: %s", i, why.text);
        ratings_tls_context_free(context);
    }
}

static void store_of_tls_needs_a_context(void **state)
{
    const ratings_store_options_t options = {.url = "rediss://h", .connections_max = 1};
    ratings_store_t *store;
    ratings_result_t why;
    (void)state;
    assert_int_equal(ratings_store_create(&store, &options, &why), APR_EINVAL);
    assert_string_equal(why.detail, "TLS is not set up");
    assert_true(ratings_store_url_has_tls("rediss+sentinel://a,b/m"));
    assert_false(ratings_store_url_has_tls("redis://h"));
    assert_false(ratings_store_url_has_tls("unix:///r"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_must_have_a_certificate_of_the_authority_for_its_name),
        cmocka_unit_test(server_without_tls_is_none),
        cmocka_unit_test(server_of_tls_alone_is_named_to_who_asks_without),
        cmocka_unit_test(client_shows_its_certificate),
        cmocka_unit_test(tls_1_1_is_too_old),
        cmocka_unit_test(values_of_any_size_pass),
        cmocka_unit_test(connection_is_used_again_and_replaced_when_it_ends),
        cmocka_unit_test(handshake_ends_by_the_deadline),
        cmocka_unit_test(part_of_a_record_is_waited_for),
        cmocka_unit_test(files_are_read_when_the_context_is_made),
        cmocka_unit_test(store_of_tls_needs_a_context),
    };
    return cmocka_run_group_tests_name("tls", tests, set_up, tear_down);
}
