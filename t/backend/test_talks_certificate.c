/* Why the certificate of a PostgreSQL is refused: servers that speak TLS and no more, each with a
 * certificate that the test makes. */
#include "../../src/backend/talks/talks_certificate.h"
#include "backend_test.h"
#include "tcp_peer.h"

#include <apr_general.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/wait.h>

#define TEXT 1024

static char directory[] = "/tmp/ratings-talks-certificate-XXXXXX";
static apr_pool_t *pool;

/* An authority, and certificates of it: one that is good, and one that has expired. */
static const char make_certificates[] =
    "cd $directory && exec >certificates.log 2>&1\n"
    "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "certificate() { openssl req $key -keyout $1.key -out $1.csr -subj /CN=$1 && openssl x509 -req "
    "-in $1.csr -CA ours.pem -CAkey ours.key -CAcreateserial -days $2 -out $1.pem; }\n"
    "openssl req -x509 $key -days 2 -keyout ours.key -out ours.pem -subj /CN=ours && "
    "certificate good 2 && certificate expired 0 && echo nothing >nothing.pem";

static void run_in_shell(const char *commands)
{
    assert_int_equal(setenv("directory", directory, 1), 0);
    assert_int_equal(system(commands), 0);
}

/* ---- servers ---- */

typedef struct {
    int port;
    pid_t pid;
} tls_server_t;

static tls_server_t good, expired;

static SSL_CTX *context_of(const char *certificate)
{
    char path[2][sizeof directory + 32];
    SSL_CTX *shared = SSL_CTX_new(TLS_server_method());
    (void)snprintf(path[0], sizeof path[0], "%s/%s.pem", directory, certificate);
    (void)snprintf(path[1], sizeof path[1], "%s/%s.key", directory, certificate);
    assert_int_equal(SSL_CTX_use_certificate_file(shared, path[0], SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(shared, path[1], SSL_FILETYPE_PEM), 1);
    return shared;
}

/* As PostgreSQL: it is asked for TLS by eight bytes, and agrees. */
static void serve_one(int fd, SSL_CTX *shared)
{
    char request[8];
    SSL *tls = SSL_new(shared);
    if (recv(fd, request, sizeof request, MSG_WAITALL) == sizeof request &&
        send(fd, "S", 1, 0) == 1 && SSL_set_fd(tls, fd) == 1 && SSL_accept(tls) == 1)
        (void)SSL_read(tls, request, 1); /* until the client has left */
    SSL_free(tls);
    (void)close(fd);
}

static tls_server_t start_tls_server(const char *certificate)
{
    tls_server_t server;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SSL_CTX *shared = context_of(certificate);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(listen(listener, 8), 0);
    server.port = ntohs(address.sin_port);
    server.pid = fork();
    assert_true(server.pid >= 0);
    if (server.pid == 0) {
        alarm(TEST_SECONDS);
        (void)signal(SIGPIPE, SIG_IGN);
        for (;;)
            serve_one(accept(listener, NULL, NULL), shared);
    }
    SSL_CTX_free(shared);
    (void)close(listener);
    return server;
}

static void stop_tls_server(tls_server_t server)
{
    (void)kill(server.pid, SIGKILL);
    (void)waitpid(server.pid, NULL, 0);
}

static int set_up(void **state)
{
    (void)state;
    alarm(TEST_SECONDS);
    (void)signal(SIGPIPE, SIG_IGN);
    apr_initialize();
    apr_pool_create(&pool, NULL);
    assert_non_null(mkdtemp(directory));
    run_in_shell(make_certificates);
    good = start_tls_server("good");
    expired = start_tls_server("expired");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    stop_tls_server(good);
    stop_tls_server(expired);
    run_in_shell("rm -rf $directory");
    apr_pool_destroy(pool);
    apr_terminate();
    return 0;
}

/* ---- what is wrong with them ---- */

static const char *problem_of(const char *hosts, const char *ports, const char *roots)
{
    char conninfo[4 * TEXT];
    (void)snprintf(conninfo, sizeof conninfo,
                   "%s port='%s' dbname='talks' sslmode='verify-full' sslrootcert='%s/%s'", hosts,
                   ports, directory, roots);
    return talks_certificate_problem(pool, conninfo);
}

static void expect_problem(const char *hosts, const char *ports, const char *problem)
{
    const char *found = problem_of(hosts, ports, "ours.pem");
    if (problem ? !found || strcmp(found, problem) != 0 : found != NULL)
        fail_msg("%s %s: %s", hosts, ports, found ? found : "nothing");
    assert_int_equal(ERR_peek_error(), 0);
}

/* Of letters a list between commas: g, e, the ports of the servers; n, that of nobody; d, none. */
static void list_ports(const char *letters, char *ports, size_t size)
{
    size_t length = 0;
    ports[0] = '\0';
    for (const char *letter = letters; *letter; letter++) {
        int port = *letter == 'g' ? good.port : *letter == 'e' ? expired.port : free_port();
        length += (size_t)snprintf(ports + length, size - length, "%s", length ? "," : "");
        if (*letter != 'd')
            length += (size_t)snprintf(ports + length, size - length, "%d", port);
    }
}

#define EXPIRED "certificate has expired"

static void each_host_is_looked_at(void **state)
{
    static const struct {
        const char *hosts, *letters, *problem;
    } rows[] = {
        {"host='127.0.0.1'", "g", NULL},
        {"host='127.0.0.1'", "e", EXPIRED},
        {"host='127.0.0.1,127.0.0.1'", "g", NULL},
        {"host='127.0.0.1,127.0.0.1'", "gg", NULL},
        {"host='127.0.0.1,127.0.0.1'", "ge", EXPIRED},
        {"host='127.0.0.1,127.0.0.1'", "eg", EXPIRED},
        {"host='127.0.0.1,127.0.0.1'", "ne", EXPIRED},
        {"host='127.0.0.1,localhost,127.0.0.1'", "gge", EXPIRED},
        {"hostaddr='127.0.0.1,127.0.0.1'", "ge", EXPIRED},
        {"host='a,b' hostaddr='127.0.0.1,127.0.0.1'", "ge", EXPIRED},
        {"host='/nowhere,127.0.0.1'", "ge", EXPIRED},
        {"host='/nowhere,127.0.0.1'", "de", EXPIRED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char ports[TEXT];
        list_ports(rows[i].letters, ports, sizeof ports);
        expect_problem(rows[i].hosts, ports, rows[i].problem);
    }
}

/* It takes its share of the time, and no more. */
static void host_that_swallows_is_left(void **state)
{
    char ports[TEXT];
    swamp_t swamp;
    (void)state;
    swamp_make(&swamp, "127.0.0.1", 0);
    (void)snprintf(ports, sizeof ports, "%d,%d", swamp.port, expired.port);
    int64_t begin = now_ms();
    expect_problem("host='127.0.0.1,127.0.0.1'", ports, EXPIRED);
    assert_in_range(now_ms() - begin, 900, 10000);
    swamp_drain(&swamp);
}

static void file_of_authorities_that_has_none(void **state)
{
    static const char *const files[] = {"nothing.pem", "nowhere.pem"};
    char port[TEXT];
    (void)state;
    list_ports("e", port, sizeof port);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        assert_null(problem_of("host='127.0.0.1'", port, files[i]));
        assert_int_equal(ERR_peek_error(), 0);
    }
    assert_null(talks_certificate_problem(pool, "host='127.0.0.1' dbname='talks'"));
    assert_null(talks_certificate_problem(pool, "nonsense"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_host_is_looked_at),
        cmocka_unit_test(host_that_swallows_is_left),
        cmocka_unit_test(file_of_authorities_that_has_none),
    };
    return cmocka_run_group_tests_name("talks_certificate", tests, set_up, tear_down);
}
