/* What OpenSSL found wrong with a certificate, in words. Any thread. */
#ifndef RATINGS_CORE_CERTIFICATE_ERROR_H
#define RATINGS_CORE_CERTIFICATE_ERROR_H

/* `error`: one of X509_V_ERR_... (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/), or
 * 0. NULL: nothing is wrong. Static, one line. */
const char *ratings_certificate_error(int error);

#endif
