#include "../../src/core/offset_queue.h"
#include "unit.h"

#define COUNT 200

static void expect(ratings_offset_queue_t *line, int64_t position,
                   ratings_offset_queue_item_t *expected)
{
    assert_ptr_equal(ratings_offset_queue_pop_below(line, position), expected);
}

/* Forwards and backwards, so that no link is wrong that a later step would need. */
static void assert_is_line(const ratings_offset_queue_t *line, size_t count)
{
    size_t forwards = 0, backwards = 0;

    for (const ratings_offset_queue_item_t *link = line->first; link;
         link = link->after, forwards++)
        if (link->after) {
            assert_true(link->offset <= link->after->offset);
            assert_ptr_equal(link->after->before, link);
        }
    for (const ratings_offset_queue_item_t *link = line->last; link; link = link->before)
        backwards++;
    assert_int_equal(forwards, count);
    assert_int_equal(backwards, count);
    assert_true(!line->first || !line->first->before);
    assert_true(!line->last || !line->last->after);
}

static void nobody_is_reached_in_an_empty_line(void **state)
{
    ratings_offset_queue_t line = {0};

    (void)state;
    expect(&line, INT64_MAX, NULL);
}

static void a_position_reaches_what_is_below_it(void **state)
{
    ratings_offset_queue_t line = {0};
    ratings_offset_queue_item_t link;

    (void)state;
    ratings_offset_queue_insert(&line, &link, 5);
    expect(&line, 0, NULL);
    expect(&line, 5, NULL); /* the position is the next offset that is not applied */
    expect(&line, 6, &link);
    expect(&line, 6, NULL);
    assert_is_line(&line, 0);
}

static void those_who_come_in_order_are_reached_in_order(void **state)
{
    ratings_offset_queue_t line = {0};
    ratings_offset_queue_item_t links[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        ratings_offset_queue_insert(&line, &links[i], i);
    expect(&line, 2, &links[0]);
    expect(&line, 2, &links[1]);
    expect(&line, 2, NULL);
    assert_is_line(&line, 1);
}

static void those_who_come_late_stand_where_they_belong(void **state)
{
    static const int64_t offsets[] = {20, 10, 30, 0, 25};
    static const size_t order[] = {3, 1, 0, 4, 2};
    ratings_offset_queue_t line = {0};
    ratings_offset_queue_item_t links[5];

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        ratings_offset_queue_insert(&line, &links[i], offsets[i]);
        assert_is_line(&line, i + 1);
    }
    for (size_t i = 0; i < 5; i++)
        expect(&line, INT64_MAX, &links[order[i]]);
}

static void among_equals_the_first_stays_first(void **state)
{
    ratings_offset_queue_t line = {0};
    ratings_offset_queue_item_t links[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        ratings_offset_queue_insert(&line, &links[i], 7);
    for (int i = 0; i < 3; i++)
        expect(&line, 8, &links[i]);
}

/* Whose time has passed leaves from anywhere. */
static void any_of_them_may_leave(void **state)
{
    (void)state;
    for (int gone = 0; gone < 3; gone++) {
        ratings_offset_queue_t line = {0};
        ratings_offset_queue_item_t links[3];

        for (int i = 0; i < 3; i++)
            ratings_offset_queue_insert(&line, &links[i], i);
        ratings_offset_queue_remove(&line, &links[gone]);
        assert_is_line(&line, 2);
        for (int i = 0; i < 3; i++)
            if (i != gone)
                expect(&line, 3, &links[i]);
        expect(&line, 3, NULL);
    }
}

/* The same numbers in every run. */
static uint32_t next_number(uint32_t *number)
{
    *number = *number * 1664525U + 1013904223U;
    return *number >> 16;
}

static void stays_in_order_whatever_comes_and_goes(void **state)
{
    ratings_offset_queue_t line = {0};
    ratings_offset_queue_item_t links[COUNT];
    size_t inside = 0;
    uint32_t number = 1;
    bool in[COUNT] = {false};

    (void)state;
    for (int turn = 0; turn < 20000; turn++) {
        size_t i = next_number(&number) % COUNT;
        if (in[i])
            ratings_offset_queue_remove(&line, &links[i]);
        else
            ratings_offset_queue_insert(&line, &links[i], next_number(&number) % 50);
        inside += in[i] ? (size_t)-1 : 1;
        in[i] = !in[i];
        if (turn % 100 == 0)
            assert_is_line(&line, inside);
    }
    for (int64_t last = 0; inside > 0; inside--) {
        const ratings_offset_queue_item_t *link = ratings_offset_queue_pop_below(&line, INT64_MAX);
        assert_non_null(link);
        assert_true(link->offset >= last);
        last = link->offset;
    }
    assert_is_line(&line, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_reached_in_an_empty_line),
        cmocka_unit_test(a_position_reaches_what_is_below_it),
        cmocka_unit_test(those_who_come_in_order_are_reached_in_order),
        cmocka_unit_test(those_who_come_late_stand_where_they_belong),
        cmocka_unit_test(among_equals_the_first_stays_first),
        cmocka_unit_test(any_of_them_may_leave),
        cmocka_unit_test(stays_in_order_whatever_comes_and_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
