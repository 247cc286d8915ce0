#include "audit_report.h"
#include "ctl_explain.h"
#include "ctl_time.h"

#include <inttypes.h>
#include <stdio.h>

/* What became of an event, and what its offset is behind: that of the event on whose account. */
static const struct {
    const char *text, *before_offset;
} fates[] = {
    [CTL_FATE_COUNTS] = {"counted", ""},
    [CTL_FATE_DUPLICATE] = {"not counted: duplicate, by its CloudEvents id", ", of"},
    [CTL_FATE_BARRED] = {"not counted: its voter is barred", ", by"},
    [CTL_FATE_REPEATED] = {"not counted: repeated, by its Idempotency-Key", ", of"},
    [CTL_FATE_CONFLICT] = {"not counted: another rating under a used Idempotency-Key", ", of"},
    [CTL_FATE_REPLACED] = {"not counted: its voter changed it", ", at"},
    [CTL_FATE_WITHDRAWN] = {"not counted: its voter withdrew it", ", at"},
    [CTL_FATE_WITHDRAWAL] = {"withdraws the voter's rating", ", of"},
};

/* An event that is not applied changes nothing yet: neither itself nor what it replaces. */
static void show_fate(const ctl_explanation_t *explanation, const ctl_explained_t *event)
{
    const bool by_later = event->by > event->offset;
    const int64_t last = by_later ? event->by : event->offset;
    (void)printf("%s", fates[event->fate].text);
    if (event->by >= 0)
        (void)printf("%s offset %" PRId64, fates[event->fate].before_offset, event->by);
    if (!ctl_explain_is_applied(explanation, event->partition, last))
        (void)printf("%s", by_later ? ", which the store has not applied yet"
                                    : "; the store has not applied it yet");
    (void)printf("\n");
}

static void show_value(int value)
{
    if (value == RATINGS_VALUE_NONE)
        (void)printf("  %5s", "-");
    else
        (void)printf("  %5d", value);
}

static void show_events(const ctl_explanation_t *explanation)
{
    (void)printf("%9s %12s  %-24s  %5s  %-32s  %s\n", "partition", "offset", "time", "value",
                 "voter", "what became of it");
    for (size_t i = 0; i < explanation->events; i++) {
        const ctl_explained_t *event = &explanation->event[i];
        char time[CTL_TIME_SIZE], voter[RATINGS_VOTER_TEXT_SIZE] = "anonymous";
        bool has_time = ctl_time_print(event->time, time);
        if (event->has_voter)
            ratings_voter_print(&event->voter, voter);
        (void)printf("%9d %12" PRId64 "  %-24s", event->partition, event->offset,
                     has_time ? time : "-");
        show_value(event->value);
        (void)printf("  %-32s  ", voter);
        show_fate(explanation, event);
    }
}

static void show_talk_counts(const ctl_explanation_t *explanation)
{
    const audit_talk_t *talk = ctl_explain_talk(explanation);
    const char *problem = audit_talk_problem(talk);
    ratings_histogram_t expected = audit_fold_expected(talk);
    (void)printf("\nup to the store's checkpoints:\n");
    audit_report_counts("log", &expected);
    audit_report_counts("store", &talk->found.counts);
    audit_report_problems(&explanation->audit);
    if (problem)
        (void)printf("DIFFER: %s\n", problem);
    else
        (void)printf("%s\n", audit_agrees(&explanation->audit) ? "agree" : "DIFFER");
}

bool ctl_explain_text(const ctl_explanation_t *explanation, audit_failure_t *why)
{
    (void)why;
    (void)printf("talk   %s\n", explanation->talk);
    audit_report_sources(&explanation->audit);
    show_events(explanation);
    show_talk_counts(explanation);
    return true;
}
