/* The pool of handles. A call takes the one that was used last, whose connection is most likely to
 * be open still. */
#include "stats.h"

#include "../../core/number.h"
#include "../common/refobj.h"
#include "stats_handle.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <curl/curl.h>

#include <stdlib.h>
#include <string.h>

struct ratings_stats_t {
    ratings_refobj_t life; /* its lock is never held across I/O */
    stats_target_t target;
    int handles_max;
    apr_interval_time_t timeout;

    /* with the lock held */
    stats_handle_t **free; /* a stack; NULL where no call has needed that many yet */
    int free_count;
};

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

static const char *problem_of(apr_pool_t *pool, const char *url)
{
    apr_uri_t uri;
    if (has_odd_bytes(url) || apr_uri_parse(pool, url, &uri) != APR_SUCCESS || !uri.scheme ||
        (strcmp(uri.scheme, "http") != 0 && strcmp(uri.scheme, "https") != 0))
        return "it takes http://host[:port]/ or https://host[:port]/";
    if (!uri.hostname || !uri.hostname[0])
        return "it has no host";
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
    const char *problem = problem_of(pool, url);
    apr_pool_destroy(pool);
    return problem;
}

/* ---- proxy ---- */

static bool is_none(const char *proxy)
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
static bool read_part(CURLU *url, CURLUPart part, apr_pool_t *pool, const char **text)
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
                   read_part(url, CURLUPART_SCHEME, pool, &scheme) &&
                   read_part(url, CURLUPART_USER, pool, &target->proxy_user) &&
                   read_part(url, CURLUPART_PASSWORD, pool, &target->proxy_password);
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
    if (!uri.hostname || !uri.hostname[0])
        return "it has no host";
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
    if (is_none(proxy))
        return NULL;
    if (apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return "out of memory";
    const char *problem = proxy_problem_of(pool, proxy);
    apr_pool_destroy(pool);
    return problem;
}

/* ---- life ---- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_started;

static void start_curl(void)
{
    curl_started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void release(void *self)
{
    ratings_stats_t *stats = self;
    while (stats->free_count > 0)
        stats_handle_destroy(stats->free[--stats->free_count]);
}

static void fill(ratings_stats_t *stats, const ratings_stats_options_t *options)
{
    stats->target.url = apr_pstrdup(stats->life.home, options->url);
    if (!is_none(options->proxy))
        (void)read_proxy(options->proxy, stats->life.home, &stats->target);
    stats->handles_max = stats->free_count = options->handles_max;
    stats->timeout = options->timeout;
    stats->free = apr_pcalloc(stats->life.home, (size_t)options->handles_max * sizeof *stats->free);
}

apr_status_t ratings_stats_create(ratings_stats_t **out, const ratings_stats_options_t *options,
                                  apr_pool_t *pool, ratings_result_t *why)
{
    const char *problem = ratings_stats_url_problem(options->url);
    if (!problem)
        problem = ratings_stats_proxy_problem(options->proxy);
    (void)pool; /* not of it: a call that a resolver holds may outlive it */
    if (problem)
        return ratings_result_set(why, APR_EINVAL, "%s", problem);
    pthread_once(&curl_once, start_curl);
    if (curl_started != CURLE_OK)
        return ratings_result_set(why, APR_EGENERAL, "%s", curl_easy_strerror(curl_started));
    *out = ratings_refobj_create(sizeof **out, release, why);
    if (!*out)
        return why->status;
    fill(*out, options);
    return ratings_result_ok(why);
}

void ratings_stats_interrupt(ratings_stats_t *stats)
{
    ratings_refobj_interrupt(&stats->life);
}

void ratings_stats_destroy(ratings_stats_t *stats)
{
    if (ratings_refobj_shutdown(&stats->life))
        ratings_refobj_unref(&stats->life);
}

/* ---- calls ---- */

/* With the lock held. */
static apr_status_t wait_for_free(ratings_stats_t *stats, int64_t deadline, ratings_result_t *why)
{
    bool in_time = true;
    while (in_time && !stats->life.closing && stats->free_count == 0)
        in_time = ratings_wait_until(&stats->life.changed, &stats->life.lock, deadline);
    if (stats->life.closing)
        return ratings_deadline_cancelled(why);
    if (stats->free_count == 0)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "all %d handles were in use",
                                  stats->handles_max);
    return ratings_result_ok(why);
}

/* `*handle` is NULL where none was ever needed. */
static apr_status_t take(ratings_stats_t *stats, int64_t deadline, stats_handle_t **handle,
                         ratings_result_t *why)
{
    pthread_mutex_lock(&stats->life.lock);
    apr_status_t status = wait_for_free(stats, deadline, why);
    if (status == APR_SUCCESS)
        *handle = stats->free[--stats->free_count];
    pthread_mutex_unlock(&stats->life.lock);
    return status;
}

static void give_back(ratings_stats_t *stats, stats_handle_t *handle)
{
    pthread_mutex_lock(&stats->life.lock);
    stats->free[stats->free_count++] = handle;
    pthread_cond_signal(&stats->life.changed);
    pthread_mutex_unlock(&stats->life.lock);
}

static apr_status_t ask(stats_handle_t *handle, const ratings_histogram_t *histogram,
                        const ratings_deadline_t *deadline, ratings_statistics_t *out,
                        ratings_result_t *why)
{
    char *request = ratings_histogram_request(histogram);
    const char *answer, *problem;
    size_t len;
    if (!request || !handle) {
        free(request);
        return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    }
    apr_status_t status = stats_handle_post(handle, request, deadline, &answer, &len, why);
    free(request);
    if (status != APR_SUCCESS)
        return status;
    problem = ratings_statistics_from_json(answer, len, histogram, out);
    return problem ? ratings_result_set(why, APR_EINVAL, "%s", problem) : ratings_result_ok(why);
}

apr_status_t ratings_stats_compute(ratings_stats_t *stats, const ratings_histogram_t *histogram,
                                   int64_t deadline, ratings_statistics_t *out,
                                   ratings_result_t *why)
{
    ratings_deadline_t limit = ratings_deadline_make(deadline, stats->timeout, stats->life.stop);
    stats_handle_t *handle;
    ratings_refobj_ref(&stats->life);
    apr_status_t status =
        ratings_deadline_check(&limit, "no time was left to ask the function", why);
    if (status == APR_SUCCESS)
        status = take(stats, limit.expires_at, &handle, why);
    if (status == APR_SUCCESS) {
        if (!handle)
            handle = stats_handle_create(&stats->target);
        status = ask(handle, histogram, &limit, out, why);
        give_back(stats, handle);
    }
    ratings_refobj_unref(&stats->life);
    return status;
}
