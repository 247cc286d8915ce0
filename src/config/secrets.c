#include "secrets.h"

#include "../backend/stats/stats.h"
#include "../backend/store/store.h"
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
    const char *misfit = ratings_stats_auth_misfit(config->stats_auth, config->stats,
                                                   ratings_stats_header_of(config));
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

/* ---- RatingsStoreTLSCA and its like ---- */

/* NULL where the text is the default. */
static const char *unless(const char *preset, const char *text)
{
    return strcmp(text, preset) == 0 ? NULL : text;
}

/* One of the directives that are set; NULL: none is. */
static const char *name_of_set(const ratings_tls_settings_t *settings)
{
    if (settings->ca)
        return "RatingsStoreTLSCA";
    if (settings->certificate)
        return "RatingsStoreTLSCertificate";
    if (settings->key)
        return "RatingsStoreTLSKey";
    return settings->name ? "RatingsStoreTLSName" : NULL;
}

static apr_status_t free_tls(void *context)
{
    ratings_tls_context_free(context);
    return APR_SUCCESS;
}

static int check_without_tls(const server_rec *server, const ratings_tls_settings_t *settings)
{
    const char *set = name_of_set(settings);
    return set ? ratings_config_complain(server, "RT0122",
                                         "%s is set, and RatingsStore is neither rediss:// nor "
                                         "rediss+sentinel://, which use TLS",
                                         set)
               : OK;
}

/* Children inherit it: they may not read the key. */
int ratings_config_load_store_tls(const server_rec *server, apr_pool_t *pconf)
{
    ratings_server_t *record = ratings_server_of(server);
    const ratings_config_t *config = &record->config;
    const ratings_tls_settings_t settings = {.ca = unless("system", config->store_ca),
                                             .certificate =
                                                 unless("none", config->store_certificate),
                                             .key = unless("none", config->store_key),
                                             .name = unless("host", config->store_name)};
    ratings_tls_failure_t why;
    if (!ratings_store_url_has_tls(config->store))
        return check_without_tls(server, &settings);
    ratings_tls_context_t *context = ratings_tls_context_new(&settings, &why);
    if (!context)
        return ratings_config_complain(server, "RT0121", "RatingsStore cannot be asked by TLS: %s",
                                       why.text);
    apr_pool_cleanup_register(pconf, context, free_tls, apr_pool_cleanup_null);
    record->store_tls = context;
    return OK;
}

/* ---- all of them ---- */

int ratings_config_load_secrets(const server_rec *server, apr_pool_t *pconf)
{
    int code = load_voter_secret(server, pconf);
    return code == OK ? load_stats_credentials(server, pconf) : code;
}
