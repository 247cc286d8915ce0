/* ratingsctl talks: the table of talks, and what a schedule would change in it. One thread. */
#ifndef RATINGS_CTL_TALKS_H
#define RATINGS_CTL_TALKS_H

#include "../schedule/schedule.h"
#include "ctl_options.h"
#include "ctl_postgres.h"

#define CTL_TALKS_COLUMNS 10 /* that a schedule fills, beside the id */

typedef struct {
    const char *name;
    unsigned field; /* SCHEDULE_HAS_...; 0: each schedule has it */
    bool is_there;  /* the table has it */
    bool is_taken;  /* ... and the schedule, too: it is written */
} ctl_talks_column_t;

/* Rows of texts, in this order. */
enum { CTL_TALKS_ID, CTL_TALKS_TITLE };                     /* of added and gone */
enum { CTL_TALKS_FIELD = 2, CTL_TALKS_OLD, CTL_TALKS_NEW }; /* ... and of changed */

typedef struct {
    const ctl_options_t *options;
    schedule_t schedule;
    ctl_postgres_t database;
    ctl_talks_column_t columns[CTL_TALKS_COLUMNS];
    int before;                       /* talks in the table */
    PGresult *added, *changed, *gone; /* of changed: a row for each field that differs */
    int changed_talks;
    int left_out; /* of an export */
} ctl_talks_t;

/* Makes the table and the columns that are missing. `*it` says afterwards which had been there. */
bool ctl_talks_migrate(ctl_talks_t *it, audit_failure_t *why);

/* Begins a transaction in which no other import runs, and finds out what the schedule would
 * change. */
bool ctl_talks_compare(ctl_talks_t *it, audit_failure_t *why);

/* Makes the table what the schedule says, and ends the transaction. */
bool ctl_talks_apply(ctl_talks_t *it, audit_failure_t *why);

/* The schedule as PostgreSQL reads it: an array of objects, a member for each column. The caller
 * frees it. NULL: memory ran out. */
char *ctl_talks_rows_json(const ctl_talks_t *it);

/* The talks, in the order of their times, a row of these texts for each; NULL where the table has
 * no such column. The caller clears it. NULL: it failed. */
enum {
    CTL_TALKS_ROW_ID,
    CTL_TALKS_ROW_TITLE,
    CTL_TALKS_ROW_SPEAKERS, /* a JSON array */
    CTL_TALKS_ROW_ROOM,
    CTL_TALKS_ROW_TRACK,
    CTL_TALKS_ROW_STARTS, /* seconds since 1970 */
    CTL_TALKS_ROW_ENDS,
    CTL_TALKS_ROW_LANGUAGE,
    CTL_TALKS_ROW_URL,
};
PGresult *ctl_talks_select(ctl_talks_t *it, audit_failure_t *why);

/* Writes the rows as schedule JSON 1, by the options, to standard output. `*left_out` counts the
 * talks that have no times, which no schedule can have. */
bool ctl_talks_export_json(const ctl_talks_t *it, const PGresult *rows, int *left_out,
                           audit_failure_t *why);

/* What became of the QR codes: how many there are, how many of them were written, how many of gone
 * talks removed, and how many talks have none, as their ids are too long for the name of a file. */
typedef struct {
    int codes, written, removed, left_out;
} ctl_talks_codes_t;

/* Makes a directory, or what is of this command in it, the codes of the rows' pages: ID.svg, with
 * the id percent-encoded. A file is replaced as a whole, or not at all. */
bool ctl_talks_qr_write(const ctl_talks_t *it, const char *path, const PGresult *rows,
                        ctl_talks_codes_t *report, audit_failure_t *why);

/* Report what was done, or would be. */
void ctl_talks_text(const ctl_talks_t *it);
bool ctl_talks_json(const ctl_talks_t *it, audit_failure_t *why);
bool ctl_talks_qr_json(const ctl_talks_codes_t *codes, bool dry_run, audit_failure_t *why);

#endif
