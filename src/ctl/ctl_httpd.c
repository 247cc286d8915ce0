#include "ctl_httpd.h"

#include "../core/check_interface.h"
#include "../core/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARGIN_S 15 /* beyond the time of the backends: httpd reads its configuration */
#define NOT_FOUND 127
#define LINE_MAX_BYTES 8192
#define WORDS_MAX_BYTES 2048 /* of standard error: its last */

/* Debian's apache2ctl, and others' apachectl, set the environment that the configuration needs. */
static const char *const programs[] = {"apache2ctl", "apachectl", "apache2", "httpd"};

#define PLACES ":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/apache2/bin"

/* ---- in the new process ---- */

static void set_environment(const ctl_httpd_t *httpd)
{
    char text[PATH_MAX];
    const char *path = getenv("PATH");
    (void)snprintf(text, sizeof text, "%s" PLACES, path ? path : "/usr/bin:/bin");
    (void)setenv("PATH", text, 1);
    (void)snprintf(text, sizeof text, "%d", httpd->timeout_s);
    (void)setenv(RATINGS_CHECK_VARIABLE, text, 1);
    (void)unsetenv("HOME");
}

/* The words of a configuration of httpd's own follow no -f. */
static void execute(const char *program, const char *config)
{
    const char *argv[] = {program, "-t", "-D", RATINGS_CHECK_DEFINE, config ? "-f" : NULL,
                          config,  NULL};
    (void)execvp(program, (char *const *)(uintptr_t)argv);
}

static void become_httpd(const ctl_httpd_t *httpd, int out, int err)
{
    set_environment(httpd);
    (void)setpgid(0, 0); /* what it starts can be ended with it */
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(NOT_FOUND);
    if (httpd->program)
        execute(httpd->program, httpd->config);
    else
        for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
            execute(programs[i], httpd->config);
    _exit(NOT_FOUND);
}

/* ---- what it says ---- */

typedef struct {
    const ctl_httpd_t *httpd;
    ctl_httpd_reader_t *reader;
    pid_t pid;
    int out, err; /* -1: closed */
    char line[LINE_MAX_BYTES];
    size_t line_length;
    char words[WORDS_MAX_BYTES + 1];
    size_t words_length;
} run_t;

static bool take_line(run_t *run, audit_failure_t *why)
{
    run->line[run->line_length] = '\0';
    run->line_length = 0;
    return run->reader->take(run->reader, run->line, why);
}

/* A line that is too long is none of the module's. */
static bool take_output(run_t *run, const char *bytes, size_t count, audit_failure_t *why)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] == '\n') {
            if (!take_line(run, why))
                return false;
        } else if (run->line_length < sizeof run->line - 1) {
            run->line[run->line_length++] = bytes[i];
        }
    return true;
}

static void keep_words(run_t *run, const char *bytes, size_t count)
{
    size_t excess = run->words_length + count > WORDS_MAX_BYTES
                        ? run->words_length + count - WORDS_MAX_BYTES
                        : 0;
    if (excess > run->words_length) {
        bytes += excess - run->words_length;
        count -= excess - run->words_length;
        excess = run->words_length;
    }
    memmove(run->words, run->words + excess, run->words_length - excess);
    run->words_length -= excess;
    memcpy(run->words + run->words_length, bytes, count);
    run->words_length += count;
    run->words[run->words_length] = '\0';
}

static void close_end(int *file)
{
    if (*file >= 0)
        (void)close(*file);
    *file = -1;
}

static bool read_end(run_t *run, int *file, audit_failure_t *why)
{
    char bytes[1024];
    ssize_t count = read(*file, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR)
        return true;
    if (count <= 0)
        close_end(file);
    else if (file == &run->err)
        keep_words(run, bytes, (size_t)count);
    else
        return take_output(run, bytes, (size_t)count, why);
    return true;
}

/* Until both ends are closed. The time begins anew with each line: services are checked one after
 * the other. */
static bool read_all(run_t *run, audit_failure_t *why)
{
    int limit_ms = (run->httpd->timeout_s + MARGIN_S) * 1000;
    while (run->out >= 0 || run->err >= 0) {
        struct pollfd ends[] = {{run->out, POLLIN, 0}, {run->err, POLLIN, 0}};
        int count = poll(ends, 2, limit_ms);
        if (count == 0)
            return audit_fail(why, "nothing came from httpd for %d s", limit_ms / 1000);
        if (count > 0 && ends[0].revents && !read_end(run, &run->out, why))
            return false;
        if (count > 0 && ends[1].revents && !read_end(run, &run->err, why))
            return false;
    }
    return true;
}

/* ---- how it ended ---- */

/* The end of what it said, which has the reason: warnings come before. In one line. */
static bool fail_with_words(run_t *run, audit_failure_t *why)
{
    const size_t most = 400;
    const char *words = run->words + (run->words_length > most ? run->words_length - most : 0);
    while (run->words_length > 0 && run->words[run->words_length - 1] == '\n')
        run->words[--run->words_length] = '\0';
    for (char *c = run->words; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return audit_fail(why, "httpd does not take the configuration: %s", words);
}

static bool judge_end(run_t *run, int status, audit_failure_t *why)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
        return audit_fail(why, "there is no %s to run: say --httpd PROGRAM",
                          run->httpd->program ? run->httpd->program : "apache2ctl, or apachectl");
    return fail_with_words(run, why);
}

/* Its group, so that nothing is left over that asks a backend. */
static bool end_httpd(run_t *run, bool good, audit_failure_t *why)
{
    int status = 0;
    if (!good)
        (void)kill(-run->pid, SIGKILL);
    while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return good && judge_end(run, status, why);
}

static bool start_httpd(run_t *run, int out[2], int err[2], audit_failure_t *why)
{
    run->pid = fork();
    if (run->pid < 0)
        return audit_fail(why, "no process for httpd: %s", strerror(errno));
    if (run->pid == 0)
        become_httpd(run->httpd, out[1], err[1]);
    (void)setpgid(run->pid, run->pid); /* whoever is first */
    return true;
}

bool ctl_httpd_check(const ctl_httpd_t *httpd, ctl_httpd_reader_t *reader, audit_failure_t *why)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    run_t run = {.httpd = httpd, .reader = reader};
    bool good = pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0;
    if (!good)
        audit_fail(why, "no pipe for httpd: %s", strerror(errno));
    run.out = out[0];
    run.err = err[0];
    good = good && start_httpd(&run, out, err, why);
    close_end(&out[1]);
    close_end(&err[1]);
    if (good)
        good = end_httpd(&run, read_all(&run, why), why);
    close_end(&run.out);
    close_end(&run.err);
    return good;
}
