#include "ctl_printable.h"
#include "ctl_talks.h"

#include <stdlib.h>
#include <string.h>

/* A text of the table, which anybody may have written. */
static void print_cell(const PGresult *rows, int row, int column)
{
    char *text = strdup(PQgetisnull(rows, row, column) ? "none" : PQgetvalue(rows, row, column));
    if (!text)
        return;
    ctl_make_printable(text);
    (void)fputs(text, stdout);
    free(text);
}

static void print_talks(const char *what, const PGresult *rows)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        (void)printf("%s  ", what);
        print_cell(rows, i, CTL_TALKS_ID);
        (void)fputs("  ", stdout);
        print_cell(rows, i, CTL_TALKS_TITLE);
        (void)putchar('\n');
    }
}

static void print_changes(const PGresult *rows)
{
    for (int i = 0; i < PQntuples(rows); i++) {
        if (i == 0 ||
            strcmp(PQgetvalue(rows, i, CTL_TALKS_ID), PQgetvalue(rows, i - 1, CTL_TALKS_ID)) != 0) {
            (void)fputs("changed  ", stdout);
            print_cell(rows, i, CTL_TALKS_ID);
            (void)fputs("  ", stdout);
            print_cell(rows, i, CTL_TALKS_TITLE);
            (void)putchar('\n');
        }
        (void)printf("           %s: ", PQgetvalue(rows, i, CTL_TALKS_FIELD));
        print_cell(rows, i, CTL_TALKS_OLD);
        (void)fputs(" -> ", stdout);
        print_cell(rows, i, CTL_TALKS_NEW);
        (void)putchar('\n');
    }
}

static void print_missing_columns(const ctl_talks_t *it)
{
    const char *before = "without the columns ";
    bool any = false;
    for (int i = 0; i < CTL_TALKS_COLUMNS; i++) {
        const ctl_talks_column_t *column = &it->columns[i];
        if (column->is_there || !(it->schedule.fields & column->field))
            continue;
        (void)printf("%s%s", before, column->name);
        before = ", ";
        any = true;
    }
    if (any)
        (void)puts(", which the table lacks: ratingsctl talks migrate adds them");
}

void ctl_talks_text(const ctl_talks_t *it)
{
    int added = PQntuples(it->added), gone = PQntuples(it->gone);
    print_talks("added  ", it->added);
    print_changes(it->changed);
    print_talks("gone   ", it->gone);
    print_missing_columns(it);
    (void)printf("%s, %zu talks: %d added, %d changed, %d gone, %d as before\n", it->schedule.kind,
                 it->schedule.count, added, it->changed_talks, gone,
                 it->before - gone - it->changed_talks);
    if (it->options->dry_run)
        (void)puts("nothing is changed: --dry-run");
}
