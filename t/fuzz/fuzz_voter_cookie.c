#include "../../src/core/voter_cookie.h"
#include "fuzz.h"

#include <string.h>

/* One that was signed is found after whatever other cookies, if a separator comes before it. */
static void sign_behind(const ratings_secret_t *secret, char *field, bool another_comes_first)
{
    char identity[RATINGS_COOKIE_IDENTITY + 1], found[RATINGS_COOKIE_IDENTITY + 1];

    memcpy(field + strlen(field), ";v=", sizeof ";v=");
    MUST(ratings_voter_cookie_new(secret, identity, field + strlen(field)));
    MUST(ratings_voter_cookie_find(secret, field, "v", found));
    MUST(another_comes_first || strcmp(found, identity) == 0);
}

/* A cookie that is found is in the field, and is not found under another secret. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ratings_secret_t secret, other;
    char *field = calloc(1, size + sizeof ";v=" + RATINGS_COOKIE_VALUE);
    char found[RATINGS_COOKIE_IDENTITY + 1], foreign[RATINGS_COOKIE_IDENTITY + 1];
    bool is_found;

    MUST(field);
    MUST(ratings_secret_set(&secret, "0123456789abcdef0123456789abcdef", 32) &&
         ratings_secret_set(&other, "0123456789abcdef0123456789abcdeX", 32));
    memcpy(field, data, size);
    MUST(!ratings_voter_cookie_find(&other, field, "v", foreign));
    is_found = ratings_voter_cookie_find(&secret, field, "v", found);
    MUST(!is_found || strstr(field, found));
    sign_behind(&secret, field, is_found);
    free(field);
    return 0;
}
