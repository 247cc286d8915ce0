#include "../../src/core/bulkhead.h"
#include "../../src/core/clock.h"
#include "unit.h"

#include <pthread.h>
#include <time.h>

#define PROMPT RATINGS_BULKHEAD_PROMPT_US

static void acquires_up_to_the_bound(void **state)
{
    ratings_bulkhead_t bulkhead;
    int64_t now = ratings_monotonic();

    (void)state;
    ratings_bulkhead_init(&bulkhead, 2);
    assert_true(ratings_bulkhead_acquire(&bulkhead, now, now));
    assert_true(ratings_bulkhead_acquire(&bulkhead, now, now));
    assert_false(ratings_bulkhead_acquire(&bulkhead, now, now)); /* no time to wait */
    (void)ratings_bulkhead_release(&bulkhead, now, now, true);
    assert_true(ratings_bulkhead_acquire(&bulkhead, now, now));
    ratings_bulkhead_destroy(&bulkhead);
}

static void refuses_at_once_when_calls_are_not_prompt(void **state)
{
    ratings_bulkhead_t bulkhead;
    int64_t begun = ratings_monotonic(), now = begun + PROMPT;

    (void)state;
    ratings_bulkhead_init(&bulkhead, 1);
    assert_true(ratings_bulkhead_acquire(&bulkhead, begun, begun));
    assert_false(ratings_bulkhead_acquire(&bulkhead, now, now + 10 * PROMPT));
    assert_true(ratings_monotonic() < begun + PROMPT);
    ratings_bulkhead_destroy(&bulkhead);
}

static void waits_while_calls_are_prompt(void **state)
{
    ratings_bulkhead_t bulkhead;
    int64_t begun = ratings_monotonic(), waited;

    (void)state;
    ratings_bulkhead_init(&bulkhead, 1);
    assert_true(ratings_bulkhead_acquire(&bulkhead, begun, begun));
    assert_false(ratings_bulkhead_acquire(&bulkhead, begun, begun + 100 * PROMPT));
    waited = ratings_monotonic() - begun;
    assert_true(waited >= PROMPT && waited < 50 * PROMPT);
    ratings_bulkhead_destroy(&bulkhead);
}

static void waits_until_the_deadline(void **state)
{
    ratings_bulkhead_t bulkhead;
    int64_t begun = ratings_monotonic();

    (void)state;
    ratings_bulkhead_init(&bulkhead, 1);
    assert_true(ratings_bulkhead_acquire(&bulkhead, begun, begun));
    assert_false(ratings_bulkhead_acquire(&bulkhead, begun, begun + 1000));
    assert_true(ratings_monotonic() < begun + PROMPT);
    ratings_bulkhead_destroy(&bulkhead);
}

static void *release_bulkhead(void *data)
{
    (void)ratings_bulkhead_release(data, ratings_monotonic(), ratings_monotonic(), true);
    return NULL;
}

static void acquires_when_another_releases(void **state)
{
    ratings_bulkhead_t bulkhead;
    pthread_t other;
    int64_t now = ratings_monotonic();

    (void)state;
    ratings_bulkhead_init(&bulkhead, 1);
    assert_true(ratings_bulkhead_acquire(&bulkhead, now, now));
    assert_int_equal(pthread_create(&other, NULL, release_bulkhead, &bulkhead), 0);
    assert_true(ratings_bulkhead_acquire(&bulkhead, now, now + PROMPT));
    pthread_join(other, NULL);
    ratings_bulkhead_destroy(&bulkhead);
}

static void try_acquire_overbooks_while_calls_are_prompt(void **state)
{
    ratings_bulkhead_t bulkhead;
    int64_t now = ratings_monotonic(), until;

    (void)state;
    ratings_bulkhead_init(&bulkhead, 1);
    assert_true(ratings_bulkhead_try_acquire(&bulkhead, now, &until));
    assert_true(until == INT64_MAX);
    assert_true(ratings_bulkhead_try_acquire(&bulkhead, now + PROMPT - 1, &until));
    assert_true(until == now + 2 * PROMPT - 1);
    assert_false(ratings_bulkhead_try_acquire(&bulkhead, now + PROMPT, &until));
    (void)ratings_bulkhead_release(&bulkhead, now, now + PROMPT, true);
    assert_true(ratings_bulkhead_try_acquire(&bulkhead, now + 2 * PROMPT - 1, &until));
    assert_true(ratings_bulkhead_try_acquire(&bulkhead, now + 2 * PROMPT - 1, &until));
    /* a failure, and a late success: neither is prompt */
    (void)ratings_bulkhead_release(&bulkhead, now, now + 2 * PROMPT, false);
    (void)ratings_bulkhead_release(&bulkhead, now, now + 2 * PROMPT, true);
    assert_false(ratings_bulkhead_try_acquire(&bulkhead, now + 2 * PROMPT, &until));
    ratings_bulkhead_destroy(&bulkhead);
}

/* Else the first requests after a quiet hour would be refused. */
static void counts_as_prompt_when_nothing_was_in_use(void **state)
{
    ratings_bulkhead_t bulkhead;
    int64_t now = ratings_monotonic(), until;

    (void)state;
    ratings_bulkhead_init(&bulkhead, 1);
    assert_true(ratings_bulkhead_try_acquire(&bulkhead, now, &until));
    (void)ratings_bulkhead_release(&bulkhead, now, now, true);
    assert_true(ratings_bulkhead_try_acquire(&bulkhead, now + 100 * PROMPT, &until));
    assert_true(ratings_bulkhead_try_acquire(&bulkhead, now + 100 * PROMPT, &until));
    ratings_bulkhead_destroy(&bulkhead);
}

/* However late it was, an answer ends the time in which nobody got one. */
static void release_returns_the_time_without_success(void **state)
{
    ratings_bulkhead_t bulkhead;

    (void)state;
    ratings_bulkhead_init(&bulkhead, 8);
    for (int i = 0; i < 4; i++)
        assert_true(ratings_bulkhead_acquire(&bulkhead, INT64_C(1000) * i,
                                             0)); /* at 0: while it was empty */
    assert_true(ratings_bulkhead_release(&bulkhead, 1000, 5000, false) == 5000);
    assert_true(ratings_bulkhead_release(&bulkhead, 0, 9 * PROMPT, true) == 0);
    assert_true(ratings_bulkhead_release(&bulkhead, 2000, 10 * PROMPT, false) == PROMPT);
    assert_true(ratings_bulkhead_release(&bulkhead, 3000, 12 * PROMPT, false) == 3 * PROMPT);
    assert_true(ratings_bulkhead_acquire(&bulkhead, 20 * PROMPT, 0));
    assert_true(ratings_bulkhead_release(&bulkhead, 20 * PROMPT, 20 * PROMPT + 7, false) == 7);
    ratings_bulkhead_destroy(&bulkhead);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add(&suite, "acquires up to the bound", acquires_up_to_the_bound, NULL);
    unit_add(&suite, "a caller beyond the bound is refused at once when calls are not prompt",
             refuses_at_once_when_calls_are_not_prompt, NULL);
    unit_add(&suite, "a caller beyond the bound waits while calls are prompt",
             waits_while_calls_are_prompt, NULL);
    unit_add(&suite, "a caller beyond the bound waits until its deadline", waits_until_the_deadline,
             NULL);
    unit_add(&suite, "a caller beyond the bound acquires when another releases",
             acquires_when_another_releases, NULL);
    unit_add(&suite, "try_acquire overbooks while calls are prompt",
             try_acquire_overbooks_while_calls_are_prompt, NULL);
    unit_add(&suite, "calls count as prompt when nothing was in use",
             counts_as_prompt_when_nothing_was_in_use, NULL);
    unit_add(&suite, "release returns the time without a success",
             release_returns_the_time_without_success, NULL);
    return unit_run("bulkhead", &suite);
}
