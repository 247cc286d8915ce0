#include "../../src/core/histogram.h"
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>

static const char malformed[] = "the JSON is malformed";
static const char no_ratings[] = "ratings is missing or not an object";
static const char bad_bucket[] = "a bucket's name is not a decimal number";
static const char bad_count[] = "a bucket's count is not an integer of at least 0";
static const char bad_sum[] = "the sum of the counts is out of range";
static const char bad_mean[] = "the average is out of range";
static const char no_number[] = "the JSON has a number that is out of range";
static const char twice[] = "the JSON has an object with the same member twice";

typedef struct {
    const char *name;
    const char *request;
    size_t len;
    const char *problem;
    const char *reply; /* when there is no problem */
} row_t;

#define RATINGS(buckets) BYTES("{\"ratings\":{" buckets "}}")
#define ANSWERS(avg, total) NULL, "{\"avg\":" avg ",\"totalCount\":" total "}"
#define REFUSED(problem) problem, NULL

static row_t rows[] = {
    {"the contract's example is answered to the letter",
     RATINGS("\"0\":10,\"1\":20,\"2\":30,\"3\":40,\"4\":50,\"5\":60"),
     ANSWERS("3.3333333333333335", "210")},
    {"a histogram of five is answered", RATINGS("\"1\":0,\"2\":0,\"3\":1,\"4\":0,\"5\":7"),
     ANSWERS("4.75", "8")},
    {"no buckets give 0 and 0", RATINGS(""), ANSWERS("0", "0")},
    {"empty buckets give 0 and 0", RATINGS("\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0"),
     ANSWERS("0", "0")},
    {"one bucket is its own average", RATINGS("\"5\":3"), ANSWERS("5", "3")},
    {"the order of buckets does not matter", RATINGS("\"5\":7,\"3\":1"), ANSWERS("4.75", "8")},
    {"two thirds are rounded to the nearest double", RATINGS("\"0\":1,\"1\":2"),
     ANSWERS("0.6666666666666666", "3")},
    {"a bucket may be negative", RATINGS("\"-1\":1,\"-2\":1"), ANSWERS("-1.5", "2")},
    {"a bucket may be minus zero", RATINGS("\"-0\":1"), ANSWERS("0", "1")},
    {"a bucket may have a fraction", RATINGS("\"4.5\":1,\"5\":1"), ANSWERS("4.75", "2")},
    {"a bucket may have an exponent", RATINGS("\"1e2\":1,\"2E+2\":1,\"3e-1\":0"),
     ANSWERS("150", "2")},
    {"a bucket may be beyond 64 bits", RATINGS("\"99999999999999999999\":1"), ANSWERS("1e20", "1")},
    {"other members are ignored", BYTES("{\"talk\":[1.5],\"ratings\":{\"5\":1},\"x\":null}"),
     ANSWERS("5", "1")},
    {"the largest total is counted", RATINGS("\"5\":9223372036854775806,\"4\":1"),
     ANSWERS("5", "9223372036854775807")},

    {"a total beyond 64 bits is refused", RATINGS("\"5\":9223372036854775807,\"4\":1"),
     REFUSED(bad_sum)},
    {"an average beyond a double is refused", RATINGS("\"1e308\":9,\"-1e308\":1"),
     REFUSED(bad_mean)},
    {"an average of infinities is refused", RATINGS("\"1e308\":9,\"-1e308\":9"), REFUSED(bad_mean)},
    {"a bucket beyond a double is refused", RATINGS("\"1e309\":1"), REFUSED(bad_bucket)},
    {"a bucket of letters is refused", RATINGS("\"five\":1"), REFUSED(bad_bucket)},
    {"an empty bucket name is refused", RATINGS("\"\":1"), REFUSED(bad_bucket)},
    {"a bucket of a sign alone is refused", RATINGS("\"-\":1"), REFUSED(bad_bucket)},
    {"a bucket with a plus sign is refused", RATINGS("\"+1\":1"), REFUSED(bad_bucket)},
    {"a bucket with a leading zero is refused", RATINGS("\"01\":1"), REFUSED(bad_bucket)},
    {"a bucket with a blank before is refused", RATINGS("\" 1\":1"), REFUSED(bad_bucket)},
    {"a bucket with a blank after is refused", RATINGS("\"1 \":1"), REFUSED(bad_bucket)},
    {"a bucket with a blank inside is refused", RATINGS("\"1 2\":1"), REFUSED(bad_bucket)},
    {"a bucket without digits before the point is refused", RATINGS("\".5\":1"),
     REFUSED(bad_bucket)},
    {"a bucket without digits after the point is refused", RATINGS("\"5.\":1"),
     REFUSED(bad_bucket)},
    {"a bucket with a comma is refused", RATINGS("\"4,5\":1"), REFUSED(bad_bucket)},
    {"a hexadecimal bucket is refused", RATINGS("\"0x1\":1"), REFUSED(bad_bucket)},
    {"a bucket NaN is refused", RATINGS("\"NaN\":1"), REFUSED(bad_bucket)},
    {"a bucket infinity is refused", RATINGS("\"Infinity\":1"), REFUSED(bad_bucket)},
    {"a bucket of a list is refused", RATINGS("\"[1]\":1"), REFUSED(bad_bucket)},
    {"an empty bucket must have a good name too", RATINGS("\"x\":0"), REFUSED(bad_bucket)},
    {"a negative count is refused", RATINGS("\"5\":-1"), REFUSED(bad_count)},
    {"a count of 1.0 is refused", RATINGS("\"5\":1.0"), REFUSED(bad_count)},
    {"a count of 1e0 is refused", RATINGS("\"5\":1e0"), REFUSED(bad_count)},
    {"a count of \"1\" is refused", RATINGS("\"5\":\"1\""), REFUSED(bad_count)},
    {"a count of true is refused", RATINGS("\"5\":true"), REFUSED(bad_count)},
    {"a count of null is refused", RATINGS("\"5\":null"), REFUSED(bad_count)},
    {"a count beyond 64 bits is refused", RATINGS("\"5\":9223372036854775808"), REFUSED(no_number)},
    {"a bad bucket after good ones is refused", RATINGS("\"5\":1,\"4\":1,\"x\":1"),
     REFUSED(bad_bucket)},
    {"a bucket twice is refused", RATINGS("\"5\":1,\"5\":1"), REFUSED(twice)},
    {"no ratings are refused", BYTES("{}"), REFUSED(no_ratings)},
    {"ratings null are refused", BYTES("{\"ratings\":null}"), REFUSED(no_ratings)},
    {"a list of ratings is refused", BYTES("{\"ratings\":[1,2,3,4,5]}"), REFUSED(no_ratings)},
    {"an empty request is refused", BYTES(""), REFUSED(malformed)},
    {"a list is refused", BYTES("[]"), REFUSED("the JSON is not an object")},
    {"text is refused", BYTES("hello"), REFUSED(malformed)},
    {"text after the object is refused", BYTES("{\"ratings\":{}}}"), REFUSED(malformed)},
};

static void answers(void **state)
{
    const row_t *row = *state;
    char *request = unit_copy(row->request, row->len), *reply = request;
    const char *problem = ratings_statistics_answer(request, row->len, &reply);

    free(request);
    assert_problem(problem, row->problem);
    if (row->reply)
        assert_string_equal(reply, row->reply);
    else
        assert_null(reply);
    free(reply);
}

static const char no_avg[] = "avg is missing or no number";
static const char no_total[] = "totalCount is missing or no integer";
static const char other_total[] = "totalCount is not that of the histogram";
static const char other_avg[] = "avg is not the average of the counts";
static const char wild_avg[] = "avg is not between the lowest and the highest rating";

typedef struct {
    const char *name;
    const char *body;
    size_t len;
    ratings_histogram_t histogram;
    const char *problem;
    double avg;
} answer_t;

#define EIGHT                                                                                      \
    {                                                                                              \
        {                                                                                          \
            0, 0, 1, 0, 7                                                                          \
        }                                                                                          \
    }
#define FIVES                                                                                      \
    {                                                                                              \
        {                                                                                          \
            0, 0, 0, 0, 8                                                                          \
        }                                                                                          \
    }
#define ONES                                                                                       \
    {                                                                                              \
        {                                                                                          \
            8, 0, 0, 0, 0                                                                          \
        }                                                                                          \
    }
#define THIRDS                                                                                     \
    {                                                                                              \
        {                                                                                          \
            0, 0, 2, 1, 0                                                                          \
        }                                                                                          \
    }
#define ZERO                                                                                       \
    {                                                                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }
#define OVERFLOW                                                                                   \
    {                                                                                              \
        {                                                                                          \
            INT64_MAX, 1, 0, 0, 0                                                                  \
        }                                                                                          \
    }
#define STATS(avg, total) BYTES("{\"avg\":" avg ",\"totalCount\":" total "}")

static answer_t bodies[] = {
    {"an average with a fraction is read", STATS("4.75", "8"), EIGHT, NULL, 4.75},
    {"a whole average may be an integer", STATS("5", "8"), FIVES, NULL, 5},
    {"a whole average may be a real", STATS("5.0", "8"), FIVES, NULL, 5},
    {"an average may have an exponent", STATS("475e-2", "8"), EIGHT, NULL, 4.75},
    {"the lowest average is read", STATS("1", "8"), ONES, NULL, 1},
    {"an empty histogram has 0 and 0", STATS("0", "0"), ZERO, NULL, 0},
    {"an empty histogram may have 0.0", STATS("0.0", "0"), ZERO, NULL, 0},
    {"other members are ignored", BYTES("{\"avg\":4.75,\"median\":5,\"totalCount\":8}"), EIGHT,
     NULL, 4.75},

    {"an average in double precision is read", STATS("3.3333333333333335", "3"), THIRDS, NULL,
     3.3333333333333335},
    {"an average in single precision is read", STATS("3.33333325", "3"), THIRDS, NULL, 3.33333325},
    {"an average above the highest by single precision is the highest", STATS("5.00000048", "8"),
     FIVES, NULL, 5},
    {"an average below the lowest by single precision is the lowest", STATS("0.99999994", "8"),
     ONES, NULL, 1},
    {"an average that was rounded to two decimals is read", STATS("3.33", "3"), THIRDS, NULL, 3.33},
    {"an average that was rounded up by half of a hundredth is read", STATS("4.755", "8"), EIGHT,
     NULL, 4.755},

    {"an average that is too high for the counts is refused", STATS("4.76", "8"), EIGHT, other_avg,
     0},
    {"an average that is too low for the counts is refused", STATS("4.74", "8"), EIGHT, other_avg,
     0},
    {"an average of other counts is refused", STATS("3", "8"), EIGHT, other_avg, 0},
    {"an average of 5 that is not that of the counts is refused", STATS("5", "8"), EIGHT, other_avg,
     0},
    {"an average above the highest is refused, however near", STATS("5.001", "8"), FIVES, wild_avg,
     0},
    {"an average below the lowest is refused", STATS("0.99", "8"), EIGHT, wild_avg, 0},
    {"an average above the highest is refused", STATS("5.01", "8"), EIGHT, wild_avg, 0},
    {"an average of 0 is refused when there are ratings", STATS("0", "8"), EIGHT, wild_avg, 0},
    {"an average is refused when there are no ratings", STATS("3", "0"), ZERO, wild_avg, 0},
    {"another total is refused", STATS("4.75", "9"), EIGHT, other_total, 0},
    {"a negative total is refused", STATS("4.75", "-8"), EIGHT, other_total, 0},
    {"a total for a histogram beyond 64 bits is refused", STATS("1", "-9223372036854775808"),
     OVERFLOW, other_total, 0},
    {"a total with a fraction is refused", STATS("4.75", "8.0"), EIGHT, no_total, 0},
    {"a total in quotes is refused", STATS("4.75", "\"8\""), EIGHT, no_total, 0},
    {"no total is refused", BYTES("{\"avg\":4.75}"), EIGHT, no_total, 0},
    {"no average is refused", BYTES("{\"totalCount\":8}"), EIGHT, no_avg, 0},
    {"an average in quotes is refused", STATS("\"4.75\"", "8"), EIGHT, no_avg, 0},
    {"an average null is refused", STATS("null", "8"), EIGHT, no_avg, 0},
    {"an average NaN is refused", STATS("NaN", "8"), EIGHT, malformed, 0},
    {"an average beyond a double is refused", STATS("1e999", "8"), EIGHT, no_number, 0},
    {"a total beyond 64 bits is refused", STATS("4.75", "99999999999999999999"), EIGHT, no_number,
     0},
    {"a member twice is refused", BYTES("{\"avg\":4.75,\"avg\":4.75,\"totalCount\":8}"), EIGHT,
     twice, 0},
    {"an empty answer is refused", BYTES(""), EIGHT, malformed, 0},
    {"a list is refused", BYTES("[4.75,8]"), EIGHT, "the JSON is not an object", 0},
    {"a page of HTML is refused", BYTES("<html>"), EIGHT, malformed, 0},
};

static void reads_answer(void **state)
{
    const answer_t *row = *state;
    char *body = unit_copy(row->body, row->len);
    ratings_statistics_t stats;
    const char *problem = ratings_statistics_from_json(body, row->len, &row->histogram, &stats);
    int64_t total = 0;

    free(body);
    assert_problem(problem, row->problem);
    if (problem)
        return;
    ratings_histogram_total(&row->histogram, &total);
    assert_memory_equal(&stats.avg, &row->avg, sizeof stats.avg);
    assert_int_equal(stats.total_count, total);
}

/* Sums in single precision, as the least exact of honest implementations would make them. */
static double single_average_of(const ratings_histogram_t *histogram)
{
    float weighted = 0, total = 0;

    for (int i = 0; i < RATINGS_VALUES; i++) {
        weighted += (float)(i + RATINGS_VALUE_MIN) * (float)histogram->count[i];
        total += (float)histogram->count[i];
    }
    return (double)(weighted / total);
}

static void expect_read(const ratings_histogram_t *histogram, int64_t total, int decimals,
                        double avg)
{
    char body[128];
    ratings_statistics_t stats;

    (void)snprintf(body, sizeof body, "{\"avg\":%.*f,\"totalCount\":%" PRId64 "}", decimals, avg,
                   total);
    assert_null(ratings_statistics_from_json(body, strlen(body), histogram, &stats));
}

/* https://www.jstatsoft.org/article/view/v008i14 */
static uint64_t xorshift(uint64_t random)
{
    random ^= random << 13;
    random ^= random >> 7;
    return random ^ random << 17;
}

/* Of counts of any size: in double and in single precision, and as a decimal of two digits. */
static void reads_what_any_honest_implementation_says(void **state)
{
    uint64_t random = 88172645463325252;

    (void)state;
    for (int round = 0; round < 100000; round++) {
        ratings_histogram_t histogram;
        double weighted = 0;
        int64_t total = 0;

        for (int i = 0; i < RATINGS_VALUES; i++) {
            random = xorshift(random);
            histogram.count[i] = (int64_t)(random >> (4 + random % 60));
            weighted += (double)(i + 1) * (double)histogram.count[i];
            total += histogram.count[i];
        }
        if (total == 0)
            continue;
        expect_read(&histogram, total, 17, weighted / (double)total);
        expect_read(&histogram, total, 2, weighted / (double)total);
        expect_read(&histogram, total, 9, single_average_of(&histogram));
    }
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, answers, ROWS(rows));
    unit_add_rows(&suite, reads_answer, ROWS(bodies));
    unit_add(&suite, "what any honest implementation says is read",
             reads_what_any_honest_implementation_says, NULL);
    return unit_run("statistics", &suite);
}
