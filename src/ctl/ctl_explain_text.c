#include "audit_report.h"
#include "ctl_explain.h"
#include "ctl_time.h"

#include <inttypes.h>
#include <stdio.h>

/* What is said of an event that did not count: by what it is known, and what is behind the offset
 * of the event that counted in its place. */
static const char *const reasons[] = {
    [AUDIT_DUPLICATE] = "duplicate, by its CloudEvents id",
    [AUDIT_REPEATED] = "repeated, by its Idempotency-Key",
    [AUDIT_CONFLICT] = "another rating under a used Idempotency-Key",
};

static void show_verdict_of(const ctl_explanation_t *explanation, const ctl_explained_t *event)
{
    if (event->verdict == AUDIT_COUNTED)
        (void)printf("%s", ctl_explain_is_applied(explanation, event)
                               ? "counted"
                               : "to be counted: the store has not applied it yet");
    else
        (void)printf("not counted: %s", reasons[event->verdict]);
    if (event->counted_at >= 0 && event->verdict != AUDIT_COUNTED)
        (void)printf(", of offset %" PRId64, event->counted_at);
    (void)printf("\n");
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
        (void)printf("%9d %12" PRId64 "  %-24s  %5d  %-32s  ", event->partition, event->offset,
                     has_time ? time : "-", event->value, voter);
        show_verdict_of(explanation, event);
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
