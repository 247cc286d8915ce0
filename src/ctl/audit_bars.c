#include "audit_bars.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

static int compare_bars(const void *a, const void *b)
{
    const audit_bar_t *left = a, *right = b;
    return memcmp(&left->last.voter, &right->last.voter, sizeof left->last.voter);
}

/* That of a voter, a new one that bars nobody if there is none. */
static audit_bar_t *bar_of(audit_bars_t *bars, const ratings_voter_t *voter)
{
    audit_bar_t *bar = calloc(1, sizeof *bar);
    if (!bar)
        return NULL;
    bar->last.voter = *voter;
    audit_bar_t **found = tsearch(bar, &bars->tree, compare_bars);
    if (!found || *found != bar) {
        free(bar);
        return found ? *found : NULL;
    }
    SLIST_INSERT_HEAD(&bars->all, bar, link);
    return bar;
}

bool audit_bars_note(audit_bars_t *bars, const ratings_bar_t *bar, int64_t offset)
{
    audit_bar_t *noted = bar_of(bars, &bar->voter);
    if (!noted)
        return false;
    bars->barred += bar->is_barred;
    bars->barred -= noted->last.is_barred;
    noted->last = *bar;
    noted->offset = offset;
    return true;
}

const audit_bar_t *audit_bars_find(const audit_bars_t *bars, const ratings_voter_t *voter)
{
    const audit_bar_t wanted = {.last.voter = *voter};
    audit_bar_t *const *found = tfind(&wanted, &bars->tree, compare_bars);
    return found && (*found)->last.is_barred ? *found : NULL;
}

void audit_bars_free(audit_bars_t *bars)
{
    while (!SLIST_EMPTY(&bars->all)) {
        audit_bar_t *bar = SLIST_FIRST(&bars->all);
        SLIST_REMOVE_HEAD(&bars->all, link);
        (void)tdelete(bar, &bars->tree, compare_bars);
        free(bar);
    }
}
