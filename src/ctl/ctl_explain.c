#include "ctl_explain.h"

#include "ctl_command.h"

#include <search.h>
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
        if (before->fate != CTL_FATE_DUPLICATE &&
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

/* ---- voters: the last event of each counts ---- */

typedef struct {
    int partition;
    ratings_voter_t voter;
    size_t event; /* its number, from 1; 0: the voter has no rating */
} standing_t;

static int compare_standing(const void *a, const void *b)
{
    const standing_t *left = a, *right = b;
    if (left->partition != right->partition)
        return left->partition < right->partition ? -1 : 1;
    return memcmp(&left->voter, &right->voter, sizeof left->voter);
}

/* That of the event's voter; NULL when memory ran out. */
static standing_t *standing_of(ctl_explanation_t *explanation, const ctl_explained_t *event)
{
    standing_t *standing = calloc(1, sizeof *standing);
    if (!standing)
        return NULL;
    *standing = (standing_t){event->partition, event->voter, 0};
    standing_t **found = tsearch(standing, &explanation->standing, compare_standing);
    if (!found || *found != standing)
        free(standing);
    return found ? *found : NULL;
}

/* `event` is the last one of the explanation, and counts. */
static bool supersede(ctl_explanation_t *explanation, ctl_explained_t *event)
{
    standing_t *standing = standing_of(explanation, event);
    const bool withdraws = event->value == RATINGS_VALUE_NONE;
    if (!standing)
        return false;
    if (withdraws)
        event->fate = CTL_FATE_WITHDRAWAL;
    if (standing->event > 0) {
        ctl_explained_t *before = &explanation->event[standing->event - 1];
        before->fate = withdraws ? CTL_FATE_WITHDRAWN : CTL_FATE_REPLACED;
        before->by = event->offset;
        event->by = withdraws ? before->offset : -1;
    }
    standing->event = withdraws ? 0 : explanation->events;
    return true;
}

/* ---- events ---- */

static const ctl_fate_e fate_of_verdict[] = {
    [AUDIT_VERDICT_COUNTED] = CTL_FATE_COUNTS,    [AUDIT_VERDICT_DUPLICATE] = CTL_FATE_DUPLICATE,
    [AUDIT_VERDICT_BARRED] = CTL_FATE_BARRED,     [AUDIT_VERDICT_REPEATED] = CTL_FATE_REPEATED,
    [AUDIT_VERDICT_CONFLICT] = CTL_FATE_CONFLICT,
};

/* Of the event that counted in its place, or of the record that bars its voter. */
static int64_t place_of_counted(const ctl_explanation_t *explanation, const audit_seen_t *seen)
{
    switch (seen->verdict) {
    case AUDIT_VERDICT_DUPLICATE:
        return seen->record->ticket.life ? seen->counted_at
                                         : find_original(explanation, seen->record);
    case AUDIT_VERDICT_BARRED:
    case AUDIT_VERDICT_REPEATED:
    case AUDIT_VERDICT_CONFLICT:
        return seen->counted_at;
    case AUDIT_VERDICT_COUNTED:
        break;
    }
    return -1;
}

static bool explain_event(void *self, const audit_seen_t *seen)
{
    ctl_explanation_t *explanation = self;
    const audit_record_t *record = seen->record;
    if (strcmp(seen->event->rating.talk_id, explanation->talk) != 0)
        return true;
    if (!make_event_room(explanation))
        return false;
    ctl_explained_t *event = &explanation->event[explanation->events];
    *event = (ctl_explained_t){
        .partition = record->partition,
        .offset = record->offset,
        .time = record->timestamp,
        .value = seen->event->rating.value,
        .fate = fate_of_verdict[seen->verdict],
        .by = place_of_counted(explanation, seen),
        .identity = record->identity,
        .has_voter = seen->event->has_voter,
        .voter = seen->event->voter,
    };
    explanation->events++;
    return event->fate != CTL_FATE_COUNTS || !event->has_voter || supersede(explanation, event);
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

bool ctl_explain_is_applied(const ctl_explanation_t *explanation, int partition, int64_t offset)
{
    return offset < ctl_explain_talk(explanation)->read_at[partition];
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
    tdestroy(explanation.standing, free);
    free(explanation.event);
    return code;
}
