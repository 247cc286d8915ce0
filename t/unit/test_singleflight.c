/* the source itself, to count who waits */
#include "../../src/core/singleflight.c" // NOLINT(bugprone-suspicious-include)
#include "unit.h"

#include <sched.h>
#include <stdatomic.h>

#define PASSENGERS 8

static const ratings_histogram_t counts = {{0, 0, 1, 0, 7}}, others = {{0, 0, 1, 0, 8}};
static const ratings_singleflight_result_t well = {true, {4.75, 8}};

static int64_t in_ms(int64_t ms)
{
    return ratings_monotonic() + ms * 1000;
}

typedef struct {
    ratings_singleflight_t flights;
    int64_t deadline;
    atomic_int leaders;
} group_t;

static void begin(group_t *group, int64_t ms)
{
    ratings_singleflight_init(&group->flights);
    group->deadline = in_ms(ms);
    atomic_store(&group->leaders, 0);
}

static bool lead(group_t *group, ratings_singleflight_call_t *flight,
                 const ratings_histogram_t *histogram, ratings_singleflight_result_t *landing)
{
    return ratings_singleflight_begin(&group->flights, flight, histogram, group->deadline, landing);
}

static void the_first_makes_the_call_and_so_does_the_next_after_it(void **state)
{
    group_t group;
    ratings_singleflight_call_t flight = {0};
    ratings_singleflight_result_t landing;
    (void)state;
    begin(&group, 1000);
    for (int i = 0; i < 3; i++) {
        assert_true(lead(&group, &flight, &counts, &landing));
        ratings_singleflight_finish(&group.flights, &flight, &well);
    }
    ratings_singleflight_destroy(&group.flights);
}

static void other_counts_are_a_call_of_their_own(void **state)
{
    group_t group;
    ratings_singleflight_call_t one = {0}, two = {0};
    ratings_singleflight_result_t landing;
    (void)state;
    begin(&group, 1000);
    assert_true(lead(&group, &one, &counts, &landing));
    assert_true(lead(&group, &two, &others, &landing));
    ratings_singleflight_finish(&group.flights, &one, &well);
    ratings_singleflight_finish(&group.flights, &two, &well);
    ratings_singleflight_destroy(&group.flights);
}

static void nobody_waits_beyond_the_deadline(void **state)
{
    group_t group;
    ratings_singleflight_call_t flight = {0}, unused;
    ratings_singleflight_result_t landing = well;
    (void)state;
    begin(&group, 30);
    assert_true(lead(&group, &flight, &counts, &landing));
    assert_false(lead(&group, &unused, &counts, &landing));
    assert_false(landing.has_statistics);
    assert_true(in_ms(0) >= group.deadline && in_ms(0) < group.deadline + 5000000);
    ratings_singleflight_finish(&group.flights, &flight, &well); /* to nobody */
    ratings_singleflight_destroy(&group.flights);
}

static void *ask(void *data)
{
    group_t *group = data;
    ratings_singleflight_call_t flight = {0};
    ratings_singleflight_result_t landing = {.has_statistics = false};
    if (!lead(group, &flight, &counts, &landing))
        return landing.has_statistics && landing.statistics.total_count == 8 ? group : NULL;
    atomic_fetch_add(&group->leaders, 1);
    ratings_singleflight_finish(&group->flights, &flight, &well);
    return group;
}

static void wait_for_passengers(group_t *group, const ratings_singleflight_call_t *flight,
                                int wanted)
{
    int count = 0;
    while (count < wanted && in_ms(0) < group->deadline) {
        count = 0;
        pthread_mutex_lock(&group->flights.lock);
        const ratings_singleflight_waiter_t *passenger;
        LIST_FOREACH(passenger, &flight->passengers, link) {
            count++;
        }
        pthread_mutex_unlock(&group->flights.lock);
        sched_yield();
    }
    assert_int_equal(count, wanted);
}

static void all_who_wait_get_its_result(void **state)
{
    group_t group;
    pthread_t passenger[PASSENGERS];
    ratings_singleflight_call_t flight = {0};
    ratings_singleflight_result_t landing;
    void *arrived;
    (void)state;
    begin(&group, 10000);
    assert_true(lead(&group, &flight, &counts, &landing));
    for (int i = 0; i < PASSENGERS; i++)
        assert_int_equal(pthread_create(&passenger[i], NULL, ask, &group), 0);
    wait_for_passengers(&group, &flight, PASSENGERS);
    ratings_singleflight_finish(&group.flights, &flight, &well);
    for (int i = 0; i < PASSENGERS; i++) {
        assert_int_equal(pthread_join(passenger[i], &arrived), 0);
        assert_non_null(arrived);
    }
    assert_int_equal(atomic_load(&group.leaders), 0);
    assert_null(LIST_FIRST(&group.flights.flights));
    ratings_singleflight_destroy(&group.flights);
}

/* Whoever goes from among those who wait leaves the others in their place. */
static void one_who_gives_up_leaves_the_others_waiting(void **state)
{
    group_t group;
    pthread_t passenger[2];
    ratings_singleflight_call_t flight = {0}, unused;
    ratings_singleflight_result_t landing;
    void *arrived;
    (void)state;
    begin(&group, 10000);
    assert_true(lead(&group, &flight, &counts, &landing));
    assert_int_equal(pthread_create(&passenger[0], NULL, ask, &group), 0);
    wait_for_passengers(&group, &flight, 1);
    /* he stands before the first, and the second comes before him */
    assert_false(ratings_singleflight_begin(&group.flights, &unused, &counts, in_ms(20), &landing));
    assert_int_equal(pthread_create(&passenger[1], NULL, ask, &group), 0);
    wait_for_passengers(&group, &flight, 2);
    ratings_singleflight_finish(&group.flights, &flight, &well);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(passenger[i], &arrived), 0);
        assert_non_null(arrived);
    }
    ratings_singleflight_destroy(&group.flights);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add(&suite, "the first makes the call and so does the next after it",
             the_first_makes_the_call_and_so_does_the_next_after_it, NULL);
    unit_add(&suite, "other counts are a call of their own", other_counts_are_a_call_of_their_own,
             NULL);
    unit_add(&suite, "nobody waits beyond the deadline", nobody_waits_beyond_the_deadline, NULL);
    unit_add(&suite, "all who wait get its result", all_who_wait_get_its_result, NULL);
    unit_add(&suite, "one who gives up leaves the others waiting",
             one_who_gives_up_leaves_the_others_waiting, NULL);
    return unit_run("flight", &suite);
}
