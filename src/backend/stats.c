/* The pool of handles. A call takes the one that was used last, whose connection is most likely to
 * be open still. */
#include "stats.h"

#include "../core/number.h"
#include "stats_handle.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <curl/curl.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* what destroy waits, at most, for calls to leave */
#define GRACE (APR_USEC_PER_SEC / 2)
#define GRACE_OF_LOCK (APR_USEC_PER_SEC / 10)

struct ratings_stats_t {
    apr_pool_t *home; /* holds this; nothing is allocated from it after create */
    const char *url;
    int handles_max;
    apr_interval_time_t timeout;
    int stop; /* readable once destroyed */

    pthread_mutex_t lock; /* of what follows; never held across I/O */
    pthread_cond_t changed;
    int references; /* the owner and calls: the last one to leave frees it all */
    bool closing;
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
    return NULL;
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

/* ---- life ---- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_started;

static void start_curl(void)
{
    curl_started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void free_stats(ratings_stats_t *stats)
{
    while (stats->free_count > 0)
        stats_handle_destroy(stats->free[--stats->free_count]);
    (void)close(stats->stop);
    ratings_lock_destroy(&stats->lock, &stats->changed);
    apr_pool_destroy(stats->home);
}

static void leave(ratings_stats_t *stats)
{
    pthread_mutex_lock(&stats->lock);
    bool last = --stats->references == 0;
    if (stats->closing)
        pthread_cond_broadcast(&stats->changed);
    pthread_mutex_unlock(&stats->lock);
    if (last)
        free_stats(stats);
}

static void fill(ratings_stats_t *stats, const ratings_stats_options_t *options)
{
    stats->url = apr_pstrdup(stats->home, options->url);
    stats->handles_max = stats->free_count = options->handles_max;
    stats->timeout = options->timeout;
    stats->free = apr_pcalloc(stats->home, (size_t)options->handles_max * sizeof *stats->free);
    stats->references = 1;
    ratings_lock_init(&stats->lock, &stats->changed);
}

apr_status_t ratings_stats_create(ratings_stats_t **out, const ratings_stats_options_t *options,
                                  apr_pool_t *pool, ratings_result_t *why)
{
    const char *problem = ratings_stats_url_problem(options->url);
    apr_pool_t *home;
    (void)pool; /* not of it: a call that a resolver holds may outlive it */
    if (problem)
        return ratings_result_set(why, APR_EINVAL, "%s", problem);
    pthread_once(&curl_once, start_curl);
    if (curl_started != CURLE_OK)
        return ratings_result_set(why, APR_EGENERAL, "%s", curl_easy_strerror(curl_started));
    int stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop < 0)
        return ratings_result_set(why, APR_EGENERAL, "eventfd: %s", strerror(errno));
    if (apr_pool_create_unmanaged(&home) != APR_SUCCESS) {
        (void)close(stop);
        return ratings_result_set(why, APR_EGENERAL, "out of memory");
    }
    *out = apr_pcalloc(home, sizeof **out);
    (*out)->home = home;
    (*out)->stop = stop;
    fill(*out, options);
    return ratings_result_ok(why);
}

void ratings_stats_destroy(ratings_stats_t *stats)
{
    int64_t deadline = ratings_monotonic() + GRACE;
    if (!ratings_lock_within(&stats->lock, GRACE_OF_LOCK))
        return; /* the process ends: what it leaves open is closed for it */
    stats->closing = true;
    (void)eventfd_write(stats->stop, 1);
    pthread_cond_broadcast(&stats->changed);
    while (stats->references > 1 && ratings_wait_until(&stats->changed, &stats->lock, deadline))
        ;
    pthread_mutex_unlock(&stats->lock);
    leave(stats);
}

/* ---- calls ---- */

/* With the lock held. */
static apr_status_t wait_for_free(ratings_stats_t *stats, int64_t deadline, ratings_result_t *why)
{
    bool in_time = true;
    while (in_time && !stats->closing && stats->free_count == 0)
        in_time = ratings_wait_until(&stats->changed, &stats->lock, deadline);
    if (stats->closing)
        return ratings_stopped(why);
    if (stats->free_count == 0)
        return ratings_result_set(why, APR_TIMEUP, "all %d handles were in use",
                                  stats->handles_max);
    return ratings_result_ok(why);
}

static ratings_limit_t enter(ratings_stats_t *stats, int64_t deadline)
{
    pthread_mutex_lock(&stats->lock);
    stats->references++;
    pthread_mutex_unlock(&stats->lock);
    return ratings_limit(deadline, stats->timeout, stats->stop);
}

/* `*handle` is NULL where none was ever needed. */
static apr_status_t take(ratings_stats_t *stats, int64_t deadline, stats_handle_t **handle,
                         ratings_result_t *why)
{
    pthread_mutex_lock(&stats->lock);
    apr_status_t status = wait_for_free(stats, deadline, why);
    if (status == APR_SUCCESS)
        *handle = stats->free[--stats->free_count];
    pthread_mutex_unlock(&stats->lock);
    return status;
}

static void give_back(ratings_stats_t *stats, stats_handle_t *handle)
{
    pthread_mutex_lock(&stats->lock);
    stats->free[stats->free_count++] = handle;
    pthread_cond_signal(&stats->changed);
    pthread_mutex_unlock(&stats->lock);
}

static apr_status_t ask(stats_handle_t *handle, const ratings_histogram_t *histogram,
                        const ratings_limit_t *limit, ratings_statistics_t *out,
                        ratings_result_t *why)
{
    char *request = ratings_histogram_request(histogram);
    const char *answer, *problem;
    size_t len;
    if (!request || !handle) {
        free(request);
        return ratings_result_set(why, APR_EGENERAL, "out of memory");
    }
    apr_status_t status = stats_handle_post(handle, request, limit, &answer, &len, why);
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
    ratings_limit_t limit = enter(stats, deadline);
    stats_handle_t *handle;
    apr_status_t status = ratings_in_time(&limit, "no time was left to ask the function", why);
    if (status == APR_SUCCESS)
        status = take(stats, limit.deadline, &handle, why);
    if (status == APR_SUCCESS) {
        if (!handle)
            handle = stats_handle_create(stats->url);
        status = ask(handle, histogram, &limit, out, why);
        give_back(stats, handle);
    }
    leave(stats);
    return status;
}
