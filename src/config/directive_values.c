/* What a directive's arguments mean: each is checked as a whole, and refused with what is allowed.
 */
#include "settings.h"

#include "../backend/stats/stats.h"
#include "../backend/stream/stream_config.h"
#include "../core/number.h"
#include "../core/origin.h"
#include "../module.h"

#include <apr_fnmatch.h>
#include <apr_lib.h>
#include <apr_strings.h>

#include <string.h>

static const char *refuse_value(cmd_parms *cmd, const char *value, const char *allowed)
{
    return apr_psprintf(cmd->pool, "%s: '%s' is not allowed: %s", cmd->cmd->name, value, allowed);
}

/* httpd leaves ${NAME} in place, with a warning, when the variable does not exist. */
static const char *unknown_variable(const char *value)
{
    const char *open = strstr(value, "${");
    return open && strchr(open, '}')
               ? "a variable in it is neither defined nor in httpd's environment"
               : NULL;
}

const char *ratings_set_text(cmd_parms *cmd, void *location, const char *value)
{
    const ratings_setting_t *setting = cmd->info;
    const char *problem = unknown_variable(value);
    (void)location;
    if (!problem)
        problem = setting->problem(value);
    if (problem)
        return apr_psprintf(cmd->pool, "%s: %s", cmd->cmd->name, problem);
    *ratings_setting_text(ratings_config_being_read(cmd), setting) = value;
    return NULL;
}

/* ---- what may hold a secret: the value, or a file's text ---- */

/* The text that is meant: the value, or what the file holds that it names. What is in a file is
 * taken as it is: httpd replaces no variables there. NULL: `*problem` says why not. */
static const char *value_or_text(const cmd_parms *cmd, const char *value, const char **problem)
{
    char bytes[RATINGS_SECRET_TEXT_SIZE], why[RATINGS_DETAIL_MAX];
    *problem = unknown_variable(value);
    if (*problem)
        return NULL;
    if (!ratings_secret_is_source(value))
        return value;
    if (!ratings_secret_text_load(value, bytes, why, sizeof why)) {
        *problem = apr_pstrdup(cmd->pool, why);
        return NULL;
    }
    const char *text = apr_pstrdup(cmd->pool, bytes);
    explicit_bzero(bytes, sizeof bytes);
    return text;
}

/* Names the file, if the value names one, and not the value: it may hold a password. */
static const char *refuse_secret(const cmd_parms *cmd, const char *property, const char *value,
                                 const char *problem)
{
    bool is_file = value && !ratings_secret_source_problem(value);
    return apr_pstrcat(cmd->pool, cmd->cmd->name, property ? " " : "", property ? property : "",
                       ": ", is_file ? value : "", is_file ? ": " : "", problem, NULL);
}

const char *ratings_set_connection(cmd_parms *cmd, void *location, const char *value)
{
    const ratings_setting_t *setting = cmd->info;
    const char *problem, *text = value_or_text(cmd, value, &problem);
    (void)location;
    if (text)
        problem = setting->problem(text);
    if (problem)
        return refuse_secret(cmd, NULL, value, problem);
    *ratings_setting_text(ratings_config_being_read(cmd), setting) = text;
    return NULL;
}

/* The text of the value; NULL: `*problem` says what is wrong with name or value. */
static const char *header_text(const cmd_parms *cmd, const char *name, const char *value,
                               const char **problem)
{
    *problem = ratings_stats_header_name_problem(name);
    if (!*problem && !value)
        *problem = "it takes a name and a value, or none";
    const char *text = *problem ? NULL : value_or_text(cmd, value, problem);
    if (text)
        *problem = ratings_stats_header_value_problem(text);
    return text;
}

/* Kept as one text, "none" or "Name: value". What is refused is not repeated: who forgot the name
 * has given the secret in its place. */
const char *ratings_set_stats_header(cmd_parms *cmd, void *location, const char *name,
                                     const char *value)
{
    bool is_none = !value && strcmp(name, "none") == 0;
    const char *problem = NULL, *text = is_none ? NULL : header_text(cmd, name, value, &problem);
    (void)location;
    if (problem)
        return refuse_secret(cmd, NULL, value, problem);
    *ratings_setting_text(ratings_config_being_read(cmd), cmd->info) =
        is_none ? "none" : apr_pstrcat(cmd->pool, name, ": ", text, NULL);
    return NULL;
}

static const char *place_of(const cmd_parms *cmd)
{
    return apr_psprintf(cmd->pool, "%s:%d", cmd->directive->filename, cmd->directive->line_num);
}

const char *ratings_set_kafka(cmd_parms *cmd, void *location, const char *key, const char *value)
{
    char why[RATINGS_DETAIL_MAX];
    const char *problem, *text = value_or_text(cmd, value, &problem);
    (void)location;
    if (text && !ratings_stream_property_ok(key, text, why, sizeof why))
        problem = why;
    if (problem)
        return refuse_secret(cmd, key, value, problem);
    apr_table_set(ratings_config_being_read(cmd)->kafka, key, text);
    apr_table_setn(ratings_config_being_read(cmd)->kafka_places, key, place_of(cmd));
    return NULL;
}

const char *ratings_page_problem(const char *path)
{
    size_t length = strlen(path);
    return path[0] == '/' && path[length - 1] == '/' && !strpbrk(path, "?#%")
               ? NULL
               : "it takes a path that begins and ends with a slash, such as /rate/talks/";
}

const char *ratings_set_number(cmd_parms *cmd, void *location, const char *value)
{
    const ratings_setting_t *setting = cmd->info;
    int64_t *field = ratings_setting_number(ratings_config_being_read(cmd), setting);
    (void)location;
    if (ratings_parse_int(value, strlen(value), setting->min, setting->max, field))
        return NULL;
    return refuse_value(cmd, value,
                        apr_psprintf(cmd->pool,
                                     "it takes a whole number from %" APR_INT64_T_FMT
                                     " to %" APR_INT64_T_FMT,
                                     setting->min, setting->max));
}

/* A time as the documents write it: hours, seconds or milliseconds, the largest that it is a
 * multiple of. */
static const char *time_text(apr_pool_t *pool, int64_t time)
{
    static const struct {
        int64_t length;
        const char *name;
    } units[] = {{APR_USEC_PER_SEC * 3600, "h"}, {APR_USEC_PER_SEC, "s"}, {1000, "ms"}};
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof *units && (time == 0 || time % units[i].length != 0))
        i++;
    return apr_psprintf(pool, "%" APR_INT64_T_FMT "%s", time / units[i].length, units[i].name);
}

/* A digit comes first: ap_timeout_parameter_parse takes blanks, signs and no number at all. */
const char *ratings_set_duration(cmd_parms *cmd, void *location, const char *value)
{
    const ratings_setting_t *setting = cmd->info;
    apr_interval_time_t parsed = -1;
    (void)location;
    if (apr_isdigit(value[0]) && ap_timeout_parameter_parse(value, &parsed, "s") == APR_SUCCESS &&
        parsed >= setting->min && parsed <= setting->max) {
        *ratings_setting_number(ratings_config_being_read(cmd), setting) = parsed;
        return NULL;
    }
    return refuse_value(
        cmd, value,
        apr_psprintf(cmd->pool,
                     "it takes a time from %s to %s, in seconds or with a unit (ms, s, min, h)",
                     time_text(cmd->pool, setting->min), time_text(cmd->pool, setting->max)));
}

const char *ratings_set_flag(cmd_parms *cmd, void *location, int on)
{
    (void)location;
    *ratings_setting_number(ratings_config_being_read(cmd), cmd->info) = on ? 1 : 0;
    return NULL;
}

/* ---- in a <Location> ---- */

/* Not in <If>, <Limit> and <Directory>. NULL, or what is wrong. */
static const char *outside_location(cmd_parms *cmd)
{
    return ap_check_cmd_context(cmd, NOT_IN_DIR_CONTEXT & ~NOT_IN_LOCATION);
}

/* What comes after the prefix; NULL: the value has another one. */
static const char *after_prefix(const char *value, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncasecmp(value, prefix, length) == 0 ? value + length : NULL;
}

#define HIDE_BELOW_MAX 1000000 /* no talk has more: its results would never be shown */

static bool hide_below(const char *value, ratings_hide_t *rule)
{
    const char *number = after_prefix(value, "below=");
    return number && ratings_parse_int(number, strlen(number), 1, HIDE_BELOW_MAX, rule);
}

/* For lists of talks: ratings_location_hide_rules. */
static void note_hiding(ratings_config_t *config, ratings_hide_t rule)
{
    if (rule == RATINGS_HIDE_UNTIL_CLOSED)
        config->hides_until_closed = rule;
    else if (rule > config->hides_below)
        config->hides_below = rule;
}

const char *ratings_set_hide(cmd_parms *cmd, void *location, const char *value)
{
    ratings_hide_t *rule = &((ratings_location_t *)location)->hide;
    const char *problem = outside_location(cmd);
    if (problem)
        return problem;
    if (strcasecmp(value, "never") == 0)
        *rule = RATINGS_HIDE_NEVER;
    else if (strcasecmp(value, "until-closed") == 0)
        *rule = RATINGS_HIDE_UNTIL_CLOSED;
    else if (!hide_below(value, rule))
        return refuse_value(cmd, value,
                            "it takes never, until-closed, or below=N with a whole number N from 1 "
                            "to " APR_STRINGIFY(HIDE_BELOW_MAX));
    note_hiding(ratings_config_being_read(cmd), *rule);
    return NULL;
}

/* ---- RatingsEndpoint ---- */

/* The section that the directive stands in, if it is a <Location> of a plain path: what comes
 * after that path in a request is more than the location. NULL if it is a pattern. */
static const char *plain_location(const cmd_parms *cmd)
{
    const ap_directive_t *section = cmd->directive->parent;
    if (!section || ap_cstr_casecmp(section->directive, "<Location") != 0 ||
        section->args[0] == '~' || apr_fnmatch_test(cmd->path))
        return NULL;
    return cmd->path;
}

/* Where the page of a talk learns who votes: any of the endpoints, if there are several. */
static void note_endpoint(const cmd_parms *cmd, ratings_endpoint_e endpoint, const char *path)
{
    ratings_config_t *config = ratings_config_being_read(cmd);
    config->needed_by = place_of(cmd);
    config->uses_metrics |= endpoint == RATINGS_ENDPOINT_METRICS;
    if (endpoint == RATINGS_ENDPOINT_RATINGS && path && !config->ratings_path)
        config->ratings_path = path;
}

const char *ratings_set_endpoint(cmd_parms *cmd, void *location, const char *name, const char *kind)
{
    ratings_location_t *own = location;
    ratings_endpoint_e endpoint;
    const char *problem = outside_location(cmd);
    if (problem)
        return problem;
    if (!ratings_endpoint_by_name(name, kind, cmd->path, &endpoint))
        return refuse_value(
            cmd, apr_pstrcat(cmd->pool, name, kind ? " " : NULL, kind, NULL),
            apr_pstrcat(cmd->pool, "it takes ", ratings_endpoint_names(cmd->pool), NULL));
    own->is_set = true;
    own->endpoint = endpoint;
    own->path = plain_location(cmd);
    if (endpoint != RATINGS_ENDPOINT_NONE)
        note_endpoint(cmd, endpoint, own->path);
    return NULL;
}

/* ---- who votes, and from where ---- */

/* REMOTE_USER, where %{REMOTE_USER} was meant, would be one voter for all. */
static const char *constant_expression(const char *text)
{
    return strstr(text, "%{") ? NULL : "it is the same for all requests: it takes a %{...}";
}

static const char *set_expression(cmd_parms *cmd, ratings_location_t *own, const char *text)
{
    const char *problem = unknown_variable(text);
    if (!problem)
        problem = constant_expression(text);
    if (!problem)
        own->voter_expression = ap_expr_parse_cmd(
            cmd, text, AP_EXPR_FLAG_STRING_RESULT | AP_EXPR_FLAG_DONT_VARY, &problem, NULL);
    return problem ? apr_psprintf(cmd->pool, "%s: the expression '%s': %s", cmd->cmd->name, text,
                                  problem)
                   : NULL;
}

const char *ratings_set_voter(cmd_parms *cmd, void *location, const char *source)
{
    ratings_location_t *own = location;
    const char *expression = after_prefix(source, "expr=");
    const char *problem = outside_location(cmd);
    if (problem)
        return problem;
    if (strcasecmp(source, "off") == 0) {
        own->voter_source = RATINGS_VOTER_SOURCE_OFF;
        return NULL;
    }
    own->voter_source = RATINGS_VOTER_SOURCE_COOKIE;
    ratings_config_being_read(cmd)->secret_needed_by = place_of(cmd);
    if (strcasecmp(source, "cookie") == 0)
        return NULL;
    own->voter_source = RATINGS_VOTER_SOURCE_EXPRESSION;
    return expression && expression[0]
               ? set_expression(cmd, own, expression)
               : refuse_value(cmd, source, "it takes off, cookie, or expr=EXPRESSION");
}

const char *ratings_set_voter_required(cmd_parms *cmd, void *location, int on)
{
    const char *problem = outside_location(cmd);
    if (!problem)
        ((ratings_location_t *)location)->voter_required = on ? 1 : 0;
    return problem;
}

const char *ratings_set_voter_rate(cmd_parms *cmd, void *location, const char *rate)
{
    ratings_voter_rate_t *own = &((ratings_location_t *)location)->voter_rate;
    const char *problem = outside_location(cmd);
    if (problem)
        return problem;
    if (strcasecmp(rate, "off") == 0) {
        own->count = 0;
        return NULL;
    }
    if (!ratings_voter_rate_parse(rate, own))
        return refuse_value(
            cmd, rate,
            "it takes off, or COUNT/SECONDS with whole numbers, COUNT from 1 to " APR_STRINGIFY(
                RATINGS_VOTER_RATE_COUNT_MAX) " and SECONDS from 1 "
                                              "to " APR_STRINGIFY(RATINGS_VOTER_RATE_SECONDS_MAX));
    ratings_config_being_read(cmd)->uses_voter_rate = true;
    return NULL;
}

/* Once for each argument. */
const char *ratings_set_origin(cmd_parms *cmd, void *location, const char *origin)
{
    ratings_location_t *own = location;
    const char *problem = outside_location(cmd);
    if (problem)
        return problem;
    if (!own->origins)
        own->origins = apr_array_make(cmd->pool, 2, sizeof(const char *));
    if (strcasecmp(origin, "none") == 0)
        return NULL;
    problem = ratings_origin_problem(origin);
    if (problem)
        return refuse_value(cmd, origin, problem);
    APR_ARRAY_PUSH(own->origins, const char *) = origin;
    return NULL;
}
