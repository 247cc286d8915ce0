/* HMAC-SHA-256 (RFC 2104; SHA-256: RFC 6234). SHA-256 is that of OpenSSL's libcrypto, which no
 * other file includes: mod_ssl, librdkafka, libcurl and libpq have it loaded anyway. */
#ifndef RATINGS_CORE_HMAC_SHA256_H
#define RATINGS_CORE_HMAC_SHA256_H

#include <stdbool.h>
#include <stddef.h>

#define RATINGS_HMAC_SIZE 32 /* bytes */

/* A key, as it is used: read-only once it is made, also by several threads and after a fork. */
typedef struct ratings_hmac_t ratings_hmac_t;

typedef struct {
    const void *bytes;
    size_t length;
} ratings_bytes_t;

/* The key is not kept. NULL when memory ran out, or libcrypto as it is configured on this machine
 * has no SHA-256. */
ratings_hmac_t *ratings_hmac_new(ratings_bytes_t key);
void ratings_hmac_free(ratings_hmac_t *hmac); /* NULL is allowed */

/* The HMAC of the parts, one after the other as one message. False when memory ran out; `mac` is
 * undefined then. */
bool ratings_hmac(const ratings_hmac_t *hmac, const ratings_bytes_t *parts, size_t count,
                  unsigned char mac[RATINGS_HMAC_SIZE]);

#endif
