#include "../../src/core/batcher.h"
#include "unit.h"

#define COUNT 5
#define LINGER ((int64_t)RATINGS_BATCHER_LINGER_US)
#define T0 INT64_C(1000000)

/* A batcher, and events for it. */
typedef struct {
    ratings_batcher_t batcher;
    ratings_batcher_item_t one, all[COUNT], next[COUNT];
} fixture_t;

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

static int set_up_idle(void **state)
{
    static fixture_t fixture;

    ratings_batcher_init(&fixture.batcher);
    *state = &fixture;
    return 0;
}

/* One event was sent at once; COUNT waited until it was acknowledged, and are in flight. */
static int set_up_awaiting_a_batch(void **state)
{
    set_up_idle(state);
    fixture_t *f = *state;
    assert_true(ratings_batcher_admit(&f->batcher, &f->one, T0));
    arrive(&f->batcher, f->all, COUNT, T0);
    ack_all(&f->batcher, T0);
    expect_batch(&f->batcher, f->all, COUNT);
    return 0;
}

static void an_event_alone_is_sent_at_once(void **state)
{
    fixture_t *f = *state;

    for (int i = 0; i < 3; i++) {
        assert_true(ratings_batcher_admit(&f->batcher, &f->one, T0));
        ratings_batcher_acked(&f->batcher, T0);
        assert_true(ratings_batcher_flush_at(&f->batcher) == INT64_MAX);
    }
}

static void events_that_wait_are_sent_together_and_in_order(void **state)
{
    fixture_t *f = *state;

    assert_true(ratings_batcher_admit(&f->batcher, &f->one, T0));
    arrive(&f->batcher, f->all, COUNT, T0 + 1);
    assert_true(ratings_batcher_flush_at(&f->batcher) == INT64_MAX);
    ratings_batcher_acked(&f->batcher, T0);
    assert_true(ratings_batcher_flush_at(&f->batcher) != INT64_MAX);
    expect_batch(&f->batcher, f->all, COUNT);
    expect_batch(&f->batcher, NULL, 0);
}

static void a_drained_batch_is_in_flight(void **state)
{
    fixture_t *f = *state;

    arrive(&f->batcher, &f->next[0], 1, T0);
    for (int i = 0; i < COUNT; i++) {
        assert_true(ratings_batcher_flush_at(&f->batcher) == INT64_MAX);
        ratings_batcher_acked(&f->batcher, T0);
    }
    assert_true(ratings_batcher_flush_at(&f->batcher) != INT64_MAX);
}

static void after_a_large_batch_an_event_lingers_for_others(void **state)
{
    fixture_t *f = *state;

    ack_all(&f->batcher, T0);
    arrive(&f->batcher, f->next, COUNT - 1, T0 + 7);
    assert_true(ratings_batcher_flush_at(&f->batcher) == T0 + 7 + LINGER);
    arrive(&f->batcher, f->next + COUNT - 1, 1, T0 + 9); /* as many as before */
    assert_true(ratings_batcher_flush_at(&f->batcher) == T0 + 7);
}

static void the_linger_begins_when_nothing_is_in_flight(void **state)
{
    fixture_t *f = *state;

    arrive(&f->batcher, &f->next[0], 1, T0 + 2 * LINGER);
    ack_all(&f->batcher, T0 + 5 * LINGER);
    assert_true(ratings_batcher_flush_at(&f->batcher) == T0 + 6 * LINGER);
}

/* Two halves that alternate become one batch, so that half as many batches are sent. */
static void events_within_a_linger_after_a_batch_enlarge_the_target(void **state)
{
    fixture_t *f = *state;

    arrive(&f->batcher, f->next, COUNT, T0 + LINGER - 1);
    ack_all(&f->batcher, T0 + LINGER);
    assert_true(ratings_batcher_flush_at(&f->batcher) == T0 + 2 * LINGER);
    arrive(&f->batcher, f->all, COUNT, T0 + LINGER + 1);
    assert_true(ratings_batcher_flush_at(&f->batcher) == T0 + LINGER);
}

static void events_later_than_a_linger_do_not_enlarge_the_target(void **state)
{
    fixture_t *f = *state;

    arrive(&f->batcher, f->next, COUNT, T0 + LINGER);
    ack_all(&f->batcher, T0 + LINGER + 1);
    assert_true(ratings_batcher_flush_at(&f->batcher) == T0 + LINGER + 1);
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
    fixture_t *f = *state;

    ack_all(&f->batcher, T0);
    assert_true(lingers_for_nothing(&f->batcher, &f->next[0], T0));
    assert_true(ratings_batcher_admit(&f->batcher, &f->next[0], T0 + 3 * LINGER));
}

static void after_an_idle_time_the_target_is_forgotten(void **state)
{
    fixture_t *f = *state;

    ack_all(&f->batcher, T0);
    assert_true(ratings_batcher_admit(&f->batcher, &f->next[0], T0 + 1000 * LINGER));
}

static void a_slow_acknowledgement_is_no_idle_time(void **state)
{
    fixture_t *f = *state;

    ack_all(&f->batcher, T0 + 1000 * LINGER);
    assert_false(ratings_batcher_admit(&f->batcher, &f->next[0], T0 + 1000 * LINGER + 1));
}

/* One event and two alternate, each longer than a linger after the others: whatever lingers does so
 * for nothing, whenever two were sent before. */
static void lingers_for_nothing_become_rare(void **state)
{
    fixture_t *f = *state;
    int64_t now = T0;
    int waits = 0;

    assert_true(ratings_batcher_admit(&f->batcher, &f->one, now));
    for (int i = 0; i < 100; i++) {
        now += 2 * LINGER; /* while one is under way */
        arrive(&f->batcher, f->all, 2, now);
        ratings_batcher_acked(&f->batcher, now);
        expect_batch(&f->batcher, f->all, 2);
        now += 2 * LINGER; /* while two are */
        arrive(&f->batcher, &f->one, 1, now);
        ratings_batcher_acked(&f->batcher, now);
        ratings_batcher_acked(&f->batcher, now);
        waits += ratings_batcher_flush_at(&f->batcher) > now;
        expect_batch(&f->batcher, &f->one, 1);
    }
    assert_in_range(waits, 2, 10);
}

static void no_event_overtakes_those_that_wait(void **state)
{
    fixture_t *f = *state;

    assert_true(ratings_batcher_admit(&f->batcher, &f->one, T0));
    arrive(&f->batcher, f->all, 1, T0);
    ratings_batcher_acked(&f->batcher, T0);
    arrive(&f->batcher, f->all + 1, 1, T0 + 2 * LINGER);
}

#define IDLE(name, function)                                                                       \
    {                                                                                              \
        name, function, set_up_idle, NULL, NULL                                                    \
    }
#define AWAITED(name, function)                                                                    \
    {                                                                                              \
        name, function, set_up_awaiting_a_batch, NULL, NULL                                        \
    }

static const struct CMUnitTest tests[] = {
    IDLE("an event alone is sent at once", an_event_alone_is_sent_at_once),
    IDLE("events that wait are sent together and in order",
         events_that_wait_are_sent_together_and_in_order),
    AWAITED("a drained batch is in flight", a_drained_batch_is_in_flight),
    AWAITED("after a large batch an event lingers for others",
            after_a_large_batch_an_event_lingers_for_others),
    AWAITED("the linger begins when nothing is in flight",
            the_linger_begins_when_nothing_is_in_flight),
    AWAITED("events within a linger after a batch enlarge the target",
            events_within_a_linger_after_a_batch_enlarge_the_target),
    AWAITED("events later than a linger do not enlarge the target",
            events_later_than_a_linger_do_not_enlarge_the_target),
    AWAITED("after a linger for nothing an event alone is sent at once",
            after_a_linger_for_nothing_an_event_alone_is_sent_at_once),
    AWAITED("after an idle time the target is forgotten",
            after_an_idle_time_the_target_is_forgotten),
    AWAITED("a slow acknowledgement is no idle time", a_slow_acknowledgement_is_no_idle_time),
    IDLE("lingers for nothing become rare", lingers_for_nothing_become_rare),
    IDLE("no event overtakes those that wait", no_event_overtakes_those_that_wait),
};

int main(void)
{
    return cmocka_run_group_tests_name("batcher", tests, NULL, NULL);
}
