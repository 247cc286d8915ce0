/* By the service's own client: what it signs, sends and takes for an answer is not written twice.
 */
#include "../backend/stats/stats.h"
#include "../core/secret_file.h"
#include "ctl_probe.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <string.h>

static bool fail_with(const ratings_result_t *why, audit_failure_t *failure)
{
    return audit_fail(failure, "the statistics function: %s", why->detail);
}

/* ---- what it is called with ---- */

/* As RatingsStatsAuth finds them; left empty where calls are not signed. */
static bool find_credentials(const ctl_stats_options_t *given, ratings_aws_source_t *source,
                             audit_failure_t *failure)
{
    ratings_aws_environment_t environment;
    char why[RATINGS_DETAIL_MAX];
    if (!given->auth || strcmp(given->auth, "off") == 0)
        return true;
    ratings_aws_environment_read(&environment);
    return ratings_aws_source_find(&environment, source, why, sizeof why) ||
           audit_fail(failure, "the statistics function: the credentials of AWS: %s", why);
}

/* The value that a file holds; `text` has RATINGS_SECRET_TEXT_SIZE bytes. */
static bool read_header_file(const char *source, char *text, audit_failure_t *failure)
{
    char why[RATINGS_DETAIL_MAX];
    if (!ratings_secret_text_load(source, text, why, sizeof why))
        return audit_fail(failure, "the file of --stats-header: %s", why);
    const char *problem = ratings_stats_header_value_problem(text);
    return !problem || audit_fail(failure, "the file of --stats-header: %s", problem);
}

/* In `pool`; NULL where none is given. */
static bool load_header(const ctl_stats_options_t *given, apr_pool_t *pool, const char **header,
                        audit_failure_t *failure)
{
    char text[RATINGS_SECRET_TEXT_SIZE];
    const char *value = given->header ? strchr(given->header, ':') + 2 : "";
    *header = given->header;
    if (!ratings_secret_is_source(value))
        return true;
    bool good = read_header_file(value, text, failure);
    if (good)
        *header = apr_psprintf(pool, "%.*s%s", (int)(value - given->header), given->header, text);
    explicit_bzero(text, sizeof text);
    return good;
}

/* ---- the call ---- */

static bool ask_for_none(const ratings_stats_options_t *options, audit_failure_t *failure)
{
    const ratings_histogram_t empty = {{0}};
    ratings_statistics_t statistics;
    ratings_stats_t *stats;
    ratings_result_t why;
    if (ratings_stats_create(&stats, options, &why) != APR_SUCCESS)
        return fail_with(&why, failure);
    apr_status_t status = ratings_stats_compute(stats, &empty, NULL, INT64_MAX, &statistics, &why);
    ratings_stats_destroy(stats);
    return status == APR_SUCCESS || fail_with(&why, failure);
}

static bool probe_with_pool(const ctl_stats_options_t *given, int timeout_ms, apr_pool_t *pool,
                            audit_failure_t *failure)
{
    static ratings_aws_source_t source; /* several KB */
    ratings_stats_options_t options = {.url = given->url,
                                       .handles_max = 1,
                                       .timeout = apr_time_from_msec(timeout_ms),
                                       .auth = given->auth,
                                       .credentials = &source};
    return find_credentials(given, &source, failure) &&
           load_header(given, pool, &options.header, failure) && ask_for_none(&options, failure);
}

bool ctl_probe_stats(const ctl_stats_options_t *given, int timeout_ms, audit_failure_t *why)
{
    apr_pool_t *pool;
    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS)
        return audit_no_memory(why);
    bool good = probe_with_pool(given, timeout_ms, pool, why);
    apr_pool_destroy(pool);
    return good;
}

/* ---- the options ---- */

const char *ctl_stats_header_problem(const char *header)
{
    char name[128];
    const char *colon = strchr(header, ':');
    size_t length = colon ? (size_t)(colon - header) : sizeof name;
    if (length >= sizeof name || colon[1] != ' ')
        return "it takes \"NAME: VALUE\", or \"NAME: file:PATH\"";
    memcpy(name, header, length);
    name[length] = '\0';
    const char *problem = ratings_stats_header_name_problem(name);
    return problem ? problem : ratings_stats_header_value_problem(colon + 2);
}

const char *ctl_stats_auth_problem(const char *auth)
{
    return ratings_stats_auth_problem(auth);
}
