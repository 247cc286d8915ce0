/* The commands of ratingsctl: each is a row of the table in ctl_command.c, and a function. */
#ifndef RATINGS_CTL_COMMAND_H
#define RATINGS_CTL_COMMAND_H

#include "ctl_options.h"

/* The exit code; what 0 and 1 mean is the command's. */
typedef enum {
    CTL_EXIT_GOOD,
    CTL_EXIT_DIFFERS,
    CTL_EXIT_FAILED /* it could not find out, or its options are wrong: `why` has the reason */
} ctl_exit_e;

typedef struct {
    const char *name;
    const char *word; /* what stands beside the options, as help shows it; NULL: nothing */
    int words_min, words_max;
    const char *summary; /* one line */
    const char *good;    /* what exit code 0 means */
    const char *differs; /* what 1 means; NULL: it never ends so */
    unsigned takes;      /* CTL_TAKES_... */
    ctl_exit_e (*run)(ctl_options_t *options, audit_failure_t *why);
} ctl_command_t;

/* NULL: there is none of that name. */
const ctl_command_t *ctl_command_find(const char *name);

/* A line for each command. */
void ctl_commands_help(FILE *out);

/* What one command takes; behind the name by which it was called, on the same line. */
void ctl_command_help(const ctl_command_t *command, FILE *out);

/* ---- the commands ---- */

ctl_exit_e ctl_check(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_audit(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_repair(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_status(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_explain(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_export(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_bar(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_unbar(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_erase(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_electorate(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_talks(ctl_options_t *options, audit_failure_t *why);
ctl_exit_e ctl_rebuild(ctl_options_t *options, audit_failure_t *why);

#endif
