#include "stats.h"

#include "../../core/container_of.h"
#include "stats_credentials.h"
#include "stats_handle.h"
#include "stats_target.h"

#include <curl/curl.h>

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

struct ratings_stats_t {
    ratings_refobj_t object; /* its lock is never held across I/O */
    ratings_pool_t handles;
    stats_target_t target;
    stats_credentials_t credentials; /* if the target has a signature */
    apr_interval_time_t timeout;
};

/* ---- what the pool calls ---- */

static ratings_pooled_t *open_stats_handle(ratings_pool_t *pool, const ratings_deadline_t *deadline,
                                           ratings_result_t *why)
{
    const ratings_stats_t *stats = RATINGS_CONTAINER_OF(pool, ratings_stats_t, handles);
    stats_handle_t *handle = stats_handle_create(&stats->target);
    (void)deadline; /* nothing is connected yet */
    if (handle)
        return &handle->pooled;
    (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    return NULL;
}

static void close_stats_handle(ratings_pooled_t *pooled)
{
    stats_handle_destroy(RATINGS_CONTAINER_OF(pooled, stats_handle_t, pooled));
}

/* No is_usable: libcurl itself looks whether the connection of a handle is still open, and opens
 * another. */
static const ratings_pool_ops_t stats_pool_ops = {
    .open = open_stats_handle,
    .close = close_stats_handle,
};

/* ---- create, cancel, destroy ---- */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_started;

static void start_curl(void)
{
    curl_started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* False: out of memory. */
static bool fill_stats(ratings_stats_t *stats, const ratings_stats_options_t *options)
{
    bool is_read = stats_target_read(&stats->target, options, stats->object.pool);
    stats->timeout = options->timeout;
    if (stats->target.signature)
        stats_credentials_init(
            &stats->credentials, &stats->object,
            apr_pmemdup(stats->object.pool, options->credentials, sizeof *options->credentials),
            options->log);
    ratings_pool_init(&stats->handles, &stats->object, &stats_pool_ops, options->handles_max, NULL);
    stats->handles.usage = options->usage;
    return is_read;
}

apr_status_t ratings_stats_create(ratings_stats_t **out, const ratings_stats_options_t *options,
                                  ratings_result_t *why)
{
    const char *problem = ratings_stats_url_problem(options->url);
    if (!problem)
        problem = ratings_stats_proxy_problem(options->proxy);
    if (!problem)
        problem = ratings_stats_auth_misfit(options->auth, options->url, options->header);
    if (problem)
        return ratings_result_set(why, APR_EINVAL, "%s", problem);
    pthread_once(&curl_once, start_curl);
    if (curl_started != CURLE_OK)
        return ratings_result_set(why, APR_EGENERAL, "%s", curl_easy_strerror(curl_started));
    *out = ratings_refobj_create(sizeof **out, offsetof(ratings_stats_t, object), NULL, why);
    if (!*out)
        return why->status;
    if (fill_stats(*out, options))
        return ratings_result_ok(why);
    ratings_stats_destroy(*out);
    *out = NULL;
    return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
}

void ratings_stats_cancel(ratings_stats_t *stats)
{
    ratings_refobj_cancel(&stats->object);
}

void ratings_stats_destroy(ratings_stats_t *stats)
{
    if (!ratings_refobj_shutdown(&stats->object))
        return;
    ratings_pool_close_idle(&stats->handles);
    ratings_refobj_unref(&stats->object);
}

/* ---- one call ---- */

static apr_status_t ask_function(stats_handle_t *handle, const ratings_histogram_t *histogram,
                                 const ratings_trace_t *trace, const ratings_deadline_t *deadline,
                                 ratings_statistics_t *out, ratings_result_t *why)
{
    char *request = ratings_histogram_request(histogram);
    const char *answer, *problem;
    size_t len;
    if (!request)
        return ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    apr_status_t status = stats_handle_post(handle, request, trace, deadline, &answer, &len, why);
    free(request);
    if (status != APR_SUCCESS)
        return status;
    problem = ratings_statistics_from_json(answer, len, histogram, out);
    return problem ? ratings_result_set(why, APR_EINVAL, "%s", problem) : ratings_result_ok(why);
}

/* A handle keeps what it was given last, until there is something newer. */
static apr_status_t sign_with_current(ratings_stats_t *stats, stats_handle_t *handle,
                                      const ratings_deadline_t *deadline, ratings_result_t *why)
{
    ratings_aws_credentials_t credentials;
    uint64_t number = handle->signed_by;
    if (stats_credentials_get(&stats->credentials, deadline, &number, &credentials, why) !=
            APR_SUCCESS ||
        number == handle->signed_by)
        return why->status;
    if (!stats_handle_sign(handle, &credentials, number))
        (void)ratings_result_set(why, RATINGS_NOT_ASKED, "out of memory");
    explicit_bzero(&credentials, sizeof credentials);
    return why->status;
}

/* The handle is kept whatever came of the call: libcurl has closed a connection that broke. */
static apr_status_t compute_with_handle(ratings_stats_t *stats,
                                        const ratings_histogram_t *histogram,
                                        const ratings_trace_t *trace,
                                        const ratings_deadline_t *deadline,
                                        ratings_statistics_t *out, ratings_result_t *why)
{
    ratings_pooled_t *pooled;
    if (ratings_pool_acquire(&stats->handles, deadline, &pooled, why) != APR_SUCCESS)
        return why->status;
    stats_handle_t *handle = RATINGS_CONTAINER_OF(pooled, stats_handle_t, pooled);
    apr_status_t status = APR_SUCCESS;
    if (stats->target.signature)
        status = sign_with_current(stats, handle, deadline, why);
    if (status == APR_SUCCESS)
        status = ask_function(handle, histogram, trace, deadline, out, why);
    ratings_pool_release(&stats->handles, pooled);
    return status;
}

apr_status_t ratings_stats_compute(ratings_stats_t *stats, const ratings_histogram_t *histogram,
                                   const ratings_trace_t *trace, int64_t expires_at,
                                   ratings_statistics_t *out, ratings_result_t *why)
{
    ratings_refobj_ref(&stats->object);
    const ratings_deadline_t deadline =
        ratings_deadline_make(expires_at, stats->timeout, stats->object.cancel_fd);
    apr_status_t status =
        ratings_deadline_check(&deadline, "no time was left to ask the function", why);
    if (status == APR_SUCCESS)
        status = compute_with_handle(stats, histogram, trace, &deadline, out, why);
    ratings_refobj_unref(&stats->object);
    return status;
}
