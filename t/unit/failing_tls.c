/* Of libcrypto and libssl. */
#include "failing.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

MAY_FAIL(EVP_MD_CTX_new, EVP_MD_CTX *, NULL, (void), ())
MAY_FAIL(EVP_Digest, int, 0,
         (const void *bytes, size_t count, unsigned char *digest, unsigned *size,
          const EVP_MD *type, ENGINE *engine),
         (bytes, count, digest, size, type, engine))
MAY_FAIL(EVP_DigestInit_ex, int, 0, (EVP_MD_CTX * context, const EVP_MD *type, ENGINE *engine),
         (context, type, engine))
MAY_FAIL(EVP_DigestUpdate, int, 0, (EVP_MD_CTX * context, const void *bytes, size_t count),
         (context, bytes, count))
MAY_FAIL(EVP_DigestFinal_ex, int, 0, (EVP_MD_CTX * context, unsigned char *digest, unsigned *size),
         (context, digest, size))
MAY_FAIL(BIO_new_mem_buf, BIO *, NULL, (const void *bytes, int length), (bytes, length))
MAY_FAIL(X509_check_private_key, int, 0, (const X509 *certificate, const EVP_PKEY *key),
         (certificate, key))
MAY_FAIL(SSL_CTX_new, SSL_CTX *, NULL, (const SSL_METHOD *method), (method))
MAY_FAIL(SSL_CTX_set_default_verify_paths, int, 0, (SSL_CTX * context), (context))
MAY_FAIL(SSL_CTX_load_verify_locations, int, 0,
         (SSL_CTX * context, const char *file, const char *directory), (context, file, directory))
MAY_FAIL(SSL_CTX_use_certificate_chain_file, int, 0, (SSL_CTX * context, const char *path),
         (context, path))
MAY_FAIL(SSL_CTX_use_PrivateKey, int, 0, (SSL_CTX * context, EVP_PKEY *key), (context, key))
MAY_FAIL(SSL_new, SSL *, NULL, (SSL_CTX * context), (context))
MAY_FAIL(SSL_set_fd, int, 0, (SSL * tls, int fd), (tls, fd))
MAY_FAIL(SSL_set1_host, int, 0, (SSL * tls, const char *name), (tls, name))
MAY_FAIL(X509_VERIFY_PARAM_set1_ip_asc, int, 0, (X509_VERIFY_PARAM * parameters, const char *text),
         (parameters, text))
