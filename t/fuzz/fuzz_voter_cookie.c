#include "../../src/core/voter_cookie.h"
#include "fuzz.h"

#include <string.h>

/* A cookie that is found is in the field as it was signed, and is not found under another secret;
 * one that was signed is found after whatever other cookies, if a separator comes before it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ratings_secret_t *secret = ratings_secret_new("0123456789abcdef0123456789abcdef", 32),
                     *other = ratings_secret_new("0123456789abcdef0123456789abcdeX", 32);
    char *field = calloc(1, size + sizeof ";v=" + RATINGS_COOKIE_VALUE);
    char identity[RATINGS_COOKIE_IDENTITY + 1], found[RATINGS_COOKIE_IDENTITY + 1];
    bool was_there;

    MUST(field && secret && other);
    memcpy(field, data, size);
    was_there = ratings_voter_cookie_find(secret, field, "v", found);
    MUST(!was_there || strstr(field, found));
    MUST(!ratings_voter_cookie_find(other, field, "v", identity));
    memcpy(field + strlen(field), ";v=", sizeof ";v=");
    MUST(ratings_voter_cookie_new(secret, identity, field + strlen(field)));
    MUST(ratings_voter_cookie_find(secret, field, "v", found));
    MUST(was_there || strcmp(found, identity) == 0);
    free(field);
    ratings_secret_free(secret);
    ratings_secret_free(other);
    return 0;
}
