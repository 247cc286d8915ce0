#include "ctl_ask.h"

#include <unistd.h>

bool ctl_ask(const ctl_options_t *options, const char *question, audit_failure_t *why)
{
    char answer[8] = "";
    if (options->yes)
        return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return audit_fail(why, "there is no terminal to ask on: say --yes");
    (void)fprintf(stderr, "%s [y/N] ", question);
    return (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y')) ||
           audit_fail(why, "nothing was done");
}
