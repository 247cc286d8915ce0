/* the source itself, to count the waiters */
#include "../../src/core/singleflight.c" // NOLINT(bugprone-suspicious-include)
#include "unit.h"

#include <sched.h>
#include <stdatomic.h>

#define WAITERS 8

static const ratings_histogram_t counts = {{0, 0, 1, 0, 7}}, others = {{0, 0, 1, 0, 8}};
static const ratings_singleflight_result_t well = {true, {4.75, 8}};

static int64_t in_ms(int64_t ms)
{
    return ratings_monotonic() + ms * 1000;
}

typedef struct {
    ratings_singleflight_t calls;
    int64_t deadline;
    atomic_int leaders;
} group_t;

static void begin(group_t *group, int64_t ms)
{
    ratings_singleflight_init(&group->calls);
    group->deadline = in_ms(ms);
    atomic_store(&group->leaders, 0);
}

static bool lead(group_t *group, ratings_singleflight_call_t *call,
                 const ratings_histogram_t *histogram, ratings_singleflight_result_t *result)
{
    return ratings_singleflight_begin(&group->calls, call, histogram, group->deadline, result);
}

static void the_first_makes_the_call_and_so_does_the_next_after_it(void **state)
{
    group_t group;
    ratings_singleflight_call_t call = {0};
    ratings_singleflight_result_t result;
    (void)state;
    begin(&group, 1000);
    for (int i = 0; i < 3; i++) {
        assert_true(lead(&group, &call, &counts, &result));
        ratings_singleflight_finish(&group.calls, &call, &well);
    }
    ratings_singleflight_destroy(&group.calls);
}

static void other_counts_are_a_call_of_their_own(void **state)
{
    group_t group;
    ratings_singleflight_call_t one = {0}, two = {0};
    ratings_singleflight_result_t result;
    (void)state;
    begin(&group, 1000);
    assert_true(lead(&group, &one, &counts, &result));
    assert_true(lead(&group, &two, &others, &result));
    ratings_singleflight_finish(&group.calls, &one, &well);
    ratings_singleflight_finish(&group.calls, &two, &well);
    ratings_singleflight_destroy(&group.calls);
}

static void nobody_waits_beyond_the_deadline(void **state)
{
    group_t group;
    ratings_singleflight_call_t call = {0}, unused;
    ratings_singleflight_result_t result = well;
    (void)state;
    begin(&group, 30);
    assert_true(lead(&group, &call, &counts, &result));
    assert_false(lead(&group, &unused, &counts, &result));
    assert_false(result.has_statistics);
    assert_true(in_ms(0) >= group.deadline && in_ms(0) < group.deadline + 5000000);
    ratings_singleflight_finish(&group.calls, &call, &well); /* for no waiter */
    ratings_singleflight_destroy(&group.calls);
}

static void *ask(void *data)
{
    group_t *group = data;
    ratings_singleflight_call_t call = {0};
    ratings_singleflight_result_t result = {.has_statistics = false};
    if (!lead(group, &call, &counts, &result))
        return result.has_statistics && result.statistics.total_count == 8 ? group : NULL;
    atomic_fetch_add(&group->leaders, 1);
    ratings_singleflight_finish(&group->calls, &call, &well);
    return group;
}

static void await_waiters(group_t *group, const ratings_singleflight_call_t *call, int wanted)
{
    int count = 0;
    while (count < wanted && in_ms(0) < group->deadline) {
        count = 0;
        pthread_mutex_lock(&group->calls.lock);
        const ratings_singleflight_waiter_t *waiter;
        LIST_FOREACH(waiter, &call->waiters, link) {
            count++;
        }
        pthread_mutex_unlock(&group->calls.lock);
        sched_yield();
    }
    assert_int_equal(count, wanted);
}

static void all_waiters_get_its_result(void **state)
{
    group_t group;
    pthread_t waiter[WAITERS];
    ratings_singleflight_call_t call = {0};
    ratings_singleflight_result_t result;
    void *arrived;
    (void)state;
    begin(&group, 10000);
    assert_true(lead(&group, &call, &counts, &result));
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(pthread_create(&waiter[i], NULL, ask, &group), 0);
    await_waiters(&group, &call, WAITERS);
    ratings_singleflight_finish(&group.calls, &call, &well);
    for (int i = 0; i < WAITERS; i++) {
        assert_int_equal(pthread_join(waiter[i], &arrived), 0);
        assert_non_null(arrived);
    }
    assert_int_equal(atomic_load(&group.leaders), 0);
    assert_null(LIST_FIRST(&group.calls.calls));
    ratings_singleflight_destroy(&group.calls);
}

static void a_waiter_whose_time_is_over_leaves_the_others_waiting(void **state)
{
    group_t group;
    pthread_t waiter[2];
    ratings_singleflight_call_t call = {0}, unused;
    ratings_singleflight_result_t result;
    void *arrived;
    (void)state;
    begin(&group, 10000);
    assert_true(lead(&group, &call, &counts, &result));
    assert_int_equal(pthread_create(&waiter[0], NULL, ask, &group), 0);
    await_waiters(&group, &call, 1);
    /* in the list it is before the first, and after the second */
    assert_false(ratings_singleflight_begin(&group.calls, &unused, &counts, in_ms(20), &result));
    assert_int_equal(pthread_create(&waiter[1], NULL, ask, &group), 0);
    await_waiters(&group, &call, 2);
    ratings_singleflight_finish(&group.calls, &call, &well);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(waiter[i], &arrived), 0);
        assert_non_null(arrived);
    }
    ratings_singleflight_destroy(&group.calls);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add(&suite, "the first makes the call and so does the next after it",
             the_first_makes_the_call_and_so_does_the_next_after_it, NULL);
    unit_add(&suite, "other counts are a call of their own", other_counts_are_a_call_of_their_own,
             NULL);
    unit_add(&suite, "nobody waits beyond the deadline", nobody_waits_beyond_the_deadline, NULL);
    unit_add(&suite, "all waiters get its result", all_waiters_get_its_result, NULL);
    unit_add(&suite, "a waiter whose time is over leaves the others waiting",
             a_waiter_whose_time_is_over_leaves_the_others_waiting, NULL);
    return unit_run("singleflight", &suite);
}
