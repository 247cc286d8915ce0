/* The table of a batch's votes: each is found again, however large the table has grown; and it
 * grows no further than was told. */
#include "unit.h"

#include "../../src/projector/ballots.h"

#define TALKS 7
#define VOTERS 30000

static ratings_voter_t voter_of(uint32_t number)
{
    ratings_voter_t voter = {{0}};
    memcpy(voter.hash, &number, sizeof number);
    return voter;
}

static void add_all(ballots_t *ballots)
{
    for (uint32_t i = 0; i < VOTERS; i++) {
        const ratings_voter_t voter = voter_of(i);
        ratings_vote_t *vote = ballots_vote(ballots, i % TALKS, &voter);
        assert_non_null(vote);
        assert_int_equal(vote->offset, -1);
        vote->offset = i;
    }
}

static void each_vote_is_found_again(void **state)
{
    ballots_t ballots = {0};
    (void)state;
    add_all(&ballots);
    for (uint32_t i = 0; i < VOTERS; i++) {
        const ratings_voter_t voter = voter_of(i);
        assert_int_equal(ballots_vote(&ballots, i % TALKS, &voter)->offset, i);
    }
    assert_int_equal(ballots.count, VOTERS);
    ballots_free(&ballots);
}

static void it_has_the_room_that_was_told(void **state)
{
    ballots_t ballots = {0};
    (void)state;
    for (uint32_t i = 0; i < VOTERS; i++) {
        const ratings_voter_t voter = voter_of(i);
        size_t room = ballots_room_with(&ballots, 1);
        assert_non_null(ballots_vote(&ballots, 0, &voter));
        assert_int_equal(ballots.room, room);
        assert_true(4 * (size_t)ballots.count <= 3 * room);
    }
    assert_int_equal(ballots_room_with(&ballots, 0), ballots.room);
    assert_int_equal(ballots_room_with(&ballots, VOTERS), 2 * ballots.room);
    ballots_free(&ballots);
}

/* Three quarters of a power of two are full to the last place. */
static void a_vote_that_is_there_takes_no_room(void **state)
{
    ballots_t ballots = {0};
    const ratings_voter_t first = voter_of(0);
    (void)state;
    for (uint32_t i = 0; i < 3 << 10; i++) {
        const ratings_voter_t voter = voter_of(i);
        assert_non_null(ballots_vote(&ballots, 0, &voter));
    }
    assert_int_equal(ballots.room, 1 << 12);
    assert_non_null(ballots_vote(&ballots, 0, &first));
    assert_int_equal(ballots.room, 1 << 12);
    ballots_free(&ballots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_vote_is_found_again),
        cmocka_unit_test(it_has_the_room_that_was_told),
        cmocka_unit_test(a_vote_that_is_there_takes_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
