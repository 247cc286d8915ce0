#include "../../src/core/number.h"
#include "../../src/core/talk_query.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

static const char *problem_of(const char *query)
{
    ratings_talk_query_t read;
    return ratings_talk_query_parse(query, &read);
}

static ratings_talk_query_t query_of(const char *text)
{
    ratings_talk_query_t read;
    assert_null(ratings_talk_query_parse(text, &read));
    return read;
}

/* ---- parameters ---- */

static void nothing_asks_for_the_first_page_by_title(void **state)
{
    static const char *const texts[] = {NULL, "", "&&"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ratings_talk_query_t read = query_of(texts[i]);
        assert_string_equal(read.q, "");
        assert_string_equal(read.track, "");
        assert_string_equal(read.day, "");
        assert_int_equal(read.order, RATINGS_TALKS_BY_TITLE);
        assert_int_equal(read.limit, RATINGS_PAGE_DEFAULT);
        assert_false(read.with_ratings);
        assert_false(read.has_cursor);
    }
}

static void all_can_be_asked_at_once(void **state)
{
    (void)state;
    ratings_talk_query_t read =
        query_of("limit=100&q=caf%C3%A9+bar&track=Web%20%26+more&day=2026-11-29"
                 "&sort=start&include=ratings");
    assert_string_equal(read.q, "caf\xC3\xA9 bar");
    assert_string_equal(read.track, "Web & more");
    assert_string_equal(read.day, "2026-11-29");
    assert_int_equal(read.order, RATINGS_TALKS_BY_START);
    assert_int_equal(read.limit, 100);
    assert_true(read.with_ratings);
}

static void what_is_none_of_its_kind_is_refused(void **state)
{
    static const struct {
        const char *query, *problem;
    } rows[] = {
        {"q=", "q must be"},
        {"q=%00", "q must be"},
        {"q=%0A", "q must be"},
        {"q=%C2%85", "q must be"},
        {"q=%FF", "q must be"},
        {"track=", "track must be"},
        {"day=", "day must be"},
        {"day=2026-11-2", "day must be"},
        {"day=2026-11-29T", "day must be"},
        {"day=2026/11/29", "day must be"},
        {"sort=", "sort must be"},
        {"sort=Title", "sort must be"},
        {"include=", "include must be"},
        {"include=votes", "include must be"},
        {"limit=0", "limit must be"},
        {"limit=101", "limit must be"},
        {"limit=010", "limit must be"},
        {"limit=", "limit must be"},
        {"limit=10&limit=10", "limit is given twice"},
        {"q=a&%71=b", "q is given twice"},
        {"sort=title&sort=title", "sort is given twice"},
        {"talkId=x", "there is a parameter"},
        {"q=a&page=2", "there is a parameter"},
        {"=", "there is a parameter"},
        {"q=%4", "a % is not followed"},
        {"cursor=", "cursor must be"},
        {"cursor=7", "cursor must be"},
        {"cursor=xx", "cursor must be"},
        {"cursor=74303a303a", NULL},                          /* t0:0: */
        {"cursor=7430", "cursor must be"},                    /* t0 */
        {"cursor=74303a303a00", "cursor must be"},            /* an id with a NUL */
        {"cursor=74303a323a61", "cursor must be"},            /* t0:2:a: cut short */
        {"cursor=74303a3132313a61", "cursor must be"},        /* t0:121:a */
        {"cursor=7430303a303a61", "cursor must be"},          /* t00:0:a */
        {"cursor=74303a303a61&sort=start", "cursor must be"}, /* of another order */
        {"sort=score&cursor=72303a303a61", NULL},             /* r0:0:a */
        {"cursor=72303a303a61&sort=score", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *problem = problem_of(rows[i].query);
        if (!rows[i].problem && problem)
            fail_msg("%s: %s", rows[i].query, problem);
        else if (rows[i].problem &&
                 (!problem || strncmp(problem, rows[i].problem, strlen(rows[i].problem)) != 0))
            fail_msg("%s: %s", rows[i].query, problem ? problem : "no problem");
    }
}

static void a_day_is_one_of_the_calendar(void **state)
{
    static const char *const days[] = {"day=1999-12-31", "day=2000-02-29", "day=2028-02-29"};
    static const char *const none[] = {"day=0000-00-00", "day=2026-00-10", "day=2026-13-10",
                                       "day=2026-11-00", "day=2026-11-31", "day=2026-02-29",
                                       "day=1900-02-29", "day=2026-01-32"};
    (void)state;
    for (size_t i = 0; i < sizeof days / sizeof *days; i++)
        assert_string_equal(query_of(days[i]).day, days[i] + strlen("day="));
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_string_equal(problem_of(none[i]), "day must be a date, as in 2026-11-29");
}

static void texts_have_a_bound(void **state)
{
    char query[RATINGS_SEARCH_MAX + 8] = "q=";
    (void)state;
    memset(query + 2, 'x', RATINGS_SEARCH_MAX);
    assert_int_equal(strlen(query_of(query).q), RATINGS_SEARCH_MAX);
    query[2 + RATINGS_SEARCH_MAX] = 'x';
    assert_non_null(problem_of(query));
}

static void one_talk_takes_include_alone(void **state)
{
    bool with_ratings;
    (void)state;
    assert_null(ratings_talk_query_parse_one(NULL, &with_ratings));
    assert_false(with_ratings);
    assert_null(ratings_talk_query_parse_one("include=ratings", &with_ratings));
    assert_true(with_ratings);
    assert_string_equal(ratings_talk_query_parse_one("q=a", &with_ratings),
                        "there is a parameter other than include");
    assert_non_null(ratings_talk_query_parse_one("include=ratings&include=ratings", &with_ratings));
}

/* ---- cursors ---- */

static void a_cursor_comes_back(void **state)
{
    static const int64_t ranks[] = {0, 1764417600000000, -1, INT64_MIN, INT64_MAX};
    char text[RATINGS_CURSOR_TEXT_SIZE], query[RATINGS_CURSOR_TEXT_SIZE + 32];
    (void)state;
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        ratings_talk_cursor_t cursor = {.rank = ranks[i]};
        memset(cursor.title_key, ':', RATINGS_ORDER_KEY_MAX - i);
        memset(cursor.talk_id, '9', RATINGS_TALK_ID_MAX - i);
        ratings_talk_cursor_print(&cursor, RATINGS_TALKS_BY_START, text);
        (void)snprintf(query, sizeof query, "cursor=%s&sort=start", text);
        ratings_talk_query_t read = query_of(query);
        assert_true(read.has_cursor);
        assert_int_equal(read.cursor.rank, cursor.rank);
        assert_string_equal(read.cursor.title_key, cursor.title_key);
        assert_string_equal(read.cursor.talk_id, cursor.talk_id);
    }
}

/* Below `limit`, by a linear congruential generator: the same at each run. */
static unsigned drawn(unsigned limit)
{
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % limit;
}

/* Whatever is sent as a cursor is read within its bounds: under ASan. */
static void any_bytes_are_read_within_bounds(void **state)
{
    unsigned char bytes[RATINGS_CURSOR_BYTES + 1];
    char hex[2 * sizeof bytes + 1], query[sizeof hex + 8];
    (void)state;
    for (int i = 0; i < 20000; i++) {
        size_t len = drawn(sizeof bytes);
        for (size_t j = 0; j < len; j++)
            bytes[j] = (unsigned char)"t0123:-a"[drawn(8)];
        if (len > 0)
            bytes[0] = 't';
        ratings_hex_write(bytes, len, hex);
        (void)snprintf(query, sizeof query, "cursor=%s", hex);
        (void)problem_of(query);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asks_for_the_first_page_by_title),
        cmocka_unit_test(all_can_be_asked_at_once),
        cmocka_unit_test(what_is_none_of_its_kind_is_refused),
        cmocka_unit_test(a_day_is_one_of_the_calendar),
        cmocka_unit_test(texts_have_a_bound),
        cmocka_unit_test(one_talk_takes_include_alone),
        cmocka_unit_test(a_cursor_comes_back),
        cmocka_unit_test(any_bytes_are_read_within_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
