#include "../../src/service/background.h"
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>

#define ROUNDS 300
#define TASKS 4

static ratings_background_t background;
static atomic_int done;
static atomic_bool may_end;

static void task(void *data)
{
    while (!atomic_load(&may_end))
        sched_yield();
    assert_ptr_equal(data, &done);
    atomic_fetch_add(&done, 1);
}

static void nothing_under_way_is_not_waited_for(void **state)
{
    (void)state;
    ratings_background_join(&background);
}

static void who_starts_goes_on_and_who_joins_waits(void **state)
{
    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        atomic_store(&done, 0);
        atomic_store(&may_end, false);
        for (int i = 0; i < TASKS; i++)
            assert_true(ratings_background_start(&background, task, &done));
        assert_int_equal(atomic_load(&done), 0);
        atomic_store(&may_end, true);
        ratings_background_join(&background);
        assert_int_equal(atomic_load(&done), TASKS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_under_way_is_not_waited_for),
        cmocka_unit_test(who_starts_goes_on_and_who_joins_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
