/* RatingsTalks: libpq is given what it reads in it, and redacted it reads the same but for the
 * secrets. */
#include "../../src/backend/talks/talks.h"
#include "../../src/backend/talks/talks_conninfo.h"
#include "../../src/backend/talks/talks_redact.h"
#include "../../src/core/redact.h"
#include "fuzz.h"

#include <apr_general.h>

#include <stdbool.h>
#include <string.h>

static bool is_secret(const PQconninfoOption *option)
{
    return option->dispchar && option->dispchar[0];
}

static bool same_value(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Redacted it is read as the same, but for the secrets. */
static void check_redacted(const PQconninfoOption *options, const char *shown)
{
    PQconninfoOption *again = talks_conninfo_parse(shown);
    MUST(again);
    for (; options->keyword; options++) {
        const char *value = talks_conninfo_value(again, options->keyword);
        if (is_secret(options))
            MUST(same_value(value, options->val ? "***" : NULL));
        else
            MUST(same_value(value, options->val));
    }
    PQconninfoFree(again);
}

/* What libpq is given holds all that was configured. */
static void check_conninfo(const PQconninfoOption *options, const char *conninfo)
{
    PQconninfoOption *again = talks_conninfo_parse(conninfo);
    MUST(again);
    for (; options->keyword; options++)
        MUST(!options->val ||
             same_value(talks_conninfo_value(again, options->keyword), options->val));
    PQconninfoFree(again);
}

/* A secret that is no common word is not in a text that quotes it as a word of its own. */
static void check_text(apr_pool_t *pool, const char *connection)
{
    const char *const *secrets = talks_secrets(pool, connection);
    for (; *secrets; secrets++) {
        const char *const one[] = {*secrets, NULL};
        if (strlen(*secrets) >= 16)
            MUST(!strstr(talks_redact_text(pool, *secrets, one), *secrets));
    }
}

static void check_connection(apr_pool_t *pool, const char *connection)
{
    PQconninfoOption *options = talks_conninfo_parse(connection);
    const char *shown = ratings_talks_redact(connection, pool);
    const char *problem = ratings_talks_connection_problem(connection);
    MUST(problem || options);
    if (options) {
        check_redacted(options, shown);
        check_conninfo(options, talks_conninfo(pool, connection, 1000000));
        check_text(pool, connection);
    } else {
        MUST(strcmp(shown, ratings_redact(connection)) == 0);
    }
    PQconninfoFree(options);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *pool;
    char *text = malloc(size + 1);
    MUST(text);
    if (!pool)
        MUST(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS);
    memcpy(text, data, size);
    text[size] = '\0';
    check_connection(pool, text);
    apr_pool_clear(pool);
    free(text);
    return 0;
}
