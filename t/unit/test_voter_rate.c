/* the source itself, since one test reaches into a slot */
#include "../../src/core/voter_rate.c" // NOLINT(bugprone-suspicious-include)
#include "unit.h"

#include <pthread.h>

#define S INT64_C(1000000)
#define NOW (1000 * S)

static ratings_voter_rates_t *make_rates(void)
{
    ratings_voter_rates_t *rates = aligned_alloc(64, ratings_voter_rates_size());
    assert_non_null(rates);
    memset(rates, 0, ratings_voter_rates_size());
    return rates;
}

static ratings_voter_rate_t rate_of(const char *text)
{
    ratings_voter_rate_t rate = {0, 0};
    assert_true(ratings_voter_rate_parse(text, &rate));
    return rate;
}

/* Voters of one set, with other bits that differ all over. */
static ratings_voter_t voter_of(unsigned number)
{
    ratings_voter_t voter = {.hash = {0}};
    uint64_t bits = number * UINT64_C(0x9e3779b97f4a7c15);
    memcpy(voter.hash, &bits, sizeof bits);
    return voter;
}

static int64_t admit(ratings_voter_rates_t *rates, const char *text, unsigned number, int64_t now)
{
    const ratings_voter_rate_t rate = rate_of(text);
    const ratings_voter_t voter = voter_of(number);
    return ratings_voter_rates_admit(rates, &rate, &voter, now);
}

static void admit_times(ratings_voter_rates_t *rates, const char *text, unsigned number,
                        int64_t now, int times)
{
    for (int i = 0; i < times; i++)
        assert_int_equal(admit(rates, text, number, now), 0);
}

/* ---- what a rate is ---- */

typedef struct {
    const char *name, *text;
    int64_t count, interval_us; /* 0: it is none */
} text_row_t;

static text_row_t texts[] = {
    {"ten a minute", "10/60", 10, 6 * S},
    {"one a second", "1/1", 1, S},
    {"what does not come out even", "7/60", 7, 8571428},
    {"the most", "1000000/1", 1000000, 1},
    {"the longest", "1/86400", 1, 86400 * S},
    {"none at all", "0/60", 0, 0},
    {"more than the most", "1000001/60", 0, 0},
    {"in no time", "10/0", 0, 0},
    {"longer than the longest", "10/86401", 0, 0},
    {"a number alone", "10", 0, 0},
    {"no count", "/60", 0, 0},
    {"no time", "10/", 0, 0},
    {"two times", "10/60/60", 0, 0},
    {"a unit", "10/1min", 0, 0},
    {"a blank", "10 /60", 0, 0},
    {"a sign", "+10/60", 0, 0},
    {"nothing", "", 0, 0},
};

static void a_text_is_a_rate_or_none(void **state)
{
    const text_row_t *row = *state;
    ratings_voter_rate_t rate = {-1, -1};
    assert_int_equal(ratings_voter_rate_parse(row->text, &rate), row->count > 0);
    assert_int_equal(rate.count, row->count > 0 ? row->count : -1);
    assert_int_equal(rate.interval_us, row->count > 0 ? row->interval_us : -1);
}

/* ---- one voter ---- */

static void so_many_at_once_and_no_more(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    (void)state;
    admit_times(rates, "3/60", 1, NOW, 3);
    assert_int_equal(admit(rates, "3/60", 1, NOW), 20 * S);
    assert_int_equal(admit(rates, "3/60", 1, NOW + 1), 20 * S - 1);
    free(rates);
}

/* Who waits for as long as it says is admitted, and nobody before; to be refused costs nothing. */
static void the_wait_is_exact(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    (void)state;
    admit_times(rates, "3/60", 1, NOW, 3);
    for (int64_t at = NOW; at < NOW + 20 * S; at += S)
        assert_int_equal(admit(rates, "3/60", 1, at), NOW + 20 * S - at);
    assert_int_equal(admit(rates, "3/60", 1, NOW + 20 * S - 1), 1);
    assert_int_equal(admit(rates, "3/60", 1, NOW + 20 * S), 0);
    assert_int_equal(admit(rates, "3/60", 1, NOW + 20 * S), 20 * S);
    free(rates);
}

static void one_each_interval_goes_on_for_ever(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(admit(rates, "1/20", 1, NOW + (int64_t)i * 20 * S), 0);
    assert_int_equal(admit(rates, "1/20", 1, NOW + 20000 * S - 1), 1);
    free(rates);
}

static void who_has_rested_may_all_at_once_again(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    (void)state;
    admit_times(rates, "3/60", 1, NOW, 3);
    admit_times(rates, "3/60", 1, NOW + 60 * S, 3);
    assert_int_equal(admit(rates, "3/60", 1, NOW + 60 * S), 20 * S);
    admit_times(rates, "3/60", 1, NOW + 24000000 * S, 3); /* after most of a year */
    free(rates);
}

static void no_period_has_twice_as_many(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    int admitted = 0;
    (void)state;
    for (int64_t at = 0; at < 60 * S; at += 1000)
        admitted += admit(rates, "3/60", 1, NOW + at) == 0;
    assert_int_equal(admitted, 3 + 2);
    free(rates);
}

/* 48 bits of microseconds come round: around that, and after as long as looks like the future. */
static void time_may_come_round(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    const int64_t round = INT64_C(1) << 48;
    (void)state;
    admit_times(rates, "3/60", 1, round - 1, 3);
    assert_int_equal(admit(rates, "3/60", 1, round + 1), 20 * S - 2);
    assert_int_equal(admit(rates, "3/60", 1, round + 20 * S), 0);
    admit_times(rates, "3/60", 1, round + round / 2 + 100 * S, 3);
    free(rates);
}

/* ---- several ---- */

static void each_voter_and_rate_is_counted_by_itself(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    (void)state;
    admit_times(rates, "2/60", 1, NOW, 2);
    admit_times(rates, "2/60", 2, NOW, 2);
    admit_times(rates, "3/90", 1, NOW, 3); /* of the same interval */
    admit_times(rates, "2/90", 1, NOW, 2); /* of the same count */
    assert_int_equal(admit(rates, "2/60", 1, NOW), 30 * S);
    assert_int_equal(admit(rates, "2/60", 2, NOW), 30 * S);
    assert_int_equal(admit(rates, "3/90", 1, NOW), 30 * S);
    assert_int_equal(admit(rates, "2/90", 1, NOW), 45 * S);
    free(rates);
}

static void a_full_set_refuses_nobody_else(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    (void)state;
    for (unsigned number = 1; number <= 1000; number++)
        admit_times(rates, "3/60", number, NOW, 3);
    free(rates);
}

/* Identities of one request each replace each other, and not who is at the limit. */
static void who_owes_least_is_forgotten(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    (void)state;
    admit_times(rates, "3/60", 1, NOW, 3);
    for (unsigned number = 2; number <= 1000; number++)
        admit_times(rates, "3/60", number, NOW, 1);
    assert_int_equal(admit(rates, "3/60", 1, NOW), 20 * S);
    assert_int_equal(admit(rates, "3/60", 1000, NOW + 1), 0);
    assert_int_equal(admit(rates, "3/60", 1000, NOW + 1), 0);
    assert_true(admit(rates, "3/60", 1000, NOW + 1) > 0);
    free(rates);
}

static void who_owes_nothing_makes_room(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    (void)state;
    for (unsigned number = 1; number <= WAYS; number++)
        admit_times(rates, "3/60", number, number == 5 ? NOW - 60 * S : NOW, 3);
    admit_times(rates, "3/60", 100, NOW, 3);
    for (unsigned number = 1; number <= WAYS; number++)
        if (number != 5)
            assert_int_equal(admit(rates, "3/60", number, NOW), 20 * S);
    free(rates);
}

/* As when it has taken a slot, which counts as a request, and the state is still to follow. */
static void leave_a_slot_half_taken(ratings_voter_rates_t *rates, unsigned number)
{
    const ratings_voter_rate_t rate = rate_of("3/60");
    const ratings_voter_t voter = voter_of(number);
    slot_t *slot = &set_of(rates, &voter)[3];
    atomic_store(&slot->owner, rate_word(bits_of(&voter, &rate), atomic_load(&slot->owner) + 1));
}

static void a_thread_that_was_killed_is_missed_by_nobody(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    (void)state;
    for (unsigned number = 1; number <= WAYS; number++)
        admit_times(rates, "3/60", number, NOW, 3);
    leave_a_slot_half_taken(rates, 9);
    admit_times(rates, "3/60", 9, NOW, 2);
    assert_int_equal(admit(rates, "3/60", 9, NOW), 20 * S);
    admit_times(rates, "3/60", 4, NOW, 3); /* whose slot it was */
    free(rates);
}

static void a_slot_half_taken_is_the_last_to_be_taken_again(void **state)
{
    ratings_voter_rates_t *rates = make_rates();
    (void)state;
    for (unsigned number = 1; number <= WAYS; number++)
        admit_times(rates, "3/60", number, NOW, 2);
    leave_a_slot_half_taken(rates, 9);
    for (unsigned number = 10; number <= 100; number++)
        admit_times(rates, "3/60", number, NOW, 3);
    admit_times(rates, "3/60", 9, NOW, 2);
    assert_int_equal(admit(rates, "3/60", 9, NOW), 20 * S);
    free(rates);
}

/* ---- many threads ---- */

#define THREADS 8
#define COUNT 20000 /* of the rate */
#define EACH 5000   /* in all, twice as many as are admitted */

typedef struct {
    ratings_voter_rates_t *rates;
    unsigned first;
    int64_t admitted;
} crowd_t;

static void *be_one_voter(void *data)
{
    crowd_t *own = data;
    for (int i = 0; i < EACH; i++)
        own->admitted += admit(own->rates, "20000/60", own->first, NOW) == 0;
    return NULL;
}

/* Each of its voters writes as often as it may, in turns, among more voters than a set has slots.
 */
static void *be_many_voters(void *data)
{
    crowd_t *own = data;
    for (int round = 0; round < 150; round++)
        for (unsigned number = own->first; number < own->first + 5; number++)
            own->admitted += admit(own->rates, "300/60", number, NOW + round) == 0;
    return NULL;
}

/* Two threads each have the same voters. */
static int64_t run_crowd(void *(*be)(void *), unsigned first, unsigned apart)
{
    ratings_voter_rates_t *rates = make_rates();
    crowd_t crowd[THREADS];
    pthread_t thread[THREADS];
    int64_t admitted = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        crowd[i] = (crowd_t){.rates = rates, .first = first + i / 2 * apart};
        assert_int_equal(pthread_create(&thread[i], NULL, be, &crowd[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        admitted += crowd[i].admitted;
    }
    free(rates);
    return admitted;
}

static void one_voter_of_many_threads_is_counted_exactly(void **state)
{
    (void)state;
    for (unsigned number = 1; number <= 20; number++)
        assert_int_equal(run_crowd(be_one_voter, number, 0), COUNT);
}

static void nobody_is_refused_for_another_one(void **state)
{
    (void)state;
    for (unsigned first = 1; first <= 20; first++)
        assert_int_equal(run_crowd(be_many_voters, first, 5), THREADS * 150 * 5);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, a_text_is_a_rate_or_none, ROWS(texts));
    unit_add(&suite, "so many at once, and no more", so_many_at_once_and_no_more, NULL);
    unit_add(&suite, "the wait is exact", the_wait_is_exact, NULL);
    unit_add(&suite, "one each interval goes on for ever", one_each_interval_goes_on_for_ever,
             NULL);
    unit_add(&suite, "who has rested may all at once again", who_has_rested_may_all_at_once_again,
             NULL);
    unit_add(&suite, "no period has twice as many", no_period_has_twice_as_many, NULL);
    unit_add(&suite, "time may come round", time_may_come_round, NULL);
    unit_add(&suite, "each voter and rate is counted by itself",
             each_voter_and_rate_is_counted_by_itself, NULL);
    unit_add(&suite, "a full set refuses nobody else", a_full_set_refuses_nobody_else, NULL);
    unit_add(&suite, "who owes least is forgotten", who_owes_least_is_forgotten, NULL);
    unit_add(&suite, "who owes nothing makes room", who_owes_nothing_makes_room, NULL);
    unit_add(&suite, "a thread that was killed is missed by nobody",
             a_thread_that_was_killed_is_missed_by_nobody, NULL);
    unit_add(&suite, "a slot half taken is the last to be taken again",
             a_slot_half_taken_is_the_last_to_be_taken_again, NULL);
    unit_add(&suite, "one voter of many threads is counted exactly",
             one_voter_of_many_threads_is_counted_exactly, NULL);
    unit_add(&suite, "nobody is refused for another one", nobody_is_refused_for_another_one, NULL);
    return unit_run("voter_rate", &suite);
}
