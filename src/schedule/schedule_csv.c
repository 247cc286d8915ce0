/* CSV (RFC 4180) with a line of names, as a spreadsheet saves it: columns in any order, with
 * commas, semicolons or tabs between them. */
#include "schedule_builder.h"
#include "schedule_time.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COLUMNS_MAX 64

/* Columns beside the draft's texts. */
enum {
    CSV_SPEAKERS = SCHEDULE_TEXTS,
    CSV_START,
    CSV_END,
    CSV_DURATION,
    CSV_FIELDS,
    CSV_OTHER = CSV_FIELDS
};

static const struct {
    const char *name;
    int field;
    unsigned has; /* SCHEDULE_HAS_... */
} known[] = {
    {"id", SCHEDULE_CODE, 0},
    {"code", SCHEDULE_CODE, 0},
    {"guid", SCHEDULE_GUID, 0},
    {"uid", SCHEDULE_UID, 0},
    {"url", SCHEDULE_URL, SCHEDULE_HAS_URL},
    {"title", SCHEDULE_TITLE, 0},
    {"room", SCHEDULE_ROOM, SCHEDULE_HAS_ROOM},
    {"track", SCHEDULE_TRACK, SCHEDULE_HAS_TRACK},
    {"language", SCHEDULE_LANGUAGE, SCHEDULE_HAS_LANGUAGE},
    {"speakers", CSV_SPEAKERS, SCHEDULE_HAS_SPEAKERS},
    {"start", CSV_START, SCHEDULE_HAS_TIMES},
    {"end", CSV_END, SCHEDULE_HAS_TIMES},
    {"duration", CSV_DURATION, SCHEDULE_HAS_TIMES},
};

typedef struct {
    schedule_reader_t *reader;
    char *at; /* the text that is left: a copy, in which cells end with a NUL */
    int line; /* in which it is */
    char between;
    int column[COLUMNS_MAX]; /* what each is */
    size_t columns;
} csv_reader_t;

/* ---- cells ---- */

typedef enum { CELL_MORE, CELL_LAST, CELL_BROKEN } csv_cell_e;

/* Takes what is between quotes, to which `*from` points: two of them stand for one. */
static bool take_quoted(csv_reader_t *it, char **from, char **to)
{
    for ((*from)++; **from; (*from)++) {
        if (**from == '"' && *++*from != '"')
            return true;
        it->line += **from == '\n';
        *(*to)++ = **from;
    }
    return false;
}

/* The next cell of the line. */
static csv_cell_e take_cell(csv_reader_t *it, const char **cell)
{
    char *from = it->at, *to = it->at;
    *cell = it->at;
    if (*from == '"' && !take_quoted(it, &from, &to))
        return CELL_BROKEN;
    while (*from && *from != it->between && *from != '\n' && *from != '\r')
        *to++ = *from++;
    char end = *from;
    if (end == '\r' && from[1] == '\n')
        from++;
    it->at = *from ? from + 1 : from;
    it->line += end == '\n' || end == '\r';
    *to = '\0';
    return end == it->between && end ? CELL_MORE : CELL_LAST;
}

/* ---- the line of names ---- */

static bool name_column(csv_reader_t *it, const char *name)
{
    if (it->columns == COLUMNS_MAX)
        return schedule_fail(it->reader->fault, 1, NULL, "has more than %d columns", COLUMNS_MAX);
    int *column = &it->column[it->columns++];
    *column = CSV_OTHER;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcasecmp(name, known[i].name) != 0)
            continue;
        for (size_t before = 0; before + 1 < it->columns; before++)
            if (it->column[before] == known[i].field)
                return schedule_fail(it->reader->fault, 1, known[i].name, "is there twice");
        *column = known[i].field;
        it->reader->schedule->fields |= known[i].has;
    }
    return true;
}

static bool has_csv_column(const csv_reader_t *it, int field)
{
    for (size_t i = 0; i < it->columns; i++)
        if (it->column[i] == field)
            return true;
    return false;
}

static bool read_names(csv_reader_t *it)
{
    const char *name;
    csv_cell_e end;
    size_t len = strcspn(it->at, ",;\t\r\n");
    it->between = it->at[len] && strchr(";\t", it->at[len]) ? it->at[len] : ',';
    do {
        end = take_cell(it, &name);
        if (end == CELL_BROKEN || !name_column(it, name))
            break;
    } while (end == CELL_MORE);
    if (it->reader->fault->text[0])
        return false;
    return has_csv_column(it, SCHEDULE_TITLE) ||
           schedule_fail(it->reader->fault, 1, NULL,
                         "is in no format that is known: schedule JSON, schedule XML, xCal, "
                         "iCalendar, or CSV, whose first line has a column title");
}

/* ---- lines ---- */

static bool take_csv_time(csv_reader_t *it, const schedule_draft_t *draft, const char *name,
                          const char *text, int64_t *out)
{
    const char *problem =
        text && *text ? schedule_time_parse(text, it->reader->options->zone, out) : NULL;
    return !problem || schedule_fail(it->reader->fault, draft->line, name, "%s", problem);
}

static bool take_csv_times(csv_reader_t *it, const char *const *cells, schedule_draft_t *draft)
{
    const char *duration = cells[CSV_DURATION];
    if (!take_csv_time(it, draft, "start", cells[CSV_START], &draft->starts_at) ||
        !take_csv_time(it, draft, "end", cells[CSV_END], &draft->ends_at))
        return false;
    if (!duration || !*duration || draft->ends_at != SCHEDULE_NO_TIME ||
        draft->starts_at == SCHEDULE_NO_TIME)
        return true;
    int64_t seconds = schedule_duration_parse(duration);
    draft->ends_at = draft->starts_at + seconds;
    return seconds >= 0 ||
           schedule_fail(it->reader->fault, draft->line, "duration", "is no duration like 0:45");
}

/* Names are parted by semicolons or ends of lines, as a comma may be in one. */
static bool take_csv_speakers(csv_reader_t *it, char *names, schedule_draft_t *draft)
{
    char *rest = names, *name;
    while ((name = rest ? strsep(&rest, ";\r\n") : NULL))
        if (!schedule_draft_speaker(it->reader, draft, name))
            return false;
    return true;
}

static bool add_line(csv_reader_t *it, const char *const *cells, int line)
{
    schedule_draft_t draft;
    char *speakers = cells[CSV_SPEAKERS] ? strdup(cells[CSV_SPEAKERS]) : NULL;
    schedule_draft_init(&draft, line);
    memcpy(draft.text, cells, sizeof draft.text);
    if (cells[CSV_SPEAKERS] && !speakers)
        return schedule_no_memory(it->reader->fault);
    bool good = take_csv_times(it, cells, &draft) && take_csv_speakers(it, speakers, &draft) &&
                schedule_add(it->reader, &draft);
    free(speakers);
    return good;
}

static bool read_csv_line(csv_reader_t *it)
{
    const char *cells[CSV_FIELDS + 1] = {NULL}, *cell, *first = NULL;
    csv_cell_e end;
    int line = it->line;
    size_t count = 0;
    do {
        end = take_cell(it, &cell);
        if (end == CELL_BROKEN)
            return schedule_fail(it->reader->fault, line, NULL, "a quoted cell has no end");
        if (count == it->columns)
            return schedule_fail(it->reader->fault, line, NULL,
                                 "has more cells than the first line has names");
        first = count == 0 ? cell : first;
        cells[it->column[count++]] = cell;
    } while (end == CELL_MORE);
    if (count == 1 && !*first)
        return true;
    return add_line(it, cells, line);
}

bool schedule_read_csv(schedule_reader_t *reader)
{
    char *copy = strdup(reader->text);
    csv_reader_t it = {.reader = reader, .at = copy, .line = 1};
    reader->schedule->kind = "CSV";
    if (!copy)
        return schedule_no_memory(reader->fault);
    bool good = read_names(&it);
    while (good && *it.at)
        good = read_csv_line(&it);
    free(copy);
    return good;
}
