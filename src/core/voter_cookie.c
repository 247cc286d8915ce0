#include "voter_cookie.h"

#include "number.h"

#include <string.h>
#include <unistd.h>

/* A comma as well: httpd puts one between the fields of a client that sends several. */
static const char between_cookies[] = "; \t,";

static bool sign_identity(const ratings_secret_t *secret, const char *identity,
                          char text[RATINGS_COOKIE_IDENTITY + 1])
{
    unsigned char signature[RATINGS_SIGNATURE_SIZE];
    bool made = ratings_secret_sign(secret, identity, signature);
    if (made)
        ratings_hex_write(signature, sizeof signature, text);
    return made;
}

/* getentropy and not /dev/urandom, which ChrootDir may lack. */
bool ratings_voter_cookie_new(const ratings_secret_t *secret,
                              char identity[RATINGS_COOKIE_IDENTITY + 1],
                              char value[RATINGS_COOKIE_VALUE + 1])
{
    unsigned char drawn[RATINGS_COOKIE_IDENTITY / 2];
    char *signature = value + RATINGS_COOKIE_IDENTITY + 1;
    if (getentropy(drawn, sizeof drawn) != 0)
        return false;
    ratings_hex_write(drawn, sizeof drawn, identity);
    memcpy(value, identity, RATINGS_COOKIE_IDENTITY);
    value[RATINGS_COOKIE_IDENTITY] = '.';
    return sign_identity(secret, identity, signature);
}

/* In the same time wherever they differ, so that nobody finds a signature digit by digit. */
static bool same_signature(const char *a, const char *b)
{
    unsigned difference = 0;
    for (size_t i = 0; i < RATINGS_COOKIE_IDENTITY; i++)
        difference |= (unsigned)(a[i] ^ b[i]);
    return difference == 0;
}

static bool has_signed(const ratings_secret_t *secret, const char *value,
                       char identity[RATINGS_COOKIE_IDENTITY + 1])
{
    char signature[RATINGS_COOKIE_IDENTITY + 1];
    memcpy(identity, value, RATINGS_COOKIE_IDENTITY);
    identity[RATINGS_COOKIE_IDENTITY] = '\0';
    return value[RATINGS_COOKIE_IDENTITY] == '.' && sign_identity(secret, identity, signature) &&
           same_signature(signature, value + RATINGS_COOKIE_IDENTITY + 1);
}

bool ratings_voter_cookie_find(const ratings_secret_t *secret, const char *field, const char *name,
                               char identity[RATINGS_COOKIE_IDENTITY + 1])
{
    size_t before = strlen(name) + 1, length; /* before the value, and of the cookie */
    bool found = false;
    for (const char *at = field ? field : ""; *at && !found; at += length) {
        at += strspn(at, between_cookies);
        length = strcspn(at, between_cookies);
        found = length == before + RATINGS_COOKIE_VALUE && strncmp(at, name, before - 1) == 0 &&
                at[before - 1] == '=' && has_signed(secret, at + before, identity);
    }
    return found;
}
