#include "check_run.h"

#include "../backend/common/deadline.h"
#include "../core/check_interface.h"
#include "../core/container_of.h"
#include "../core/number.h"
#include "check_line.h"
#include "check_parts.h"

#include <http_core.h>
#include <mpm_common.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A service, which several servers may share. */
typedef struct {
    server_rec *main;
    const server_rec *server; /* the first that has it */
    int number;
    int64_t timeout_s;
    apr_pool_t *pool;
} checked_t;

/* ---- in a process of its own ---- */

typedef struct {
    ratings_findings_t findings;
    const checked_t *checked;
    const ratings_check_part_t *part;
} reporter_t;

static void report_line(ratings_findings_t *findings, const ratings_finding_t *finding)
{
    const reporter_t *reporter = RATINGS_CONTAINER_OF(findings, reporter_t, findings);
    const char *name = reporter->checked->server->server_hostname;
    ratings_check_write_finding(reporter->checked->number, name ? name : "", reporter->part->name,
                                finding);
}

static reporter_t make_reporter(const checked_t *checked, const ratings_check_part_t *part)
{
    return (reporter_t){{.report = report_line, .us = -1}, checked, part};
}

/* With the rights of a child of httpd, whose files and sockets may be others than root's. It ends
 * without cleaning up: threads of client libraries may run. */
static void run_part(const checked_t *checked, const ratings_check_part_t *part)
{
    reporter_t reporter = make_reporter(checked, part);
    (void)alarm((unsigned)checked->timeout_s + 5); /* should the parent be gone */
    (void)signal(SIGPIPE, SIG_IGN);                /* as httpd's children have it */
    if (!part->as_root)
        (void)ap_run_drop_privileges(checked->pool, checked->main);
    part->run(ratings_server_of(checked->server), checked->pool, &reporter.findings);
    _exit(0);
}

/* ---- the parent ---- */

/* A process, and the end of a pipe that it has the other one of: the kernel closes that when the
 * process ends, however it does. */
typedef struct {
    pid_t pid; /* -1: none could be made */
    int life;
} process_t;

static process_t start_part(const checked_t *checked, const ratings_check_part_t *part)
{
    int ends[2];
    process_t process = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return process;
    process.pid = fork();
    if (process.pid == 0) {
        (void)close(ends[0]);
        run_part(checked, part);
    }
    (void)close(ends[1]);
    process.life = ends[0];
    return process;
}

static bool ends_in_time(const process_t *process, const ratings_deadline_t *deadline)
{
    struct pollfd ended = {process->life, POLLIN, 0};
    int count;
    do
        count = poll(&ended, 1, ratings_deadline_ms_left(deadline));
    while ((count < 0 && errno == EINTR) || (count == 0 && ratings_deadline_ms_left(deadline) > 0));
    return count > 0;
}

static void report_no_end(const checked_t *checked, const ratings_check_part_t *part,
                          const char *text)
{
    reporter_t reporter = make_reporter(checked, part);
    ratings_finding(&reporter.findings, RATINGS_FINDING_FAULT, "check", "%s", text);
}

static void await_part(const checked_t *checked, const ratings_check_part_t *part,
                       const process_t *process, const ratings_deadline_t *deadline)
{
    int status = 0;
    if (process->pid < 0) {
        report_no_end(checked, part, "no process could be made to ask it");
        return;
    }
    bool in_time = ends_in_time(process, deadline);
    if (!in_time)
        (void)kill(process->pid, SIGKILL);
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR)
        ;
    (void)close(process->life);
    if (!in_time)
        report_no_end(checked, part, "it did not answer in time (--timeout)");
    else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        report_no_end(checked, part, "the process that asked it has died");
}

static void check_one_service(const checked_t *checked)
{
    process_t processes[RATINGS_CHECK_PARTS];
    const ratings_deadline_t deadline = {
        ratings_monotonic() + apr_time_from_sec(checked->timeout_s), -1};
    for (int i = 0; i < RATINGS_CHECK_PARTS; i++)
        processes[i] = start_part(checked, &ratings_check_parts[i]);
    for (int i = 0; i < RATINGS_CHECK_PARTS; i++)
        await_part(checked, &ratings_check_parts[i], &processes[i], &deadline);
}

/* ---- all services ---- */

static bool has_service(const server_rec *server)
{
    return ratings_config_of_server(server)->talks != NULL; /* complete: the configuration is */
}

/* Whether it is that of no server before. */
static bool has_new_service(const server_rec *main, const server_rec *server)
{
    if (!has_service(server))
        return false;
    for (const server_rec *other = main; other != server; other = other->next)
        if (has_service(other) && ratings_config_same_backends(ratings_config_of_server(server),
                                                               ratings_config_of_server(other)))
            return false;
    return true;
}

static int64_t timeout_of_check(void)
{
    const char *text = getenv(RATINGS_CHECK_VARIABLE);
    int64_t seconds;
    return text && ratings_parse_int(text, strlen(text), 1, 86400, &seconds)
               ? seconds
               : RATINGS_CHECK_TIMEOUT_S;
}

void ratings_check_run(apr_pool_t *pconf, server_rec *main)
{
    int services = 0;
    checked_t checked = {.main = main, .timeout_s = timeout_of_check(), .pool = pconf};
    if (!ap_exists_config_define(RATINGS_CHECK_DEFINE))
        return;
    for (const server_rec *server = main; server; server = server->next)
        services += has_new_service(main, server);
    ratings_check_write_first(services);
    for (const server_rec *server = main; server; server = server->next)
        if (has_new_service(main, server)) {
            checked.server = server;
            check_one_service(&checked);
            checked.number++;
        }
    ratings_check_write_last();
}
