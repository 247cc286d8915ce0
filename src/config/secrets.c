#include "secrets.h"

#include "../backend/stats/stats.h"
#include "../module.h"
#include "settings.h"

#include <apr_strings.h>

#include <string.h>

/* ---- RatingsVoterSecret ---- */

static int load_voter_secret(const server_rec *server, apr_pool_t *pconf)
{
    ratings_server_t *record = ratings_server_of(server);
    const ratings_config_t *config = &record->config;
    char why[RATINGS_DETAIL_MAX];
    if (!config->voter_secret && config->secret_needed_by)
        return ratings_config_complain(
            server, "RT0111", "RatingsVoter at %s needs RatingsVoterSecret, which is not set",
            config->secret_needed_by);
    if (!config->voter_secret)
        return OK;
    ratings_secret_t *secret = apr_palloc(pconf, sizeof *secret);
    bool loaded = ratings_secret_load(config->voter_secret, secret, why, sizeof why);
    if (loaded && !ratings_secret_electorate(secret, config->topic, &record->electorate)) {
        (void)apr_snprintf(why, sizeof why, "memory ran out");
        loaded = false;
    }
    if (!loaded)
        return ratings_config_complain(server, "RT0110", "RatingsVoterSecret %s: %s",
                                       config->voter_secret, why);
    record->secret = secret;
    return OK;
}

/* ---- RatingsStatsHeader ---- */

/* NULL: there is none. */
static const char *configured_header(const ratings_config_t *config)
{
    return strcmp(config->stats_header, "none") == 0 ? NULL : config->stats_header;
}

/* The value that a file holds, in `pconf`; NULL: `why` says what is wrong with it. */
static const char *read_header_value(const char *path, apr_pool_t *pconf, char *why, size_t size)
{
    char bytes[RATINGS_STATS_HEADER_MAX + 3]; /* with a line end, and a terminator */
    size_t length;
    bool is_missing;
    if (!ratings_secret_file_read(path, bytes, sizeof bytes - 1, &length, &is_missing, why, size))
        return NULL;
    length = ratings_secret_trim(bytes, length);
    bytes[length] = '\0';
    const char *problem = strlen(bytes) < length ? "its value has a byte of zero"
                                                 : ratings_stats_header_value_problem(bytes);
    const char *value = problem ? NULL : apr_pstrmemdup(pconf, bytes, length);
    explicit_bzero(bytes, sizeof bytes);
    if (problem)
        (void)apr_snprintf(why, size, "%s", problem);
    return value;
}

static int load_stats_header(const server_rec *server, apr_pool_t *pconf)
{
    ratings_server_t *record = ratings_server_of(server);
    const char *header = configured_header(&record->config);
    char why[RATINGS_DETAIL_MAX];
    record->stats_header = header;
    const char *value = header ? strchr(header, ' ') + 1 : "";
    if (ratings_secret_source_problem(value))
        return OK;
    const char *name = apr_pstrmemdup(pconf, header, (apr_size_t)(value - header));
    const char *read = read_header_value(ratings_secret_source_path(value), pconf, why, sizeof why);
    if (!read)
        return ratings_config_complain(server, "RT0113", "RatingsStatsHeader %s%s: %s", name, value,
                                       why);
    record->stats_header = apr_pstrcat(pconf, name, read, NULL);
    return OK;
}

/* ---- RatingsStatsAuth ---- */

/* What expires is asked for by the children; what does not is here from now on. */
static int load_stats_credentials(const server_rec *server, apr_pool_t *pconf)
{
    ratings_server_t *record = ratings_server_of(server);
    const ratings_config_t *config = &record->config;
    ratings_aws_environment_t environment;
    char why[RATINGS_DETAIL_MAX];
    if (!config->stats || strcmp(config->stats_auth, "off") == 0)
        return OK;
    const char *misfit =
        ratings_stats_auth_misfit(config->stats_auth, config->stats, configured_header(config));
    if (misfit)
        return ratings_config_complain(server, "RT0114", "RatingsStatsAuth %s: %s",
                                       config->stats_auth, misfit);
    ratings_aws_source_t *source = apr_palloc(pconf, sizeof *source);
    ratings_aws_environment_read(&environment);
    if (!ratings_aws_source_find(&environment, source, why, sizeof why))
        return ratings_config_complain(server, "RT0115",
                                       "RatingsStatsAuth %s: the credentials of AWS: %s",
                                       config->stats_auth, why);
    record->stats_credentials = source;
    return OK;
}

/* ---- all of them ---- */

int ratings_config_load_secrets(const server_rec *server, apr_pool_t *pconf)
{
    int code = load_voter_secret(server, pconf);
    if (code == OK)
        code = load_stats_header(server, pconf);
    return code == OK ? load_stats_credentials(server, pconf) : code;
}
