#include "../../src/core/histogram.h"
#include "unit.h"

#include <locale.h>
#include <math.h>

#define EMPTY                                                                                      \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

typedef struct {
    const char *name;
    ratings_histogram_t histogram;
    ratings_statistics_t stats;
    const char *reply;
} row_t;

#define FIVE "{\"1\":0,\"2\":0,\"3\":1,\"4\":0,\"5\":7}"
#define NONE "{\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0}"
#define REPLY(ratings, avg, total)                                                                 \
    "{\"ratings\":" ratings ",\"stats\":{\"avg\":" avg ",\"totalCount\":" total "}}"

static row_t rows[] = {
    {"the contract's example", {{0, 0, 1, 0, 7}}, {4.75, 8}, REPLY(FIVE, "4.75", "8")},
    {"an empty histogram has average 0", EMPTY, {0, 0}, REPLY(NONE, "0", "0")},
    {"a whole average has no fraction", EMPTY, {5, 1}, REPLY(NONE, "5", "1")},
    {"an average of 17 digits keeps them",
     EMPTY,
     {3.3333333333333335, 210},
     REPLY(NONE, "3.3333333333333335", "210")},
    {"an average of 16 digits has no more",
     EMPTY,
     {11.0 / 3, 3},
     REPLY(NONE, "3.6666666666666665", "3")},
    {"one tenth is short", EMPTY, {0.1, 1}, REPLY(NONE, "0.1", "1")},
    {"the double after 1 is not 1",
     EMPTY,
     {1 + 0x1p-52, 1},
     REPLY(NONE, "1.0000000000000002", "1")},
    {"the double before 5 is not 5",
     EMPTY,
     {5 - 0x1p-50, 1},
     REPLY(NONE, "4.999999999999999", "1")},
    {"minus zero is zero", EMPTY, {-0.0, 0}, REPLY(NONE, "0", "0")},
    {"the largest count is written",
     {{INT64_MAX, 0, 0, 0, 0}},
     {1, INT64_MAX},
     REPLY("{\"1\":9223372036854775807,\"2\":0,\"3\":0,\"4\":0,\"5\":0}", "1",
           "9223372036854775807")},
};

static void writes_reply(void **state)
{
    const row_t *row = *state;
    char *reply = ratings_histogram_reply(&row->histogram, &row->stats);

    assert_non_null(reply);
    assert_string_equal(reply, row->reply);
    free(reply);
}

static void leaves_missing_statistics_out(void **state)
{
    const ratings_histogram_t histogram = {{0, 0, 1, 0, 7}};
    char *reply = ratings_histogram_reply(&histogram, NULL);

    (void)state;
    assert_string_equal(reply, "{\"ratings\":" FIVE "}");
    free(reply);
}

static void refuses_what_json_cannot_say(void **state)
{
    const ratings_histogram_t histogram = EMPTY;
    const double averages[] = {NAN, INFINITY, -INFINITY};

    (void)state;
    for (size_t i = 0; i < sizeof averages / sizeof *averages; i++) {
        const ratings_statistics_t stats = {averages[i], 1};

        assert_null(ratings_histogram_reply(&histogram, &stats));
    }
}

static void writes_request(void **state)
{
    const ratings_histogram_t histogram = {{1, 20, 300, 4000, 50000}};
    char *request = ratings_histogram_request(&histogram);

    (void)state;
    assert_string_equal(request,
                        "{\"ratings\":{\"1\":1,\"2\":20,\"3\":300,\"4\":4000,\"5\":50000}}");
    free(request);
}

static void totals(void **state)
{
    const ratings_histogram_t some = {{1, 20, 300, 4000, 50000}}, none = EMPTY;
    const ratings_histogram_t most = {{INT64_MAX - 4, 1, 1, 1, 1}},
                              more = {{INT64_MAX, 0, 0, 0, 1}};
    int64_t total = -1;

    (void)state;
    assert_true(ratings_histogram_total(&some, &total) && total == 54321);
    assert_true(ratings_histogram_total(&none, &total) && total == 0);
    assert_true(ratings_histogram_total(&most, &total) && total == INT64_MAX);
    total = 4711;
    assert_false(ratings_histogram_total(&more, &total));
    assert_true(total == 4711);
}

/* What the other side sees: the same double, for averages of all kinds. */
static void averages_are_read_back(void **state)
{
    (void)state;
    for (int64_t i = 1; i < 3000; i++) {
        ratings_histogram_t histogram = {{i * 7919 % 101, i % 13, i % 7, i * i % 1009, i}};
        ratings_statistics_t stats, read;
        char *request = ratings_histogram_request(&histogram), *answer;

        assert_null(ratings_statistics_answer(request, strlen(request), &answer));
        assert_null(ratings_statistics_from_json(answer, strlen(answer), &histogram, &stats));
        free(request);
        free(answer);
        request = ratings_histogram_reply(&histogram, &stats);
        answer = strstr(request, "\"stats\":") + strlen("\"stats\":");
        assert_null(ratings_statistics_from_json(answer, strlen(answer) - 1, &histogram, &read));
        assert_memory_equal(&stats, &read, sizeof stats);
        free(request);
    }
}

static void ignores_the_locale(void **state)
{
    static const char *const with_comma[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "fr_FR"};
    const char *set = NULL;

    for (size_t i = 0; !set && i < sizeof with_comma / sizeof *with_comma; i++)
        set = setlocale(LC_ALL, with_comma[i]);
    if (!set)
        skip(); /* none is installed */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *row = &rows[i];

        writes_reply(&row);
    }
    averages_are_read_back(state);
    assert_non_null(setlocale(LC_ALL, "C"));
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, writes_reply, ROWS(rows));
    unit_add(&suite, "without statistics there are counts alone", leaves_missing_statistics_out,
             NULL);
    unit_add(&suite, "an average that is not finite is refused", refuses_what_json_cannot_say,
             NULL);
    unit_add(&suite, "the request has all five counts", writes_request, NULL);
    unit_add(&suite, "the total is the sum, if it fits", totals, NULL);
    unit_add(&suite, "each average is read back as the same double", averages_are_read_back, NULL);
    unit_add(&suite, "a locale with a decimal comma changes nothing", ignores_the_locale, NULL);
    return unit_run("histogram", &suite);
}
