#include "../../src/core/talk.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#define TALK(id_, title, speakers, track_, starts)                                                 \
    {                                                                                              \
        .id = (id_), .title_key = (title), .search_key = title "\n" speakers, .track = (track_),   \
        .starts_at = (starts), .ends_at = RATINGS_NEVER, .window = {                               \
            RATINGS_ALWAYS,                                                                        \
            RATINGS_NEVER                                                                          \
        }                                                                                          \
    }

/* ---- one talk ---- */

static void what_is_unknown_is_left_out(void **state)
{
    const ratings_talk_t talk = TALK("a-\"1\"", "", "", NULL, RATINGS_NEVER);
    char *json = ratings_talk_json(&talk);
    (void)state;
    assert_string_equal(json, "{\"talkId\":\"a-\\\"1\\\"\"}");
    free(json);
}

static void all_that_is_known_is_there(void **state)
{
    const ratings_talk_t talk = {
        .id = "1",
        .title = "Caf\xC3\xA9",
        .speakers = "[\"Ann\", \"Bo \\\"b\\\"\"]",
        .room = "R",
        .track = "T",
        .language = "en",
        .url = "https://example.org/",
        .day = "2025-11-29",
        .starts_at = INT64_C(1764417600000000),
        .ends_at = INT64_C(1764421200000000),
        .window = {INT64_C(1764421200000000), INT64_C(1764424800000000)},
    };
    char *json = ratings_talk_json(&talk);
    (void)state;
    assert_string_equal(json,
                        "{\"talkId\":\"1\",\"title\":\"Caf\xC3\xA9\","
                        "\"speakers\":[\"Ann\",\"Bo \\\"b\\\"\"],\"room\":\"R\","
                        "\"track\":\"T\",\"language\":\"en\",\"url\":\"https://example.org/\","
                        "\"day\":\"2025-11-29\",\"startsAt\":\"2025-11-29T12:00:00Z\","
                        "\"endsAt\":\"2025-11-29T13:00:00Z\","
                        "\"opensAt\":\"2025-11-29T13:00:00Z\","
                        "\"closesAt\":\"2025-11-29T14:00:00Z\"}");
    free(json);
}

static void speakers_as_a_text(void **state)
{
    static const struct {
        const char *array, *text;
    } cases[] = {
        {"[\"Ann\", \"Bo \\\"b\\\"\", \"Zo\xC3\xAB\"]", "Ann, Bo \"b\", Zo\xC3\xAB"},
        {"[\"Ann\"]", "Ann"},
        {"[null, \"Bo\"]", "Bo"},
        {"[]", NULL},
        {"{}", NULL},
        {"Ann", NULL},
        {NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ratings_talk_t talk = {.speakers = cases[i].array};
        char *text = ratings_talk_speakers_text(&talk);
        if (cases[i].text)
            assert_string_equal(text, cases[i].text);
        else
            assert_null(text);
        free(text);
    }
}

static void what_is_no_text_is_refused(void **state)
{
    const ratings_talk_t talk = TALK("\xFF", "", "", NULL, 0);
    (void)state;
    assert_null(ratings_talk_json(&talk));
}

/* ---- pages ---- */

static ratings_talk_t talks[] = {
    TALK("5", "zig", "ann lee\nbob", "Web", 30),
    TALK("4", "a gopher in flight", "carla", "Web", 20),
    TALK("2", "rust", "dora gopher", "Ops", 20),
    TALK("3", "rust", "emil", "Ops", 10),
    TALK("1", "a gopher in flight", "frida", NULL, RATINGS_NEVER),
};

static ratings_talk_list_t list = {talks, sizeof talks / sizeof *talks, "UTC"};

/* The ids of the whole list, read in pages of `limit`, with a bar after each page. */
static const char *read_all(ratings_talk_query_t query, const char *words, const int64_t *ranks,
                            int limit)
{
    static char ids[256];
    ratings_talk_page_t page;
    char cursor[RATINGS_CURSOR_TEXT_SIZE];
    char text[RATINGS_CURSOR_TEXT_SIZE + 32];
    static const char *const orders[] = {"title", "start", "score"};
    ids[0] = '\0';
    query.limit = limit;
    do {
        ratings_talk_list_page(&list, &query, words, ranks, &page);
        for (int i = 0; i < page.count; i++)
            (void)strcat(ids, page.talks[i]->id);
        (void)strcat(ids, "|");
        if (page.has_more) {
            ratings_talk_query_t next;
            ratings_talk_page_cursor(&page, query.order, cursor);
            (void)snprintf(text, sizeof text, "sort=%s&cursor=%s", orders[query.order], cursor);
            assert_null(ratings_talk_query_parse(text, &next));
            query.has_cursor = true;
            query.cursor = next.cursor;
        }
    } while (page.has_more);
    return ids;
}

static void pages_follow_each_other(void **state)
{
    const ratings_talk_query_t by_title = {.order = RATINGS_TALKS_BY_TITLE};
    const ratings_talk_query_t by_start = {.order = RATINGS_TALKS_BY_START};
    const ratings_talk_query_t by_score = {.order = RATINGS_TALKS_BY_SCORE};
    const int64_t ranks[] = {-5, RATINGS_NEVER, -7, RATINGS_NEVER, -5}; /* of 1, 4, 2, 3, 5 */
    (void)state;
    assert_string_equal(read_all(by_title, "", NULL, 100), "14235|");
    assert_string_equal(read_all(by_title, "", NULL, 5), "14235|");
    assert_string_equal(read_all(by_title, "", NULL, 1), "1|4|2|3|5|");
    assert_string_equal(read_all(by_title, "", NULL, 2), "14|23|5|");
    assert_string_equal(read_all(by_start, "", NULL, 100), "34251|");
    assert_string_equal(read_all(by_start, "", NULL, 1), "3|4|2|5|1|");
    assert_string_equal(read_all(by_start, "", NULL, 3), "342|51|");
    assert_string_equal(read_all(by_score, "", ranks, 100), "21543|");
    assert_string_equal(read_all(by_score, "", ranks, 1), "2|1|5|4|3|");
    assert_string_equal(read_all(by_score, "", ranks, 2), "21|54|3|");
}

static void a_talk_that_is_gone_does_not_lose_the_place(void **state)
{
    ratings_talk_query_t query = {
        .limit = 2, .has_cursor = true, .cursor = {0, "a gopher in flight", "1a"}};
    ratings_talk_page_t page;
    (void)state;
    ratings_talk_list_page(&list, &query, "", NULL, &page);
    assert_int_equal(page.count, 2);
    assert_string_equal(page.talks[0]->id, "4");
    assert_string_equal(page.talks[1]->id, "2");
}

static void each_word_is_in_title_or_speakers(void **state)
{
    const ratings_talk_query_t query = {.q = "not empty"};
    (void)state;
    assert_string_equal(read_all(query, "gopher", NULL, 9), "142|");
    assert_string_equal(read_all(query, "  flight  gopher ", NULL, 9), "14|");
    assert_string_equal(read_all(query, "dora rust", NULL, 9), "2|");
    assert_string_equal(read_all(query, "dora zig", NULL, 9), "|");
    assert_string_equal(read_all(query, "lee bob", NULL, 9), "5|");
    assert_string_equal(read_all(query, "lee bob bobb", NULL, 9), "|");
    assert_string_equal(read_all(query, " ", NULL, 9), "14235|");
}

static void track_and_day_are_compared_whole(void **state)
{
    const ratings_talk_query_t track = {.track = "Ops"}, less = {.track = "Op"},
                               day = {.day = "2026-11-29"};
    (void)state;
    assert_string_equal(read_all(track, "", NULL, 1), "2|3|");
    assert_string_equal(read_all(less, "", NULL, 9), "|");
    assert_string_equal(read_all(day, "", NULL, 9), "|");
}

/* Below `limit`, by a linear congruential generator: the same at each run. */
static unsigned drawn(unsigned limit)
{
    static uint64_t state = 1;
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(state >> 33) % limit;
}

/* As the database would order and cut them: against a slow way, on many lists. */
static void pages_of_many_talks(void **state)
{
    enum { MANY = 300 };
    static ratings_talk_t many[MANY];
    static char titles[MANY][200], ids[MANY][12];
    ratings_talk_list_t all = {many, MANY, "UTC"};
    ratings_talk_query_t query = {.order = RATINGS_TALKS_BY_START, .limit = 7};
    ratings_talk_page_t page;
    int seen = 0;
    int64_t last = -1;
    (void)state;
    for (int i = 0; i < MANY; i++) {
        memset(titles[i], 'x', 150); /* longer than what titles are ordered by */
        (void)snprintf(titles[i] + drawn(150), 4, "%u", drawn(3));
        (void)snprintf(ids[i], sizeof ids[i], "%d", i);
        many[i] = (ratings_talk_t){
            .id = ids[i], .title_key = titles[i], .search_key = titles[i], .starts_at = drawn(20)};
    }
    ratings_talk_list_sort(&all);
    do {
        ratings_talk_list_page(&all, &query, "", NULL, &page);
        for (int i = 0; i < page.count; i++, seen++) {
            assert_true(page.ranks[i] >= last);
            last = page.ranks[i];
        }
        query.has_cursor = true;
        query.cursor = (ratings_talk_cursor_t){.rank = last};
        (void)strncat(query.cursor.title_key, page.talks[page.count - 1]->title_key,
                      RATINGS_ORDER_KEY_MAX);
        (void)strcat(query.cursor.talk_id, page.talks[page.count - 1]->id);
    } while (page.has_more);
    assert_int_equal(seen, MANY);
}

static void no_talks_are_an_empty_page(void **state)
{
    const ratings_talk_list_t none = {NULL, 0, NULL};
    const ratings_talk_query_t query = {.limit = 10};
    ratings_talk_page_t page;
    (void)state;
    ratings_talk_list_page(&none, &query, "", NULL, &page);
    assert_int_equal(page.count, 0);
    assert_false(page.has_more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_unknown_is_left_out),
        cmocka_unit_test(all_that_is_known_is_there),
        cmocka_unit_test(speakers_as_a_text),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(pages_follow_each_other),
        cmocka_unit_test(a_talk_that_is_gone_does_not_lose_the_place),
        cmocka_unit_test(each_word_is_in_title_or_speakers),
        cmocka_unit_test(track_and_day_are_compared_whole),
        cmocka_unit_test(pages_of_many_talks),
        cmocka_unit_test(no_talks_are_an_empty_page),
    };
    ratings_talk_list_sort(&list);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
