/* The statistics of a histogram, computed by an AWS Lambda behind its function URL: libcurl, with a
 * bounded pool of easy handles per child, so that connections stay open.
 * https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
 *
 * All calls may be made by any thread at once. What fails is in `why`, and not logged. */
#ifndef RATINGS_STATS_H
#define RATINGS_STATS_H

#include "../../core/aws_source.h"
#include "../../core/histogram.h"
#include "../../core/trace_context.h"
#include "../common/pool.h"

#include <apr_pools.h>
#include <apr_time.h>

#define RATINGS_STATS_HEADER_MAX 1024 /* bytes of a header's value */

typedef struct ratings_stats_t ratings_stats_t;

/* What is known outside of any call, of credentials that expire: that they could not be refreshed,
 * and that they were, after all. Called by a thread of the client's own, once for each change. */
typedef enum {
    RATINGS_STATS_LOG_NOTHING, /* is never reported */
    RATINGS_STATS_LOG_NOT_REFRESHED,
    RATINGS_STATS_LOG_REFRESHED
} ratings_stats_log_e;

typedef struct ratings_stats_log_t {
    void (*write)(struct ratings_stats_log_t *log, ratings_stats_log_e event, const char *why);
} ratings_stats_log_t;

typedef struct {
    const char *url;             /* http:// or https:// */
    const char *proxy;           /* see ratings_stats_proxy_problem; NULL or "none": none */
    int handles_max;             /* >= 1: calls in flight; one more waits, within its timeout */
    apr_interval_time_t timeout; /* microseconds, the whole of one call; a caller may allow less */
    const char *header;          /* "Name: value", sent with each call; NULL: none */
    const char *auth;            /* see ratings_stats_auth_problem; NULL: "off" */
    const ratings_aws_source_t *credentials; /* of AWS, if auth is not off; else not looked at */
    ratings_stats_log_t *log;                /* not copied; or NULL */
    ratings_pool_usage_t *usage; /* of the handles, until destroy; NULL: nobody watches */
} ratings_stats_options_t;

/* NULL if libcurl can call `url` (http or https, with a host); else what is wrong with it (static).
 * For the configuration check: may be called before create. */
const char *ratings_stats_url_problem(const char *url);

/* The same of a proxy by which the function is called: http://[user:password@]host:port, or
 * https:// where libcurl can; or "none". The user and the password are decoded from %XX, and sent
 * as Basic authentication. The problem quotes nothing of it. */
const char *ratings_stats_proxy_problem(const char *proxy);

/* The same of the name, and of the value, of a header that each call carries: a name that neither
 * this client nor HTTP sets; a value of 1 to RATINGS_STATS_HEADER_MAX visible bytes, with blanks
 * between them. The problem quotes nothing of the value. */
const char *ratings_stats_header_name_problem(const char *name);
const char *ratings_stats_header_value_problem(const char *value);

/* The same of how calls are authenticated: "off", "aws-sigv4" with the region of the URL, or
 * "aws-sigv4:REGION". */
const char *ratings_stats_auth_problem(const char *auth);

/* What is wrong with the three of them together, of which each has no problem (static); NULL:
 * nothing. */
const char *ratings_stats_auth_misfit(const char *auth, const char *url, const char *header);

/* `url` without its secrets, in `pool`: as it was configured, if libcurl finds neither a user nor a
 * query in it; else made of what libcurl has read, with *** for the password, for a user without
 * one, and for each value of the query, since functions take their keys there. */
const char *ratings_stats_url_redact(const char *url, apr_pool_t *pool);

/* Makes the statistics' client, without a call. To be called once threads may start (child_init or
 * later); does curl_global_init once per process. `*options` is copied. APR_EINVAL: URL or proxy
 * have a problem, or there is a misfit; APR_EGENERAL: libcurl cannot start. */
apr_status_t ratings_stats_create(ratings_stats_t **stats, const ratings_stats_options_t *options,
                                  ratings_result_t *why);

/* Cancels all calls, under way and to come: they fail within milliseconds. Before destroy, for who
 * may still begin one. */
void ratings_stats_cancel(ratings_stats_t *stats);

/* Cancels the calls under way and frees the handles. No call may begin after. A call that a name
 * server holds beyond half a second owns its memory, and frees the rest when it ends. */
void ratings_stats_destroy(ratings_stats_t *stats);

/* Asks the function, with the headers of the trace (NULL: with none), no longer than until
 * `expires_at` (of ratings_monotonic) and no longer than the timeout of create; RATINGS_NOT_ASKED
 * when no handle came free by then. A status other than 200, an answer over 64 KiB or one that does
 * not fit the contract (ratings_statistics_from_json) is APR_EINVAL. Redirects are not followed. */
apr_status_t ratings_stats_compute(ratings_stats_t *stats, const ratings_histogram_t *histogram,
                                   const ratings_trace_t *trace, int64_t expires_at,
                                   ratings_statistics_t *out, ratings_result_t *why);

#endif
