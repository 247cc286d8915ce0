#include "../../src/core/dedup_window.h"
#include "unit.h"

#include <stdio.h>

#define SPAN INT64_C(32768) /* the rule of the log: whoever changes it changes what counts */

static ratings_dedup_e note(ratings_dedup_window_t *window, const char *source, const char *id,
                            int64_t offset)
{
    const ratings_identity_t identity = ratings_identity(source, strlen(source), id, strlen(id));
    return ratings_dedup_window_check_and_add(window, &identity, offset);
}

/* Two records: whether the second one is a duplicate. */
typedef struct {
    const char *name;
    const char *source1, *id1, *source2, *id2;
    int64_t offset1, offset2;
    ratings_dedup_e wanted;
} row_t;

static row_t rows[] = {
    {"the same at once", "/s", "a", "/s", "a", 0, 1, RATINGS_DEDUP_DUPLICATE},
    {"another id", "/s", "a", "/s", "b", 0, 1, RATINGS_DEDUP_NEW},
    {"another source", "/s", "a", "/t", "a", 0, 1, RATINGS_DEDUP_NEW},
    {"source and id are told apart", "/s", "ta", "/st", "a", 0, 1, RATINGS_DEDUP_NEW},
    {"no id is no identity", "/s", "", "/s", "", 0, 1, RATINGS_DEDUP_NEW},
    {"no source is one, too", "", "a", "", "a", 0, 1, RATINGS_DEDUP_DUPLICATE},
    {"as far as the span", "/s", "a", "/s", "a", 0, SPAN, RATINGS_DEDUP_DUPLICATE},
    {"beyond the span", "/s", "a", "/s", "a", 0, SPAN + 1, RATINGS_DEDUP_NEW},
    {"over the edge of a block", "/s", "a", "/s", "a", SPAN - 1, SPAN, RATINGS_DEDUP_DUPLICATE},
    {"a span over that edge", "/s", "a", "/s", "a", SPAN - 1, 2 * SPAN - 1,
     RATINGS_DEDUP_DUPLICATE},
    {"more than a span over it", "/s", "a", "/s", "a", SPAN - 1, 2 * SPAN, RATINGS_DEDUP_NEW},
    {"blocks later", "/s", "a", "/s", "a", 5, INT64_C(1) << 40, RATINGS_DEDUP_NEW},
};

static void repeats_within_the_span(void **state)
{
    const row_t *row = *state;
    ratings_dedup_window_t *window = ratings_dedup_window_new();
    assert_int_equal(note(window, row->source1, row->id1, row->offset1), RATINGS_DEDUP_NEW);
    assert_int_equal(note(window, row->source2, row->id2, row->offset2), row->wanted);
    ratings_dedup_window_free(window);
}

static void repeat_is_repeated(void **state)
{
    ratings_dedup_window_t *window = ratings_dedup_window_new();
    (void)state;
    assert_int_equal(note(window, "", "a", 0), RATINGS_DEDUP_NEW);
    assert_int_equal(note(window, "", "a", SPAN), RATINGS_DEDUP_DUPLICATE);
    assert_int_equal(note(window, "", "a", 2 * SPAN), RATINGS_DEDUP_DUPLICATE);
    assert_int_equal(note(window, "", "a", 3 * SPAN + 1), RATINGS_DEDUP_NEW);
    ratings_dedup_window_free(window);
}

/* Each id comes twice, `distance` offsets apart: all of them, at any load of the tables. */
static void all_of_many_are_known(void **state)
{
    const int64_t last = 4 * SPAN, distance = 20000;
    ratings_dedup_window_t *window = ratings_dedup_window_new();
    char id[32];
    (void)state;
    for (int64_t i = 0; i < last; i++) {
        bool again = i / distance % 2 == 1;
        (void)snprintf(id, sizeof id, "%lld", (long long)(again ? i - distance : i));
        assert_int_equal(note(window, "/mod_ratings", id, i),
                         again ? RATINGS_DEDUP_DUPLICATE : RATINGS_DEDUP_NEW);
    }
    ratings_dedup_window_free(window);
}

/* A fold that begins SPAN offsets before comes to the same results. */
static void beginning_in_the_middle_changes_nothing(void **state)
{
    const int64_t from = 2 * SPAN + 77, last = 3 * SPAN;
    ratings_dedup_window_t *all = ratings_dedup_window_new(), *part = ratings_dedup_window_new();
    char id[32];
    (void)state;
    for (int64_t i = 0; i < last; i++) {
        (void)snprintf(id, sizeof id, "%d", (int)(i * 7919 % 30011));
        ratings_dedup_e whole = note(all, "", id, i);
        if (i >= from - SPAN) {
            ratings_dedup_e end = note(part, "", id, i);
            if (i >= from)
                assert_int_equal(end, whole);
        }
    }
    ratings_dedup_window_free(all);
    ratings_dedup_window_free(part);
}

_Static_assert(SPAN == RATINGS_DEDUP_SPAN, "the span is part of the log's meaning");

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, repeats_within_the_span, ROWS(rows));
    unit_add(&suite, "a repeat is itself repeated", repeat_is_repeated, NULL);
    unit_add(&suite, "all of many are known", all_of_many_are_known, NULL);
    unit_add(&suite, "beginning in the middle changes nothing",
             beginning_in_the_middle_changes_nothing, NULL);
    return unit_run("dedup_window", &suite);
}
