#include "ctl_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- cells of each format ---- */

/* Quoted also for a semicolon, at which spreadsheets of many countries divide a line: what is
 * behind it would begin a cell. */
static void put_csv_text(FILE *out, const char *text)
{
    const char *prefix = *text && strchr("=+-@'", *text) ? "'" : "";
    if (!strpbrk(text, "\",;\r\n")) {
        (void)fprintf(out, "%s%s", prefix, text);
        return;
    }
    (void)fprintf(out, "\"%s", prefix);
    for (; *text; text++) {
        if (*text == '"')
            (void)fputc('"', out);
        (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

static void put_json_text(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            (void)fputc('\\', out);
        if ((unsigned char)*text < ' ')
            (void)fprintf(out, "\\u%04x", (unsigned)*text);
        else
            (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

/* ---- rows ---- */

void ctl_rows_begin(ctl_rows_t *rows, FILE *out, ctl_rows_format_e format, const char *const *names)
{
    *rows = (ctl_rows_t){out, format, names, 0};
    if (format != CTL_ROWS_CSV)
        return;
    for (size_t i = 0; names[i]; i++)
        (void)fprintf(out, "%s%s", i ? "," : "", names[i]);
    (void)fputs("\r\n", out);
}

static void begin_cell(ctl_rows_t *rows)
{
    if (rows->format == CTL_ROWS_CSV)
        (void)fputs(rows->column ? "," : "", rows->out);
    else
        (void)fprintf(rows->out, "%s\"%s\":", rows->column ? "," : "{", rows->names[rows->column]);
}

static void end_cell(ctl_rows_t *rows)
{
    if (rows->names[++rows->column])
        return;
    (void)fputs(rows->format == CTL_ROWS_CSV ? "\r\n" : "}\n", rows->out);
    rows->column = 0;
}

void ctl_rows_text(ctl_rows_t *rows, const char *text)
{
    begin_cell(rows);
    if (rows->format == CTL_ROWS_CSV)
        put_csv_text(rows->out, text ? text : "");
    else if (text)
        put_json_text(rows->out, text);
    else
        (void)fputs("null", rows->out);
    end_cell(rows);
}

void ctl_rows_integer(ctl_rows_t *rows, int64_t number)
{
    begin_cell(rows);
    (void)fprintf(rows->out, "%" PRId64, number);
    end_cell(rows);
}

/* 15 digits are the most that any double gives back; 17 tell each from the others. */
void ctl_rows_real(ctl_rows_t *rows, double number)
{
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    begin_cell(rows);
    (void)fputs(text, rows->out);
    end_cell(rows);
}
