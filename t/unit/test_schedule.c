/* The readers of schedules: the same conference in each format (t/schedules), what breaks them, and
 * their parts. */
#include "../../src/schedule/schedule.h"
#include "../../src/schedule/schedule_text.h"
#include "../../src/schedule/schedule_time.h"
#include "failing.h"
#include "unit.h"

#include <stdio.h>

/* ---- relative times ---- */

typedef struct {
    const char *name, *text;
    bool is_good, is_of_end, is_none;
    int64_t seconds;
} relative_row_t;

static relative_row_t relatives[] = {
    {"5 min before end", "5 min before end", true, true, false, -300},
    {"7 days after end", "7 days after end", true, true, false, 604800},
    {"start", "start", true, false, false, 0},
    {"end", "end", true, true, false, 0},
    {"none", "none", true, false, true, 0},
    {"no blank before the unit", "90s after start", true, false, false, 90},
    {"an hour", "1 hour before start", true, false, false, -3600},
    {"hours", "2 hours before start", true, false, false, -7200},
    {"2h", "2h after end", true, true, false, 7200},
    {"a week, in capitals", "1 WEEK AFTER END", true, true, false, 604800},
    {"blanks", "  5  mins   before   end ", true, true, false, -300},
    {"a year", "366 days after end", true, true, false, 31622400},
    {"more than a year", "367 days after end", false, false, false, 0},
    {"no number", "min before end", false, false, false, 0},
    {"a negative number", "-5 min after end", false, false, false, 0},
    {"a fraction", "1.5 h after end", false, false, false, 0},
    {"no unit", "5 before end", false, false, false, 0},
    {"no such unit", "5 moons before end", false, false, false, 0},
    {"no direction", "5 min end", false, false, false, 0},
    {"no point", "5 min before", false, false, false, 0},
    {"no such point", "5 min before lunch", false, false, false, 0},
    {"something behind it", "5 min before end, please", false, false, false, 0},
    {"before none", "5 min before none", false, false, false, 0},
    {"nothing", "", false, false, false, 0},
    {"a huge number", "99999999999999999999 s after end", false, false, false, 0},
};

static void reads_relative_times(void **state)
{
    const relative_row_t *row = *state;
    schedule_relative_t it = {.seconds = 4711};
    char *text = unit_copy(row->text, strlen(row->text) + 1);

    assert_int_equal(schedule_relative_parse(text, &it), row->is_good);
    assert_int_equal(it.seconds, row->is_good ? row->seconds : 4711);
    assert_int_equal(it.is_of_end, row->is_of_end);
    assert_int_equal(it.is_none, row->is_none);
    assert_int_equal(it.is_given, row->is_good);
    free(text);
}

/* ---- times ---- */

typedef struct {
    const char *name, *text, *zone;
    int64_t seconds; /* -1: it is none */
} time_row_t;

static time_row_t times[] = {
    {"an offset", "2026-11-28T10:00:00+01:00", NULL, 1795856400},
    {"UTC", "2026-11-28T09:00:00Z", NULL, 1795856400},
    {"an offset counts, whatever the zone", "2026-11-28T10:00:00+01:00", "UTC", 1795856400},
    {"without colons", "20261128T100000+0100", NULL, 1795856400},
    {"as iCalendar has it", "20261128T090000Z", NULL, 1795856400},
    {"hours alone", "2026-11-28T10:00:00+01", NULL, 1795856400},
    {"a blank, no seconds", "2026-11-28 10:00+01:00", NULL, 1795856400},
    {"a fraction", "2026-11-28T09:00:00.999Z", NULL, 1795856400},
    {"winter in a zone", "2026-11-28T10:00:00", "Europe/Berlin", 1795856400},
    {"summer in a zone", "2026-07-01T10:00:00", "Europe/Berlin", 1782892800},
    {"west", "2026-07-01T10:00:00", "America/St_Johns", 1782909000},
    {"a far year", "2045-07-01T10:00:00", "Europe/Berlin", 2382508800},
    {"1970, by a clock of 1969", "1969-12-31T19:30:00-05:00", NULL, 1800},
    {"1970, in a zone whose clock has 1969", "1969-12-31T19:30", "America/New_York", 1800},
    {"before 1970", "1969-12-31T23:59:59Z", NULL, -1},
    {"before 1970, by its offset", "1970-01-01T00:00:00+00:01", NULL, -1},
    {"no zone", "2026-11-28T10:00:00", NULL, -1},
    {"no such zone", "2026-11-28T10:00:00", "Europe/Atlantis", -1},
    {"a zone that is a path", "2026-11-28T10:00:00", "../../../etc/passwd", -1},
    {"a day alone", "2026-11-28", "UTC", -1},
    {"no such day", "2026-02-30T10:00:00Z", NULL, -1},
    {"no such hour", "2026-02-20T24:00:00Z", NULL, -1},
    {"no such minute", "2026-02-20T23:60:00Z", NULL, -1},
    {"no such second", "2026-02-20T23:00:60Z", NULL, -1},
    {"no such year", "1000-02-20T23:00:00Z", NULL, -1},
    {"no such month", "2026-13-20T23:00:00Z", NULL, -1},
    {"letters for the hour", "2026-02-20Tab:00:00Z", NULL, -1},
    {"letters for the minute", "2026-02-20T23:ab:00Z", NULL, -1},
    {"letters for the second", "2026-02-20T23:00:abZ", NULL, -1},
    {"letters for an offset", "2026-02-20T23:00:00+ab", NULL, -1},
    {"letters for the minutes of an offset", "2026-02-20T23:00:00+01:ab", NULL, -1},
    {"an offset of more minutes than an hour has", "2026-02-20T23:00:00+01:60", NULL, -1},
    {"something in the place of an offset", "2026-02-20T23:00:00 somewhere", NULL, -1},
    {"UTC by its other name", "2026-11-28T09:00:00", "Etc/UTC", 1795856400},
    {"a zone that begins with a digit", "2026-11-28T09:00:00", "1/UTC", -1},
    {"one dash", "2026-0228T10:00:00Z", NULL, -1},
    {"something behind it", "2026-11-28T10:00:00Z!", NULL, -1},
    {"an offset of a day", "2026-11-28T10:00:00+24:00", NULL, -1},
    {"nothing", "", "UTC", -1},
};

static void reads_times(void **state)
{
    const time_row_t *row = *state;
    int64_t seconds = -7;
    const char *problem = schedule_time_parse(row->text, row->zone, &seconds);

    assert_int_equal(problem == NULL, row->seconds >= 0);
    assert_int_equal(seconds, row->seconds >= 0 ? row->seconds : -7);
}

/* By the calendar, and also where a day of the first talks that there can be begins in 1969. */
static void moves_dates(void **state)
{
    static const struct {
        const char *date, *moved;
        int days;
    } rows[] = {
        {"2026-12-31", "2027-01-01", 1},  {"2026-03-01T10:00:00", "2026-02-28", -1},
        {"1970-01-01", "1969-12-31", -1}, {"1969-12-31", "1970-01-01", 1},
        {"1969-12-31", "1969-12-31", 0},  {"2026-02-30", NULL, 1},
        {"1968-12-31", NULL, 1},
    };
    char moved[SCHEDULE_DATE_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_moved = schedule_date_move(rows[i].date, rows[i].days, moved);
        assert_int_equal(is_moved, rows[i].moved != NULL);
        if (is_moved)
            assert_string_equal(moved, rows[i].moved);
    }
}

static void finds_an_hour_of_a_date(void **state)
{
    int64_t seconds = 0;
    (void)state;
    assert_true(schedule_date_at("2026-11-28T23:59", 4, "Europe/Berlin", &seconds));
    assert_int_equal(seconds, 1795834800);
    assert_true(schedule_date_at("1969-12-31", 4, "America/New_York", &seconds));
    assert_int_equal(seconds, -54000);
    assert_false(schedule_date_at("2026-02-30", 4, "UTC", &seconds));
    assert_false(schedule_date_at("today", 4, "UTC", &seconds));
    assert_false(schedule_date_at("2026-11-28", 4, "Europe/Atlantis", &seconds));
}

typedef struct {
    const char *name, *text;
    int64_t seconds;
} duration_row_t;

static duration_row_t durations[] = {
    {"minutes", "00:45", 2700},
    {"hours", "1:30", 5400},
    {"days", "1:02:30", 95400},
    {"many hours", "30:00", 108000},
    {"iCalendar", "PT1H30M", 5400},
    {"iCalendar, days", "P1DT1S", 86401},
    {"a week", "P1W", 604800},
    {"a number", "45", -1},
    {"60 minutes", "0:60", -1},
    {"nothing", "", -1},
    {"a sign", "-0:45", -1},
    {"four parts", "1:2:3:4", -1},
    {"no end", "1:", -1},
    {"more than a month", "32:00:00", -1},
    {"no unit", "PT5", -1},
    {"P alone", "P", -1},
    {"an hour of a day", "P1H", -1},
    {"a unit without a number", "PTH", -1},
    {"a number of seven digits", "PT1234567S", -1},
    {"25 hours of a day", "1:25:00", -1},
    {"something behind it", "0:45h", -1},
};

static void reads_durations(void **state)
{
    const duration_row_t *row = *state;
    assert_int_equal(schedule_duration_parse(row->text), row->seconds);
}

/* ---- texts and ids ---- */

typedef struct {
    const char *name, *url, *code;
} code_row_t;

static code_row_t codes[] = {
    {"pretalx", "https://pretalx.example/democon/talk/ABCDEF/", "ABCDEF"},
    {"frab", "https://fahrplan.example/2026/events/10386.html", "10386"},
    {"a slug", "https://hub.example/event/opening-ceremony", "opening-ceremony"},
    {"a query", "https://x.example/talk/ABC/?lang=de#top", "ABC"},
    {"a path alone", "/democon/talk/ABCDEF/", "ABCDEF"},
    {"a host alone", "https://x.example", ""},
    {"a host and a slash", "https://x.example//", ""},
    {"a query alone", "https://x.example?talk=1", ""},
    {"nothing", "", ""},
    {".html alone", "https://x.example/.html", ".html"},
};

static void finds_codes(void **state)
{
    const code_row_t *row = *state;
    const char *code;
    size_t len = schedule_text_code(row->url, &code);
    assert_int_equal(len, strlen(row->code));
    assert_memory_equal(code, row->code, len);
}

typedef struct {
    const char *name, *text, *clean; /* NULL: a problem */
} clean_row_t;

static clean_row_t cleans[] = {
    {"as it is", "Grüße, 你好", "Grüße, 你好"},
    {"blanks", "  a \t\r\n b  ", "a b"},
    {"nothing but blanks", " \n ", ""},
    {"blanks of Unicode", "a\xC2\x85\xE2\x80\xA8\xE2\x80\xA9z", "a z"},
    {"just not too long", "123456789012", "123456789012"},
    {"too long", "1234567890123", NULL},
    {"characters, not bytes", "üüüüüüüüüüüü", "üüüüüüüüüüüü"},
    {"a control character", "a\033[31mb", NULL},
    {"one of C1", "a\xC2\x9B", NULL},
    {"no UTF-8", "a\xFF", NULL},
    {"cut within a character", "a\xC3", NULL},
};

static void cleans_texts(void **state)
{
    const clean_row_t *row = *state;
    char *text = unit_copy(row->text, strlen(row->text) + 1), *out;
    const char *problem = schedule_text_clean(text, 12, &out);

    assert_int_equal(problem == NULL, row->clean != NULL);
    if (!row->clean || !row->clean[0])
        assert_null(out);
    else
        assert_string_equal(out, row->clean);
    free(out);
    free(text);
}

/* ---- the conference ---- */

#define JSON "t/schedules/schedule.json"
#define HUB "t/schedules/hub.json"
#define XML "t/schedules/schedule.xml"
#define ICAL "t/schedules/schedule.ics"
#define CSV "t/schedules/schedule.csv"
#define XCAL "t/schedules/schedule.xcal"

static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    *len = fread(text, 1, (1 << 20) - 1, file);
    assert_int_equal(fclose(file), 0);
    char *copy = unit_copy(text, *len + 1);
    free(text);
    return copy;
}

typedef struct {
    const char *id, *guid, *title, *room, *track, *language, *speakers;
    int64_t starts_at, ends_at, last_ends_at;
} known_talk_t;

static const known_talk_t conference[] = {
    {"TDA7QX", "5a0c8f1e-6f3b-5d7e-9c39-0a6d3a2f0001", "Opening", "Großer Saal", NULL, "en", "",
     1795856400, 1795858200, 1795858200},
    {"K3MVRE", "5a0c8f1e-6f3b-5d7e-9c39-0a6d3a2f0002", "Reading the Tide Tables", "Großer Saal",
     "Harbour & Sea", "en", "Ada Lindqvist|Bo Nakamura|", 1795859100, 1795861800, 1795861800},
    {"Z9PLWT", "5a0c8f1e-6f3b-5d7e-9c39-0a6d3a2f0003", "Ropes, Knots - and Lock-Free Queues",
     "Boathouse", "Engineering", "en", "Çiğdem Öztürk|", 1795860000, 1795865400, 1795865400},
    {"HHT2JD", "5a0c8f1e-6f3b-5d7e-9c39-0a6d3a2f0005", "Low Tide <Workshop> & Walk", "Boathouse",
     "Harbour & Sea", "en", "Mina O'Hara|", 1795870800, 1795876200, 1795962600},
    {"QW4NNB", "5a0c8f1e-6f3b-5d7e-9c39-0a6d3a2f0004", "Nachtwache", "Boathouse", "Harbour & Sea",
     "de", "Jan \"Boje\" Petersen|", 1795908600, 1795911300, 1795911300},
};
#define TALKS (sizeof conference / sizeof *conference)

typedef struct {
    const char *name, *path, *zone;
    unsigned lacks; /* SCHEDULE_HAS_... */
} format_row_t;

static format_row_t formats[] = {
    {"schedule JSON 1", JSON, NULL, 0},
    {"schedule JSON 2", HUB, NULL, 0},
    {"schedule XML", XML, NULL, 0},
    {"iCalendar", ICAL, NULL, SCHEDULE_HAS_TRACK | SCHEDULE_HAS_LANGUAGE},
    {"CSV", CSV, "Europe/Berlin", 0},
    {"xCal", XCAL, "Europe/Berlin", SCHEDULE_HAS_TRACK},
};

static void assert_text(const char *text, const char *expected)
{
    assert_int_equal(text == NULL, expected == NULL);
    if (text && expected)
        assert_string_equal(text, expected);
}

static void assert_speakers(const schedule_talk_t *talk, const char *expected)
{
    char names[256] = "";
    for (size_t i = 0; i < talk->speakers_count; i++) {
        unit_append(names, sizeof names, talk->speakers[i]);
        unit_append(names, sizeof names, "|");
    }
    assert_string_equal(names, expected);
}

static void assert_talk(const schedule_talk_t *talk, const known_talk_t *known, unsigned fields)
{
    assert_string_equal(talk->id, known->id);
    assert_string_equal(talk->title, known->title);
    assert_text(talk->room, known->room);
    assert_int_equal(talk->starts_at, known->starts_at);
    assert_int_equal(talk->ends_at, known->ends_at);
    assert_int_equal(talk->opens_at, known->ends_at - 300);
    assert_int_equal(talk->closes_at, known->last_ends_at + 604800);
    assert_text(talk->track, fields & SCHEDULE_HAS_TRACK ? known->track : NULL);
    assert_text(talk->language, fields & SCHEDULE_HAS_LANGUAGE ? known->language : NULL);
    if (fields & SCHEDULE_HAS_SPEAKERS)
        assert_speakers(talk, known->speakers);
    assert_non_null(talk->url);
    assert_non_null(strstr(talk->url, "example/"));
}

static void assert_read(bool good, const schedule_fault_t *fault)
{
    if (!good)
        fail_msg("line %d, %s: %s", fault->line, fault->field, fault->text);
}

/* Each format gives the same talks, but for what it lacks. */
static void reads_the_conference(void **state)
{
    const format_row_t *row = *state;
    schedule_options_t options = {.zone = row->zone};
    schedule_t schedule;
    schedule_fault_t fault;
    size_t len;
    char *text = read_file(row->path, &len);

    assert_true(schedule_relative_parse("5 min before end", &options.opens));
    assert_true(schedule_relative_parse("7 days after end", &options.closes));
    assert_read(schedule_read(text, len, &options, &schedule, &fault), &fault);
    assert_string_equal(schedule.kind, row->name);
    assert_int_equal(schedule.fields & row->lacks, 0);
    assert_int_equal(schedule.fields | row->lacks, 0xFF);
    assert_int_equal(schedule.count, TALKS);
    for (size_t i = 0; i < TALKS; i++)
        assert_talk(&schedule.talks[i], &conference[i], schedule.fields);
    schedule_free(&schedule);
    free(text);
}

/* Cut anywhere it is a fault or a shorter schedule, and no read beyond its end (which ASan sees).
 */
static void survives_any_cut(void **state)
{
    const format_row_t *row = *state;
    schedule_options_t options = {.zone = row->zone};
    size_t len;
    char *text = read_file(row->path, &len);
    for (size_t cut = 0; cut < len; cut += 7) {
        schedule_t schedule;
        schedule_fault_t fault;
        char *part = unit_copy(text, cut + 1);
        part[cut] = '\0';
        bool good = schedule_read(part, cut, &options, &schedule, &fault);
        assert_true(good || fault.text[0]);
        schedule_free(&schedule);
        free(part);
    }
    free(text);
}

/* Where memory runs out, at each allocation in turn, it is a fault that says so, and never a talk
 * without what the file has of it. */
static void says_where_memory_ran_out(void **state)
{
    const format_row_t *row = *state;
    schedule_options_t options = {.zone = row->zone};
    size_t len, call = 0;
    char *text = read_file(row->path, &len);
    bool was_reached;

    assert_true(schedule_relative_parse("5 min before end", &options.opens));
    assert_true(schedule_relative_parse("7 days after end", &options.closes));
    do {
        schedule_t schedule;
        schedule_fault_t fault;
        failing_begin(++call);
        bool good = schedule_read(text, len, &options, &schedule, &fault);
        was_reached = failing_end();
        assert_int_equal(good, !was_reached);
        assert_int_equal(strstr(fault.text, "memory") != NULL, was_reached);
        schedule_free(&schedule);
    } while (was_reached);
    assert_true(call > TALKS);
    free(text);
}

/* ---- faults ---- */

typedef struct {
    const char *name, *path; /* a conference, in which ... */
    const char *from, *to;   /* ... the first of these becomes that */
    schedule_id_e id;
    int line;
    const char *field, *text;
} fault_row_t;

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define LONG_TEXT HUNDRED HUNDRED HUNDRED

static fault_row_t faults[] = {
    {"JSON: speakers that are no list", JSON, "\"persons\": []", "\"persons\": {}", 0, 57,
     "persons", "is no list"},
    {"JSON: no speakers", JSON, "\"persons\": [],", "\"persons\": null,", 0, 0, "", ""},
    {"JSON: neither speakers nor participants", JSON, "\"persons\": [],", "", 0, 0, "", ""},
    {"JSON: speakers that have no name", JSON, "\"persons\": []", "\"persons\": [5, {\"id\": 1}]",
     0, 0, "", ""},
    {"JSON: a date that is a number", JSON, "\"date\": \"2026-11-28T10:00:00+01:00\"",
     "\"date\": 5", 0, 42, "date", "is no text"},
    {"JSON: an empty date", JSON, "\"date\": \"2026-11-28T10:00:00+01:00\"", "\"date\": \"\"", 0, 0,
     "", ""},
    {"JSON: no date", JSON, "\"date\": \"2026-11-28T10:00:00+01:00\",", "", 0, 0, "", ""},
    {"JSON: a duration that is a number", JSON, "\"duration\": \"00:30\"", "\"duration\": 30", 0,
     44, "duration", "is no text"},
    {"JSON: an empty duration", JSON, "\"duration\": \"00:30\"", "\"duration\": \"\"", 0, 0, "",
     ""},
    {"JSON: no duration", JSON, "\"duration\": \"00:30\",", "", 0, 0, "", ""},
    {"JSON: a talk whose room has no name", JSON, "\"room\": \"Großer Saal\"", "\"room\": null", 0,
     0, "", ""},
    {"JSON: an origin that is a number", JSON, "\"id\": 101,", "\"origin_url\": 5,", 0, 40,
     "origin_url", "is no text"},
    {"JSON: an origin beside a code", JSON, "\"id\": 101,", "\"origin_url\": \"https://x/a/Y\",", 0,
     0, "", ""},
    {"JSON: an origin without a code", HUB, "https://tidewater.example/2026/talk/TDA7QX/\"\n",
     "https://tidewater.example/\"\n", 0, 0, "", ""},
    {"JSON: rooms that are a number", JSON, "\"rooms\": {\n      \"G",
     "\"rooms\": 5, \"other\": {\n      \"G", 0, 35, "rooms", "a day has no rooms with talks"},
    {"JSON: rooms that are a list", JSON, "\"rooms\": {\n      \"G",
     "\"rooms\": [1], \"other\": {\n      \"G", 0, 35, "rooms", "a day has no rooms with talks"},
    {"JSON: no rooms", JSON, "\"rooms\": {\n      \"G", "\"rooms\": [], \"other\": {\n      \"G", 0,
     0, "", ""},
    {"JSON: a conference in no zone that there is", JSON, "\"UTC\"", "\"Mars\"", 0, 0, "", ""},
    {"JSON: a conference whose zone is a number", JSON, "\"UTC\"", "5", 0, 0, "", ""},
    {"JSON: rooms and tracks that the conference lacks", HUB, "\"conference\": {", "\"other\": {",
     0, 0, "", ""},
    {"JSON: an end that is none", HUB, "\"end\": \"2026-11-28T10:30:00+01:00\"",
     "\"end\": \"late\"", 0, 56, "end", "is no time like"},
    {"JSON: an end before the start", HUB, "\"end\": \"2026-11-28T10:30:00+01:00\"",
     "\"end\": \"2026-11-28T09:30:00+01:00\"", 0, 0, "end", "is before the talk's start"},
    {"JSON: a room that is too long", JSON, "\"room\": \"Großer Saal\"",
     "\"room\": \"" LONG_TEXT "\"", 0, 45, "room", "is too long"},
    {"JSON: a track with a control character", JSON, "\"track\": null", "\"track\": \"\\u0001\"", 0,
     50, "track", "has a control character"},
    {"JSON: a language with a control character", JSON, "\"language\": \"en\"",
     "\"language\": \"\\u007f\"", 0, 52, "language", "has a control character"},
    {"JSON: a url with a control character", JSON,
     "\"url\": \"https://tidewater.example/2026/talk/TDA7QX/\"", "\"url\": \"https://\\u0001\"", 0,
     47, "url", "has a control character"},
    {"JSON: a speaker with a control character", JSON, "\"persons\": []",
     "\"persons\": [\"\\u0001\"]", 0, 37, "speakers", "a name has a control character"},
    {"JSON: a comma too many", JSON, "\"id\": 101,", "\"id\": 101,,", 0, 40, "", "is no JSON"},
    {"JSON: a duration", JSON, "\"duration\": \"00:30\"", "\"duration\": \"half an hour\"", 0, 44,
     "duration", "is no duration like 00:45"},
    {"JSON: a date", JSON, "2026-11-28T10:45:00+01:00", "28.11.2026 10:45", 0, 67, "date",
     "is no time like"},
    {"JSON: a title that is a number", JSON, "\"title\": \"Nachtwache\"", "\"title\": 5", 0, 172,
     "title", "is no text"},
    {"JSON: no title", JSON, "\"Nachtwache\"", "\" \"", 0, 172, "title", "is missing or empty"},
    {"JSON: no url", JSON, "\"code\": \"TDA7QX\"", "\"code\": null", 0, 0, "", ""},
    {"JSON: a directory's name", JSON, "\"code\": \"TDA7QX\"", "\"code\": \"..\"", 0, 0, "url",
     "cannot be the id of a talk: no URL ends with it"},
    {"JSON: no uid", JSON, "", "", SCHEDULE_BY_UID, 0, "uid", "--id uid finds no id"},
    {"JSON: an id of two talks", JSON, "TDA7QX", "K3MVRE", 0, 0, "",
     "two talks have the id K3MVRE"},
    {"JSON: a control character", JSON, "Nachtwache", "Nacht\\u0007wache", 0, 172, "title",
     "has a control character"},
    {"JSON: another document", JSON, "\"schedule\": {", "\"plan\": {", 0, 1, "schedule",
     "this is no schedule"},
    {"JSON: a member twice", JSON, "\"id\": 101,", "\"id\": 101, \"id\": 102,", 0, 40, "",
     "is no JSON: duplicate"},
    {"XML: not closed", XML, "</event>", "", 0, 0, "", "is no XML"},
    {"XML: a duration", XML, "<duration>00:30", "<duration>30", 0, 25, "duration",
     "is no duration"},
    {"XML: a date", XML, "2026-11-28T10:00:00+01:00</date>", "soon</date>", 0, 23, "date",
     "is no time like"},
    {"XML: elements in a title", XML, "<title>Opening ", "<title>Open<b>ing</b> ", 0, 20, "title",
     "has more in it than text"},
    {"XML: no title", XML, "<title>Opening </title>", "", 0, 18, "title", "is missing or empty"},
    {"XML: no url", XML, "<url>https://tidewater.example/2026/talk/TDA7QX/</url>", "", 0, 18, "url",
     "--id code finds no id"},
    {"XML: a document type", XML, "<schedule>",
     "<!DOCTYPE s [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><schedule>", 0, 3, "",
     "has a document type"},
    {"XML: entities that grow", XML, "<schedule>",
     "<!DOCTYPE s [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><schedule>", 0, 3, "",
     "has a document type"},
    {"XML: an entity of nobody", XML, "<title>Opening ", "<title>&uuml;", 0, 20, "", "is no XML"},
    {"XML: another document", XML, "<schedule>", "<rss/>", 0, 0, "", "is no XML"},
    {"XML: no date", XML, "<date>2026-11-28T10:00:00+01:00</date>", "", 0, 0, "", ""},
    {"XML: a date with elements in it", XML, "<date>2026", "<date><b/>2026", 0, 23, "date",
     "has more in it than text"},
    {"XML: a start with elements in it", XML,
     "<date>2026-11-28T10:00:00+01:00</date>\n                <start>", "<start><b/>", 0, 23,
     "start", "has more in it than text"},
    {"XML: neither date nor start", XML,
     "<date>2026-11-28T10:00:00+01:00</date>\n                <start>10:00</start>", "", 0, 0, "",
     ""},
    {"XML: a start that is none", XML,
     "<date>2026-11-28T10:00:00+01:00</date>\n                <start>10:00", "<start>noon", 0, 23,
     "start", "is no time like"},
    {"XML: a duration with elements in it", XML, "<duration>00:30", "<duration><b/>00:30", 0, 25,
     "duration", "has more in it than text"},
    {"XML: no duration", XML, "<duration>00:30</duration>", "", 0, 0, "", ""},
    {"XML: an empty title", XML, "<title>Opening </title>", "<title></title>", 0, 18, "title",
     "is missing or empty"},
    {"XML: an event without an element of speakers", XML, "<persons>\n                </persons>",
     "", 0, 0, "", ""},
    {"XML: a speaker with elements in it", XML, "<person id='7'>Ada", "<person id='7'><b/>Ada", 0,
     53, "person", "has more in it than text"},
    {"XML: no conference", XML, "<conference>", "<other/><conference xmlns:x='y' hidden=''>", 0, 0,
     "", ""},
    {"XML: a zone with elements in it", XML, "<time_zone_name>", "<time_zone_name><b/>", 0, 13,
     "time_zone_name", "has more in it than text"},
    {"XML: a zone that there is not", XML, "<time_zone_name>UTC", "<time_zone_name>Mars", 0, 0, "",
     ""},
    {"xCal: a duration that is none", XCAL,
     "<dtstart>20261128T100000</dtstart>\n            <dtend>20261128T103000</dtend>\n            "
     "<duration>0.03000",
     "<dtstart>20261128T100000Z</dtstart><duration>0.03", 0, 17, "duration",
     "is no duration like 0.03000"},
    {"iCalendar: cut short", ICAL, "END:VCALENDAR", "", 0, 0, "",
     "was cut short: END:VCALENDAR is missing"},
    {"iCalendar: a time", ICAL, "TZID=Europe/Berlin:20261128T100000",
     "TZID=Europe/Berlin:10 o'clock", 0, 23, "DTSTART", "cannot be read"},
    {"iCalendar: a day", ICAL, "DTSTART;TZID=Europe/Berlin:20261128T100000",
     "DTSTART;VALUE=DATE:20261128", 0, 23, "DTSTART", "has no time of day"},
    {"iCalendar: a zone", ICAL, "DTSTART;TZID=Europe/Berlin:20261128T100000",
     "DTSTART;TZID=Mars:20261128T100000", 0, 23, "DTSTART", "a zone that is not known"},
    {"iCalendar: no zone", ICAL, "DTSTART;TZID=Europe/Berlin:20261128T100000",
     "DTSTART:20261128T100000", 0, 23, "DTSTART", "--zone says which"},
    {"iCalendar: no such hour", ICAL, "Berlin:20261128T100000", "Berlin:20261128T290000", 0, 23,
     "DTSTART", "has no such day or time"},
    {"iCalendar: a clock that is set each second", ICAL, "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
     "RRULE:FREQ=SECONDLY", 0, 4, "VTIMEZONE", "more often than once a day"},
    {"iCalendar: ... or at each second of a minute", ICAL, "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
     "RRULE:FREQ=DAILY;BYSECOND=1,2", 0, 4, "VTIMEZONE", "more often than once a day"},
    {"iCalendar: no url", ICAL, "URL:https://tidewater.example/2026/talk/TDA7QX/", "X-URL:none", 0,
     21, "url", "--id code finds no id"},
    {"iCalendar: no summary", ICAL, "SUMMARY:Opening", "X-SUMMARY:Opening", 0, 21, "title",
     "is missing or empty"},
    {"iCalendar: no end of an event", ICAL, "END:VEVENT", "X-END:VEVENT", 0, 0, "",
     "ends what did not begin"},
    {"iCalendar: nested too deeply", ICAL, "BEGIN:VALARM",
     "BEGIN:A\nBEGIN:B\nBEGIN:C\nBEGIN:D\nBEGIN:E\nBEGIN:F\nBEGIN:VALARM", 0, 36, "",
     "is nested too deeply"},
    {"iCalendar: an end that is none", ICAL, "END:VALARM", "END:OTHER", 0, 36, "",
     "ends what did not begin"},
    {"iCalendar: an end and no start", ICAL, "DTSTART;TZID=Europe/Berlin:20261128T100000\r\n", "",
     0, 0, "", ""},
    {"iCalendar: a duration", ICAL, "DTEND;TZID=Europe/Berlin:20261128T103000", "DURATION:PT30M", 0,
     0, "", ""},
    {"iCalendar: a duration that is none", ICAL, "DTEND;TZID=Europe/Berlin:20261128T103000",
     "DURATION:half an hour", 0, 24, "DURATION", "cannot be read"},
    {"iCalendar: a year before 1970", ICAL, "Berlin:20261128T100000", "Berlin:19500101T100000", 0,
     23, "DTSTART", "has no such day or time"},
    {"iCalendar: nobody's", ICAL, "PRODID:-//pretalx//tidewater.example//tidewater\r\n", "", 0, 0,
     "", ""},
    {"CSV: no zone", CSV, "", "", 0, 4, "start", "--zone does"},
    {"CSV: a duration", CSV, ";00:30;", ";30 min;", 0, 2, "duration", "is no duration"},
    {"CSV: a column twice", CSV, "Notes", "title", 0, 1, "title", "is there twice"},
    {"CSV: no title", CSV, "Title", "Titel", 0, 1, "", "a column title"},
    {"xCal: no zone", XCAL, "", "", 0, 17, "dtstart", "--zone does"},
};

static char *replace(char *text, size_t *len, const char *from, const char *to)
{
    char *at = strstr(text, from);
    assert_non_null(at);
    size_t before = (size_t)(at - text), out = *len - strlen(from) + strlen(to);
    char *copy = malloc(out + 1);
    assert_non_null(copy);
    memcpy(copy, text, before);
    memcpy(copy + before, to, strlen(to));
    memcpy(copy + before + strlen(to), at + strlen(from), *len - before - strlen(from) + 1);
    free(text);
    *len = out;
    return copy;
}

static void names_line_and_field(void **state)
{
    const fault_row_t *row = *state;
    schedule_options_t options = {.id = row->id};
    schedule_t schedule;
    schedule_fault_t fault;
    size_t len;
    char *text = read_file(row->path, &len);

    text = replace(text, &len, row->from, row->to);
    bool good = schedule_read(text, len, &options, &schedule, &fault);
    assert_int_equal(good, !row->text[0]);
    if (!good && !strstr(fault.text, row->text))
        fail_msg("line %d, %s: %s", fault.line, fault.field, fault.text);
    assert_string_equal(fault.field, row->field);
    if (row->line > 0)
        assert_int_equal(fault.line, row->line);
    schedule_free(&schedule);
    free(text);
}

static void names_talks_by_guid(void **state)
{
    schedule_options_t options = {.id = SCHEDULE_BY_GUID};
    schedule_t schedule;
    schedule_fault_t fault;
    size_t len;
    char *text = read_file(JSON, &len);

    (void)state;
    assert_read(schedule_read(text, len, &options, &schedule, &fault), &fault);
    assert_int_equal(schedule.count, TALKS + 1); /* a slot has its own */
    for (size_t i = 0; i < TALKS; i++)
        assert_string_equal(schedule.talks[i].id, conference[i].guid);
    schedule_free(&schedule);
    free(text);
}

/* ---- bounds ---- */

static void assert_refused(const char *text, const schedule_options_t *options, const char *field,
                           const char *problem)
{
    schedule_t schedule;
    schedule_fault_t fault;

    assert_false(schedule_read(text, strlen(text), options, &schedule, &fault));
    assert_string_equal(fault.field, field);
    if (!strstr(fault.text, problem))
        fail_msg("line %d, %s: %s", fault.line, fault.field, fault.text);
    schedule_free(&schedule);
}

/* A name of a speaker more than there may be, in each format that has a list of them. */
static void refuses_too_many_speakers(void **state)
{
    static const char *const formats_of_speakers[][3] = {
        {"{\"schedule\":{\"events\":[{\"code\":\"a\",\"title\":\"A\",\"persons\":[\"B\"", ",\"B\"",
         "]}]}}"},
        {"<schedule><day><room><event guid='a'><title>A</title><persons><person>B</person>",
         "<person>B</person>", "</persons></event></room></day></schedule>"},
        {"<iCalendar><vcalendar><vevent><uid>a</uid><summary>A</summary><attendee>B</attendee>",
         "<attendee>B</attendee>", "</vevent></vcalendar></iCalendar>"},
        {"BEGIN:VCALENDAR\r\nPRODID:-//pretalx//x//x\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:A - B",
         "\\, B", "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"},
        {"code,title,speakers\na,A,B", ";B", "\n"},
    };
    static char text[8192];
    schedule_options_t options = {0};
    (void)state;
    for (size_t i = 0; i < sizeof formats_of_speakers / sizeof *formats_of_speakers; i++) {
        (void)strcpy(text, formats_of_speakers[i][0]);
        for (int more = 0; more < SCHEDULE_SPEAKERS_MAX; more++)
            unit_append(text, sizeof text, formats_of_speakers[i][1]);
        unit_append(text, sizeof text, formats_of_speakers[i][2]);
        assert_refused(text, &options, "speakers", "are more than 100");
    }
}

static void refuses_windows_that_cannot_be(void **state)
{
    static const char talk[] = "code,title,start,end\na,A,2026-11-28T10:00Z,2026-11-28T11:00Z\n",
                      no_end[] = "code,title,start\na,A,2026-11-28T10:00Z\n",
                      no_start[] = "code,title\na,A\n";
    schedule_options_t options = {0};
    (void)state;
    assert_true(schedule_relative_parse("end", &options.opens));
    assert_refused(no_end, &options, "end", "the talk has none, which --opens goes by");
    assert_true(schedule_relative_parse("start", &options.closes));
    assert_refused(talk, &options, "", "the talk could never be rated");
    assert_true(schedule_relative_parse("none", &options.opens));
    assert_refused(no_start, &options, "start", "the talk has none, which --closes goes by");
}

static void refuses_what_is_too_large(void **state)
{
    char *text = malloc(SCHEDULE_SIZE_MAX + 2), *at = text;
    schedule_options_t options = {0};
    (void)state;
    assert_non_null(text);
    memset(text, ' ', SCHEDULE_SIZE_MAX + 1);
    text[SCHEDULE_SIZE_MAX + 1] = '\0';
    assert_refused(text, &options, "", "is larger than 16 MiB");
    at += sprintf(at, "title,code\n");
    for (int i = 0; i <= SCHEDULE_TALKS_MAX; i++)
        at += sprintf(at, "T,%d\n", i);
    assert_refused(text, &options, "", "the schedule has more than 20000 talks");
    at = text + sprintf(text, "title");
    for (int i = 0; i < 64; i++)
        at += sprintf(at, ",other");
    assert_refused(text, &options, "", "has more than 64 columns");
    free(text);
}

static void refuses_bytes_of_no_text(void **state)
{
    static const char text[] = "title\n\0a\n";
    schedule_options_t options = {0};
    schedule_t schedule;
    schedule_fault_t fault;
    (void)state;
    assert_false(schedule_read(text, sizeof text - 1, &options, &schedule, &fault));
    assert_int_equal(fault.line, 2);
    assert_string_equal(fault.text, "is no text: it has a NUL");
    schedule_free(&schedule);
}

/* An id of a slot that opens at no time, as of one that is opened before it. */
static void opens_with_the_first_slot(void **state)
{
    static const char text[] = "code,title,start\na,A,2026-11-28T10:00Z\na,A,2026-11-28T09:00Z\n"
                               "b,B,2026-11-28T09:30Z\n";
    schedule_options_t options = {0};
    schedule_t schedule;
    schedule_fault_t fault;
    (void)state;
    assert_true(schedule_relative_parse("start", &options.opens));
    assert_read(schedule_read(text, strlen(text), &options, &schedule, &fault), &fault);
    assert_int_equal(schedule.count, 2);
    assert_int_equal(schedule.talks[0].opens_at, 1795856400);
    assert_string_equal(schedule.talks[1].id, "b");
    schedule_free(&schedule);
}

/* Two calendars in one file, as of two tracks. */
static void takes_each_calendar(void **state)
{
#define CALENDAR(id)                                                                               \
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:" id "\r\nSUMMARY:" id "\r\nDTSTART:"                  \
    "20261128T090000Z\r\n"
#define ENDS "END:VEVENT\r\nEND:VCALENDAR\r\n"
    static const char both[] = CALENDAR("a") ENDS CALENDAR("b") "DURATION:PT1H\r\n" ENDS,
                      bad[] = CALENDAR("a") ENDS CALENDAR("b") "DTEND:later\r\n" ENDS;
    schedule_options_t options = {.id = SCHEDULE_BY_UID};
    schedule_t schedule;
    schedule_fault_t fault;
    (void)state;
    assert_read(schedule_read(both, strlen(both), &options, &schedule, &fault), &fault);
    assert_int_equal(schedule.count, 2);
    assert_int_equal(schedule.talks[0].ends_at, SCHEDULE_NO_TIME);
    assert_string_equal(schedule.talks[1].id, "b");
    assert_int_equal(schedule.talks[1].ends_at, 1795860000);
    schedule_free(&schedule);
    assert_refused(bad, &options, "DTEND", "cannot be read");
}

/* vobject, and so pretalx, gives a zone the name that its standard time has: the system's EST is
 * one without summers. */
static void takes_zones_as_the_file_has_them(void **state)
{
    static const char zone[] =
        "BEGIN:VCALENDAR\r\nPRODID:-//pretalx//x//"
        "x\r\nBEGIN:VTIMEZONE\r\nTZID:EST\r\nBEGIN:STANDARD\r\n"
        "DTSTART:20001029T020000\r\nRRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11\r\nTZNAME:EST\r\n"
        "TZOFFSETFROM:-0400\r\nTZOFFSETTO:-0500\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\n"
        "DTSTART:20000402T020000\r\nRRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3\r\nTZNAME:EDT\r\n"
        "TZOFFSETFROM:-0500\r\nTZOFFSETTO:-0400\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";
    static const char event[] =
        "BEGIN:VEVENT\r\nUID:pretalx-x-A@x\r\nSUMMARY:On - and - on -\r\nURL:/x/talk/A/\r\n"
        "DTSTART;TZID=EST:20260701T100000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    schedule_options_t options = {0};
    schedule_t schedule;
    schedule_fault_t fault;
    char text[2048];

    (void)state;
    int len = snprintf(text, sizeof text, "%s%s", zone, event);
    assert_read(schedule_read(text, (size_t)len, &options, &schedule, &fault), &fault);
    assert_int_equal(schedule.talks[0].starts_at, 1782914400); /* 14:00 UTC */
    assert_string_equal(schedule.talks[0].title, "On - and - on");
    assert_int_equal(schedule.talks[0].speakers_count, 0);
    schedule_free(&schedule);
}

/* Frab's hours after midnight are of the next date by its clock, which that night has been set. */
static void takes_nights_for_the_next_date(void **state)
{
    static const char text[] =
        "<schedule><day date='2026-03-28'><room name='A'>"
        "<event guid='late'><title>Late</title><start>00:30</start></event>"
        "<event guid='early'><title>Early</title><start>03:30</start></event>"
        "<event guid='morning'><title>Morning</title><start>04:00</start></event>"
        "</room></day></schedule>";
    schedule_options_t options = {.zone = "Europe/Berlin", .id = SCHEDULE_BY_GUID};
    schedule_t schedule;
    schedule_fault_t fault;
    (void)state;
    assert_read(schedule_read(text, strlen(text), &options, &schedule, &fault), &fault);
    assert_int_equal(schedule.count, 3);
    assert_int_equal(schedule.talks[0].starts_at, 1774666800); /* 04:00 in winter, of the 28th */
    assert_int_equal(schedule.talks[1].starts_at, 1774740600); /* 00:30, the 29th */
    assert_int_equal(schedule.talks[2].starts_at, 1774747800); /* 03:30 in summer */
    schedule_free(&schedule);
}

static void refuses_what_is_none(void **state)
{
    static const char *const texts[] = {
        "title\n",
        "title,id\n\"a",
        "title\na,b",
        "title,title\na,b\n",
        "BEGIN:VCALENDAR",
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        "<",
        "<rss/>",
        "<schedule/>",
        "<iCalendar/>",
        "<iCalendar><vcalendar/></iCalendar>",
        "",
        " ",
        "\xEF\xBB\xBF",
        "hello",
        "{}",
        "[]",
        "{\"schedule\": {}}",
        "{\"schedule\": {\"events\": []}}",
        "{\"schedule\": {\"conference\": {\"days\": []}}}",
        "{\"schedule\": {\"events\": [5]}}",
        "{\"schedule\": {\"conference\": {\"days\": [{\"rooms\": {\"a\": 5}}]}}}"};
    schedule_options_t options = {0};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        schedule_t schedule;
        schedule_fault_t fault;
        char *text = unit_copy(texts[i], strlen(texts[i]) + 1);
        assert_false(schedule_read(text, strlen(text), &options, &schedule, &fault));
        assert_true(fault.text[0]);
        schedule_free(&schedule);
        free(text);
    }
}

int main(void)
{
    static unit_suite_t suite;
    unit_add_rows(&suite, reads_relative_times, ROWS(relatives));
    unit_add_rows(&suite, reads_times, ROWS(times));
    unit_add(&suite, "moves dates", moves_dates, NULL);
    unit_add(&suite, "finds an hour of a date", finds_an_hour_of_a_date, NULL);
    unit_add_rows(&suite, reads_durations, ROWS(durations));
    unit_add_rows(&suite, finds_codes, ROWS(codes));
    unit_add_rows(&suite, cleans_texts, ROWS(cleans));
    unit_add_rows(&suite, reads_the_conference, ROWS(formats));
    unit_add_rows(&suite, survives_any_cut, ROWS(formats));
    unit_add_rows(&suite, says_where_memory_ran_out, ROWS(formats));
    unit_add_rows(&suite, names_line_and_field, ROWS(faults));
    unit_add(&suite, "too many speakers", refuses_too_many_speakers, NULL);
    unit_add(&suite, "windows that cannot be", refuses_windows_that_cannot_be, NULL);
    unit_add(&suite, "what is too large", refuses_what_is_too_large, NULL);
    unit_add(&suite, "a NUL", refuses_bytes_of_no_text, NULL);
    unit_add(&suite, "slots that open", opens_with_the_first_slot, NULL);
    unit_add(&suite, "several calendars", takes_each_calendar, NULL);
    unit_add(&suite, "ids by guid", names_talks_by_guid, NULL);
    unit_add(&suite, "zones of the file", takes_zones_as_the_file_has_them, NULL);
    unit_add(&suite, "nights", takes_nights_for_the_next_date, NULL);
    unit_add(&suite, "what is no schedule", refuses_what_is_none, NULL);
    return unit_run("schedule", &suite);
}
