#include "ctl_voter.h"

#include <stdio.h>

static const char *would(const ctl_voter_t *it)
{
    return it->options->dry_run ? "would be " : "";
}

static void show_bars(const ctl_voter_t *it)
{
    const char *word = it->command->bars ? "barred" : "barred no longer";
    int all = it->log.fold.partitions;
    if (!it->command->changes_bar)
        return;
    if (it->changes == 0)
        (void)printf("it is %s in all %d partitions already\n",
                     it->command->bars ? "barred" : "not barred", all);
    else
        (void)printf("%s%s in %d of %d partitions\n", would(it), word, it->changes, all);
}

static void show_withdrawals(const ctl_voter_t *it)
{
    if (!it->command->withdraws)
        return;
    (void)printf("%swithdrawn: %zu ratings\n", would(it), it->standings);
    for (size_t i = 0; i < it->standings; i++)
        (void)printf("    %d of talk %s, partition %d\n", it->standing[i].value,
                     it->standing[i].talk, it->standing[i].partition);
}

/* For a data subject's request: what nothing can take back. */
static void show_remains(const ctl_voter_t *it)
{
    if (it->command->changes_bar)
        return;
    (void)printf("the log keeps %zu events with this hash, as long as its topic keeps records "
                 "(retention.ms);\nwithout the secret nobody can tell whose they are\n",
                 it->events);
    if (it->barred > 0)
        (void)printf("the voter is barred in %d of %d partitions, which unbar ends\n", it->barred,
                     it->log.fold.partitions);
}

static void show_end(const ctl_voter_t *it)
{
    size_t count = ctl_append_count(it->append);
    if (it->options->dry_run)
        (void)printf("nothing is appended: --dry-run\n");
    else
        (void)printf("%zu records appended: the service %s\n", count,
                     it->is_applied ? "has applied them"
                                    : "HAS NOT APPLIED THEM YET, see ratingsctl status");
}

void ctl_voter_text(const ctl_voter_t *it)
{
    char voter[RATINGS_VOTER_TEXT_SIZE];
    ratings_voter_print(&it->voter, voter);
    (void)printf("voter %s, %zu events in the log\n", voter, it->events);
    show_bars(it);
    show_withdrawals(it);
    show_remains(it);
    show_end(it);
}
