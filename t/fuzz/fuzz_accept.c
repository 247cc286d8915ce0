#include "../../src/http/accept.h"
#include "fuzz.h"

#include <apr_general.h>
#include <apr_lib.h>
#include <apr_tables.h>

#include <string.h>

/* In the place of httpd's, whose symbols are in no library: the next item, in lower case and
 * without blanks; NULL behind the last. */
char *ap_get_list_item(apr_pool_t *pool, const char **field)
{
    const char *from = *field + strspn(*field, ", \t");
    size_t length = strcspn(from, ",");
    char *item = apr_pcalloc(pool, length + 1), *to = item;
    *field = from + length;
    for (size_t i = 0; i < length; i++)
        if (!apr_isspace(from[i]))
            *to++ = (char)apr_tolower(from[i]);
    return length > 0 ? item : NULL;
}

static const char *const types[] = {"text/html", "text/plain", "application/json"};

static int best_of(apr_pool_t *pool, const char *accept)
{
    request_rec r = {.pool = pool, .headers_in = apr_table_make(pool, 1)};
    apr_table_setn(r.headers_in, "Accept", accept);
    int best = ratings_accepts_best(&r, types, 3);
    MUST(best >= -1 && best < 3);
    for (int i = 0; i < 3; i++) {
        MUST(!ratings_accepts_rather(&r, types[i], types[i]));
        MUST(best < 0 ? !ratings_accepts_rather(&r, types[i], "image/png")
                      : !ratings_accepts_rather(&r, types[i], types[best]));
    }
    return best;
}

/* A range that takes nothing changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char none[] = ", image/avif;q=0";
    static apr_pool_t *pool;
    char *field = calloc(1, size + sizeof none);

    MUST(field);
    if (!pool)
        MUST(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS);
    memcpy(field, data, size);
    int best = best_of(pool, field);
    memcpy(field + strlen(field), none, sizeof none);
    MUST(best_of(pool, field) == best);
    apr_pool_clear(pool);
    free(field);
    return 0;
}
