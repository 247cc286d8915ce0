#include "audit_json.h"
#include "ctl_explain.h"
#include "ctl_time.h"

static json_t *offset_or_null(int64_t offset)
{
    return offset < 0 ? json_null() : json_integer(offset);
}

static const char *const words[] = {
    [CTL_FATE_COUNTS] = "counted",        [CTL_FATE_DUPLICATE] = "duplicate",
    [CTL_FATE_REPEATED] = "repeated",     [CTL_FATE_CONFLICT] = "conflict",
    [CTL_FATE_REPLACED] = "replaced",     [CTL_FATE_WITHDRAWN] = "withdrawn",
    [CTL_FATE_WITHDRAWAL] = "withdrawal", [CTL_FATE_BARRED] = "barred",
};

static json_t *event_row(const ctl_explanation_t *explanation, const ctl_explained_t *event)
{
    char time[CTL_TIME_SIZE], voter[RATINGS_VOTER_TEXT_SIZE];
    bool has_time = ctl_time_print(event->time, time);
    if (event->has_voter)
        ratings_voter_print(&event->voter, voter);
    return json_pack("{s:i, s:I, s:s?, s:o, s:s?, s:s, s:o, s:b}", "partition", event->partition,
                     "offset", (json_int_t)event->offset, "time", has_time ? time : NULL, "value",
                     event->value == RATINGS_VALUE_NONE ? json_null() : json_integer(event->value),
                     "voter", event->has_voter ? voter : NULL, "verdict", words[event->fate], "by",
                     offset_or_null(event->by), "applied",
                     ctl_explain_is_applied(explanation, event->partition, event->offset));
}

static json_t *event_rows(const ctl_explanation_t *explanation)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < explanation->events && rows; i++)
        if (json_array_append_new(rows, event_row(explanation, &explanation->event[i])) != 0) {
            json_decref(rows);
            rows = NULL;
        }
    return rows;
}

bool ctl_explain_json(const ctl_explanation_t *explanation, audit_failure_t *why)
{
    const audit_t *audit = &explanation->audit;
    const audit_talk_t *talk = ctl_explain_talk(explanation);
    ratings_histogram_t expected = audit_fold_expected(talk);
    bool found = talk->found.what == AUDIT_FOUND_COUNTS;
    json_t *root =
        json_pack("{s:b, s:s, s:s, s:s, s:s?, s:o, s:{s:o, s:o}}", "agree", audit_agrees(audit),
                  "talk", explanation->talk, "topic", audit->options->stream.topic, "generation",
                  audit->state.generation, "problem", audit_talk_problem(talk), "events",
                  event_rows(explanation), "counts", "log", audit_json_counts(&expected), "store",
                  found ? audit_json_counts(&talk->found.counts) : json_null());
    return audit_json_write(root, why);
}
