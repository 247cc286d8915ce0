/* Who rates, as the log and the store know it: never the identity, only a keyed hash of it. The
 * same person has the same hash for every talk of an event, and nobody without the secret can tell
 * whose it is. Pure functions, any thread. */
#ifndef RATINGS_CORE_VOTER_H
#define RATINGS_CORE_VOTER_H

#include <stdbool.h>
#include <stddef.h>

#define RATINGS_VOTER_SIZE 16 /* bytes */

/* 128 bits of an HMAC-SHA-256; any bytes, a 0 among them too. */
typedef struct {
    unsigned char hash[RATINGS_VOTER_SIZE];
} ratings_voter_t;

/* As the log has it: lower-case hexadecimal digits. */
#define RATINGS_VOTER_TEXT_SIZE (2 * RATINGS_VOTER_SIZE + 1) /* with its end */
void ratings_voter_print(const ratings_voter_t *voter, char text[RATINGS_VOTER_TEXT_SIZE]);

/* Reads `len` bytes of such a text. False: they are none. */
bool ratings_voter_parse(const char *text, size_t len, ratings_voter_t *voter);

#endif
