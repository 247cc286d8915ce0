#include "ctl_explain.h"

#include "ctl_command.h"

#include <stdlib.h>
#include <string.h>

/* The event that a duplicate is one of, if it is of the same talk. */
static int64_t find_original(const ctl_explanation_t *explanation, const audit_record_t *record)
{
    for (size_t i = explanation->events; i > 0; i--) {
        const ctl_explained_t *before = &explanation->event[i - 1];
        if (before->partition != record->partition)
            continue;
        if (before->offset < record->offset - RATINGS_DEDUP_SPAN)
            return -1;
        if (before->verdict != AUDIT_DUPLICATE &&
            memcmp(&before->identity, &record->identity, sizeof record->identity) == 0)
            return before->offset;
    }
    return -1;
}

static bool make_event_room(ctl_explanation_t *explanation)
{
    size_t room = explanation->room ? 2 * explanation->room : 256;
    if (explanation->events < explanation->room)
        return true;
    ctl_explained_t *event = realloc(explanation->event, room * sizeof *event);
    if (!event)
        return false;
    explanation->event = event;
    explanation->room = room;
    return true;
}

static bool explain_event(void *self, const audit_seen_t *seen)
{
    ctl_explanation_t *explanation = self;
    const audit_record_t *record = seen->record;
    if (strcmp(seen->event->rating.talk_id, explanation->talk) != 0)
        return true;
    if (!make_event_room(explanation))
        return false;
    int64_t counted_at =
        seen->verdict == AUDIT_DUPLICATE ? find_original(explanation, record) : seen->counted_at;
    explanation->event[explanation->events++] = (ctl_explained_t){
        .partition = record->partition,
        .offset = record->offset,
        .time = record->timestamp,
        .value = seen->event->rating.value,
        .verdict = seen->verdict,
        .counted_at = counted_at,
        .identity = record->identity,
        .has_voter = seen->event->has_voter,
        .voter = seen->event->voter,
    };
    return true;
}

static int by_place(const void *a, const void *b)
{
    const ctl_explained_t *left = a, *right = b;
    if (left->partition != right->partition)
        return left->partition < right->partition ? -1 : 1;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

const audit_talk_t *ctl_explain_talk(const ctl_explanation_t *explanation)
{
    return explanation->audit.fold.talk[0];
}

bool ctl_explain_is_applied(const ctl_explanation_t *explanation, const ctl_explained_t *event)
{
    return event->offset < ctl_explain_talk(explanation)->read_at[event->partition];
}

/* An audit of the talk, watched. */
static bool explain_talk(ctl_explanation_t *explanation, const ctl_options_t *options,
                         audit_failure_t *why)
{
    audit_t *audit = &explanation->audit;
    if (!audit_open(audit, options, why))
        return false;
    audit->fold.observe = explain_event;
    audit->fold.observer = explanation;
    if (!audit_round(audit, why) || !audit_finish(audit, why))
        return false;
    if (explanation->events)
        qsort(explanation->event, explanation->events, sizeof *explanation->event, by_place);
    return options->json ? ctl_explain_json(explanation, why) : ctl_explain_text(explanation, why);
}

ctl_exit_e ctl_explain(ctl_options_t *options, audit_failure_t *why)
{
    ctl_explanation_t explanation = {.talk = options->words[0]};
    if (ratings_talk_id_problem(explanation.talk, strlen(explanation.talk))) {
        audit_fail(why, "explain takes the id of a talk (see --help)");
        return CTL_EXIT_FAILED;
    }
    options->talks[options->talks_count++] = explanation.talk;
    bool good = explain_talk(&explanation, options, why);
    ctl_exit_e code = !good                              ? CTL_EXIT_FAILED
                      : audit_agrees(&explanation.audit) ? CTL_EXIT_GOOD
                                                         : CTL_EXIT_DIFFERS;
    audit_free(&explanation.audit);
    free(explanation.event);
    return code;
}
