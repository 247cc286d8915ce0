#include "../../src/core/bulkhead.h"
#include "../../src/core/clock.h"
#include "unit.h"

#include <pthread.h>
#include <time.h>

#define PATIENCE RATINGS_BULKHEAD_PROMPT_US

static void lets_in_up_to_its_bound(void **state)
{
    ratings_bulkhead_t gate;
    int64_t now = ratings_monotonic();

    (void)state;
    ratings_bulkhead_init(&gate, 2);
    assert_true(ratings_bulkhead_acquire(&gate, now, now));
    assert_true(ratings_bulkhead_acquire(&gate, now, now));
    assert_false(ratings_bulkhead_acquire(&gate, now, now)); /* no time to wait */
    (void)ratings_bulkhead_release(&gate, now, now, true);
    assert_true(ratings_bulkhead_acquire(&gate, now, now));
    ratings_bulkhead_destroy(&gate);
}

static void refuses_at_once_when_nobody_comes_out(void **state)
{
    ratings_bulkhead_t gate;
    int64_t begun = ratings_monotonic(), now = begun + PATIENCE;

    (void)state;
    ratings_bulkhead_init(&gate, 1);
    assert_true(ratings_bulkhead_acquire(&gate, begun, begun));
    assert_false(ratings_bulkhead_acquire(&gate, now, now + 10 * PATIENCE));
    assert_true(ratings_monotonic() < begun + PATIENCE);
    ratings_bulkhead_destroy(&gate);
}

static void waits_no_longer_than_its_patience(void **state)
{
    ratings_bulkhead_t gate;
    int64_t begun = ratings_monotonic(), waited;

    (void)state;
    ratings_bulkhead_init(&gate, 1);
    assert_true(ratings_bulkhead_acquire(&gate, begun, begun));
    assert_false(ratings_bulkhead_acquire(&gate, begun, begun + 100 * PATIENCE));
    waited = ratings_monotonic() - begun;
    assert_true(waited >= PATIENCE && waited < 50 * PATIENCE);
    ratings_bulkhead_destroy(&gate);
}

static void waits_no_longer_than_the_deadline(void **state)
{
    ratings_bulkhead_t gate;
    int64_t begun = ratings_monotonic();

    (void)state;
    ratings_bulkhead_init(&gate, 1);
    assert_true(ratings_bulkhead_acquire(&gate, begun, begun));
    assert_false(ratings_bulkhead_acquire(&gate, begun, begun + 1000));
    assert_true(ratings_monotonic() < begun + PATIENCE);
    ratings_bulkhead_destroy(&gate);
}

static void *leave(void *data)
{
    (void)ratings_bulkhead_release(data, ratings_monotonic(), ratings_monotonic(), true);
    return NULL;
}

static void lets_one_in_when_another_comes_out(void **state)
{
    ratings_bulkhead_t gate;
    pthread_t other;
    int64_t now = ratings_monotonic();

    (void)state;
    ratings_bulkhead_init(&gate, 1);
    assert_true(ratings_bulkhead_acquire(&gate, now, now));
    assert_int_equal(pthread_create(&other, NULL, leave, &gate), 0);
    assert_true(ratings_bulkhead_acquire(&gate, now, now + PATIENCE));
    pthread_join(other, NULL);
    ratings_bulkhead_destroy(&gate);
}

/* One that never waits may go beyond the bound as long as others come out promptly, for a while. */
static void tries_by_what_was_prompt(void **state)
{
    ratings_bulkhead_t gate;
    int64_t now = ratings_monotonic(), until;

    (void)state;
    ratings_bulkhead_init(&gate, 1);
    assert_true(ratings_bulkhead_try_acquire(&gate, now, &until));
    assert_true(until == INT64_MAX);
    assert_true(ratings_bulkhead_try_acquire(&gate, now + PATIENCE - 1, &until));
    assert_true(until == now + 2 * PATIENCE - 1);
    assert_false(ratings_bulkhead_try_acquire(&gate, now + PATIENCE, &until));
    (void)ratings_bulkhead_release(&gate, now, now + PATIENCE, true);
    assert_true(ratings_bulkhead_try_acquire(&gate, now + 2 * PATIENCE - 1, &until));
    assert_true(ratings_bulkhead_try_acquire(&gate, now + 2 * PATIENCE - 1, &until));
    /* in vain, or late: says nothing good */
    (void)ratings_bulkhead_release(&gate, now, now + 2 * PATIENCE, false);
    (void)ratings_bulkhead_release(&gate, now, now + 2 * PATIENCE, true);
    assert_false(ratings_bulkhead_try_acquire(&gate, now + 2 * PATIENCE, &until));
    ratings_bulkhead_destroy(&gate);
}

/* Else the first requests after a quiet hour would be refused. */
static void begins_anew_when_it_was_empty(void **state)
{
    ratings_bulkhead_t gate;
    int64_t now = ratings_monotonic(), until;

    (void)state;
    ratings_bulkhead_init(&gate, 1);
    assert_true(ratings_bulkhead_try_acquire(&gate, now, &until));
    (void)ratings_bulkhead_release(&gate, now, now, true);
    assert_true(ratings_bulkhead_try_acquire(&gate, now + 100 * PATIENCE, &until));
    assert_true(ratings_bulkhead_try_acquire(&gate, now + 100 * PATIENCE, &until));
    ratings_bulkhead_destroy(&gate);
}

/* However late it was, an answer ends the time in which nobody got one. */
static void tells_for_how_long_nobody_got_what_it_waited_for(void **state)
{
    ratings_bulkhead_t gate;

    (void)state;
    ratings_bulkhead_init(&gate, 8);
    for (int i = 0; i < 4; i++)
        assert_true(
            ratings_bulkhead_acquire(&gate, INT64_C(1000) * i, 0)); /* at 0: while it was empty */
    assert_true(ratings_bulkhead_release(&gate, 1000, 5000, false) == 5000);
    assert_true(ratings_bulkhead_release(&gate, 0, 9 * PATIENCE, true) == 0);
    assert_true(ratings_bulkhead_release(&gate, 2000, 10 * PATIENCE, false) == PATIENCE);
    assert_true(ratings_bulkhead_release(&gate, 3000, 12 * PATIENCE, false) == 3 * PATIENCE);
    assert_true(ratings_bulkhead_acquire(&gate, 20 * PATIENCE, 0));
    assert_true(ratings_bulkhead_release(&gate, 20 * PATIENCE, 20 * PATIENCE + 7, false) == 7);
    ratings_bulkhead_destroy(&gate);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add(&suite, "as many are inside as its bound", lets_in_up_to_its_bound, NULL);
    unit_add(&suite, "one too many is refused at once when nobody comes out",
             refuses_at_once_when_nobody_comes_out, NULL);
    unit_add(&suite, "one too many waits no longer than the patience",
             waits_no_longer_than_its_patience, NULL);
    unit_add(&suite, "one too many waits no longer than its deadline",
             waits_no_longer_than_the_deadline, NULL);
    unit_add(&suite, "one too many goes in when another comes out",
             lets_one_in_when_another_comes_out, NULL);
    unit_add(&suite, "one that never waits goes by what was prompt", tries_by_what_was_prompt,
             NULL);
    unit_add(&suite, "an empty gate has a fresh patience", begins_anew_when_it_was_empty, NULL);
    unit_add(&suite, "a caller that leaves learns for how long nobody got an answer",
             tells_for_how_long_nobody_got_what_it_waited_for, NULL);
    return unit_run("gate", &suite);
}
