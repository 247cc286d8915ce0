/* What of ratingsctl needs no server: times, rows of an export, the progress bar. */
#include "../../src/ctl/ctl_page.h"
#include "../../src/ctl/ctl_printable.h"
#include "../../src/ctl/ctl_progress.h"
#include "../../src/ctl/ctl_rows.h"
#include "../../src/ctl/ctl_time.h"
#include "unit.h"

/* ---- pages ---- */

static void pages_have_the_id(void **state)
{
    static const char *const rows[][3] = {
        {"https://x.example/{id}", "Az09-_.!~*'()", "https://x.example/Az09-_.!~*'()"},
        {"https://x.example/?a={id}&b", "a/b c%\xC3\xBC+&#",
         "https://x.example/?a=a%2Fb%20c%25%C3%BC%2B%26%23&b"},
        {"https://x.example/{id}/{id}", "{id}", "https://x.example/%7Bid%7D/%7Bid%7D"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *page = ctl_page_of(rows[i][0], rows[i][1]);
        assert_string_equal(page, rows[i][2]);
        free(page);
    }
}

/* ---- times ---- */

typedef struct {
    const char *name, *text;
    int64_t ms; /* -1: it is none */
} time_row_t;

static time_row_t times[] = {
    {"a time", "2026-11-29T12:00:00Z", INT64_C(1795953600000)},
    {"its milliseconds", "2026-11-29T12:00:00.123Z", INT64_C(1795953600123)},
    {"one digit of a second", "2026-11-29T12:00:00.5Z", INT64_C(1795953600500)},
    {"what is finer than a millisecond", "2026-11-29T12:00:00.123999999Z", INT64_C(1795953600123)},
    {"a time east of Greenwich", "2026-11-29T13:00:00+01:00", INT64_C(1795953600000)},
    {"a time west of it", "2026-11-29T08:30:00-03:30", INT64_C(1795953600000)},
    {"lower case", "2026-11-29t12:00:00z", INT64_C(1795953600000)},
    {"a blank between day and time", "2026-11-29 12:00:00Z", INT64_C(1795953600000)},
    {"the beginning", "1970-01-01T00:00:00Z", 0},
    {"the 29th of February", "2024-02-29T00:00:00Z", INT64_C(1709164800000)},
    {"the end", "9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
    {"the 29th of February of another year", "2026-02-29T00:00:00Z", -1},
    {"the 31st of April", "2026-04-31T00:00:00Z", -1},
    {"no month", "2026-13-01T00:00:00Z", -1},
    {"no day", "2026-01-00T00:00:00Z", -1},
    {"no hour", "2026-01-01T24:00:00Z", -1},
    {"a leap second", "2016-12-31T23:59:60Z", -1},
    {"before 1970", "1969-12-31T23:59:59Z", -1},
    {"before 1970, by its offset", "1970-01-01T00:00:00+00:01", -1},
    {"no zone", "2026-11-29T12:00:00", -1},
    {"a zone that is none", "2026-11-29T12:00:00+1:00", -1},
    {"no seconds", "2026-11-29T12:00Z", -1},
    {"a point without a fraction", "2026-11-29T12:00:00.Z", -1},
    {"a day alone", "2026-11-29", -1},
    {"something behind it", "2026-11-29T12:00:00Zx", -1},
    {"a sign", "+026-11-29T12:00:00Z", -1},
    {"nothing", "", -1},
};

static void reads_times(void **state)
{
    const time_row_t *row = *state;
    char *text = unit_copy(row->text, strlen(row->text) + 1);
    int64_t ms = -7;

    assert_int_equal(ctl_time_parse(text, &ms), row->ms >= 0);
    assert_int_equal(ms, row->ms >= 0 ? row->ms : -7);
    free(text);
}

static void prints_times(void **state)
{
    static const int64_t known[] = {0, 1, 999, 951782400000, 1795953600123, 253402300799999};
    char text[CTL_TIME_SIZE];
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_true(ctl_time_print(known[i], text));
        assert_int_equal(strlen(text), CTL_TIME_SIZE - 1);
        assert_true(ctl_time_parse(text, &ms));
        assert_int_equal(ms, known[i]);
    }
    assert_true(ctl_time_print(1795953600123, text));
    assert_string_equal(text, "2026-11-29T12:00:00.123Z");
    assert_false(ctl_time_print(-1, text));
    assert_string_equal(text, "");
    assert_false(ctl_time_print(253402300800000, text));
    assert_false(ctl_time_print(INT64_MAX, text));
}

/* ---- rows ---- */

typedef struct {
    const char *name, *text, *csv, *json;
} text_row_t;

static text_row_t texts[] = {
    {"a word", "word", "word", "\"word\""},
    {"no text", NULL, "", "null"},
    {"an empty one", "", "", "\"\""},
    {"a comma", "a,b", "\"a,b\"", "\"a,b\""},
    {"a semicolon", "a;=1+1", "\"a;=1+1\"", "\"a;=1+1\""},
    {"quotes", "a \"b\"", "\"a \"\"b\"\"\"", "\"a \\\"b\\\"\""},
    {"a quote alone", "\"", "\"\"\"\"", "\"\\\"\""},
    {"a backslash", "a\\b", "a\\b", "\"a\\\\b\""},
    {"an end of a line", "a\r\nb", "\"a\r\nb\"", "\"a\\u000d\\u000ab\""},
    {"blanks around it", " a ", " a ", "\" a \""},
    {"letters beyond ASCII", "Vortr\xC3\xA4ge \xF0\x9F\x8E\xA4", "Vortr\xC3\xA4ge \xF0\x9F\x8E\xA4",
     "\"Vortr\xC3\xA4ge \xF0\x9F\x8E\xA4\""},
    {"a formula", "=1+1", "'=1+1", "\"=1+1\""},
    {"one that begins with +", "+1", "'+1", "\"+1\""},
    {"one that begins with -", "-1", "'-1", "\"-1\""},
    {"one that begins with @", "@SUM(A1)", "'@SUM(A1)", "\"@SUM(A1)\""},
    {"one with a comma", "=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\"",
     "\"=HYPERLINK(\\\"x\\\",1)\""},
    {"an apostrophe", "'=1", "''=1", "\"'=1\""},
    {"a sign within it", "a=1", "a=1", "\"a=1\""},
};

static const char *const one_column[] = {"t", NULL};

/* What `put` writes as rows of that format. */
static void assert_rows(ctl_rows_format_e format, const char *const *names,
                        void (*put)(ctl_rows_t *rows, const void *what), const void *what,
                        const char *expected)
{
    char *written = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&written, &len);
    ctl_rows_t rows;

    assert_non_null(out);
    ctl_rows_begin(&rows, out, format, names);
    put(&rows, what);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(written, expected);
    free(written);
}

static void put_text(ctl_rows_t *rows, const void *what)
{
    ctl_rows_text(rows, what);
}

static void writes_texts(void **state)
{
    const text_row_t *row = *state;
    char expected[128];

    (void)snprintf(expected, sizeof expected, "t\r\n%s\r\n", row->csv);
    assert_rows(CTL_ROWS_CSV, one_column, put_text, row->text, expected);
    (void)snprintf(expected, sizeof expected, "{\"t\":%s}\n", row->json);
    assert_rows(CTL_ROWS_NDJSON, one_column, put_text, row->text, expected);
}

static void put_two_rows(ctl_rows_t *rows, const void *what)
{
    (void)what;
    ctl_rows_text(rows, "a");
    ctl_rows_integer(rows, INT64_MAX);
    ctl_rows_real(rows, 4.75);
    ctl_rows_text(rows, NULL);
    ctl_rows_integer(rows, 0);
    ctl_rows_real(rows, 11.0 / 3);
}

static void writes_rows(void **state)
{
    static const char *const names[] = {"talk", "1", "average", NULL};

    (void)state;
    assert_rows(CTL_ROWS_CSV, names, put_two_rows, NULL,
                "talk,1,average\r\na,9223372036854775807,4.75\r\n,0,3.6666666666666665\r\n");
    assert_rows(CTL_ROWS_NDJSON, names, put_two_rows, NULL,
                "{\"talk\":\"a\",\"1\":9223372036854775807,\"average\":4.75}\n"
                "{\"talk\":null,\"1\":0,\"average\":3.6666666666666665}\n");
}

static void put_nothing(ctl_rows_t *rows, const void *what)
{
    (void)rows, (void)what;
}

static void writes_names_without_rows(void **state)
{
    (void)state;
    assert_rows(CTL_ROWS_CSV, one_column, put_nothing, NULL, "t\r\n");
    assert_rows(CTL_ROWS_NDJSON, one_column, put_nothing, NULL, "");
}

/* ---- texts of others ---- */

typedef struct {
    const char *name, *text, *shown;
} printable_row_t;

static printable_row_t printables[] = {
    {"nothing", "", ""},
    {"a text", "connection refused (errno 111)", "connection refused (errno 111)"},
    {"other letters", "Verbindung zum Server schl\xC3\xA4gt fehl",
     "Verbindung zum Server schl\xC3\xA4gt fehl"},
    {"letters of four bytes", "\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
    {"what moves a terminal's cursor", "\x1B[2J\r\n", "?[2J??"},
    {"a delete", "a\x7F", "a?"},
    {"a control character of two bytes",
     "a\xC2\x9B"
     "2J",
     "a??2J"},
    {"letters of another encoding", "schl\xE4gt fehl", "schl?gt fehl"},
    {"one that was cut", "schl\xC3", "schl?"},
    {"one that is longer than it need be", "\xC0\xAF", "??"},
    {"bytes of no text", "\xFF\xFE\x01", "???"},
};

static void makes_texts_printable(void **state)
{
    const printable_row_t *row = *state;
    char *text = unit_copy(row->text, strlen(row->text) + 1);

    ctl_make_printable(text);
    assert_string_equal(text, row->shown);
    free(text);
}

/* ---- the bar ---- */

typedef struct {
    const char *name;
    int64_t done, total;
    int columns;
    const char *line;
} bar_row_t;

static bar_row_t bars[] = {
    {"the beginning", 0, 10, 40, "read [                  ]   0%  0 of 10"},
    {"the middle", 5, 10, 40, "read [=========         ]  50%  5 of 10"},
    {"nearly the end", 999, 1000, 40, "read [============= ]  99%  999 of 1000"},
    {"the end", 10, 10, 40, "read [=================] 100%  10 of 10"},
    {"more than was known of", 12, 10, 40, "read [=================] 100%  12 of 10"},
    {"nothing to do", 0, 0, 40, "read [===================] 100%  0 of 0"},
    {"no room for a bar", 5, 10, 24, "read  50%  5 of 10"},
    {"no room for all of it", 5, 10, 12, "read  50%  "},
};

static void draws_bars(void **state)
{
    const bar_row_t *row = *state;
    const ctl_progress_t progress = {.what = "read", .done = row->done, .total = row->total};
    char line[256];

    ctl_progress_line(&progress, row->columns, line, sizeof line);
    assert_string_equal(line, row->line);
    assert_true(strlen(line) < (size_t)row->columns);
}

/* Whatever the terminal's width, the line stays within it. */
static void a_bar_stays_in_its_line(void **state)
{
    const ctl_progress_t progress = {.what = "read", .done = 7, .total = INT64_MAX};
    char line[256];

    (void)state;
    for (int columns = 1; columns < 400; columns++) {
        ctl_progress_line(&progress, columns, line, sizeof line);
        assert_true(strlen(line) < (size_t)columns);
    }
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add(&suite, "pages have the id in its place", pages_have_the_id, NULL);
    unit_add_rows(&suite, reads_times, ROWS(times));
    unit_add(&suite, "times that are printed", prints_times, NULL);
    unit_add_rows(&suite, writes_texts, ROWS(texts));
    unit_add(&suite, "rows", writes_rows, NULL);
    unit_add(&suite, "no rows", writes_names_without_rows, NULL);
    unit_add_rows(&suite, makes_texts_printable, ROWS(printables));
    unit_add_rows(&suite, draws_bars, ROWS(bars));
    unit_add(&suite, "a bar stays in its line", a_bar_stays_in_its_line, NULL);
    return unit_run("ctl", &suite);
}
