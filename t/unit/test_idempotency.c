#include "../../src/core/idempotency.h"
#include "unit.h"

static const char malformed[] =
    "Idempotency-Key must be a string in double quotes, or letters, digits and ._~:/+=- alone";
static const char too_long[] = "Idempotency-Key must have 1 to 255 characters";

typedef struct {
    const char *name;
    const char *field;
    const char *key; /* NULL: it is refused */
    const char *problem;
} row_t;

static row_t rows[] = {
    {"a string in quotes is a key", "\"8e03978e-40d5\"", "8e03978e-40d5", NULL},
    {"a string may hold blanks and punctuation", "\"a, b; c\"", "a, b; c", NULL},
    {"escapes stand for themselves", "\"a\\\"b\\\\c\"", "a\"b\\c", NULL},
    {"blanks around it do not count", " \t\"a\" ", "a", NULL},
    {"parameters after it do not count", "\"a\";v=1", "a", NULL},
    {"a bare key is one", "KG5LxwFBepaKHyUD-1.0", "KG5LxwFBepaKHyUD-1.0", NULL},
    {"quotes make no other key", "\"KG5\"", "KG5", NULL},

    {"nothing is no key", "", NULL, too_long},
    {"an empty string is no key", "\"\"", NULL, too_long},
    {"a string that does not end is no key", "\"abc", NULL, malformed},
    {"an escape of another character is none", "\"a\\n\"", NULL, malformed},
    {"an escape at the end is none", "\"a\\", NULL, malformed},
    {"a control character is none", "\"a\tb\"", NULL, malformed},
    {"a byte beyond ASCII is none", "\"caf\xC3\xA9\"", NULL, malformed},
    {"two keys are none", "\"a\", \"b\"", NULL, malformed},
    {"a bare key has no blanks", "a b", NULL, malformed},
    {"a bare key has no quotes", "a\"b", NULL, malformed},
};

static void reads_header(void **state)
{
    const row_t *row = *state;
    char *field = unit_copy(row->field, strlen(row->field) + 1), text[RATINGS_KEY_MAX + 1];
    const char *problem = ratings_key_from_header(field, text);

    free(field);
    assert_problem(problem, row->problem);
    if (!problem)
        assert_string_equal(text, row->key);
}

static const char *read_of_length(size_t len, char quote)
{
    char field[RATINGS_KEY_MAX + 8] = "", text[RATINGS_KEY_MAX + 1];

    memset(field + (quote ? 1 : 0), 'x', len);
    if (quote)
        field[0] = field[len + 1] = quote;
    return ratings_key_from_header(field, text);
}

static void bounds_the_key(void **state)
{
    (void)state;
    assert_problem(read_of_length(RATINGS_KEY_MAX, '"'), NULL);
    assert_problem(read_of_length(RATINGS_KEY_MAX + 1, '"'), too_long);
    assert_problem(read_of_length(RATINGS_KEY_MAX, '\0'), NULL);
    assert_problem(read_of_length(RATINGS_KEY_MAX + 1, '\0'), too_long);
}

static void log_time_never_goes_back(void **state)
{
    (void)state;
    assert_int_equal(ratings_log_time(0, 7), 7);
    assert_int_equal(ratings_log_time(7, 5), 7);
    assert_int_equal(ratings_log_time(7, -1), 7);
}

/* Events with one key and a window of ten: value and log time of each, and what becomes of it. */
static void judges_by_the_log_alone(void **state)
{
    static const struct {
        int value;
        int64_t at;
        ratings_verdict_e verdict;
        int64_t counted; /* the offset that the use tells of afterwards */
    } events[] = {
        {5, 100, RATINGS_VERDICT_COUNTED, 0},  /* the first */
        {5, 100, RATINGS_VERDICT_REPEATED, 0}, /* at once again */
        {4, 105, RATINGS_VERDICT_CONFLICT, 0}, /* another value */
        {5, 109, RATINGS_VERDICT_REPEATED, 0}, /* the window's last moment; repeats do not lengthen
                                                  it */
        {4, 110, RATINGS_VERDICT_COUNTED, 4},  /* the window has passed: as good as new */
        {5, 110, RATINGS_VERDICT_CONFLICT, 4}, /* and now holds for the new value */
        {4, 119, RATINGS_VERDICT_REPEATED, 4}, {5, 500, RATINGS_VERDICT_COUNTED, 7},
    };
    const ratings_key_t key = {"k", 10};
    ratings_use_t use = {.offset = -1};

    (void)state;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        assert_int_equal(ratings_key_resolve(&use, &key, events[i].value, (int64_t)i, events[i].at),
                         events[i].verdict);
        assert_int_equal(use.offset, events[i].counted);
    }
}

static void keeps_the_window_of_the_event_that_counted(void **state)
{
    const ratings_key_t narrow = {"k", 10}, wide = {"k", 1000};
    ratings_use_t use = {.offset = -1};

    (void)state;
    assert_int_equal(ratings_key_resolve(&use, &narrow, 5, 0, 100), RATINGS_VERDICT_COUNTED);
    assert_int_equal(ratings_key_resolve(&use, &wide, 5, 1, 105), RATINGS_VERDICT_REPEATED);
    assert_int_equal(ratings_key_resolve(&use, &wide, 5, 2, 110), RATINGS_VERDICT_COUNTED);
    assert_int_equal(ratings_key_resolve(&use, &narrow, 5, 3, 1109), RATINGS_VERDICT_REPEATED);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, reads_header, ROWS(rows));
    unit_add(&suite, "a key has at most 255 characters", bounds_the_key, NULL);
    unit_add(&suite, "the log's time never goes back", log_time_never_goes_back, NULL);
    unit_add(&suite, "a key holds for its window, by the log's time", judges_by_the_log_alone,
             NULL);
    unit_add(&suite, "the window is that of the event that counted",
             keeps_the_window_of_the_event_that_counted, NULL);
    return unit_run("idempotency", &suite);
}
