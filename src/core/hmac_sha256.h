/* HMAC-SHA-256 (RFC 2104; SHA-256: RFC 6234). SHA-256 is that of OpenSSL's libcrypto: mod_ssl,
 * librdkafka, libcurl and libpq have it loaded anyway. Any thread. */
#ifndef RATINGS_CORE_HMAC_SHA256_H
#define RATINGS_CORE_HMAC_SHA256_H

#include <stdbool.h>
#include <stddef.h>

#define RATINGS_HMAC_SIZE 32  /* bytes */
#define RATINGS_HMAC_BLOCK 64 /* of SHA-256, bytes */

/* A key as it is used: the two blocks that come before what is hashed. */
typedef struct {
    unsigned char inner[RATINGS_HMAC_BLOCK], outer[RATINGS_HMAC_BLOCK];
} ratings_hmac_key_t;

typedef struct {
    const void *bytes;
    size_t length;
} ratings_bytes_t;

/* The functions return false when memory ran out, or libcrypto as it is configured on this machine
 * has no SHA-256; what they make is undefined then. */

bool ratings_hmac_set_key(ratings_hmac_key_t *key, ratings_bytes_t bytes);

/* The HMAC of the parts, one after the other as one message. */
bool ratings_hmac(const ratings_hmac_key_t *key, const ratings_bytes_t *parts, size_t count,
                  unsigned char mac[RATINGS_HMAC_SIZE]);

#endif
