#include "check_parts.h"

#include "../backend/store/store_inspect.h"
#include "../backend/stream/stream_inspect.h"
#include "../backend/talks/talks_inspect.h"
#include "../core/backend_names.h"
#include "../core/check_interface.h"
#include "../core/clock.h"
#include "../service/backend_options.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the voters' secret, which httpd has read by now ---- */

static void check_file(const char *directive, const char *path, ratings_findings_t *findings)
{
    struct stat file;
    if (stat(path, &file) != 0)
        ratings_finding(findings, RATINGS_FINDING_FAULT, directive,
                        "%s: it cannot be read any more", path);
    else if (file.st_mode & S_IRWXG)
        ratings_finding(findings, RATINGS_FINDING_WARNING, directive,
                        "%s: its group may read or write it (mode %04o): chmod 600", path,
                        (unsigned)(file.st_mode & 07777));
    else
        ratings_finding(findings, RATINGS_FINDING_GOOD, directive,
                        "%s: %" PRId64 " bytes, mode %04o", path, (int64_t)file.st_size,
                        (unsigned)(file.st_mode & 07777));
}

static void check_files(const ratings_server_t *record, apr_pool_t *pool,
                        ratings_findings_t *findings)
{
    const char *source = record->config.voter_secret;
    (void)pool;
    if (source)
        check_file("RatingsVoterSecret", ratings_secret_source_path(source), findings);
}

/* ---- the backends ---- */

static void check_postgres(const ratings_server_t *record, apr_pool_t *pool,
                           ratings_findings_t *findings)
{
    const ratings_talks_options_t options = ratings_talks_options_of(&record->config);
    ratings_talks_inspect(&options, pool, findings);
}

static void check_redis(const ratings_server_t *record, apr_pool_t *pool,
                        ratings_findings_t *findings)
{
    const ratings_store_options_t options = ratings_store_options_of(record);
    (void)pool;
    ratings_store_inspect(&options, record->config.topic, findings);
}

static void check_kafka_topic(const ratings_server_t *record, apr_pool_t *pool,
                              ratings_findings_t *findings)
{
    const ratings_stream_options_t options = ratings_stream_options_of(&record->config);
    ratings_stream_inspect(&options, pool, findings);
}

/* ---- the Lambda ---- */

static const ratings_histogram_t known_counts = {{1, 2, 3, 4, 5}};

/* The answer is judged by whoever reads it: its counts, and an average that is theirs. */
static bool call_known(ratings_stats_t *stats, const char *url, const char *subject,
                       const char *words, ratings_findings_t *findings)
{
    ratings_statistics_t statistics;
    ratings_result_t why;
    ratings_findings_ask(findings);
    apr_status_t status =
        ratings_stats_compute(stats, &known_counts, NULL, INT64_MAX, &statistics, &why);
    ratings_findings_answered(findings);
    if (status == APR_SUCCESS)
        ratings_finding(findings, RATINGS_FINDING_GOOD, subject, "%s", words);
    else
        ratings_finding(findings, RATINGS_FINDING_FAULT, subject, "%s: %s", url, why.detail);
    return status == APR_SUCCESS;
}

static void check_function(ratings_stats_t *stats, const ratings_stats_options_t *options,
                           apr_pool_t *pool, ratings_findings_t *findings)
{
    const char *url = ratings_stats_url_redact(options->url, pool);
    if (call_known(stats, url, "connection", url, findings))
        call_known(stats, url, "answer",
                   "statistics of known counts are right; over an open connection", findings);
}

static void check_lambda(const ratings_server_t *record, apr_pool_t *pool,
                         ratings_findings_t *findings)
{
    const ratings_stats_options_t options = ratings_stats_options_of(record);
    ratings_stats_t *stats;
    ratings_result_t why;
    if (ratings_stats_create(&stats, &options, &why) == APR_SUCCESS)
        check_function(stats, &options, pool, findings);
    else
        ratings_finding(findings, RATINGS_FINDING_FAULT, "connection", "%s", why.detail);
}

/* ---- all of them ---- */

const ratings_check_part_t ratings_check_parts[RATINGS_CHECK_PARTS] = {
    {RATINGS_CHECK_FILES, true, check_files},  {RATINGS_TALKS_NAME, false, check_postgres},
    {RATINGS_STORE_NAME, false, check_redis},  {RATINGS_STREAM_NAME, false, check_kafka_topic},
    {RATINGS_STATS_NAME, false, check_lambda},
};
