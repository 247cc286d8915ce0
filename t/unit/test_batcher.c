#include "../../src/core/batcher.h"
#include "unit.h"

#define COUNT 5
#define LINGER ((int64_t)RATINGS_BATCHER_LINGER_US)
#define T0 INT64_C(1000000)

static void arrive(ratings_batcher_t *batcher, ratings_batcher_item_t *all, int count, int64_t now)
{
    for (int i = 0; i < count; i++)
        assert_false(ratings_batcher_admit(batcher, &all[i], now));
}

static void ack_all(ratings_batcher_t *batcher, int64_t now)
{
    while (batcher->in_flight > 0)
        ratings_batcher_acked(batcher, now);
}

/* The drained batch is these `count` items of `all`, in order. */
static void expect_batch(ratings_batcher_t *batcher, const ratings_batcher_item_t *all, int count)
{
    ratings_batcher_items_t batch;
    const ratings_batcher_item_t *item;
    int drained = 0;

    ratings_batcher_drain(batcher, &batch);
    STAILQ_FOREACH(item, &batch, link) {
        assert_true(drained < count);
        assert_ptr_equal(item, &all[drained++]);
    }
    assert_int_equal(drained, count);
}

/* One event is sent at once; COUNT wait until it is acknowledged, and are sent. */
static void send_batch(ratings_batcher_t *batcher, ratings_batcher_item_t *all)
{
    static ratings_batcher_item_t one;

    assert_true(ratings_batcher_admit(batcher, &one, T0));
    arrive(batcher, all, COUNT, T0);
    ack_all(batcher, T0);
    expect_batch(batcher, all, COUNT);
}

static void an_event_alone_is_sent_at_once(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t one;

    (void)state;
    ratings_batcher_init(&batcher);
    for (int i = 0; i < 3; i++) {
        assert_true(ratings_batcher_admit(&batcher, &one, T0));
        ratings_batcher_acked(&batcher, T0);
        assert_true(ratings_batcher_flush_at(&batcher) == INT64_MAX);
    }
}

static void events_that_wait_are_sent_together_and_in_order(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t one, all[COUNT];

    (void)state;
    ratings_batcher_init(&batcher);
    assert_true(ratings_batcher_admit(&batcher, &one, T0));
    arrive(&batcher, all, COUNT, T0 + 1);
    assert_true(ratings_batcher_flush_at(&batcher) == INT64_MAX);
    ratings_batcher_acked(&batcher, T0);
    assert_true(ratings_batcher_flush_at(&batcher) != INT64_MAX);
    expect_batch(&batcher, all, COUNT);
    expect_batch(&batcher, NULL, 0);
}

static void a_drained_batch_is_in_flight(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t all[COUNT], next;

    (void)state;
    ratings_batcher_init(&batcher);
    send_batch(&batcher, all);
    arrive(&batcher, &next, 1, T0);
    for (int i = 0; i < COUNT; i++) {
        assert_true(ratings_batcher_flush_at(&batcher) == INT64_MAX);
        ratings_batcher_acked(&batcher, T0);
    }
    assert_true(ratings_batcher_flush_at(&batcher) != INT64_MAX);
}

static void after_a_large_batch_an_event_lingers_for_others(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t all[COUNT], next[COUNT];

    (void)state;
    ratings_batcher_init(&batcher);
    send_batch(&batcher, all);
    ack_all(&batcher, T0);
    arrive(&batcher, next, COUNT - 1, T0 + 7);
    assert_true(ratings_batcher_flush_at(&batcher) == T0 + 7 + LINGER);
    arrive(&batcher, next + COUNT - 1, 1, T0 + 9); /* as many as before */
    assert_true(ratings_batcher_flush_at(&batcher) == T0 + 7);
}

static void the_linger_begins_when_nothing_is_in_flight(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t all[COUNT], straggler;

    (void)state;
    ratings_batcher_init(&batcher);
    send_batch(&batcher, all);
    arrive(&batcher, &straggler, 1, T0 + 2 * LINGER);
    ack_all(&batcher, T0 + 5 * LINGER);
    assert_true(ratings_batcher_flush_at(&batcher) == T0 + 6 * LINGER);
}

/* Two halves that alternate become one batch, so that half as many batches are sent. */
static void events_within_a_linger_after_a_batch_enlarge_the_target(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t all[COUNT], late[COUNT], next[COUNT];

    (void)state;
    ratings_batcher_init(&batcher);
    send_batch(&batcher, all);
    arrive(&batcher, late, COUNT, T0 + LINGER - 1);
    ack_all(&batcher, T0 + LINGER);
    assert_true(ratings_batcher_flush_at(&batcher) == T0 + 2 * LINGER);
    arrive(&batcher, next, COUNT, T0 + LINGER + 1);
    assert_true(ratings_batcher_flush_at(&batcher) == T0 + LINGER);
}

static void events_later_than_a_linger_do_not_enlarge_the_target(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t all[COUNT], later[COUNT];

    (void)state;
    ratings_batcher_init(&batcher);
    send_batch(&batcher, all);
    arrive(&batcher, later, COUNT, T0 + LINGER);
    ack_all(&batcher, T0 + LINGER + 1);
    assert_true(ratings_batcher_flush_at(&batcher) == T0 + LINGER + 1);
}

/* Whether an event that arrives alone lingers, until `now` and LINGER, and is sent alone. */
static bool lingers_for_nothing(ratings_batcher_t *batcher, ratings_batcher_item_t *item,
                                int64_t now)
{
    if (ratings_batcher_admit(batcher, item, now))
        return false;
    if (ratings_batcher_flush_at(batcher) != now + LINGER)
        return false;
    expect_batch(batcher, item, 1);
    ratings_batcher_acked(batcher, now + 2 * LINGER);
    return true;
}

static void after_a_linger_for_nothing_an_event_alone_is_sent_at_once(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t all[COUNT], next;

    (void)state;
    ratings_batcher_init(&batcher);
    send_batch(&batcher, all);
    ack_all(&batcher, T0);
    assert_true(lingers_for_nothing(&batcher, &next, T0));
    assert_true(ratings_batcher_admit(&batcher, &next, T0 + 3 * LINGER));
}

static void after_an_idle_time_the_target_is_forgotten(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t all[COUNT], next;

    (void)state;
    ratings_batcher_init(&batcher);
    send_batch(&batcher, all);
    ack_all(&batcher, T0);
    assert_true(ratings_batcher_admit(&batcher, &next, T0 + 1000 * LINGER));
}

static void a_slow_acknowledgement_is_no_idle_time(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t all[COUNT], next;

    (void)state;
    ratings_batcher_init(&batcher);
    send_batch(&batcher, all);
    ack_all(&batcher, T0 + 1000 * LINGER);
    assert_false(ratings_batcher_admit(&batcher, &next, T0 + 1000 * LINGER + 1));
}

/* One event and two alternate, each longer than a linger after the others: whatever lingers does so
 * for nothing, whenever two were sent before. */
static void lingers_for_nothing_become_rare(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t two[2], one;
    int64_t now = T0;
    int waits = 0;

    (void)state;
    ratings_batcher_init(&batcher);
    assert_true(ratings_batcher_admit(&batcher, &one, now));
    for (int i = 0; i < 100; i++) {
        now += 2 * LINGER; /* while one is under way */
        arrive(&batcher, two, 2, now);
        ratings_batcher_acked(&batcher, now);
        expect_batch(&batcher, two, 2);
        now += 2 * LINGER; /* while two are */
        arrive(&batcher, &one, 1, now);
        ratings_batcher_acked(&batcher, now);
        ratings_batcher_acked(&batcher, now);
        waits += ratings_batcher_flush_at(&batcher) > now;
        expect_batch(&batcher, &one, 1);
    }
    assert_in_range(waits, 2, 10);
}

static void no_event_overtakes_those_that_wait(void **state)
{
    ratings_batcher_t batcher;
    ratings_batcher_item_t one, all[2];

    (void)state;
    ratings_batcher_init(&batcher);
    assert_true(ratings_batcher_admit(&batcher, &one, T0));
    arrive(&batcher, all, 1, T0);
    ratings_batcher_acked(&batcher, T0);
    arrive(&batcher, all + 1, 1, T0 + 2 * LINGER);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add(&suite, "an event alone is sent at once", an_event_alone_is_sent_at_once, NULL);
    unit_add(&suite, "events that wait are sent together and in order",
             events_that_wait_are_sent_together_and_in_order, NULL);
    unit_add(&suite, "a drained batch is in flight", a_drained_batch_is_in_flight, NULL);
    unit_add(&suite, "after a large batch an event lingers for others",
             after_a_large_batch_an_event_lingers_for_others, NULL);
    unit_add(&suite, "the linger begins when nothing is in flight",
             the_linger_begins_when_nothing_is_in_flight, NULL);
    unit_add(&suite, "events within a linger after a batch enlarge the target",
             events_within_a_linger_after_a_batch_enlarge_the_target, NULL);
    unit_add(&suite, "events later than a linger do not enlarge the target",
             events_later_than_a_linger_do_not_enlarge_the_target, NULL);
    unit_add(&suite, "after a linger for nothing an event alone is sent at once",
             after_a_linger_for_nothing_an_event_alone_is_sent_at_once, NULL);
    unit_add(&suite, "after an idle time the target is forgotten",
             after_an_idle_time_the_target_is_forgotten, NULL);
    unit_add(&suite, "a slow acknowledgement is no idle time",
             a_slow_acknowledgement_is_no_idle_time, NULL);
    unit_add(&suite, "lingers for nothing become rare", lingers_for_nothing_become_rare, NULL);
    unit_add(&suite, "no event overtakes those that wait", no_event_overtakes_those_that_wait,
             NULL);
    return unit_run("batcher", &suite);
}
