/* The cookie by which a browser is known: an identity drawn at random, and its signature. Its value
 * is IDENTITY.SIGNATURE, each 128 bits in lower-case hexadecimal digits. The server keeps nothing
 * of it. Any thread. */
#ifndef RATINGS_CORE_VOTER_COOKIE_H
#define RATINGS_CORE_VOTER_COOKIE_H

#include "secret.h"

#define RATINGS_COOKIE_IDENTITY 32 /* characters, not counting the terminator */
#define RATINGS_COOKIE_VALUE (2 * RATINGS_COOKIE_IDENTITY + 1)

/* Draws an identity, and makes the cookie's value of it. False when the system gave no random
 * bytes, or memory ran out. */
bool ratings_voter_cookie_new(const ratings_secret_t *secret,
                              char identity[RATINGS_COOKIE_IDENTITY + 1],
                              char value[RATINGS_COOKIE_VALUE + 1]);

/* Finds the cookie of this name that was signed under the secret in a Cookie field (RFC 6265, 4.2;
 * `field` NULL: the request has none), and its identity. Of several cookies of the name, as those
 * of a wider or narrower path, the first that was signed counts; forged ones, and those of another
 * secret, are passed over. */
bool ratings_voter_cookie_find(const ratings_secret_t *secret, const char *field, const char *name,
                               char identity[RATINGS_COOKIE_IDENTITY + 1]);

#endif
