/* The secret of an electorate (RatingsVoterSecret): who has it can tell whose a rating is, and sign
 * cookies. What is made under it is 128 bits of an HMAC-SHA-256. */
#ifndef RATINGS_CORE_SECRET_H
#define RATINGS_CORE_SECRET_H

#include "voter.h"

#include <stdbool.h>
#include <stddef.h>

#define RATINGS_SECRET_MIN 32 /* bytes */
#define RATINGS_SECRET_MAX 1024
#define RATINGS_SIGNATURE_SIZE 16 /* bytes */

/* Read-only once it is made: any thread, and children as well. */
typedef struct ratings_secret_t ratings_secret_t;

/* Whether the text may name where a secret is: file:PATH, the path absolute. NULL if so; else what
 * is wrong with it (static). */
const char *ratings_secret_source_problem(const char *source);

/* Reads the secret of a source that has no problem: the bytes of the file, without the line ends
 * after them, so that an editor which adds one changes nothing. NULL: `why` says what is wrong with
 * the file, among it that others than its owner and group may read or write it. */
ratings_secret_t *ratings_secret_load(const char *source, char *why, size_t size);

/* A secret of these bytes, which are not kept. NULL when memory ran out. */
ratings_secret_t *ratings_secret_new(const void *bytes, size_t length);

void ratings_secret_free(ratings_secret_t *secret); /* NULL is allowed */

/* The functions below return false when memory ran out. */

/* The voter of an identity (a login's name, what a cookie holds ...). Within a scope, which is the
 * topic: who reads the logs of two cannot tell that a voter of one is a voter of the other. */
bool ratings_secret_voter(const ratings_secret_t *secret, const char *scope, const char *identity,
                          ratings_voter_t *voter);

/* The signature of a cookie's text. */
bool ratings_secret_sign(const ratings_secret_t *secret, const char *text,
                         unsigned char signature[RATINGS_SIGNATURE_SIZE]);

#endif
