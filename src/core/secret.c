#include "secret.h"

#include "number.h"

#include <stdio.h>
#include <string.h>

_Static_assert(RATINGS_SECRET_MIN == 32 && RATINGS_SECRET_MAX == 1024,
               "the sentences about the file name these limits");

static const char *set_within_bounds(const char *bytes, size_t length, ratings_secret_t *secret)
{
    if (length < RATINGS_SECRET_MIN)
        return "it is shorter than 32 bytes";
    if (length > RATINGS_SECRET_MAX)
        return "it is longer than 1024 bytes";
    return ratings_secret_set(secret, bytes, length)
               ? NULL
               : "libcrypto has no SHA-256, or memory ran out";
}

bool ratings_secret_load(const char *source, ratings_secret_t *secret, char *why, size_t size)
{
    char bytes[RATINGS_SECRET_MAX + 2]; /* with a line end */
    size_t length;
    bool is_missing;
    if (!ratings_secret_file_read(ratings_secret_source_path(source), bytes, sizeof bytes, &length,
                                  &is_missing, why, size))
        return false;
    const char *problem = set_within_bounds(bytes, ratings_secret_trim(bytes, length), secret);
    explicit_bzero(bytes, sizeof bytes);
    if (problem)
        (void)snprintf(why, size, "%s", problem);
    return problem == NULL;
}

bool ratings_secret_set(ratings_secret_t *secret, const void *bytes, size_t length)
{
    return ratings_hmac_set_key(&secret->key, (ratings_bytes_t){bytes, length});
}

/* ---- what is made under it ---- */

/* What a hash is for: none is of any use for another purpose. The names are part of what a log's
 * hashes are made of, so they stay. */
static const char for_voters[] = "mod_ratings voter", for_cookies[] = "mod_ratings cookie",
                  for_electorates[] = "mod_ratings electorate";

_Static_assert(RATINGS_VOTER_SIZE == 16 && RATINGS_SIGNATURE_SIZE == 16 &&
                   RATINGS_ELECTORATE_SIZE == 16,
               "each is one hash");

/* Of the purpose, the scope and the text, each but the last ended by its NUL: no two triples make
 * the same message. */
static bool make_hash(const ratings_secret_t *secret, const char *purpose, const char *scope,
                      const char *text, unsigned char hash[16])
{
    const ratings_bytes_t message[] = {
        {purpose, strlen(purpose) + 1}, {scope, strlen(scope) + 1}, {text, strlen(text)}};
    unsigned char mac[RATINGS_HMAC_SIZE];
    bool made = ratings_hmac(&secret->key, message, sizeof message / sizeof message[0], mac);
    if (made)
        memcpy(hash, mac, 16);
    return made;
}

bool ratings_secret_voter(const ratings_secret_t *secret, const char *scope, const char *identity,
                          ratings_voter_t *voter)
{
    return make_hash(secret, for_voters, scope, identity, voter->hash);
}

bool ratings_secret_electorate(const ratings_secret_t *secret, const char *scope,
                               ratings_electorate_t *electorate)
{
    unsigned char hash[RATINGS_ELECTORATE_SIZE];
    bool made = make_hash(secret, for_electorates, scope, "", hash);
    if (made)
        ratings_hex_write(hash, sizeof hash, electorate->name);
    return made;
}

/* Without a scope: a browser keeps one cookie for a host, at whichever port and path it votes. */
bool ratings_secret_sign(const ratings_secret_t *secret, const char *text,
                         unsigned char signature[RATINGS_SIGNATURE_SIZE])
{
    return make_hash(secret, for_cookies, "", text, signature);
}
