#include "../../src/core/ranking.h"
#include "unit.h"

#include <math.h>

#define ROUNDED 4e-15 /* by about ten operations on numbers below 5 */

/* Computed with 60 decimal digits. */
static const struct {
    const char *prior;
    ratings_histogram_t histogram;
    double score;
} scores[] = {
    {"1,1,1,1,1", {{0, 0, 0, 0, 0}}, 2.047372055837117488559904512172},
    {"1,1,1,1,1", {{0, 0, 0, 0, 1}}, 2.403663653131965098072753173231},
    {"1,1,1,1,1", {{0, 0, 0, 8, 32}}, 4.398732278663035703748209769014},
    {"1,1,1,1,1", {{1, 0, 0, 0, 0}}, 1.736996986465298431406086506564},
    {"1,1,3,8,7", {{0, 0, 0, 0, 1}}, 3.623930097683194768839726215396},
    {"1,1,3,8,7", {{0, 0, 0, 8, 32}}, 4.346379120555226862100749665475},
    {"1,1,3,8,7", {{3, 1, 4, 1, 5}}, 3.307701795304487548656143108721},
    {"1000,1,1,1,1000", {{7, 0, 0, 0, 7}}, 2.926585128041412251746347859399},
    {"1,1,1,1,1", {{0, 0, 0, 0, 999999999999999}}, 4.999999999999980962577801164855},
    {"1,1,1,1,1",
     {{999999999999999, 999999999999999, 999999999999999, 999999999999999, 999999999999999}},
     2.9999999670000000000000033},
    {"2,3,5,7,11", {{123456, 654321, 111111, 999999, 424242}}, 3.408188481043010289585765949352},
};

static double score_of(const char *text, ratings_histogram_t histogram)
{
    ratings_prior_t prior;
    assert_true(ratings_prior_parse(text, strlen(text), &prior));
    return ratings_interval_of(&prior, &histogram).low;
}

static void score_is_that_of_the_formula(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        double score = score_of(scores[i].prior, scores[i].histogram);
        if (fabs(score - scores[i].score) > ROUNDED)
            fail_msg("row %zu: %.17g instead of %.17g", i, score, scores[i].score);
    }
}

#define PRIOR "1,1,1,1,1"

static void ranks_by_what_is_known(void **state)
{
    const ratings_histogram_t one_5 = {{0, 0, 0, 0, 1}}, forty_48 = {{0, 0, 0, 8, 32}},
                              forty_5 = {{0, 0, 0, 0, 40}}, ten_48 = {{0, 0, 0, 2, 8}};
    (void)state;
    assert_true(score_of(PRIOR, one_5) < score_of(PRIOR, forty_48));
    assert_true(score_of(PRIOR, ten_48) < score_of(PRIOR, forty_48));
    assert_true(score_of(PRIOR, forty_48) < score_of(PRIOR, forty_5));
}

/* One more 5 never harms a talk, and one more 1 never helps it. */
static void another_rating_moves_the_score_its_way(void **state)
{
    (void)state;
    for (int n = 0; n < 50; n++)
        for (int v = 0; v < RATINGS_VALUES; v++) {
            ratings_histogram_t before = {{n % 3, n % 5, n % 7, n % 11, n}}, after = before;
            before.count[v] += INT64_C(3) * n;
            after = before;
            after.count[RATINGS_VALUES - 1]++;
            assert_true(score_of(PRIOR, after) > score_of(PRIOR, before));
            after = before;
            after.count[0]++;
            assert_true(score_of(PRIOR, after) < score_of(PRIOR, before));
        }
}

static void prior_has_one_text(void **state)
{
    static const char *const good[] = {"1,1,1,1,1", "1000,1,2,30,400", "off"};
    static const char *const bad[] = {"",           "on",         "Off",          "1",
                                      "1,1,1,1",    "1,1,1,1,",   "1,1,1,1,1,",   "1,1,1,1,1,1",
                                      "0,1,1,1,1",  "1,1,1,1,0",  "1,1,01,1,1",   "1, 1,1,1,1",
                                      "1,1,1,1,1 ", "-1,1,1,1,1", "1001,1,1,1,1", "1,1,1.5,1,1"};
    ratings_prior_t prior;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_null(ratings_prior_problem(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!ratings_prior_problem(bad[i]))
            fail_msg("'%s' is taken", bad[i]);
    assert_true(ratings_prior_parse("1,20,300,4,1000", 15, &prior));
    assert_int_equal(prior.count[0], 1);
    assert_int_equal(prior.count[2], 300);
    assert_int_equal(prior.count[4], 1000);
    assert_true(ratings_prior_parse("1,1,1,1,17", 9, &prior));
    assert_int_equal(prior.count[4], 1);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add(&suite, "a score is that of the formula", score_is_that_of_the_formula, NULL);
    unit_add(&suite, "one 5 does not beat forty ratings of 4.8", ranks_by_what_is_known, NULL);
    unit_add(&suite, "another rating moves the score its way",
             another_rating_moves_the_score_its_way, NULL);
    unit_add(&suite, "a prior has one text", prior_has_one_text, NULL);
    return unit_run("ranking", &suite);
}
