#include "../../src/core/batcher.h"
#include "unit.h"

#define COUNT 5
#define LINGER ((int64_t)RATINGS_BATCHER_LINGER_US)
#define T0 INT64_C(1000000)

static void come(ratings_batcher_t *turns, ratings_batcher_item_t *all, int count, int64_t now)
{
    for (int i = 0; i < count; i++)
        assert_false(ratings_batcher_admit(turns, &all[i], now));
}

static void all_done(ratings_batcher_t *turns, int64_t now)
{
    while (turns->under_way > 0)
        ratings_batcher_acked(turns, now);
}

/* One goes at once, and COUNT wait until it is done, and go. */
static void go_together(ratings_batcher_t *turns, ratings_batcher_item_t *all)
{
    static ratings_batcher_item_t one;

    assert_true(ratings_batcher_admit(turns, &one, T0));
    come(turns, all, COUNT, T0);
    all_done(turns, T0);
    assert_ptr_equal(ratings_batcher_drain(turns), all);
}

static void who_comes_alone_never_waits(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t one;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(ratings_batcher_admit(&turns, &one, T0));
        ratings_batcher_acked(&turns, T0);
        assert_true(ratings_batcher_flush_at(&turns) == INT64_MAX);
    }
}

static void those_who_wait_go_together_and_in_order(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t one, all[COUNT];
    const ratings_batcher_item_t *turn;

    (void)state;
    assert_true(ratings_batcher_admit(&turns, &one, T0));
    come(&turns, all, COUNT, T0 + 1);
    assert_true(ratings_batcher_flush_at(&turns) == INT64_MAX);
    ratings_batcher_acked(&turns, T0);
    assert_true(ratings_batcher_flush_at(&turns) != INT64_MAX);
    turn = ratings_batcher_drain(&turns);
    for (int i = 0; i < COUNT; i++, turn = turn->next)
        assert_ptr_equal(turn, &all[i]);
    assert_null(turn);
    assert_null(ratings_batcher_drain(&turns));
}

static void those_taken_are_under_way(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t all[COUNT], next;

    (void)state;
    go_together(&turns, all);
    come(&turns, &next, 1, T0);
    for (int i = 0; i < COUNT; i++) {
        assert_true(ratings_batcher_flush_at(&turns) == INT64_MAX);
        ratings_batcher_acked(&turns, T0);
    }
    assert_true(ratings_batcher_flush_at(&turns) != INT64_MAX);
}

static void after_many_one_waits_a_moment_for_others(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t all[COUNT], next[COUNT];

    (void)state;
    go_together(&turns, all);
    all_done(&turns, T0);
    come(&turns, next, COUNT - 1, T0 + 7);
    assert_true(ratings_batcher_flush_at(&turns) == T0 + 7 + LINGER);
    come(&turns, next + COUNT - 1, 1, T0 + 9); /* as many as before */
    assert_true(ratings_batcher_flush_at(&turns) == T0 + 7);
}

static void the_moment_begins_when_nobody_is_under_way(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t all[COUNT], straggler;

    (void)state;
    go_together(&turns, all);
    come(&turns, &straggler, 1, T0 + 2 * LINGER);
    all_done(&turns, T0 + 5 * LINGER);
    assert_true(ratings_batcher_flush_at(&turns) == T0 + 6 * LINGER);
}

/* Two halves that take turns become one, which needs half as many batches. */
static void those_who_came_a_moment_too_late_are_waited_for_the_next_time(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t all[COUNT], late[COUNT], next[COUNT];

    (void)state;
    go_together(&turns, all);
    come(&turns, late, COUNT, T0 + LINGER - 1);
    all_done(&turns, T0 + LINGER);
    assert_true(ratings_batcher_flush_at(&turns) == T0 + 2 * LINGER);
    come(&turns, next, COUNT, T0 + LINGER + 1);
    assert_true(ratings_batcher_flush_at(&turns) == T0 + LINGER);
}

static void those_who_came_later_than_a_moment_are_not(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t all[COUNT], later[COUNT];

    (void)state;
    go_together(&turns, all);
    come(&turns, later, COUNT, T0 + LINGER);
    all_done(&turns, T0 + LINGER + 1);
    assert_true(ratings_batcher_flush_at(&turns) == T0 + LINGER + 1);
}

/* Comes alone after many came together, and waits in vain, until `now` and a moment. */
static bool waits_in_vain(ratings_batcher_t *turns, ratings_batcher_item_t *turn, int64_t now)
{
    if (ratings_batcher_admit(turns, turn, now))
        return false;
    if (ratings_batcher_flush_at(turns) != now + LINGER)
        return false;
    assert_ptr_equal(ratings_batcher_drain(turns), turn);
    ratings_batcher_acked(turns, now + 2 * LINGER);
    return true;
}

static void one_that_waited_in_vain_is_the_last_to_wait(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t all[COUNT], next;

    (void)state;
    go_together(&turns, all);
    all_done(&turns, T0);
    assert_true(waits_in_vain(&turns, &next, T0));
    assert_true(ratings_batcher_admit(&turns, &next, T0 + 3 * LINGER));
}

static void after_a_pause_nobody_is_waited_for(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t all[COUNT], next;

    (void)state;
    go_together(&turns, all);
    all_done(&turns, T0);
    assert_true(ratings_batcher_admit(&turns, &next, T0 + 1000 * LINGER));
}

static void what_takes_long_to_be_done_is_no_pause(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t all[COUNT], next;

    (void)state;
    go_together(&turns, all);
    all_done(&turns, T0 + 1000 * LINGER);
    assert_false(ratings_batcher_admit(&turns, &next, T0 + 1000 * LINGER + 1));
}

/* One and two that take turns, each longer than a moment after the others: whoever waits does so in
 * vain, whenever two came before. */
static void what_is_in_vain_is_tried_less_and_less_often(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t two[2], one;
    int64_t now = T0;
    int waits = 0;

    (void)state;
    assert_true(ratings_batcher_admit(&turns, &one, now));
    for (int i = 0; i < 100; i++) {
        now += 2 * LINGER; /* while one is under way */
        come(&turns, two, 2, now);
        ratings_batcher_acked(&turns, now);
        assert_ptr_equal(ratings_batcher_drain(&turns), two);
        now += 2 * LINGER; /* while two are */
        come(&turns, &one, 1, now);
        ratings_batcher_acked(&turns, now);
        ratings_batcher_acked(&turns, now);
        waits += ratings_batcher_flush_at(&turns) > now;
        assert_ptr_equal(ratings_batcher_drain(&turns), &one);
    }
    assert_in_range(waits, 2, 10);
}

static void nobody_overtakes_those_who_wait(void **state)
{
    ratings_batcher_t turns = {0};
    ratings_batcher_item_t one, all[2];

    (void)state;
    assert_true(ratings_batcher_admit(&turns, &one, T0));
    come(&turns, all, 1, T0);
    ratings_batcher_acked(&turns, T0);
    come(&turns, all + 1, 1, T0 + 2 * LINGER);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add(&suite, "who comes alone never waits", who_comes_alone_never_waits, NULL);
    unit_add(&suite, "those who wait go together and in order",
             those_who_wait_go_together_and_in_order, NULL);
    unit_add(&suite, "those taken are under way", those_taken_are_under_way, NULL);
    unit_add(&suite, "after many one waits a moment for others",
             after_many_one_waits_a_moment_for_others, NULL);
    unit_add(&suite, "the moment begins when nobody is under way",
             the_moment_begins_when_nobody_is_under_way, NULL);
    unit_add(&suite, "those who came a moment too late are waited for the next time",
             those_who_came_a_moment_too_late_are_waited_for_the_next_time, NULL);
    unit_add(&suite, "those who came later than a moment are not",
             those_who_came_later_than_a_moment_are_not, NULL);
    unit_add(&suite, "one that waited in vain is the last to wait",
             one_that_waited_in_vain_is_the_last_to_wait, NULL);
    unit_add(&suite, "after a pause nobody is waited for", after_a_pause_nobody_is_waited_for,
             NULL);
    unit_add(&suite, "what takes long to be done is no pause",
             what_takes_long_to_be_done_is_no_pause, NULL);
    unit_add(&suite, "what is in vain is tried less and less often",
             what_is_in_vain_is_tried_less_and_less_often, NULL);
    unit_add(&suite, "nobody overtakes those who wait", nobody_overtakes_those_who_wait, NULL);
    return unit_run("turns", &suite);
}
