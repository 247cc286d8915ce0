/* Repairing talks while the service runs: counts are written only if the store has exactly the
 * checkpoints up to which the log is folded; if it has moved on, so does the fold, and tries again.
 */
#include "audit.h"

#include <stdlib.h>

#define TRIES 1000 /* each follows the store, so a busy one is met in a few */

static bool is_in(const int *partitions, int count, int partition)
{
    for (int i = 0; i < count; i++)
        if (partitions[i] == partition)
            return true;
    return false;
}

/* In the partitions that have events of the talk, and in the one where its next will be. */
static audit_precondition_t precondition_of(audit_t *audit, const audit_talk_t *talk)
{
    const audit_tally_t *tally;
    int count = 0;
    int among = (int)audit->state.routing_partitions; /* no more than the topic has: audit_repair */
    int home = audit_stream_home(audit->stream, talk, among > 0 ? among : 1);
    SLIST_FOREACH(tally, &talk->tallies, link)
        audit->partitions[count++] = tally->partition;
    if (!is_in(audit->partitions, count, home))
        audit->partitions[count++] = home;
    for (int i = 0; i < count; i++)
        audit->checkpoints[i] = audit->fold.partition[audit->partitions[i]].next;
    return (audit_precondition_t){audit->state.generation, audit->state.ranking, audit->partitions,
                                  audit->checkpoints, count};
}

static bool repair_talk(audit_t *audit, const audit_talk_t *talk, audit_failure_t *why)
{
    for (int i = 0; i < TRIES; i++) {
        audit_cas_e result;
        ratings_histogram_t counts = audit_fold_now(talk);
        audit_precondition_t precondition = precondition_of(audit, talk);
        if (!audit_store_repair(audit->store, &precondition, talk, &counts, &result, why))
            return false;
        switch (result) {
        case AUDIT_CAS_APPLIED:
            audit->repaired++;
            return true;
        case AUDIT_CAS_REBUILT:
            return audit_fail(why, "the store was rebuilt meanwhile: try again");
        case AUDIT_CAS_CONFLICT:
            break;
        }
        if (!audit_follow(audit, precondition.partitions, precondition.count, why))
            return false;
    }
    audit->gave_up++;
    return true;
}

static int first_partition(const audit_talk_t *talk)
{
    const audit_tally_t *first = SLIST_FIRST(&talk->tallies);
    return first ? first->partition : -1;
}

/* Talks of a partition after another: following the store is quickest in the same one. */
static int by_partition(const void *a, const void *b)
{
    const audit_talk_t *const *left = a, *const *right = b;
    int first = first_partition(*left), second = first_partition(*right);
    return (first > second) - (first < second);
}

/* Where ratings:log itself does not fit the log, counts alone would repair nothing. */
bool audit_repair(audit_t *audit, audit_failure_t *why)
{
    bool good = true;
    audit->unrepairable = audit->bad_partitions > 0 || audit->problem;
    if (audit->unrepairable)
        return true;
    qsort(audit->differing, audit->differ, sizeof *audit->differing, by_partition);
    for (size_t i = 0; i < audit->differ && good; i++)
        good = repair_talk(audit, audit->differing[i], why);
    return good;
}
