/* The records that httpd keeps for this module: how they are made, merged and compared. */
#include "config.h"

#include "../module.h"
#include "settings.h"

#include <apr_strings.h>
#include <string.h>

const char **ratings_setting_text(ratings_config_t *config, const ratings_setting_t *setting)
{
    return (const char **)(void *)((char *)config + setting->offset);
}

int64_t *ratings_setting_number(ratings_config_t *config, const ratings_setting_t *setting)
{
    return (int64_t *)(void *)((char *)config + setting->offset);
}

static bool is_unset(ratings_config_t *config, const ratings_setting_t *setting)
{
    return setting->field == FIELD_TEXT ? *ratings_setting_text(config, setting) == NULL
                                        : *ratings_setting_number(config, setting) == RATINGS_UNSET;
}

static void copy_setting(ratings_config_t *to, ratings_config_t *from,
                         const ratings_setting_t *setting)
{
    if (setting->field == FIELD_TEXT)
        *ratings_setting_text(to, setting) = *ratings_setting_text(from, setting);
    else
        *ratings_setting_number(to, setting) = *ratings_setting_number(from, setting);
}

void *ratings_server_create(apr_pool_t *pool, server_rec *server)
{
    ratings_server_t *record = apr_pcalloc(pool, sizeof *record);
    ratings_config_t *config = &record->config;
    (void)server;
    FOR_EACH_SETTING(row, setting)
    {
        if (setting->field == FIELD_NUMBER)
            *ratings_setting_number(config, setting) = RATINGS_UNSET;
    }
    config->kafka = apr_table_make(pool, 4);
    config->kafka_places = apr_table_make(pool, 4);
    return record;
}

static apr_table_t *overlay_tables(apr_pool_t *pool, const apr_table_t *base,
                                   const apr_table_t *over)
{
    apr_table_t *merged = apr_table_overlay(pool, base, over); /* of two, the last is kept */
    apr_table_compress(merged, APR_OVERLAP_TABLES_SET);
    return merged;
}

void *ratings_server_merge(apr_pool_t *pool, void *parent, void *child)
{
    ratings_server_t *record = apr_pmemdup(pool, child, sizeof *record);
    ratings_config_t *base = &((ratings_server_t *)parent)->config, *merged = &record->config;
    FOR_EACH_SETTING(row, setting)
    {
        if (is_unset(merged, setting))
            copy_setting(merged, base, setting);
    }
    merged->kafka = overlay_tables(pool, base->kafka, merged->kafka);
    merged->kafka_places = overlay_tables(pool, base->kafka_places, merged->kafka_places);
    /* a virtual host inherits the main server's locations as well */
    if (!merged->needed_by)
        merged->needed_by = base->needed_by;
    if (!merged->secret_needed_by)
        merged->secret_needed_by = base->secret_needed_by;
    if (!merged->ratings_path)
        merged->ratings_path = base->ratings_path;
    merged->uses_voter_rate |= base->uses_voter_rate;
    merged->uses_metrics |= base->uses_metrics;
    if (base->hides_until_closed)
        merged->hides_until_closed = base->hides_until_closed;
    if (merged->hides_below < base->hides_below)
        merged->hides_below = base->hides_below;
    return record;
}

void ratings_config_apply_defaults(ratings_config_t *config)
{
    FOR_EACH_SETTING(row, setting)
    {
        if (!is_unset(config, setting))
            continue;
        if (setting->field == FIELD_TEXT)
            *ratings_setting_text(config, setting) = setting->text;
        else
            *ratings_setting_number(config, setting) = setting->preset;
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

bool ratings_config_same_backends(const ratings_config_t *a, const ratings_config_t *b)
{
    return same_text(a->talks, b->talks) && same_text(a->store, b->store) &&
           same_text(a->stream, b->stream) && same_text(a->stats, b->stats) &&
           same_text(a->topic, b->topic);
}

static int is_in_table(void *other, const char *key, const char *value)
{
    return same_text(apr_table_get(other, key), value);
}

static bool same_table(const apr_table_t *a, const apr_table_t *b)
{
    return apr_table_elts(a)->nelts == apr_table_elts(b)->nelts &&
           (apr_is_empty_table(a) || apr_table_do(is_in_table, (void *)(uintptr_t)b, a, NULL));
}

static bool same_setting(ratings_config_t *x, ratings_config_t *y, const ratings_setting_t *setting)
{
    return setting->field == FIELD_TEXT
               ? same_text(*ratings_setting_text(x, setting), *ratings_setting_text(y, setting))
               : *ratings_setting_number(x, setting) == *ratings_setting_number(y, setting);
}

const char *ratings_config_difference(const ratings_config_t *a, const ratings_config_t *b)
{
    ratings_config_t *x = (ratings_config_t *)(uintptr_t)a, *y = (ratings_config_t *)(uintptr_t)b;
    FOR_EACH_SETTING(row, setting)
    {
        if (setting->scope == SCOPE_SERVICE && !same_setting(x, y, setting))
            return row->name;
    }
    return same_table(a->kafka, b->kafka) ? NULL : "RatingsKafka";
}

/* ---- locations ---- */

void *ratings_location_create(apr_pool_t *pool, char *path)
{
    ratings_location_t *location = apr_pcalloc(pool, sizeof *location);
    (void)path;
    location->hide = RATINGS_UNSET;
    location->voter_required = RATINGS_UNSET;
    location->voter_rate.count = RATINGS_UNSET;
    return location;
}

void *ratings_location_merge(apr_pool_t *pool, void *parent, void *child)
{
    const ratings_location_t *outer = parent;
    ratings_location_t *merged = apr_pmemdup(pool, child, sizeof *merged);
    if (!merged->is_set) {
        merged->is_set = outer->is_set;
        merged->endpoint = outer->endpoint;
        merged->path = outer->path;
    }
    if (merged->voter_source == RATINGS_VOTER_SOURCE_UNSET) {
        merged->voter_source = outer->voter_source;
        merged->voter_expression = outer->voter_expression;
    }
    if (merged->voter_required == RATINGS_UNSET)
        merged->voter_required = outer->voter_required;
    if (merged->voter_rate.count == RATINGS_UNSET)
        merged->voter_rate = outer->voter_rate;
    if (merged->hide == RATINGS_UNSET)
        merged->hide = outer->hide;
    if (!merged->origins)
        merged->origins = outer->origins;
    return merged;
}

/* ---- access ---- */

ratings_server_t *ratings_server_of(const server_rec *server)
{
    return ap_get_module_config(server->module_config, &ratings_module);
}

const ratings_config_t *ratings_config_of_server(const server_rec *server)
{
    return &ratings_server_of(server)->config;
}

ratings_config_t *ratings_config_being_read(const cmd_parms *cmd)
{
    return &ratings_server_of(cmd->server)->config;
}

const ratings_location_t *ratings_location_of_request(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &ratings_module);
}
