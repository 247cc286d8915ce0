/* One row of the table of directives, and what walks over that table share. Private to config.
 *
 * Called while httpd reads the configuration, by its one thread; memory is of the configuration's
 * pool (cmd->pool), and what is wrong is returned as a sentence for the administrator. */
#ifndef RATINGS_CONFIG_SETTINGS_H
#define RATINGS_CONFIG_SETTINGS_H

#include "config.h"

#include <stddef.h>

typedef enum { SCOPE_SERVICE, SCOPE_HOST } ratings_scope_e; /* who may differ in it */
typedef enum { FIELD_TEXT, FIELD_NUMBER } ratings_field_e;

/* A setting that is one field of ratings_config_t. */
typedef struct {
    size_t offset; /* in ratings_config_t */
    ratings_field_e field;
    ratings_scope_e scope;
    int64_t preset;   /* default of a number, in the unit of its field (config.h); so are these: */
    int64_t min, max; /* what it may be */
    const char *text; /* default of a text, NULL: none */
    const char *(*problem)(const char *); /* of a text: NULL, or what is wrong with it */
} ratings_setting_t;

/* The field of a setting. */
const char **ratings_setting_text(ratings_config_t *config, const ratings_setting_t *setting);
int64_t *ratings_setting_number(ratings_config_t *config, const ratings_setting_t *setting);

/* Runs the statement for each row that holds a ratings_setting_t: all but RatingsKafka and those of
 * a location. */
#define FOR_EACH_SETTING(row, setting)                                                             \
    for (const command_rec *row = ratings_directives; row->name; row++)                            \
        for (const ratings_setting_t *setting = row->cmd_data; setting; setting = NULL)

/* The functions of directives, as httpd calls them: NULL, or an error message. cmd->info is the
 * ratings_setting_t, of the first six. Where a value may be a secret it may be file:PATH: the file
 * is read here, and holds it. */
const char *ratings_set_text(cmd_parms *cmd, void *location, const char *value);
const char *ratings_set_connection(cmd_parms *cmd, void *location, const char *value);
const char *ratings_set_number(cmd_parms *cmd, void *location, const char *value);
const char *ratings_set_duration(cmd_parms *cmd, void *location, const char *value);
const char *ratings_set_flag(cmd_parms *cmd, void *location, int on);
const char *ratings_set_stats_header(cmd_parms *cmd, void *location, const char *name,
                                     const char *value);
const char *ratings_set_kafka(cmd_parms *cmd, void *location, const char *key, const char *value);
const char *ratings_set_endpoint(cmd_parms *cmd, void *location, const char *name,
                                 const char *kind);
const char *ratings_set_hide(cmd_parms *cmd, void *location, const char *value);

const char *ratings_set_voter(cmd_parms *cmd, void *location, const char *source);
const char *ratings_set_voter_required(cmd_parms *cmd, void *location, int on);
const char *ratings_set_voter_rate(cmd_parms *cmd, void *location, const char *rate);
const char *ratings_set_origin(cmd_parms *cmd, void *location, const char *origin);

/* What is wrong with a path below which talks have pages: NULL, or a sentence (static). */
const char *ratings_page_problem(const char *path);

/* The settings of the server that a directive stands in. */
ratings_config_t *ratings_config_being_read(const cmd_parms *cmd);

/* Gives every setting that was not given its default. */
void ratings_config_apply_defaults(ratings_config_t *config);

/* Logs at level crit what is wrong with the settings of a server, under a tag of docs/messages.md;
 * returns the error for httpd. */
int ratings_config_complain(const server_rec *server, const char *tag, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The name of a directive of the service (not of the virtual host alone) that the two settle
 * differently, connection strings and topic left out; NULL if there is none. */
const char *ratings_config_difference(const ratings_config_t *a, const ratings_config_t *b);

#endif
