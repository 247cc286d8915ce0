#include "secret.h"

#include "number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char prefix[] = "file:";

_Static_assert(RATINGS_SECRET_MIN == 32 && RATINGS_SECRET_MAX == 1024,
               "the sentences about the file name these limits");

const char *ratings_secret_source_problem(const char *source)
{
    if (strncmp(source, prefix, sizeof prefix - 1) != 0 || source[sizeof prefix - 1] != '/')
        return "it takes file: and the absolute path of a file";
    return NULL;
}

/* ---- the file ---- */

/* What is wrong with an open file, NULL: nothing. */
static const char *file_problem(int file)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return strerror(errno);
    if (!S_ISREG(about.st_mode))
        return "it is no regular file";
    if (about.st_mode & (S_IROTH | S_IWOTH))
        return "others than its owner and group may read or write it: chmod o-rw";
    return NULL;
}

static size_t length_without_line_ends(const unsigned char *bytes, size_t length)
{
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r'))
        length--;
    return length;
}

/* A regular file is read by one call, as far as there is room. */
static const char *read_secret(int file, ratings_secret_t *secret)
{
    unsigned char bytes[RATINGS_SECRET_MAX + 2]; /* with a line end */
    ssize_t got = read(file, bytes, sizeof bytes);
    if (got < 0)
        return strerror(errno);
    size_t length = length_without_line_ends(bytes, (size_t)got);
    const char *problem = length < RATINGS_SECRET_MIN   ? "it is shorter than 32 bytes"
                          : length > RATINGS_SECRET_MAX ? "it is longer than 1024 bytes"
                                                        : NULL;
    if (!problem && !ratings_secret_set(secret, bytes, length))
        problem = "libcrypto has no SHA-256, or memory ran out";
    explicit_bzero(bytes, sizeof bytes);
    return problem;
}

/* O_NONBLOCK: opening what is no file does not wait for anybody. */
bool ratings_secret_load(const char *source, ratings_secret_t *secret, char *why, size_t size)
{
    int file = open(source + sizeof prefix - 1, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *problem = file < 0 ? strerror(errno) : file_problem(file);
    if (!problem)
        problem = read_secret(file, secret);
    if (problem)
        (void)snprintf(why, size, "%s", problem);
    if (file >= 0)
        (void)close(file);
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
