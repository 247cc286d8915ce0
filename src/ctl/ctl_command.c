#include "ctl_command.h"

#include <string.h>

#define SOURCES (CTL_TAKES_STREAM | CTL_TAKES_STORE)
#define VOTER (SOURCES | CTL_TAKES_JSON | CTL_TAKES_SECRET | CTL_TAKES_VOTER)
#define APPLIED "it is in the log, and the service has applied it"
#define NOT_APPLIED "it is in the log, and the service has not applied it in time"

static const ctl_command_t commands[] = {
    {"status", NULL, 0, 0, "shows whether each backend answers, who leads, and the lag",
     "all is as it should be", "it is not, and standard output says what is wrong",
     SOURCES | CTL_TAKES_JSON | CTL_TAKES_STATUS, ctl_status},
    {"check", "[CONFIG]", 0, 1, "asks the backends of httpd's configuration, before a restart",
     "none of what the service needs fails", "something does, and standard output says what",
     CTL_TAKES_JSON | CTL_TAKES_HTTPD, ctl_check},
    {"audit", NULL, 0, 0, "compares the store with the log", "store and log agree", "they differ",
     SOURCES | CTL_TAKES_TALKS | CTL_TAKES_JSON | CTL_TAKES_MENDING, ctl_audit},
    {"repair", NULL, 0, 0, "gives talks that differ the counts of the log, then audits again",
     "store and log agree now", "they differ", SOURCES | CTL_TAKES_TALKS | CTL_TAKES_JSON,
     ctl_repair},
    {"explain", "TALK", 1, 1, "shows the events behind a talk's numbers",
     "store and log agree on it", "they differ", SOURCES | CTL_TAKES_JSON, ctl_explain},
    {"export", "ratings|events", 1, 1, "writes the log's counts, or its events, as CSV or NDJSON",
     "all of the log is in it", "the log has lost its first records",
     CTL_TAKES_STREAM | CTL_TAKES_EXPORT, ctl_export},
    {"bar", "VOTER", 1, 1, "withdraws a voter's ratings, and later ones count for nothing", APPLIED,
     NOT_APPLIED, VOTER | CTL_TAKES_REASON, ctl_bar},
    {"unbar", "VOTER", 1, 1, "ends that: ratings that the voter gives from then on count", APPLIED,
     NOT_APPLIED, VOTER, ctl_unbar},
    {"erase", "VOTER", 1, 1, "withdraws a voter's ratings, and says what remains in the log",
     APPLIED, NOT_APPLIED, VOTER, ctl_erase},
    {"electorate", "[new]", 0, 1, "shows which electorate votes, or begins a new one",
     "an electorate votes: the new one, if one was begun", "none does: the log has no voters",
     SOURCES | CTL_TAKES_JSON | CTL_TAKES_YES | CTL_TAKES_SECRET, ctl_electorate},
    {"talks", "import FILE|migrate|export|qr DIRECTORY", 1, 2,
     "makes the talks those of a schedule, adds columns to their table, exports them, makes QR "
     "codes",
     "it is done, or --dry-run has shown it",
     "talks without times, or with ids too long for a file, are left out",
     CTL_TAKES_SCHEDULE | CTL_TAKES_JSON | CTL_TAKES_YES, ctl_talks},
    {"rebuild", NULL, 0, 0, "asks the service to rebuild the store from the log",
     "the service is asked, or does it anyway", NULL, CTL_TAKES_STORE | CTL_TAKES_YES, ctl_rebuild},
};

#define COMMANDS (sizeof commands / sizeof *commands)

const ctl_command_t *ctl_command_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

void ctl_commands_help(FILE *out)
{
    (void)fputs("ratingsctl COMMAND [OPTION...]\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fputs("\n"
                "ratingsctl COMMAND --help lists the options of a command, man ratingsctl explains "
                "all.\n",
                out);
}

void ctl_command_help(const ctl_command_t *command, FILE *out)
{
    (void)fprintf(out, "%s%s[OPTION...]: %s\n\n", command->word ? command->word : "",
                  command->word ? " " : "", command->summary);
    ctl_options_help(command->takes, out);
    (void)fprintf(out, "\nExit code\n  0  %s\n", command->good);
    if (command->differs)
        (void)fprintf(out, "  1  %s\n", command->differs);
    (void)fputs("  2  it could not find that out, or do it: standard error says why\n", out);
}
