/* Rows of a table, written as CSV or as one JSON object a line (NDJSON), with the same names.
 *
 * CSV is that of RFC 4180, in UTF-8, with a line of names first. A spreadsheet takes a cell that
 * begins with = + - or @ for a formula, and a talk's id may; so a text that begins with one of
 * these has a ' before it, which spreadsheets take for "this is text". One that begins with a ' has
 * another, so that a reader gets each text back by removing one. NDJSON has texts as they are.
 * https://www.rfc-editor.org/rfc/rfc4180 https://github.com/ndjson/ndjson-spec
 * https://owasp.org/www-community/attacks/CSV_Injection
 *
 * Errors are those of the stream: ferror(). One thread. */
#ifndef RATINGS_CTL_ROWS_H
#define RATINGS_CTL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef enum { CTL_ROWS_CSV, CTL_ROWS_NDJSON } ctl_rows_format_e;

typedef struct {
    FILE *out;
    ctl_rows_format_e format;
    const char *const *names; /* of the columns, as they follow each other; NULL ends them */
    size_t column;            /* to come */
} ctl_rows_t;

/* `names` must live as long. */
void ctl_rows_begin(ctl_rows_t *rows, FILE *out, ctl_rows_format_e format,
                    const char *const *names);

/* The cells of a row, one for each column in its order; after the last one the row ends. */
void ctl_rows_text(ctl_rows_t *rows, const char *text); /* UTF-8; NULL: none (JSON: null) */
void ctl_rows_integer(ctl_rows_t *rows, int64_t number);
void ctl_rows_real(ctl_rows_t *rows, double number); /* the fewest digits that read back the same */

#endif
