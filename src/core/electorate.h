/* An electorate: all who vote under one secret (secret.h). Another secret makes other voters of the
 * same people, who could all vote twice; so the log says by a record which electorate votes, and a
 * host whose secret is another one's takes no votes. Nobody can tell the secret, or a voter's
 * identity, from an electorate's name. Pure functions, any thread. */
#ifndef RATINGS_CORE_ELECTORATE_H
#define RATINGS_CORE_ELECTORATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATINGS_ELECTORATE_SIZE 16 /* bytes of an HMAC-SHA-256: ratings_secret_electorate */
#define RATINGS_ELECTORATE_TEXT_SIZE (2 * RATINGS_ELECTORATE_SIZE + 1) /* with its end */

typedef struct {
    char name[RATINGS_ELECTORATE_TEXT_SIZE]; /* lower-case hexadecimal digits; "": none */
} ratings_electorate_t;

/* Reads `len` bytes of a name. False, with `*electorate` none: they are no name, nor is "". */
bool ratings_electorate_parse(const char *text, size_t len, ratings_electorate_t *electorate);

bool ratings_electorate_equal(const ratings_electorate_t *a, const ratings_electorate_t *b);

/* A number for shared memory, where a name does not fit into one word: 0 of none, and the same of
 * two electorates by a chance of one in 2^63. */
uint64_t ratings_electorate_number(const ratings_electorate_t *electorate);

#endif
