/* The secret of an electorate (RatingsVoterSecret): who has it can tell whose a rating is, and sign
 * cookies. What is made under it is 128 bits of an HMAC-SHA-256. Any thread. */
#ifndef RATINGS_CORE_SECRET_H
#define RATINGS_CORE_SECRET_H

#include "electorate.h"
#include "hmac_sha256.h"
#include "secret_file.h"
#include "voter.h"

#include <stdbool.h>
#include <stddef.h>

#define RATINGS_SECRET_MIN 32 /* bytes */
#define RATINGS_SECRET_MAX 1024
#define RATINGS_SIGNATURE_SIZE 16 /* bytes */

typedef struct {
    ratings_hmac_key_t key;
} ratings_secret_t;

/* Reads the secret of a source that has no problem (secret_file.h): the bytes of the file, without
 * the line ends after them. False: `why` says what is wrong with the file. */
bool ratings_secret_load(const char *source, ratings_secret_t *secret, char *why, size_t size);

/* The functions below return false when memory ran out. */

/* Makes a secret of bytes. */
bool ratings_secret_set(ratings_secret_t *secret, const void *bytes, size_t length);

/* The voter of an identity (a login's name, what a cookie holds ...). Within a scope, which is the
 * topic: who reads the logs of two cannot tell that a voter of one is a voter of the other. */
bool ratings_secret_voter(const ratings_secret_t *secret, const char *scope, const char *identity,
                          ratings_voter_t *voter);

/* The electorate of all who vote under the secret, within the same scope. */
bool ratings_secret_electorate(const ratings_secret_t *secret, const char *scope,
                               ratings_electorate_t *electorate);

/* The signature of a cookie's text. */
bool ratings_secret_sign(const ratings_secret_t *secret, const char *text,
                         unsigned char signature[RATINGS_SIGNATURE_SIZE]);

#endif
