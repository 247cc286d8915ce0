/* The command export: the log's counts, or its events, as rows. */
#include "ctl_command.h"
#include "ctl_log.h"
#include "ctl_rows.h"
#include "ctl_time.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- ratings ---- */

static const char *const rating_names[] = {"talk",  "1",       "2",   "3",    "4", "5",
                                           "total", "average", "low", "high", NULL};

static int by_talk_id(const void *a, const void *b)
{
    const audit_talk_t *const *left = a, *const *right = b;
    return strcmp((*left)->id, (*right)->id);
}

static double average_rating(const ratings_histogram_t *counts, int64_t total)
{
    double weighted = 0;
    for (int v = 0; v < RATINGS_VALUES; v++)
        weighted += (double)(v + RATINGS_VALUE_MIN) * (double)counts->count[v];
    return weighted / (double)total;
}

/* The average, and the interval in which the true one lies; nothing of a talk without ratings. */
static void put_average(ctl_rows_t *rows, const ratings_prior_t *prior,
                        const ratings_histogram_t *counts, int64_t total)
{
    ratings_interval_t interval = ratings_interval_of(prior, counts);
    const double numbers[] = {average_rating(counts, total), interval.low, interval.high};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (total > 0)
            ctl_rows_real(rows, numbers[i]);
        else
            ctl_rows_text(rows, NULL);
}

static bool put_rating(ctl_rows_t *rows, const ratings_prior_t *prior, const audit_talk_t *talk,
                       audit_failure_t *why)
{
    ratings_histogram_t counts = audit_fold_now(talk);
    int64_t total;
    if (!ratings_histogram_total(&counts, &total))
        return audit_fail(why, "the ratings of a talk are more than a number can tell");
    ctl_rows_text(rows, talk->id);
    for (int v = 0; v < RATINGS_VALUES; v++)
        ctl_rows_integer(rows, counts.count[v]);
    ctl_rows_integer(rows, total);
    put_average(rows, prior, &counts, total);
    return true;
}

static bool export_ratings(ctl_log_t *log, ctl_rows_format_e format, audit_failure_t *why)
{
    ctl_rows_t rows;
    if (!ctl_log_fold(log, why))
        return false;
    ctl_rows_begin(&rows, stdout, format, rating_names);
    if (log->fold.talks)
        qsort(log->fold.talk, log->fold.talks, sizeof(audit_talk_t *), by_talk_id);
    bool good = true;
    for (size_t i = 0; i < log->fold.talks && good; i++)
        good = put_rating(&rows, &log->options->prior, log->fold.talk[i], why);
    return good;
}

/* ---- events ---- */

static const char *const event_names[] = {"partition", "offset", "time",    "talk",
                                          "value",     "voter",  "verdict", NULL};

/* A standard output that is closed ends the reading of the log, too. */
static bool put_event(void *self, const audit_seen_t *seen)
{
    ctl_rows_t *rows = self;
    char time[CTL_TIME_SIZE], voter[RATINGS_VOTER_TEXT_SIZE];
    bool has_time = ctl_time_print(seen->record->timestamp, time);
    if (seen->event->has_voter)
        ratings_voter_print(&seen->event->voter, voter);
    ctl_rows_integer(rows, seen->record->partition);
    ctl_rows_integer(rows, seen->record->offset);
    ctl_rows_text(rows, has_time ? time : NULL);
    ctl_rows_text(rows, seen->event->rating.talk_id);
    if (seen->event->rating.value == RATINGS_VALUE_NONE)
        ctl_rows_text(rows, NULL);
    else
        ctl_rows_integer(rows, seen->event->rating.value);
    ctl_rows_text(rows, seen->event->has_voter ? voter : NULL);
    ctl_rows_text(rows, audit_verdict_word(seen->verdict));
    return !ferror(rows->out);
}

static bool export_events(ctl_log_t *log, ctl_rows_format_e format, audit_failure_t *why)
{
    ctl_rows_t rows;
    ctl_rows_begin(&rows, stdout, format, event_names);
    log->fold.observe = put_event;
    log->fold.observer = &rows;
    return ctl_log_fold(log, why) ||
           (ferror(stdout) ? audit_fail(why, "the export could not be written") : false);
}

/* ---- the command ---- */

static const struct {
    const char *name;
    bool (*run)(ctl_log_t *log, ctl_rows_format_e format, audit_failure_t *why);
} exports[] = {{"ratings", export_ratings}, {"events", export_events}};

/* What was deleted from the log is in no export. */
static ctl_exit_e check_log_start(const ctl_log_t *log, audit_failure_t *why)
{
    for (int p = 0; p < log->fold.partitions; p++)
        if (log->first[p] > 0) {
            audit_fail(why,
                       "partition %d of the log begins at offset %" PRId64
                       ": the records before it were deleted, and are not in this export",
                       p, log->first[p]);
            return CTL_EXIT_DIFFERS;
        }
    return CTL_EXIT_GOOD;
}

static ctl_exit_e export_by(size_t row, ctl_options_t *options, audit_failure_t *why)
{
    ctl_log_t log;
    options->stream.has_progress = !isatty(STDOUT_FILENO); /* it would be between the rows */
    bool good = ctl_log_open(&log, options, why) && exports[row].run(&log, options->format, why);
    ctl_exit_e code = good ? check_log_start(&log, why) : CTL_EXIT_FAILED;
    ctl_log_close(&log);
    return code;
}

ctl_exit_e ctl_export(ctl_options_t *options, audit_failure_t *why)
{
    for (size_t row = 0; row < sizeof exports / sizeof *exports; row++)
        if (strcmp(options->words[0], exports[row].name) == 0)
            return export_by(row, options, why);
    audit_fail(why, "export takes ratings or events (see --help)");
    return CTL_EXIT_FAILED;
}
