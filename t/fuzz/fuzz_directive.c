/* The values of directives. The input's first byte is the row of the table, after it come the
 * arguments, with a line feed between. */
#include "../../src/config/settings.h"
#include "../../src/module.h"
#include "fuzz.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* ---- what is httpd's, whose symbols are in no library ---- */

module ratings_module = {STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, NULL, 0};

const char *ap_check_cmd_context(cmd_parms *cmd, unsigned forbidden)
{
    (void)cmd, (void)forbidden;
    return NULL;
}

int ap_cstr_casecmp(const char *a, const char *b)
{
    return strcasecmp(a, b);
}

apr_status_t ap_timeout_parameter_parse(const char *text, apr_interval_time_t *time,
                                        const char *unit)
{
    char *end;
    apr_int64_t number = apr_strtoi64(text, &end, 10), factor = APR_USEC_PER_SEC;
    (void)unit;
    if (strcmp(end, "ms") == 0)
        factor = 1000;
    else if (strcmp(end, "min") == 0)
        factor *= 60;
    else if (strcmp(end, "h") == 0)
        factor *= 3600;
    else if (*end && strcmp(end, "s") != 0)
        return APR_EGENERAL;
    return __builtin_mul_overflow(number, factor, time) ? APR_EGENERAL : APR_SUCCESS;
}

ap_expr_info_t *ap_expr_parse_cmd_mi(const cmd_parms *cmd, const char *expr, unsigned flags,
                                     const char **error, ap_expr_lookup_fn_t *lookup,
                                     int module_index)
{
    (void)expr, (void)flags, (void)lookup, (void)module_index;
    *error = NULL;
    return apr_pcalloc(cmd->pool, sizeof(ap_expr_info_t));
}

/* ---- a directive ---- */

static int count_rows(void)
{
    int count = 0;
    while (ratings_directives[count].name)
        count++;
    return count;
}

static const char *set(cmd_parms *cmd, ratings_location_t *location, const char *first,
                       const char *second)
{
    switch (cmd->cmd->args_how) {
    case FLAG:
        return cmd->cmd->AP_FLAG(cmd, location, strcasecmp(first, "on") == 0);
    case TAKE2:
        return second ? cmd->cmd->AP_TAKE2(cmd, location, first, second) : "no second argument";
    case TAKE12:
        return cmd->cmd->AP_TAKE2(cmd, location, first, second);
    default: /* TAKE1, ITERATE */
        return cmd->cmd->AP_TAKE1(cmd, location, first);
    }
}

/* Of a file that holds the value other things are true. */
static bool names_file(const char *value)
{
    return strncmp(value, "file:", 5) == 0;
}

/* What is refused is not repeated of a text, which may hold a secret. */
static void check_refusal(const cmd_parms *cmd, const char *value, const char *problem)
{
    const ratings_setting_t *setting = cmd->info;
    size_t name = strlen(cmd->cmd->name);
    MUST(strncmp(problem, cmd->cmd->name, name) == 0 || cmd->cmd->args_how == TAKE2);
    if (!setting || setting->field != FIELD_TEXT || !setting->problem || strstr(value, "${") ||
        names_file(value))
        return;
    MUST(setting->problem(value) && strcmp(problem + name + 2, setting->problem(value)) == 0);
}

static void check_setting(cmd_parms *cmd, const char *value)
{
    const ratings_setting_t *setting = cmd->info;
    ratings_config_t *config = ratings_config_being_read(cmd);
    if (!setting)
        return;
    if (setting->field == FIELD_NUMBER)
        MUST(*ratings_setting_number(config, setting) >= setting->min &&
             *ratings_setting_number(config, setting) <= setting->max);
    else if (setting->problem && !names_file(value))
        MUST(*ratings_setting_text(config, setting) == value && !setting->problem(value));
    else
        MUST(*ratings_setting_text(config, setting));
}

static void run_directive(apr_pool_t *pool, const command_rec *row, char *text)
{
    void *records[1];
    server_rec server = {.module_config = (struct ap_conf_vector_t *)(void *)records};
    ap_directive_t section = {.directive = "<Location", .args = "/x"};
    ap_directive_t directive = {.directive = row->name, .filename = "x", .parent = &section};
    cmd_parms cmd = {.info = row->cmd_data,
                     .pool = pool,
                     .server = &server,
                     .path = apr_pstrdup(pool, "/x"),
                     .directive = &directive,
                     .cmd = row};
    ratings_location_t location = {0};
    char *second = strchr(text, '\n');
    records[0] = ratings_server_create(pool, &server);
    if (second)
        *second++ = '\0';
    const char *problem = set(&cmd, &location, text, second);
    if (problem)
        check_refusal(&cmd, text, problem);
    else
        check_setting(&cmd, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static apr_pool_t *pool;
    if (!pool) {
        MUST(apr_initialize() == APR_SUCCESS && apr_pool_create(&pool, NULL) == APR_SUCCESS);
        ratings_module.module_index = 0;
    }
    if (size == 0)
        return 0;
    char *text = calloc(1, size);
    MUST(text);
    memcpy(text, data + 1, size - 1);
    run_directive(pool, &ratings_directives[data[0] % count_rows()], text);
    apr_pool_clear(pool);
    free(text);
    return 0;
}
