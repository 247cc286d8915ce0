#include "tls.h"

#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ratings_tls_context_t {
    SSL_CTX *shared;
    char *name; /* that certificates must have; NULL: the host's */
};

/* ---- what went wrong ---- */

#define WHAT_MAX 150 /* bytes */
#define REASON_SIZE 160

_Static_assert(sizeof "..." - 1 + WHAT_MAX + sizeof ": " - 1 + REASON_SIZE <= RATINGS_TLS_TEXT,
               "a text has room for the reason, whatever the path");

/* `what` may be a path, of which the end says most. */
static void set_failure(ratings_tls_failure_t *why, ratings_tls_cause_e cause, const char *what,
                        const char *reason)
{
    size_t length = strlen(what), excess = length > WHAT_MAX ? length - WHAT_MAX : 0;
    why->cause = cause;
    (void)snprintf(why->text, sizeof why->text, "%s%s: %s", excess ? "..." : "", what + excess,
                   reason);
}

/* libssl's reason, else the system's. */
static const char *libssl_reason(unsigned long code, int error)
{
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (reason)
        return reason;
    return error ? strerror(error) : "the connection was closed";
}

/* An alert that the server sent is a reason of libssl's own: https://www.rfc-editor.org/rfc/rfc8446
 * section 6. */
static bool is_refusal_of_client(int reason)
{
    switch (reason - SSL_AD_REASON_OFFSET) {
    case SSL_AD_HANDSHAKE_FAILURE: /* of TLS 1.2, which has no alert for a missing certificate */
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

static ratings_tls_cause_e cause_of(unsigned long code)
{
    int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) != ERR_LIB_SSL)
        return RATINGS_TLS_OTHER;
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_PACKET_LENGTH_TOO_LONG ||
        reason == SSL_R_DATA_LENGTH_TOO_LONG) /* as OpenSSL 3.2 has it */
        return RATINGS_TLS_FOREIGN;
    return is_refusal_of_client(reason) ? RATINGS_TLS_REFUSED : RATINGS_TLS_OTHER;
}

/* ---- files ---- */

/* A failure of libssl with a file. */
static bool refuse_file(ratings_tls_failure_t *why, const char *path)
{
    unsigned long code = ERR_peek_last_error();
    set_failure(why, RATINGS_TLS_OTHER, path, code ? libssl_reason(code, 0) : "it cannot be used");
    return false;
}

/* The system says more plainly than libssl why a file cannot be read. */
static bool is_readable_path(const char *path, bool *is_directory, ratings_tls_failure_t *why)
{
    struct stat about;
    *is_directory = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    if (access(path, R_OK) == 0)
        return true;
    set_failure(why, RATINGS_TLS_OTHER, path, strerror(errno));
    return false;
}

static bool load_authorities(SSL_CTX *shared, const char *path, ratings_tls_failure_t *why)
{
    bool is_directory;
    if (!path)
        return SSL_CTX_set_default_verify_paths(shared) == 1 ||
               refuse_file(why, "the authorities of the system");
    if (!is_readable_path(path, &is_directory, why))
        return false;
    return SSL_CTX_load_verify_locations(shared, is_directory ? NULL : path,
                                         is_directory ? path : NULL) == 1 ||
           refuse_file(why, path);
}

/* A key with a passphrase would have libssl ask for it at the terminal. */
static int refuse_passphrase(char *buffer, int size, int is_writing, void *data)
{
    (void)buffer, (void)size, (void)is_writing, (void)data;
    return -1;
}

#define KEY_MAX (32 * 1024) /* bytes: the largest of RSA has 13 */

static EVP_PKEY *parse_key(const char *bytes, size_t length)
{
    BIO *source = BIO_new_mem_buf(bytes, (int)length);
    EVP_PKEY *key = source ? PEM_read_bio_PrivateKey(source, NULL, refuse_passphrase, NULL) : NULL;
    BIO_free(source);
    return key;
}

/* NULL and why. */
static EVP_PKEY *read_private_key(const char *path, ratings_tls_failure_t *why)
{
    char bytes[KEY_MAX], problem[REASON_SIZE];
    size_t length;
    bool is_missing;
    if (!ratings_secret_file_read(path, bytes, sizeof bytes, &length, &is_missing, problem,
                                  sizeof problem)) {
        set_failure(why, RATINGS_TLS_OTHER, path, problem);
        return NULL;
    }
    EVP_PKEY *key = parse_key(bytes, length);
    OPENSSL_cleanse(bytes, length);
    if (!key)
        (void)refuse_file(why, path);
    return key;
}

/* libssl has a place for a certificate of each kind of key, and would put the key into another one
 * than the certificate's without a word. */
static bool load_key(SSL_CTX *shared, const char *path, ratings_tls_failure_t *why)
{
    EVP_PKEY *key = read_private_key(path, why);
    if (!key)
        return false;
    bool is_good = X509_check_private_key(SSL_CTX_get0_certificate(shared), key) == 1 &&
                   SSL_CTX_use_PrivateKey(shared, key) == 1;
    EVP_PKEY_free(key);
    return is_good || refuse_file(why, path);
}

static bool load_certificate(SSL_CTX *shared, const ratings_tls_settings_t *settings,
                             ratings_tls_failure_t *why)
{
    bool is_directory;
    if (!settings->certificate && !settings->key)
        return true;
    if (!settings->certificate || !settings->key) {
        set_failure(why, RATINGS_TLS_OTHER, settings->key ? settings->key : settings->certificate,
                    settings->key ? "a key needs its certificate" : "a certificate needs its key");
        return false;
    }
    if (!is_readable_path(settings->certificate, &is_directory, why))
        return false;
    if (SSL_CTX_use_certificate_chain_file(shared, settings->certificate) != 1)
        return refuse_file(why, settings->certificate);
    return load_key(shared, settings->key, why);
}

/* ---- what connections share ---- */

/* The system's configuration of OpenSSL may ask for more. */
static bool require_version(SSL_CTX *shared)
{
    return SSL_CTX_get_min_proto_version(shared) >= TLS1_2_VERSION ||
           SSL_CTX_set_min_proto_version(shared, TLS1_2_VERSION) == 1;
}

static bool fill_context(ratings_tls_context_t *context, const ratings_tls_settings_t *settings,
                         ratings_tls_failure_t *why)
{
    SSL_CTX *shared = context->shared = SSL_CTX_new(TLS_client_method());
    context->name = settings->name ? strdup(settings->name) : NULL;
    if (!shared || !require_version(shared) || (settings->name && !context->name))
        return refuse_file(why, "TLS");
    SSL_CTX_set_verify(shared, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_default_passwd_cb(shared, refuse_passphrase);
    SSL_CTX_set_options(shared, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(shared, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return load_authorities(shared, settings->ca, why) && load_certificate(shared, settings, why);
}

ratings_tls_context_t *ratings_tls_context_new(const ratings_tls_settings_t *settings,
                                               ratings_tls_failure_t *why)
{
    ratings_tls_context_t *context = calloc(1, sizeof *context);
    ERR_clear_error();
    if (!context)
        set_failure(why, RATINGS_TLS_OTHER, "TLS", "memory ran out");
    else if (fill_context(context, settings, why))
        return context;
    ERR_clear_error();
    ratings_tls_context_free(context);
    return NULL;
}

void ratings_tls_context_free(ratings_tls_context_t *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->shared);
    free(context->name);
    free(context);
}

/* ---- a connection ---- */

/* An address is compared with the certificate's addresses, a name with its names; a name is also
 * told to the server, which may have several certificates. */
static bool expect_plain_name(SSL *tls, const char *name)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), name) == 1)
        return true;
    SSL_set_hostflags(tls, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(tls, name) == 1 && SSL_set_tlsext_host_name(tls, name) == 1;
}

/* To the resolver a dot at the end of a name ends it; neither the name that a client sends
 * (https://www.rfc-editor.org/rfc/rfc6066 section 3) nor a certificate has one. Of a dot alone
 * nothing would be left, which to libssl is any name. */
static bool expect_name(SSL *tls, const char *name)
{
    size_t length = strlen(name);
    bool has_dot = length > 1 && name[length - 1] == '.';
    char *plain = strndup(name, has_dot ? length - 1 : length);
    bool is_expected = plain && expect_plain_name(tls, plain);
    free(plain);
    return is_expected;
}

/* Over a socket that does not block a step ends with each record, so that the caller looks at the
 * time: a server could send records that are no answer for ever. */
static void end_with_each_record(SSL *tls, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && flags & O_NONBLOCK)
        (void)SSL_clear_mode(tls, SSL_MODE_AUTO_RETRY);
}

ratings_tls_t *ratings_tls_over(const ratings_tls_context_t *context, int fd, const char *host)
{
    SSL *tls = SSL_new(context->shared);
    if (tls && SSL_set_fd(tls, fd) == 1 && expect_name(tls, context->name ? context->name : host)) {
        SSL_set_connect_state(tls);
        end_with_each_record(tls, fd);
        return tls;
    }
    SSL_free(tls);
    return NULL;
}

void ratings_tls_free(ratings_tls_t *tls)
{
    SSL_free(tls);
}

/* Before each step: libssl reports by a queue of the thread, which others use as well. */
static void forget_errors(void)
{
    ERR_clear_error();
    errno = 0;
}

/* Empties the queue. The first of libssl's own says most: OpenSSL 3.2 puts "record layer failure"
 * behind what has failed there. 0: there is none. */
static unsigned long first_reason(void)
{
    unsigned long code, reason = 0;
    while ((code = ERR_get_error()) != 0)
        if (!reason || (ERR_GET_LIB(reason) != ERR_LIB_SSL && ERR_GET_LIB(code) == ERR_LIB_SSL))
            reason = code;
    return reason;
}

/* What to do after a call that returned `result`, at most 0; `error`: errno after it. */
static ratings_tls_e step_of(SSL *tls, int result, int error, ratings_tls_failure_t *why)
{
    int kind = SSL_get_error(tls, result);
    unsigned long code = first_reason();
    if (kind == SSL_ERROR_WANT_READ)
        return RATINGS_TLS_WANTS_READ;
    if (kind == SSL_ERROR_WANT_WRITE)
        return RATINGS_TLS_WANTS_WRITE;
    set_failure(why, cause_of(code), "TLS", libssl_reason(code, error));
    return kind == SSL_ERROR_ZERO_RETURN ? RATINGS_TLS_CLOSED : RATINGS_TLS_FAILED;
}

/* A signal, or the end of a stop (signal(7)), ends the wait of a socket that blocks before its
 * timeout: the call is repeated. */
static bool is_interrupted(const SSL *tls, int result)
{
    int kind = errno == EINTR ? SSL_get_error(tls, result) : SSL_ERROR_NONE;
    return kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE;
}

ratings_tls_e ratings_tls_handshake(ratings_tls_t *tls, ratings_tls_failure_t *why)
{
    int result;
    do {
        forget_errors();
        result = SSL_do_handshake(tls);
    } while (is_interrupted(tls, result));
    if (result == 1)
        return RATINGS_TLS_DONE;
    ratings_tls_e step = step_of(tls, result, errno, why);
    long verdict = SSL_get_verify_result(tls);
    if (step == RATINGS_TLS_FAILED && verdict != X509_V_OK)
        set_failure(why, RATINGS_TLS_UNTRUSTED, "TLS: the server's certificate is refused",
                    X509_verify_cert_error_string(verdict));
    return step;
}

ratings_tls_e ratings_tls_read(ratings_tls_t *tls, void *bytes, size_t size, size_t *count,
                               ratings_tls_failure_t *why)
{
    int result;
    do {
        forget_errors();
        *count = 0;
        result = SSL_read_ex(tls, bytes, size, count);
    } while (is_interrupted(tls, result));
    return result == 1 ? RATINGS_TLS_DONE : step_of(tls, result, errno, why);
}

ratings_tls_e ratings_tls_write(ratings_tls_t *tls, const void *bytes, size_t size, size_t *count,
                                ratings_tls_failure_t *why)
{
    int result;
    do {
        forget_errors();
        *count = 0;
        result = SSL_write_ex(tls, bytes, size, count);
    } while (is_interrupted(tls, result));
    return result == 1 ? RATINGS_TLS_DONE : step_of(tls, result, errno, why);
}

/* Of a record that was received whole: what has come of one that was not is no answer yet, and
 * SSL_has_pending would tell of it as well. */
bool ratings_tls_has_pending(const ratings_tls_t *tls)
{
    return SSL_pending(tls) > 0;
}
