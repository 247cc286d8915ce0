#include "talks_certificate.h"

#include "../../core/certificate_error.h"
#include "../common/deadline.h"
#include "talks_conninfo.h"

#include <libpq-fe.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

#define LOOK_TIMEOUT_US INT64_C(2000000)
#define NO_FILE "/nonexistent"

/* What is in `conninfo`, but for files: what libpq cannot read, it does without. */
static PGconn *begin_handshake(const char *conninfo)
{
    static const char *const keywords[] = {"dbname", "sslmode",    "sslrootcert", "sslcert",
                                           "sslcrl", "gssencmode", NULL};
    const char *const values[] = {conninfo, "require", NO_FILE, NO_FILE, NO_FILE, "disable", NULL};
    return PQconnectStartParams(keywords, values, 1);
}

/* Before libpq sends the first word in private: who, and to which database. */
static bool has_shaken_hands(PGconn *pq)
{
    return PQstatus(pq) == CONNECTION_MADE && PQsslInUse(pq);
}

/* A Unix socket, over which libpq asks for no TLS, whatever sslmode says: it would log in. */
static bool is_local(const PGconn *pq)
{
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    socklen_t length = sizeof address;
    return getsockname(PQsocket(pq), (struct sockaddr *)&address, &length) != 0 ||
           address.ss_family == AF_UNIX;
}

static bool await_handshake(PGconn *pq, const ratings_deadline_t *deadline)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    ratings_result_t unused;
    while (!has_shaken_hands(pq)) {
        short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (PQstatus(pq) == CONNECTION_BAD || is_local(pq) ||
            ratings_deadline_poll(PQsocket(pq), events, deadline, "", &unused) != APR_SUCCESS)
            return false;
        next = PQconnectPoll(pq);
    }
    return true;
}

/* ---- the certificate ---- */

/* The certificates that a server must be known by. */
static X509_STORE *load_roots(const char *file)
{
    X509_STORE *roots = X509_STORE_new();
    if (roots && X509_STORE_load_locations(roots, file, NULL) == 1)
        return roots;
    X509_STORE_free(roots);
    return NULL;
}

static int verify_chain(X509_STORE *roots, STACK_OF(X509) * chain)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int error = X509_V_OK;
    if (context && X509_STORE_CTX_init(context, roots, sk_X509_value(chain, 0), chain) == 1 &&
        X509_STORE_CTX_set_default(context, "ssl_server") == 1) {
        (void)X509_verify_cert(context);
        error = X509_STORE_CTX_get_error(context);
    }
    X509_STORE_CTX_free(context);
    return error;
}

static int verify_server(PGconn *pq, const char *root_file)
{
    X509_STORE *roots = load_roots(root_file);
    SSL *ssl = PQsslStruct(pq, "OpenSSL");
    STACK_OF(X509) *chain = ssl ? SSL_get_peer_cert_chain(ssl) : NULL;
    int error = roots && chain ? verify_chain(roots, chain) : X509_V_OK;
    X509_STORE_free(roots);
    return error;
}

/* ---- each host ---- */

static int look_at_host(const char *conninfo, const char *root_file,
                        const ratings_deadline_t *deadline)
{
    PGconn *pq = begin_handshake(conninfo);
    int error = pq && await_handshake(pq, deadline) ? verify_server(pq, root_file) : X509_V_OK;
    PQfinish(pq);
    return error;
}

/* A host that swallows what it is sent must not keep the others from being looked at: each may take
 * its share of the time. */
static int look_at_hosts(apr_pool_t *pool, const char *conninfo, const PQconninfoOption *options)
{
    int error = X509_V_OK, hosts = talks_conninfo_hosts(options);
    int64_t ends_at = ratings_monotonic() + LOOK_TIMEOUT_US;
    for (int i = 0; i < hosts && error == X509_V_OK; i++) {
        int64_t share = (ends_at - ratings_monotonic()) / (hosts - i);
        const ratings_deadline_t deadline = ratings_deadline_make(ends_at, share, -1);
        error = look_at_host(talks_conninfo_of_host(pool, conninfo, options, i),
                             talks_conninfo_value(options, "sslrootcert"), &deadline);
    }
    return error;
}

const char *talks_certificate_problem(apr_pool_t *pool, const char *conninfo)
{
    PQconninfoOption *options = talks_conninfo_parse(conninfo);
    int error = options && talks_conninfo_value(options, "sslrootcert")
                    ? look_at_hosts(pool, conninfo, options)
                    : X509_V_OK;
    PQconninfoFree(options);
    ERR_clear_error();
    return ratings_certificate_error(error);
}
