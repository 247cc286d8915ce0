#include "ctl_check.h"

#include "../core/backend_names.h"
#include "../core/check_interface.h"
#include "../core/container_of.h"
#include "ctl_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const verdict_names[CTL_VERDICTS] = {
    [CTL_VERDICT_OK] = "ok",
    [CTL_VERDICT_NOTE] = "note",
    [CTL_VERDICT_WARN] = "warn",
    [CTL_VERDICT_FAIL] = "fail",
};

const char *ctl_verdict_name(ctl_verdict_e verdict)
{
    return verdict_names[verdict];
}

/* ---- the findings ---- */

ctl_finding_t *ctl_check_add(ctl_check_t *check)
{
    if (check->count == check->room) {
        int room = check->room ? 2 * check->room : 32;
        ctl_finding_t *more = realloc(check->findings, (size_t)room * sizeof *more);
        if (!more)
            return NULL;
        check->findings = more;
        check->room = room;
    }
    ctl_finding_t *finding = &check->findings[check->count++];
    *finding = (ctl_finding_t){.ms = -1};
    return finding;
}

/* The parts as a reader of the configuration thinks of them; what a newer module has comes last. */
static int place_of_part(const char *part)
{
    static const char *const backends[RATINGS_BACKENDS] = {RATINGS_BACKEND_NAMES};
    int place = 0;
    if (strcmp(part, RATINGS_CHECK_FILES) == 0)
        return -1;
    while (place < RATINGS_BACKENDS && strcmp(part, backends[place]) != 0)
        place++;
    return place;
}

/* They come from processes that run at the same time; within a part they stay as they came. */
static bool is_before(const ctl_finding_t *a, const ctl_finding_t *b)
{
    if (a->service != b->service)
        return a->service < b->service;
    return place_of_part(a->part) < place_of_part(b->part);
}

static void sort_findings(ctl_check_t *check)
{
    for (int i = 1; i < check->count; i++) {
        ctl_finding_t finding = check->findings[i];
        int at = i;
        for (; at > 0 && is_before(&finding, &check->findings[at - 1]); at--)
            check->findings[at] = check->findings[at - 1];
        check->findings[at] = finding;
    }
}

static void free_check(ctl_check_t *check)
{
    for (int i = 0; i < check->count; i++) {
        free(check->findings[i].server);
        free(check->findings[i].part);
        free(check->findings[i].subject);
        free(check->findings[i].text);
    }
    free(check->findings);
}

/* ---- the command ---- */

static bool take_httpd_line(ctl_httpd_reader_t *reader, const char *line, audit_failure_t *why)
{
    return ctl_check_read(RATINGS_CONTAINER_OF(reader, ctl_check_t, reader), line, why);
}

static bool judge_check(ctl_check_t *check, audit_failure_t *why)
{
    const char *config = check->config ? check->config : "httpd's own configuration";
    if (!check->version[0])
        return audit_fail(why, "%s does not load mod_ratings, or one that is older than this",
                          config);
    if (!check->is_done)
        return audit_fail(why, "httpd ended before all was checked");
    if (check->services == 0)
        return audit_fail(why, "%s names no backends: RatingsTalks and the like are not set",
                          config);
    for (int i = 0; i < check->count; i++)
        check->verdicts[check->findings[i].verdict]++;
    sort_findings(check);
    return true;
}

static bool run_check(ctl_check_t *check, const ctl_options_t *options, audit_failure_t *why)
{
    const ctl_httpd_t httpd = {options->httpd, check->config, options->stream.timeout_ms / 1000};
    return ctl_httpd_check(&httpd, &check->reader, why) && judge_check(check, why);
}

static bool report_check(const ctl_check_t *check, bool as_json, audit_failure_t *why)
{
    if (as_json)
        return ctl_check_json(check, why);
    ctl_check_text(check);
    return true;
}

/* httpd takes a path that does not begin with / for one below its ServerRoot. */
ctl_exit_e ctl_check(ctl_options_t *options, audit_failure_t *why)
{
    ctl_check_t check = {.reader = {take_httpd_line}};
    char *config = options->words_count > 0 ? realpath(options->words[0], NULL) : NULL;
    ctl_exit_e code = CTL_EXIT_FAILED;
    check.config = config;
    if (options->words_count > 0 && !config)
        audit_fail(why, "%s cannot be read: %s", options->words[0], strerror(errno));
    else if (run_check(&check, options, why) && report_check(&check, options->json, why))
        code = check.verdicts[CTL_VERDICT_FAIL] ? CTL_EXIT_DIFFERS : CTL_EXIT_GOOD;
    free_check(&check);
    free(config);
    return code;
}
