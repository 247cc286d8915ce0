/* Where the function is and by which proxy it is called: read by libcurl, which is who calls it. */
#include "stats_target.h"

#include "../../core/number.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <curl/curl.h>

#include <stdbool.h>
#include <string.h>

/* ---- url ---- */

/* apr_uri_parse is generous with both */
static bool has_odd_bytes(const char *url)
{
    for (; *url; url++)
        if ((unsigned char)*url <= ' ' || *url == 0x7f)
            return true;
    return false;
}

static bool has_bad_port(const apr_uri_t *uri)
{
    int64_t port;
    return uri->port_str && uri->port_str[0] &&
           !ratings_parse_int(uri->port_str, strlen(uri->port_str), 1, 65535, &port);
}

/* libcurl decodes those after it has told names from addresses, so that what it is given and what
 * it shows are two hosts. The zone of an address has one: http://[fe80::1%25eth0]/ */
static bool has_escaped_host(const apr_uri_t *uri)
{
    return !strchr(uri->hostname, ':') && strchr(uri->hostname, '%');
}

static const char *host_problem(const apr_uri_t *uri)
{
    if (!uri->hostname || !uri->hostname[0])
        return "it has no host";
    return has_escaped_host(uri) ? "its host is written with %" : NULL;
}

static bool libcurl_speaks(const char *scheme)
{
    const char *const *known = curl_version_info(CURLVERSION_NOW)->protocols;
    while (*known && strcmp(*known, scheme) != 0)
        known++;
    return *known != NULL;
}

static bool libcurl_reads(const char *url)
{
    CURLU *parsed = curl_url();
    bool good = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK;
    curl_url_cleanup(parsed);
    return good;
}

static const char *url_problem_of(apr_pool_t *pool, const char *url)
{
    apr_uri_t uri;
    if (has_odd_bytes(url) || apr_uri_parse(pool, url, &uri) != APR_SUCCESS || !uri.scheme ||
        (strcmp(uri.scheme, "http") != 0 && strcmp(uri.scheme, "https") != 0))
        return "it takes http://host[:port]/ or https://host[:port]/";
    const char *problem = host_problem(&uri);
    if (problem)
        return problem;
    if (has_bad_port(&uri))
        return "its port is not a number from 1 to 65535";
    if (!libcurl_speaks(uri.scheme))
        return "libcurl was built without TLS, and https:// needs it";
    return libcurl_reads(url) ? NULL : "libcurl cannot read it";
}

const char *ratings_stats_url_problem(const char *url)
{
    apr_pool_t *pool;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return "out of memory";
    const char *problem = url_problem_of(pool, url);
    apr_pool_destroy(pool);
    return problem;
}

/* ---- proxy ---- */

static bool is_no_proxy(const char *proxy)
{
    return !proxy || strcmp(proxy, "none") == 0;
}

static bool speaks_to_proxy(const char *scheme)
{
    return strcmp(scheme, "http") == 0 ||
           (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTPS_PROXY) != 0;
}

static bool has_path(const apr_uri_t *uri)
{
    return (uri->path && strcmp(uri->path, "/") != 0) || uri->query || uri->fragment;
}

/* `*text`: a part of the proxy's URL, decoded, in the pool; NULL where it has none. False when it
 * cannot be decoded, or holds a control character. */
static bool read_proxy_part(CURLU *url, CURLUPart part, apr_pool_t *pool, const char **text)
{
    char *found = NULL;
    CURLUcode code = curl_url_get(url, part, &found, CURLU_URLDECODE);
    *text = code == CURLUE_OK ? apr_pstrdup(pool, found) : NULL;
    curl_free(found);
    return code == CURLUE_OK || code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD;
}

/* What comes after the user and password, if there are any. */
static const char *host_of(const char *proxy)
{
    const char *at = strrchr(proxy, '@');
    return at ? at + 1 : strstr(proxy, "://") + 3;
}

/* By libcurl's own parser. The address is kept without user and password, so that no message of
 * libcurl can show them. False when it cannot be read. */
static bool read_proxy(const char *proxy, apr_pool_t *pool, stats_target_t *target)
{
    const char *scheme;
    CURLU *url = curl_url();
    bool is_read = url && curl_url_set(url, CURLUPART_URL, proxy, 0) == CURLUE_OK &&
                   read_proxy_part(url, CURLUPART_SCHEME, pool, &scheme) &&
                   read_proxy_part(url, CURLUPART_USER, pool, &target->proxy_user) &&
                   read_proxy_part(url, CURLUPART_PASSWORD, pool, &target->proxy_password);
    if (is_read)
        target->proxy = apr_pstrcat(pool, scheme, "://", host_of(proxy), NULL);
    curl_url_cleanup(url);
    return is_read;
}

static const char *proxy_problem_of(apr_pool_t *pool, const char *proxy)
{
    apr_uri_t uri;
    stats_target_t target;
    if (has_odd_bytes(proxy) || apr_uri_parse(pool, proxy, &uri) != APR_SUCCESS || !uri.scheme ||
        (strcmp(uri.scheme, "http") != 0 && strcmp(uri.scheme, "https") != 0) || has_path(&uri))
        return "it takes http://[user:password@]host:port, or none";
    const char *problem = host_problem(&uri);
    if (problem)
        return problem;
    if (!uri.port_str || !uri.port_str[0])
        return "it has no port: proxies have no usual one";
    if (has_bad_port(&uri))
        return "its port is not a number from 1 to 65535";
    if (!speaks_to_proxy(uri.scheme))
        return "this libcurl cannot speak TLS to a proxy: it takes http://";
    return read_proxy(proxy, pool, &target) ? NULL
                                            : "its user or password cannot be read: write @, :, /, "
                                              "? and # in them as %40, %3A, %2F, %3F, %23";
}

const char *ratings_stats_proxy_problem(const char *proxy)
{
    apr_pool_t *pool;
    if (is_no_proxy(proxy))
        return NULL;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return "out of memory";
    const char *problem = proxy_problem_of(pool, proxy);
    apr_pool_destroy(pool);
    return problem;
}

bool stats_target_read(stats_target_t *target, const ratings_stats_options_t *options,
                       apr_pool_t *pool)
{
    target->url = apr_pstrdup(pool, options->url);
    target->header = apr_pstrdup(pool, options->header);
    target->signature = stats_signature(options->auth, options->url, pool);
    return is_no_proxy(options->proxy) || read_proxy(options->proxy, pool, target);
}
