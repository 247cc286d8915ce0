/* RatingsStats, RatingsStatsProxy, and the region in a function's URL. */
#include "../../src/backend/stats/stats.h"
#include "../../src/backend/stats/stats_target.h"
#include "../../src/core/redact.h"
#include "fuzz.h"

#include <apr_general.h>
#include <curl/curl.h>

#include <stdbool.h>
#include <string.h>

/* A part of a URL that can be read; NULL where it has none. */
static char *part_of(const char *url, CURLUPart part)
{
    CURLU *parsed = curl_url();
    char *text = NULL;
    MUST(parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK);
    (void)curl_url_get(parsed, part, &text, 0);
    curl_url_cleanup(parsed);
    return text;
}

static bool can_be_read(const char *url)
{
    CURLU *parsed = curl_url();
    bool good = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK;
    curl_url_cleanup(parsed);
    return good;
}

static void check_part(const char *url, const char *shown, CURLUPart part, const char *instead)
{
    char *before = part_of(url, part), *after = part_of(shown, part);
    MUST(!before == !after);
    MUST(!before || strcmp(after, instead ? instead : before) == 0);
    curl_free(before);
    curl_free(after);
}

/* Each value is ***, and what has no name is as a whole. */
static void check_query(const char *shown)
{
    char *query = part_of(shown, CURLUPART_QUERY);
    for (const char *at = query; at && *at;) {
        size_t length = strcspn(at, "&"), name = strcspn(at, "=");
        const char *value = name < length ? at + name + 1 : at;
        MUST((size_t)(at + length - value) == 3 && strncmp(value, "***", 3) == 0);
        at += length + (at[length] == '&');
    }
    curl_free(query);
}

/* The redacted URL is of the same place. */
static void check_shown(const char *url, const char *shown)
{
    char *password = part_of(url, CURLUPART_PASSWORD);
    MUST(can_be_read(shown));
    check_part(url, shown, CURLUPART_SCHEME, NULL);
    check_part(url, shown, CURLUPART_HOST, NULL);
    check_part(url, shown, CURLUPART_PORT, NULL);
    check_part(url, shown, CURLUPART_PATH, NULL);
    if (password && *password)
        check_part(url, shown, CURLUPART_PASSWORD, "***");
    check_query(shown);
    curl_free(password);
}

static void check_url(apr_pool_t *pool, const char *url)
{
    char region[RATINGS_AWS_REGION_MAX + 1];
    const char *shown = ratings_stats_url_redact(url, pool);
    if (!ratings_stats_url_problem(url))
        check_shown(url, shown);
    else if (!can_be_read(url))
        MUST(strcmp(shown, ratings_redact(url)) == 0);
    if (ratings_aws_function_region(url, region))
        MUST(ratings_aws_is_region(region));
}

/* The address that libcurl is given has neither user nor password. */
static void check_proxy(apr_pool_t *pool, const char *proxy)
{
    const ratings_stats_options_t options = {
        .url = "http://127.0.0.1/", .proxy = proxy, .auth = "off"};
    stats_target_t target = {0};
    if (ratings_stats_proxy_problem(proxy))
        return;
    MUST(stats_target_read(&target, &options, pool));
    MUST(strcmp(proxy, "none") == 0 || (target.proxy && !strchr(target.proxy, '@')));
    MUST(!target.proxy || can_be_read(target.proxy));
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
    check_url(pool, text);
    check_proxy(pool, text);
    apr_pool_clear(pool);
    free(text);
    return 0;
}
