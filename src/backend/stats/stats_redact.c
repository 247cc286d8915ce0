/* The function's URL is redacted by what libcurl has read in it, which is who calls it. */
#include "stats.h"

#include "../../core/redact.h"

#include <apr_strings.h>
#include <curl/curl.h>

#include <stdbool.h>
#include <string.h>

#define STARS "***"

/* A part of the URL, or "". */
static const char *url_part(apr_pool_t *pool, CURLU *url, CURLUPart part)
{
    char *text = NULL;
    const char *copy = "";
    if (curl_url_get(url, part, &text, 0) == CURLUE_OK)
        copy = apr_pstrdup(pool, text);
    curl_free(text);
    return copy;
}

/* A user alone may be a token. */
static const char *redact_url_user(apr_pool_t *pool, CURLU *url)
{
    const char *user = url_part(pool, url, CURLUPART_USER);
    const char *password = url_part(pool, url, CURLUPART_PASSWORD);
    if (!*user && !*password)
        return "";
    return *password ? apr_pstrcat(pool, user, ":" STARS "@", NULL) : STARS "@";
}

/* Any value may be a key (?code=...), and so may what is no name=value. */
static const char *redacted_query(apr_pool_t *pool, CURLU *url)
{
    const char *redacted = "", *rest = url_part(pool, url, CURLUPART_QUERY);
    while (*rest) {
        size_t len = strcspn(rest, "&"), name = strcspn(rest, "=");
        const char *named = name < len ? apr_pstrmemdup(pool, rest, name + 1) : "";
        redacted = apr_pstrcat(pool, redacted, *redacted ? "&" : "?", named, STARS, NULL);
        rest += rest[len] ? len + 1 : len;
    }
    return redacted;
}

static const char *redacted_parts(apr_pool_t *pool, CURLU *url)
{
    const char *port = url_part(pool, url, CURLUPART_PORT);
    return apr_pstrcat(pool, url_part(pool, url, CURLUPART_SCHEME), "://",
                       redact_url_user(pool, url), url_part(pool, url, CURLUPART_HOST),
                       *port ? ":" : "", port, url_part(pool, url, CURLUPART_PATH),
                       redacted_query(pool, url), NULL);
}

static bool may_hold_a_secret(apr_pool_t *pool, CURLU *url)
{
    static const CURLUPart parts[] = {CURLUPART_USER,  CURLUPART_PASSWORD, CURLUPART_OPTIONS,
                                      CURLUPART_QUERY, CURLUPART_FRAGMENT, CURLUPART_ZONEID};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (*url_part(pool, url, parts[i]))
            return true;
    return false;
}

const char *ratings_stats_url_redact(const char *text, apr_pool_t *pool)
{
    CURLU *url = curl_url();
    const char *redacted = ratings_redact(text);
    if (url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK)
        redacted =
            may_hold_a_secret(pool, url) ? redacted_parts(pool, url) : apr_pstrdup(pool, text);
    curl_url_cleanup(url);
    return redacted;
}
