#include "../../src/core/voter_set.h"
#include "unit.h"

#define VOTERS 64

static ratings_voter_t voter_numbered(int n)
{
    ratings_voter_t voter = {{0}};
    voter.hash[n % RATINGS_VOTER_SIZE] = (unsigned char)(1 + n);
    return voter;
}

static void assert_is(const ratings_voter_set_t *set, const bool is_there[VOTERS])
{
    size_t count = 0;
    for (int n = 0; n < VOTERS; n++) {
        const ratings_voter_t voter = voter_numbered(n);
        assert_int_equal(ratings_voter_set_has(set, &voter), is_there[n]);
        count += is_there[n];
    }
    assert_int_equal(set->count, count);
}

static void is_empty_at_first(void **state)
{
    ratings_voter_set_t set = {0};
    const ratings_voter_t voter = voter_numbered(0);
    (void)state;
    assert_false(ratings_voter_set_has(&set, &voter));
    ratings_voter_set_remove(&set, &voter);
    assert_int_equal(set.count, 0);
    ratings_voter_set_free(&set);
}

static uint32_t random_state = 1;

/* Below `limit`, by a linear congruential generator: the same at each run. */
static int draw(int limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (int)((random_state >> 8) % (uint32_t)limit);
}

/* At random, so that each is added and removed at the beginning, in the middle and at the end. */
static void has_who_was_added_and_not_removed(void **state)
{
    ratings_voter_set_t set = {0};
    bool is_there[VOTERS] = {false};
    (void)state;
    for (int i = 0; i < 4000; i++) {
        int n = draw(VOTERS);
        const ratings_voter_t voter = voter_numbered(n);
        is_there[n] = draw(2);
        if (is_there[n])
            assert_true(ratings_voter_set_add(&set, &voter));
        else
            ratings_voter_set_remove(&set, &voter);
        assert_is(&set, is_there);
    }
    ratings_voter_set_free(&set);
    assert_int_equal(set.count, 0);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add(&suite, "a set of voters is empty at first", is_empty_at_first, NULL);
    unit_add(&suite, "a set has the voters that were added and not removed",
             has_who_was_added_and_not_removed, NULL);
    return unit_run("voter_set", &suite);
}
