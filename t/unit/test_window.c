#include "../../src/core/window.h"
#include "unit.h"

#define S INT64_C(1000000)

/* ---- phases ---- */

typedef struct {
    const char *name;
    ratings_window_t window;
    int64_t now;
    ratings_window_phase_e phase;
} phase_row_t;

static phase_row_t phase_rows[] = {
    {"no bounds: open", {RATINGS_ALWAYS, RATINGS_NEVER}, 0, RATINGS_WINDOW_OPEN},
    {"no bounds, before 1970: open", {RATINGS_ALWAYS, RATINGS_NEVER}, -5, RATINGS_WINDOW_OPEN},
    {"a microsecond before the opening", {10, 20}, 9, RATINGS_WINDOW_TO_COME},
    {"at the opening", {10, 20}, 10, RATINGS_WINDOW_OPEN},
    {"a microsecond before the end", {10, 20}, 19, RATINGS_WINDOW_OPEN},
    {"at the end", {10, 20}, 20, RATINGS_WINDOW_CLOSED},
    {"an opening alone, before it", {10, RATINGS_NEVER}, 9, RATINGS_WINDOW_TO_COME},
    {"an opening alone, after it", {10, RATINGS_NEVER}, 11, RATINGS_WINDOW_OPEN},
    {"an end alone, before it", {RATINGS_ALWAYS, 20}, 19, RATINGS_WINDOW_OPEN},
    {"an end alone, after it", {RATINGS_ALWAYS, 20}, 21, RATINGS_WINDOW_CLOSED},
    {"an end before the opening: never open", {20, 10}, 5, RATINGS_WINDOW_CLOSED},
    {"an end at the opening: never open", {20, 20}, 5, RATINGS_WINDOW_CLOSED},
    {"an opening at infinity", {RATINGS_NEVER, RATINGS_NEVER}, 5, RATINGS_WINDOW_CLOSED},
    {"an end at minus infinity", {RATINGS_ALWAYS, RATINGS_ALWAYS}, 5, RATINGS_WINDOW_CLOSED},
};

static void is_in_its_phase(void **state)
{
    const phase_row_t *row = *state;
    assert_int_equal(ratings_window_phase(&row->window, row->now), row->phase);
}

static void waits_for_the_opening_and_no_longer(void **state)
{
    const ratings_window_t window = {100 * S, RATINGS_NEVER};
    (void)state;
    assert_int_equal(ratings_window_seconds_left(&window, 90 * S), 10);
    assert_int_equal(ratings_window_seconds_left(&window, 90 * S + 1), 10);
    assert_int_equal(ratings_window_seconds_left(&window, 90 * S - 1), 11);
    assert_int_equal(ratings_window_seconds_left(&window, 100 * S - 1), 1);
}

/* ---- reading ---- */

typedef struct {
    const char *name, *text;
    bool accepted;
    int64_t time;
} epoch_row_t;

static epoch_row_t epoch_rows[] = {
    {"whole seconds", "1764441900", true, 1764441900 * S},
    {"six digits", "1764441900.123456", true, 1764441900 * S + 123456},
    {"six zeros", "1764441900.000000", true, 1764441900 * S},
    {"one digit", "1.5", true, 1500000},
    {"more than six digits", "1.12345678", true, 1123456},
    {"zero", "0", true, 0},
    {"less than a second", "0.000001", true, 1},
    {"less than a second before 1970", "-0.500000", true, -500000},
    {"before 1970", "-1.500000", true, -1500000},
    {"the year 4713 before Christ", "-210866803200.000000", true, -210866803200 * S},
    {"the last year that 64 bits hold", "9223372036854.775806", true, INT64_MAX - 1},
    {"beyond 64 bits", "9224318015999.999999", true, RATINGS_NEVER},
    {"beyond 64 bits, backwards", "-9224318015999.999999", true, RATINGS_ALWAYS},
    {"infinity", "Infinity", true, RATINGS_NEVER},
    {"minus infinity", "-Infinity", true, RATINGS_ALWAYS},
    {"no text", "", false, 0},
    {"a sign alone", "-", false, 0},
    {"no digits before the point", ".5", false, 0},
    {"no digits after the point", "5.", false, 0},
    {"two points", "1.2.3", false, 0},
    {"an exponent", "1e10", false, 0},
    {"an exponent after a fraction", "1.5e10", false, 0},
    {"a sign within", "1.-5", false, 0},
    {"no number", "NaN", false, 0},
    {"infinity by another name", "infinity", false, 0},
    {"a date", "2026-11-29 12:00:00+00", false, 0},
    {"more digits than 64 bits hold", "99999999999999999999", false, 0},
};

static void reads_seconds(void **state)
{
    const epoch_row_t *row = *state;
    int64_t time = 4711;
    assert_int_equal(ratings_time_from_epoch(row->text, &time), row->accepted);
    assert_true(time == (row->accepted ? row->time : 4711));
}

/* ---- writing ---- */

typedef struct {
    const char *name;
    int64_t time;
    const char *text; /* NULL: it has none */
} text_row_t;

static text_row_t text_rows[] = {
    {"whole seconds", 1764417600 * S, "2025-11-29T12:00:00Z"},
    {"a fraction", 1764417600 * S + 1, "2025-11-29T12:00:00.000001Z"},
    {"1970", 0, "1970-01-01T00:00:00Z"},
    {"a microsecond before 1970", -1, "1969-12-31T23:59:59.999999Z"},
    {"a second before 1970", -1 * S, "1969-12-31T23:59:59Z"},
    {"a day in February", 1709208000 * S, "2024-02-29T12:00:00Z"},
    {"the first second of the year 1", -62135596800 * S, "0001-01-01T00:00:00Z"},
    {"before it", -62135596801 * S, NULL},
    {"the last second of the year 9999", 253402300799 * S + 999999, "9999-12-31T23:59:59.999999Z"},
    {"after it", 253402300800 * S, NULL},
    {"always", RATINGS_ALWAYS, NULL},
    {"never", RATINGS_NEVER, NULL},
};

static void writes_by_rfc_3339(void **state)
{
    const text_row_t *row = *state;
    char text[RATINGS_TIME_TEXT_SIZE] = "untouched";
    assert_int_equal(ratings_time_print(row->time, text), row->text != NULL);
    assert_string_equal(text, row->text ? row->text : "untouched");
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, is_in_its_phase, ROWS(phase_rows));
    unit_add(&suite, "Retry-After is the time to the opening", waits_for_the_opening_and_no_longer,
             NULL);
    unit_add_rows(&suite, reads_seconds, ROWS(epoch_rows));
    unit_add_rows(&suite, writes_by_rfc_3339, ROWS(text_rows));
    return unit_run("window", &suite);
}
