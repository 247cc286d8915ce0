#include "../../src/core/turns.h"
#include "unit.h"

#define COUNT (RATINGS_TURNS_AT_ONCE + 3)

static void come(ratings_turns_t *turns, ratings_turn_t *all, int from, int to, bool expected)
{
    for (int i = from; i < to; i++)
        assert_true(ratings_turns_come(turns, &all[i]) == expected);
}

static void a_few_go_at_once(void **state)
{
    ratings_turns_t turns = {0};
    ratings_turn_t all[COUNT];

    (void)state;
    come(&turns, all, 0, RATINGS_TURNS_AT_ONCE, true);
    come(&turns, all, RATINGS_TURNS_AT_ONCE, COUNT, false);
}

static void who_comes_alone_never_waits(void **state)
{
    ratings_turns_t turns = {0};
    ratings_turn_t one;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(ratings_turns_come(&turns, &one));
        assert_false(ratings_turns_done(&turns));
    }
}

static void those_who_wait_go_together_and_in_order(void **state)
{
    ratings_turns_t turns = {0};
    ratings_turn_t all[COUNT];
    const ratings_turn_t *turn;

    (void)state;
    come(&turns, all, 0, RATINGS_TURNS_AT_ONCE, true);
    come(&turns, all, RATINGS_TURNS_AT_ONCE, COUNT, false);
    for (int i = 1; i < RATINGS_TURNS_AT_ONCE; i++)
        assert_false(ratings_turns_done(&turns));
    assert_false(ratings_turns_ready(&turns));
    assert_true(ratings_turns_done(&turns)); /* the last */
    assert_true(ratings_turns_ready(&turns));
    turn = ratings_turns_take(&turns);
    for (int i = RATINGS_TURNS_AT_ONCE; i < COUNT; i++, turn = turn->next)
        assert_ptr_equal(turn, &all[i]);
    assert_null(turn);
    assert_null(ratings_turns_take(&turns));
}

static void nobody_overtakes_those_who_wait(void **state)
{
    ratings_turns_t turns = {0};
    ratings_turn_t all[COUNT + 1];

    (void)state;
    come(&turns, all, 0, RATINGS_TURNS_AT_ONCE, true);
    come(&turns, all, RATINGS_TURNS_AT_ONCE, COUNT, false);
    (void)ratings_turns_done(&turns);
    come(&turns, all, COUNT, COUNT + 1, false);
}

static void those_taken_are_under_way(void **state)
{
    ratings_turns_t turns = {0};
    ratings_turn_t all[2 * COUNT];

    (void)state;
    come(&turns, all, 0, RATINGS_TURNS_AT_ONCE, true);
    come(&turns, all, RATINGS_TURNS_AT_ONCE, 2 * RATINGS_TURNS_AT_ONCE, false);
    for (int i = 0; i < RATINGS_TURNS_AT_ONCE; i++)
        (void)ratings_turns_done(&turns);
    assert_non_null(ratings_turns_take(&turns));
    come(&turns, all, 2 * RATINGS_TURNS_AT_ONCE, 2 * COUNT, false);
    for (int i = 1; i < RATINGS_TURNS_AT_ONCE; i++)
        assert_false(ratings_turns_done(&turns));
    assert_true(ratings_turns_done(&turns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_go_at_once),
        cmocka_unit_test(who_comes_alone_never_waits),
        cmocka_unit_test(those_who_wait_go_together_and_in_order),
        cmocka_unit_test(nobody_overtakes_those_who_wait),
        cmocka_unit_test(those_taken_are_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
