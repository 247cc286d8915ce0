/* Whether what ratings:log says of the log fits the log. */
#include "audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static audit_fit_e fit_fingerprint(const char *text, const audit_fingerprint_t *fingerprint,
                                   const char *none)
{
    char expected[AUDIT_FIELD_MAX + 1];
    if (!text[0])
        return AUDIT_ABSENT;
    (void)snprintf(expected, sizeof expected, "%" PRId64 ":%" PRId64 ":%" PRIu32,
                   fingerprint->offset, fingerprint->timestamp, fingerprint->checksum);
    return strcmp(text, fingerprint->offset < 0 ? none : expected) == 0 ? AUDIT_FITS
                                                                        : AUDIT_DIFFERS;
}

static audit_fit_e fit_time(const char *text, int64_t time)
{
    char expected[AUDIT_FIELD_MAX + 1];
    if (!text[0])
        return AUDIT_ABSENT;
    (void)snprintf(expected, sizeof expected, "%" PRId64, time);
    return strcmp(text, expected) == 0 ? AUDIT_FITS : AUDIT_DIFFERS;
}

/* As many are said to be, and are, as the log has barred, and the log has barred each. */
static bool fit_barred(const audit_found_bars_t *found, const audit_partition_t *folded)
{
    if (found->said != (int64_t)folded->bars.barred || found->count != found->said)
        return false;
    for (int64_t i = 0; i < found->count; i++)
        if (!audit_bars_find(&folded->bars, &found->voter[i]))
            return false;
    return true;
}

/* `first` and `time` may be absent: a store that was made by an older version has none. */
static const char *partition_problem(const audit_check_t *check, const audit_partition_t *folded)
{
    if (check->checkpoint > check->end)
        return "the log ends before the store's checkpoint: it was truncated or recreated";
    if (check->checkpoint > 0 && check->checkpoint < check->start)
        return "the log begins after the store's checkpoint: records were deleted";
    if (check->last == AUDIT_ABSENT && folded->records > 0)
        return "the store does not say which record it applied last";
    if (check->last == AUDIT_DIFFERS)
        return "the record that the store applied last is not the log's";
    if (check->first == AUDIT_DIFFERS)
        return "the record that the store applied first is not the log's";
    if (check->time == AUDIT_DIFFERS)
        return "the store's time of the log is not the log's";
    return check->bars_fit ? NULL : "the voters whom the store bars are not those of the log";
}

static bool fit_electorate(const char *text, const audit_electorate_t *folded)
{
    char expected[AUDIT_ELECTORATE_MAX + 1] = "";
    if (folded->it.name[0])
        (void)snprintf(expected, sizeof expected, "%" PRId64 ":%" PRId64 ":%s", folded->offset,
                       folded->timestamp, folded->it.name);
    return strcmp(text, expected) == 0;
}

void audit_check_partitions(audit_t *audit)
{
    const audit_state_t *state = &audit->state;
    audit->bad_partitions = 0;
    for (int p = 0; p < audit->fold.partitions; p++) {
        const audit_partition_t *folded = &audit->fold.partition[p];
        audit_check_t *check = &audit->checks[p];
        check->checkpoint = state->checkpoint[p];
        check->end = audit->ends[p];
        check->last = fit_fingerprint(state->last[p], &folded->last, "");
        check->first = fit_fingerprint(state->first[p], &folded->first, "empty");
        check->time = fit_time(state->time[p], folded->time);
        check->bars_fit = fit_barred(&state->barred[p], folded);
        check->problem = partition_problem(check, folded);
        audit->bad_partitions += check->problem != NULL;
    }
    audit->problem = NULL;
    if (state->beyond || state->routing_partitions > audit->fold.partitions)
        audit->problem = "the store knows more partitions than the topic has: it was recreated";
    else if (state->routing_partitions < 1)
        audit->problem = "the store does not say by how many partitions talks are routed";
    else if (audit->fold.routing_partitions > 0 &&
             state->routing_partitions != audit->fold.routing_partitions)
        audit->problem = "talks are routed by another number of partitions than the log says";
    else if (!fit_electorate(state->electorate, &audit->fold.electorate))
        audit->problem = "another electorate votes than the log says";
}
