#include "../../src/core/hiding.h"
#include "unit.h"

#define NOW INT64_C(1764417600000000) /* 2025-11-29T12:00:00Z */
#define CLOSES_IN(us)                                                                              \
    {                                                                                              \
        RATINGS_ALWAYS, NOW + (us)                                                                 \
    }
#define UNBOUNDED                                                                                  \
    {                                                                                              \
        RATINGS_ALWAYS, RATINGS_NEVER                                                              \
    }

typedef struct {
    const char *name;
    ratings_hide_t rule;
    ratings_window_t window;
    const char *reply; /* NULL: nothing is hidden */
} row_t;

/* Of three ratings. */
static row_t rows[] = {
    {"never", RATINGS_HIDE_NEVER, UNBOUNDED, NULL},
    {"never, of an open talk", RATINGS_HIDE_NEVER, CLOSES_IN(1), NULL},
    {"until-closed, of an open talk", RATINGS_HIDE_UNTIL_CLOSED, CLOSES_IN(1000000),
     "{\"hidden\":true,\"totalCount\":3,\"until\":\"2025-11-29T12:00:01Z\"}"},
    {"until-closed, before the opening",
     RATINGS_HIDE_UNTIL_CLOSED,
     {NOW + 1000000, NOW + 2000000},
     "{\"hidden\":true,\"totalCount\":3,\"until\":\"2025-11-29T12:00:02Z\"}"},
    {"until-closed, a microsecond before the end", RATINGS_HIDE_UNTIL_CLOSED, CLOSES_IN(1),
     "{\"hidden\":true,\"totalCount\":3,\"until\":\"2025-11-29T12:00:00.000001Z\"}"},
    {"until-closed, at the end", RATINGS_HIDE_UNTIL_CLOSED, CLOSES_IN(0), NULL},
    {"until-closed, of a talk without an end", RATINGS_HIDE_UNTIL_CLOSED, UNBOUNDED,
     "{\"hidden\":true,\"totalCount\":3}"},
    {"until-closed, of a talk that was always closed",
     RATINGS_HIDE_UNTIL_CLOSED,
     {RATINGS_ALWAYS, RATINGS_ALWAYS},
     NULL},
    {"below more than there are", 4, UNBOUNDED, "{\"hidden\":true,\"totalCount\":3}"},
    {"below more than there are, of an open talk", 4, CLOSES_IN(1),
     "{\"hidden\":true,\"totalCount\":3}"},
    {"below more than there are, of a closed talk", 4, CLOSES_IN(0),
     "{\"hidden\":true,\"totalCount\":3}"},
    {"below as many as there are", 3, UNBOUNDED, NULL},
    {"below one", 1, UNBOUNDED, NULL},
};

static void hides_by_its_rule(void **state)
{
    const row_t *row = *state;
    const ratings_histogram_t histogram = {{0, 1, 0, 0, 2}};
    ratings_hidden_t hidden = ratings_hidden_by(row->rule, &row->window, &histogram, NOW);
    assert_int_equal(hidden.is_hidden, row->reply != NULL);
    char *reply = row->reply ? ratings_hidden_reply(&hidden) : NULL;
    if (row->reply)
        assert_string_equal(reply, row->reply);
    free(reply);
}

static void the_distribution_is_in_nothing(void **state)
{
    const ratings_histogram_t low = {{3, 0, 0, 0, 0}}, high = {{0, 0, 0, 0, 3}};
    const ratings_window_t window = CLOSES_IN(1);
    (void)state;
    ratings_hidden_t a = ratings_hidden_by(RATINGS_HIDE_UNTIL_CLOSED, &window, &low, NOW);
    ratings_hidden_t b = ratings_hidden_by(RATINGS_HIDE_UNTIL_CLOSED, &window, &high, NOW);
    char *first = ratings_hidden_reply(&a), *second = ratings_hidden_reply(&b);
    assert_string_equal(first, second);
    free(first);
    free(second);
}

static void no_ratings_are_below_one(void **state)
{
    const ratings_histogram_t none = {{0}};
    const ratings_window_t window = UNBOUNDED;
    (void)state;
    assert_true(ratings_hidden_by(1, &window, &none, NOW).is_hidden);
    assert_false(ratings_hidden_by(RATINGS_HIDE_NEVER, &window, &none, NOW).is_hidden);
}

static void a_sum_beyond_64_bits_is_many(void **state)
{
    const ratings_histogram_t many = {{INT64_MAX, 1, 0, 0, 0}};
    const ratings_window_t window = UNBOUNDED;
    (void)state;
    assert_false(ratings_hidden_by(1000000, &window, &many, NOW).is_hidden);
    assert_true(ratings_hidden_by(RATINGS_HIDE_UNTIL_CLOSED, &window, &many, NOW).total_count ==
                INT64_MAX);
}

/* ---- rules that hold together ---- */

typedef struct {
    const char *name;
    ratings_hide_t rule, other;
    ratings_window_t window;
    const char *reply; /* NULL: nothing is hidden */
} both_t;

#define ONE_SECOND CLOSES_IN(1000000)
#define COUNT_ALONE "{\"hidden\":true,\"totalCount\":3}"
#define COUNT_UNTIL "{\"hidden\":true,\"totalCount\":3,\"until\":\"2025-11-29T12:00:01Z\"}"

/* Of three ratings as well. */
static both_t pairs[] = {
    {"both never", RATINGS_HIDE_NEVER, RATINGS_HIDE_NEVER, ONE_SECOND, NULL},
    {"until-closed, and never", RATINGS_HIDE_UNTIL_CLOSED, RATINGS_HIDE_NEVER, ONE_SECOND,
     COUNT_UNTIL},
    {"until-closed, and below what there is", RATINGS_HIDE_UNTIL_CLOSED, 3, ONE_SECOND,
     COUNT_UNTIL},
    {"until-closed, and below more", RATINGS_HIDE_UNTIL_CLOSED, 4, ONE_SECOND, COUNT_ALONE},
    {"until-closed of a closed talk, and below more", RATINGS_HIDE_UNTIL_CLOSED, 4, CLOSES_IN(0),
     COUNT_ALONE},
    {"until-closed of a closed talk, and never", RATINGS_HIDE_UNTIL_CLOSED, RATINGS_HIDE_NEVER,
     CLOSES_IN(0), NULL},
    {"below more, and below what there is", 4, 3, ONE_SECOND, COUNT_ALONE},
};

static void assert_hidden_by(const both_t *row, ratings_hide_t first, ratings_hide_t second)
{
    const ratings_histogram_t histogram = {{0, 1, 0, 0, 2}};
    const ratings_hide_rules_t rules = {{first, second}};
    ratings_hidden_t hidden = ratings_hidden_by_any(&rules, &row->window, &histogram, NOW);
    assert_int_equal(hidden.is_hidden, row->reply != NULL);
    if (!row->reply)
        return;
    char *reply = ratings_hidden_reply(&hidden);
    assert_string_equal(reply, row->reply);
    free(reply);
}

static void hides_by_any_rule(void **state)
{
    const both_t *row = *state;
    assert_hidden_by(row, row->rule, row->other);
    assert_hidden_by(row, row->other, row->rule);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, hides_by_its_rule, ROWS(rows));
    unit_add_rows(&suite, hides_by_any_rule, ROWS(pairs));
    unit_add(&suite, "the distribution is in nothing that is shown", the_distribution_is_in_nothing,
             NULL);
    unit_add(&suite, "no ratings are below one", no_ratings_are_below_one, NULL);
    unit_add(&suite, "a sum beyond 64 bits is many", a_sum_beyond_64_bits_is_many, NULL);
    return unit_run("hiding", &suite);
}
