#include "../../src/core/tls.h"
#include "unit.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the system asks for: more than this client does by itself. */
static const char openssl_cnf[] = "openssl_conf = all\n"
                                  "[all]\nssl_conf = ssl\n"
                                  "[ssl]\nsystem_default = default\n"
                                  "[default]\nMinProtocol = TLSv1.3\n";

/* ---- files ---- */

static char folder[] = "/tmp/test_tls_client.XXXXXX";

static const char *path_of(const char *name)
{
    static char path[2][sizeof folder + 32];
    static int last;
    last = !last;
    (void)snprintf(path[last], sizeof path[last], "%s/%s", folder, name);
    return path[last];
}

static FILE *create_file(const char *name)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    (void)chmod(path_of(name), 0600);
    return file;
}

static EVP_PKEY *make_key(const char *kind)
{
    EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_id(strcmp(kind, "rsa") == 0 ? EVP_PKEY_RSA : EVP_PKEY_EC, NULL);
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    if (strcmp(kind, "rsa") == 0)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048), 1);
    else
        assert_int_equal(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1), 1);
    assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* Signed by itself. */
static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_NAME *name = X509_get_subject_name(certificate);
    assert_int_equal(X509_set_version(certificate, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -3600));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), 3600));
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"server", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(certificate, name), 1);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

/* NAME.key and NAME.pem */
static void make_files(const char *name, const char *kind)
{
    char file_name[32];
    EVP_PKEY *key = make_key(kind);
    X509 *certificate = make_certificate(key);
    (void)snprintf(file_name, sizeof file_name, "%s.key", name);
    FILE *file = create_file(file_name);
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    (void)fclose(file);
    (void)snprintf(file_name, sizeof file_name, "%s.pem", name);
    file = create_file(file_name);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    (void)fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void make_all_files(void)
{
    FILE *file = create_file("openssl.cnf");
    (void)fputs(openssl_cnf, file);
    (void)fclose(file);
    (void)setenv("OPENSSL_CONF", path_of("openssl.cnf"), 1);
    make_files("ec", "ec");
    make_files("other", "ec");
    make_files("rsa", "rsa");
}

static void remove_all_files(void)
{
    static const char *const names[] = {"openssl.cnf", "ec.key",  "ec.pem", "other.key",
                                        "other.pem",   "rsa.key", "rsa.pem"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(path_of(names[i]));
    (void)rmdir(folder);
}

/* ---- a certificate and its key ---- */

typedef struct {
    const char *name, *certificate, *key;
    bool is_good;
} pair_t;

static pair_t pairs[] = {
    {"a key of its certificate", "ec.pem", "ec.key", true},
    {"that of RSA", "rsa.pem", "rsa.key", true},
    {"a key of another certificate", "ec.pem", "other.key", false},
    {"a key of another kind", "ec.pem", "rsa.key", false},
    {"the other way round", "rsa.pem", "ec.key", false},
};

static void test_pair(void **state)
{
    const pair_t *pair = *state;
    ratings_tls_failure_t why;
    const ratings_tls_settings_t settings = {.certificate = strdup(path_of(pair->certificate)),
                                             .key = strdup(path_of(pair->key))};
    ratings_tls_context_t *context = ratings_tls_context_new(&settings, &why);
    assert_true((context != NULL) == pair->is_good);
    if (!context)
        assert_non_null(strstr(why.text, "mismatch"));
    ratings_tls_context_free(context);
    free((void *)(uintptr_t)settings.certificate);
    free((void *)(uintptr_t)settings.key);
}

/* The reason is whole, and the end of the path. */
static void test_long_path(void **state)
{
    static const char end[] = "/the-end.pem: No such file or directory";
    char path[1000];
    ratings_tls_failure_t why;
    const ratings_tls_settings_t settings = {.ca = path};
    (void)state;
    memset(path, '/', sizeof path);
    (void)snprintf(path + sizeof path - 30, 30, "/nowhere/the-end.pem");
    assert_null(ratings_tls_context_new(&settings, &why));
    assert_true(strlen(why.text) > strlen(end));
    assert_string_equal(why.text + strlen(why.text) - strlen(end), end);
    assert_int_equal(strncmp(why.text, ".../", 4), 0);
}

/* ---- over a socket ---- */

typedef struct {
    ratings_tls_context_t *context;
    ratings_tls_t *client;
    SSL_CTX *shared; /* the server's */
    SSL *server;
    int ends[2];
} connection_t;

static void set_up_for(connection_t *connection, int version, const char *host)
{
    ratings_tls_failure_t why;
    const ratings_tls_settings_t settings = {.ca = path_of("ec.pem")};
    int *ends = connection->ends;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    connection->context = ratings_tls_context_new(&settings, &why);
    connection->client = ratings_tls_over(connection->context, ends[0], host);
    assert_non_null(connection->client);
    connection->shared = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_set_min_proto_version(connection->shared, version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(connection->shared, version), 1);
    assert_int_equal(
        SSL_CTX_use_certificate_file(connection->shared, path_of("ec.pem"), SSL_FILETYPE_PEM), 1);
    assert_int_equal(
        SSL_CTX_use_PrivateKey_file(connection->shared, path_of("ec.key"), SSL_FILETYPE_PEM), 1);
    connection->server = SSL_new(connection->shared);
    assert_int_equal(SSL_set_fd(connection->server, ends[1]), 1);
    SSL_set_accept_state(connection->server);
}

static void set_up(connection_t *connection, int version)
{
    set_up_for(connection, version, "server");
}

static void tear_down(connection_t *connection)
{
    ratings_tls_free(connection->client);
    ratings_tls_context_free(connection->context);
    SSL_free(connection->server);
    SSL_CTX_free(connection->shared);
    (void)close(connection->ends[0]);
    (void)close(connection->ends[1]);
}

static ratings_tls_e shake_hands(connection_t *connection)
{
    ratings_tls_failure_t why;
    ratings_tls_e step = RATINGS_TLS_WANTS_READ;
    for (int i = 0; i < 100 && step == RATINGS_TLS_WANTS_READ; i++) {
        step = ratings_tls_handshake(connection->client, &why);
        (void)SSL_do_handshake(connection->server);
    }
    return step;
}

static void test_least_version_of_the_system(void **state)
{
    connection_t connection;
    (void)state;
    set_up(&connection, TLS1_3_VERSION);
    assert_int_equal(shake_hands(&connection), RATINGS_TLS_DONE);
    tear_down(&connection);
    set_up(&connection, TLS1_2_VERSION);
    assert_int_equal(shake_hands(&connection), RATINGS_TLS_FAILED);
    tear_down(&connection);
}

typedef struct {
    const char *name, *host, *told; /* `told`: to the server; NULL: nothing is */
    ratings_tls_e step;
} host_t;

static host_t hosts[] = {
    {"the certificate's name", "server", "server", RATINGS_TLS_DONE},
    {"the same with a dot at its end", "server.", "server", RATINGS_TLS_DONE},
    {"with two", "server..", "server.", RATINGS_TLS_FAILED},
    {"another name", "server2", "server2", RATINGS_TLS_FAILED},
    {"a dot", ".", ".", RATINGS_TLS_FAILED},
    {"an address", "127.0.0.1", NULL, RATINGS_TLS_FAILED},
    {"an address with a dot at its end", "127.0.0.1.", NULL, RATINGS_TLS_FAILED},
};

static void test_host(void **state)
{
    const host_t *host = *state;
    connection_t connection;
    set_up_for(&connection, TLS1_3_VERSION, host->host);
    assert_int_equal(shake_hands(&connection), host->step);
    const char *told = SSL_get_servername(connection.server, TLSEXT_NAMETYPE_host_name);
    if (host->told && told)
        assert_string_equal(told, host->told);
    else
        assert_true(!told && !host->told);
    tear_down(&connection);
}

/* Tickets of sessions, of which a server sends two by itself. */
static void test_records_without_an_answer(void **state)
{
    connection_t connection;
    ratings_tls_failure_t why;
    char byte;
    size_t count;
    (void)state;
    set_up(&connection, TLS1_3_VERSION);
    assert_int_equal(shake_hands(&connection), RATINGS_TLS_DONE);
    struct pollfd more = {connection.ends[0], POLLIN, 0};
    assert_int_equal(poll(&more, 1, 0), 1);
    assert_int_equal(ratings_tls_read(connection.client, &byte, 1, &count, &why),
                     RATINGS_TLS_WANTS_READ);
    assert_int_equal(poll(&more, 1, 0), 1);
    assert_int_equal(SSL_write(connection.server, "+", 1), 1);
    ratings_tls_e step = RATINGS_TLS_WANTS_READ;
    while (step == RATINGS_TLS_WANTS_READ && poll(&more, 1, 0) == 1)
        step = ratings_tls_read(connection.client, &byte, 1, &count, &why);
    assert_int_equal(step, RATINGS_TLS_DONE);
    assert_int_equal(byte, '+');
    tear_down(&connection);
}

static void ignore_signal(int number)
{
    (void)number;
}

/* Another process, which answers for the server once it has interrupted this one a few times. */
static pid_t start_interrupter(const connection_t *connection)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    for (int i = 0; i < 5; i++) {
        (void)poll(NULL, 0, 20);
        (void)kill(getppid(), SIGUSR1);
    }
    (void)poll(NULL, 0, 20);
    _exit(SSL_write(connection->server, "+", 1) == 1 ? 0 : 1);
}

static void read_tickets(connection_t *connection)
{
    ratings_tls_failure_t why;
    char byte;
    size_t count;
    struct pollfd more = {connection->ends[0], POLLIN, 0};
    while (poll(&more, 1, 0) == 1)
        assert_int_equal(ratings_tls_read(connection->client, &byte, 1, &count, &why),
                         RATINGS_TLS_WANTS_READ);
}

static void test_signal_ends_no_wait(void **state)
{
    const struct sigaction action = {.sa_handler = ignore_signal};
    const struct timeval timeout = {10, 0};
    connection_t connection;
    ratings_tls_failure_t why;
    char byte;
    size_t count;
    int status;
    (void)state;
    set_up(&connection, TLS1_3_VERSION);
    assert_int_equal(shake_hands(&connection), RATINGS_TLS_DONE);
    read_tickets(&connection);
    assert_int_equal(fcntl(connection.ends[0], F_SETFL, 0), 0); /* it blocks from now on */
    assert_int_equal(
        setsockopt(connection.ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), 0);
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
    pid_t child = start_interrupter(&connection);
    assert_true(child > 0);
    assert_int_equal(ratings_tls_read(connection.client, &byte, 1, &count, &why), RATINGS_TLS_DONE);
    assert_int_equal(byte, '+');
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    tear_down(&connection);
}

typedef struct {
    const char *name, *bytes;
    size_t length;
    ratings_tls_cause_e cause;
} words_t;

static words_t all_words[] = {
    {"a Redis without TLS", BYTES("-ERR unknown command\r\n"), RATINGS_TLS_FOREIGN},
    {"a record that is too long", BYTES("\x16\x03\x03\xff\xff"), RATINGS_TLS_FOREIGN},
    {"handshake failure", BYTES("\x15\x03\x03\x00\x02\x02\x28"), RATINGS_TLS_REFUSED},
    {"unknown authority", BYTES("\x15\x03\x03\x00\x02\x02\x30"), RATINGS_TLS_REFUSED},
    {"the end", BYTES(""), RATINGS_TLS_OTHER},
};

static void test_words(void **state)
{
    const words_t *words = *state;
    connection_t connection;
    ratings_tls_failure_t why;
    set_up(&connection, TLS1_3_VERSION);
    assert_int_equal(send(connection.ends[1], words->bytes, words->length, 0), words->length);
    assert_int_equal(shutdown(connection.ends[1], SHUT_WR), 0);
    assert_int_equal(ratings_tls_handshake(connection.client, &why), RATINGS_TLS_FAILED);
    assert_int_equal(why.cause, words->cause);
    tear_down(&connection);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    if (!mkdtemp(folder))
        return 1;
    make_all_files();
    unit_add_rows(&suite, test_pair, ROWS(pairs));
    unit_add(&suite, "a long path", test_long_path, NULL);
    unit_add_rows(&suite, test_host, ROWS(hosts));
    unit_add(&suite, "the least version of the system", test_least_version_of_the_system, NULL);
    unit_add(&suite, "records without an answer", test_records_without_an_answer, NULL);
    unit_add(&suite, "a signal ends no wait", test_signal_ends_no_wait, NULL);
    unit_add_rows(&suite, test_words, ROWS(all_words));
    int failed = unit_run("tls_client", &suite);
    remove_all_files();
    return failed;
}
