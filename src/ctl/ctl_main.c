/* ratingsctl: what the numbers rest on, found out and put right without the service's own code for
 * that (docs/ratingsctl.md). Called as ratings-audit it is its command audit. */
#include "build_version.h"
#include "ctl_command.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "ratingsctl"
#define NAME_OF_AUDIT "ratings-audit"

static ctl_exit_e show_version(const char *program)
{
    (void)printf("%s %s (%s)\n", program, RATINGS_VERSION, RATINGS_REVISION);
    return CTL_EXIT_GOOD;
}

static ctl_exit_e run_with_words(const ctl_command_t *command, ctl_options_t *options,
                                 audit_failure_t *why)
{
    int words = options->words_count;
    if (words >= command->words_min && words <= command->words_max)
        return command->run(options, why);
    audit_fail(why, "%s takes %s (see --help)", command->name,
               command->words_max == 0   ? "options alone, no other words"
               : command->words_max == 1 ? "one word beside its options"
                                         : command->word);
    return CTL_EXIT_FAILED;
}

static ctl_exit_e show_help(const ctl_command_t *command, const char *program)
{
    bool is_name = strcmp(program, NAME_OF_AUDIT) == 0;
    (void)printf("%s%s%s ", program, is_name ? "" : " ", is_name ? "" : command->name);
    ctl_command_help(command, stdout);
    return CTL_EXIT_GOOD;
}

/* The options begin behind the first word of `argv`. */
static ctl_exit_e run_command(const ctl_command_t *command, const char *program, int argc,
                              char **argv, audit_failure_t *why)
{
    ctl_options_t options;
    ctl_exit_e code = CTL_EXIT_FAILED;
    switch (ctl_options_read(argc, argv, command->takes, &options, why)) {
    case CTL_OPTIONS_GOOD:
        code = run_with_words(command, &options, why);
        break;
    case CTL_OPTIONS_HELP:
        code = show_help(command, program);
        break;
    case CTL_OPTIONS_VERSION:
        code = show_version(program);
        break;
    case CTL_OPTIONS_BAD:
        break;
    }
    ctl_options_free(&options);
    return code;
}

/* Names the command as far as that can be a name: what stands there may be a secret. */
static ctl_exit_e fail_command(const char *word, audit_failure_t *why)
{
    if (!word)
        audit_fail(why, "which command? (see --help)");
    else if (word[0] == '-')
        audit_fail(why, "the command comes first, its options behind it (see --help)");
    else
        audit_fail(why, "there is no command %.*s (see --help)",
                   (int)strspn(word, "-abcdefghijklmnopqrstuvwxyz"), word);
    return CTL_EXIT_FAILED;
}

static ctl_exit_e run_line(const char *program, int argc, char **argv, audit_failure_t *why)
{
    const char *word = argc > 1 ? argv[1] : NULL;
    if (strcmp(program, NAME_OF_AUDIT) == 0)
        return run_command(ctl_command_find("audit"), program, argc, argv, why);
    if (word && strcmp(word, "--version") == 0)
        return show_version(program);
    if (word && strcmp(word, "--help") == 0) {
        ctl_commands_help(stdout);
        return CTL_EXIT_GOOD;
    }
    const ctl_command_t *command = word ? ctl_command_find(word) : NULL;
    return command ? run_command(command, program, argc - 1, argv + 1, why)
                   : fail_command(word, why);
}

/* The name by which it was called, if that means anything. */
static const char *program_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *name = slash ? slash + 1 : path;
    return name && strcmp(name, NAME_OF_AUDIT) == 0 ? NAME_OF_AUDIT : NAME;
}

/* One of the three that is closed would be given to a connection, which the report then goes into.
 * In its place is one that takes no report, which is an error. */
static void occupy_closed_streams(void)
{
    int file;
    do
        file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file >= 0)
        (void)close(file);
}

/* A connection or a pipe that is closed is an error with a reason, and no end by a signal. */
int main(int argc, char **argv)
{
    audit_failure_t why = {""};
    const char *program = program_name(argv[0]);
    occupy_closed_streams();
    (void)signal(SIGPIPE, SIG_IGN);
    ctl_exit_e code = run_line(program, argc, argv, &why);
    if ((fflush(stdout) != 0 || ferror(stdout)) && !why.text[0]) {
        code = CTL_EXIT_FAILED;
        audit_fail(&why, "the report could not be written");
    }
    if (why.text[0])
        (void)fprintf(stderr, "%s: %s\n", program, why.text);
    return (int)code;
}
