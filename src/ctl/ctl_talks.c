#include "ctl_talks.h"

#include "ctl_ask.h"
#include "ctl_command.h"
#include "ctl_file.h"

#include <stdlib.h>
#include <string.h>

/* ---- import ---- */

static bool fail_at(const char *path, const schedule_fault_t *fault, audit_failure_t *why)
{
    char line[32] = "";
    if (fault->line > 0)
        (void)snprintf(line, sizeof line, ", line %d", fault->line);
    return audit_fail(why, "%s%s%s%s: %s", strcmp(path, "-") == 0 ? "standard input" : path, line,
                      fault->field[0] ? ", " : "", fault->field, fault->text);
}

static bool read_schedule(ctl_talks_t *it, const char *path, audit_failure_t *why)
{
    schedule_fault_t fault;
    size_t len;
    char *text = ctl_file_read(path, SCHEDULE_SIZE_MAX, &len, why);
    bool good = text && (schedule_read(text, len, &it->options->schedule, &it->schedule, &fault) ||
                         fail_at(path, &fault, why));
    free(text);
    return good;
}

static bool report_talks(const ctl_talks_t *it, audit_failure_t *why)
{
    if (it->options->json)
        return ctl_talks_json(it, why);
    ctl_talks_text(it);
    return true;
}

/* Another id for each talk, or the schedule of another conference. */
static bool may_replace(const ctl_talks_t *it, audit_failure_t *why)
{
    char question[160];
    int gone = PQntuples(it->gone);
    if (2 * gone <= it->before)
        return true;
    (void)snprintf(question, sizeof question,
                   "%d of the %d talks are not in the schedule, and can then no longer be rated. "
                   "Remove them?",
                   gone, it->before);
    audit_failure_t reason;
    return ctl_ask(it->options, question, &reason) ||
           audit_fail(why, "%d of the %d talks are not in the schedule: %s", gone, it->before,
                      reason.text);
}

static bool import_talks(ctl_talks_t *it, audit_failure_t *why)
{
    const ctl_options_t *options = it->options;
    return read_schedule(it, options->words[1], why) &&
           ctl_postgres_open(&it->database, options->talks_url, options->stream.timeout_ms, why) &&
           ctl_talks_compare(it, why) &&
           (options->dry_run || (may_replace(it, why) && ctl_talks_apply(it, why))) &&
           report_talks(it, why);
}

/* ---- migrate ---- */

static bool migrate_talks(ctl_talks_t *it, audit_failure_t *why)
{
    const ctl_options_t *options = it->options;
    const char *before = "added ";
    if (!ctl_postgres_open(&it->database, options->talks_url, options->stream.timeout_ms, why) ||
        !ctl_talks_migrate(it, why))
        return false;
    for (int i = 0; i < CTL_TALKS_COLUMNS; i++) {
        if (it->columns[i].is_there)
            continue;
        (void)printf("%s%s", before, it->columns[i].name);
        before = ", ";
    }
    (void)puts(before[0] == 'a' ? "the table talks has each column" : "");
    return true;
}

/* ---- export ---- */

/* For what leads to the pages of talks. */
static PGresult *select_talks(ctl_talks_t *it, audit_failure_t *why)
{
    const ctl_options_t *options = it->options;
    if (!options->page) {
        (void)audit_fail(why, "talks %s takes --page, the address of a talk's page (see --help)",
                         options->words[0]);
        return NULL;
    }
    return ctl_postgres_open(&it->database, options->talks_url, options->stream.timeout_ms, why) &&
                   ctl_postgres_run(&it->database, "SET client_encoding = 'UTF8'", why)
               ? ctl_talks_select(it, why)
               : NULL;
}

static bool export_talks(ctl_talks_t *it, audit_failure_t *why)
{
    PGresult *rows = select_talks(it, why);
    bool good = rows && ctl_talks_export_json(it, rows, &it->left_out, why);
    PQclear(rows);
    if (good && it->left_out > 0)
        (void)audit_fail(why, "%d talks have no start and end, and are left out", it->left_out);
    return good;
}

/* ---- qr ---- */

static bool report_codes(const ctl_talks_t *it, const ctl_talks_codes_t *codes,
                         audit_failure_t *why)
{
    const ctl_options_t *options = it->options;
    if (options->json)
        return ctl_talks_qr_json(codes, options->dry_run, why);
    (void)printf("%d codes: %d written, %d as before; %d of talks that are gone removed\n",
                 codes->codes, codes->written, codes->codes - codes->written, codes->removed);
    if (options->dry_run)
        (void)puts("nothing is changed: --dry-run");
    return true;
}

static bool make_talks_codes(ctl_talks_t *it, audit_failure_t *why)
{
    ctl_talks_codes_t codes = {.codes = 0};
    PGresult *rows = select_talks(it, why);
    bool good = rows && ctl_talks_qr_write(it, it->options->words[1], rows, &codes, why) &&
                report_codes(it, &codes, why);
    PQclear(rows);
    it->left_out = codes.left_out;
    if (good && it->left_out > 0)
        (void)audit_fail(why, "%d talks have ids too long for the name of a file, and no code",
                         it->left_out);
    return good;
}

/* ---- the command ---- */

static const struct {
    const char *word;
    int words; /* with it */
    bool (*run)(ctl_talks_t *it, audit_failure_t *why);
} actions[] = {
    {"import", 2, import_talks},
    {"migrate", 1, migrate_talks},
    {"export", 1, export_talks},
    {"qr", 2, make_talks_codes},
};

static bool run_action(ctl_talks_t *it, audit_failure_t *why)
{
    const ctl_options_t *options = it->options;
    if (!options->talks_url || !options->talks_url[0])
        return audit_fail(why, "neither --talks nor TALKS_CONNECTION says where PostgreSQL is");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(options->words[0], actions[i].word) == 0 &&
            options->words_count == actions[i].words)
            return actions[i].run(it, why);
    return audit_fail(why, "talks takes import with a file or -, migrate, export, or qr with a "
                           "directory (see --help)");
}

ctl_exit_e ctl_talks(ctl_options_t *options, audit_failure_t *why)
{
    ctl_talks_t it = {.options = options};
    bool good = run_action(&it, why);
    PQclear(it.added);
    PQclear(it.changed);
    PQclear(it.gone);
    ctl_postgres_close(&it.database);
    schedule_free(&it.schedule);
    return !good ? CTL_EXIT_FAILED : it.left_out > 0 ? CTL_EXIT_DIFFERS : CTL_EXIT_GOOD;
}
