#include "../../src/core/breaker.h"
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define THRESHOLD 3
#define COOLDOWN 1000
#define JITTER_MAX (COOLDOWN / 4)

static const ratings_breaker_limits_t policy = {THRESHOLD, COOLDOWN, 42};

static void begin(ratings_breaker_t *b)
{
    memset(b, 0, sizeof *b); /* as shared memory is */
}

/* When the next probe may start. */
static int64_t probe_at(const ratings_breaker_t *b)
{
    int64_t low = 0, high = INT64_MAX / 8;

    while (low < high) {
        int64_t middle = low + (high - low) / 2;

        if (ratings_breaker_due(b, middle))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int64_t open_by(ratings_breaker_t *b, const ratings_breaker_limits_t *by, int64_t now)
{
    while (ratings_breaker_state(b) == RATINGS_BREAKER_CLOSED)
        ratings_breaker_failure(b, by, now);
    return probe_at(b);
}

/* Opens it at `now`; the probe may start at the time that is returned. */
static int64_t open_at(ratings_breaker_t *b, int64_t now)
{
    return open_by(b, &policy, now);
}

static void begins_closed(void **state)
{
    ratings_breaker_t b;

    (void)state;
    begin(&b);
    assert_int_equal(ratings_breaker_state(&b), RATINGS_BREAKER_CLOSED);
    for (int64_t now = 0; now < 10; now++)
        assert_true(ratings_breaker_allow(&b, &policy, now));
}

static void opens_at_its_threshold(void **state)
{
    ratings_breaker_t b;

    (void)state;
    begin(&b);
    assert_false(ratings_breaker_failure(&b, &policy, 0));
    assert_false(ratings_breaker_failure(&b, &policy, 0));
    assert_true(ratings_breaker_allow(&b, &policy, 0));
    assert_true(ratings_breaker_failure(&b, &policy, 0));
    assert_int_equal(ratings_breaker_state(&b), RATINGS_BREAKER_OPEN);
    assert_false(ratings_breaker_allow(&b, &policy, 0));
}

static void threshold_one_opens_at_once(void **state)
{
    const ratings_breaker_limits_t one = {1, COOLDOWN, 42};
    ratings_breaker_t b;

    (void)state;
    begin(&b);
    assert_true(ratings_breaker_failure(&b, &one, 0));
    assert_false(ratings_breaker_allow(&b, &one, 0));
}

static void counts_failures_in_a_row(void **state)
{
    ratings_breaker_t b;

    (void)state;
    begin(&b);
    for (int i = 0; i < 10; i++) {
        assert_false(ratings_breaker_failure(&b, &policy, i));
        assert_false(ratings_breaker_failure(&b, &policy, i));
        assert_false(ratings_breaker_success(&b));
    }
    assert_int_equal(ratings_breaker_state(&b), RATINGS_BREAKER_CLOSED);
}

static void stays_open_for_its_cooldown(void **state)
{
    ratings_breaker_t b;
    int64_t at;

    (void)state;
    begin(&b);
    at = open_at(&b, 5000);
    assert_in_range(at, 5000 + COOLDOWN, 5000 + COOLDOWN + JITTER_MAX);
    assert_false(ratings_breaker_allow(&b, &policy, at - 1));
    assert_true(ratings_breaker_allow(&b, &policy, at));
    assert_int_equal(ratings_breaker_state(&b), RATINGS_BREAKER_HALF_OPEN);
}

static void late_failures_prolong_nothing(void **state)
{
    ratings_breaker_t b;
    int64_t at;

    (void)state;
    begin(&b);
    at = open_at(&b, 0);
    for (int64_t now = 1; now < COOLDOWN; now++)
        assert_false(ratings_breaker_failure(&b, &policy, now));
    assert_true(ratings_breaker_allow(&b, &policy, at));
}

static void lets_one_probe_through(void **state)
{
    ratings_breaker_t b;
    int64_t now;

    (void)state;
    begin(&b);
    now = open_at(&b, 0);
    assert_true(ratings_breaker_allow(&b, &policy, now));
    assert_false(ratings_breaker_allow(&b, &policy, now));
    assert_false(ratings_breaker_allow(&b, &policy, now + COOLDOWN - 1));
}

static void gives_a_lost_probe_up(void **state)
{
    ratings_breaker_t b;
    int64_t now;

    (void)state;
    begin(&b);
    now = open_at(&b, 0);
    for (int i = 0; i < 5; i++, now += COOLDOWN) {
        assert_true(ratings_breaker_allow(&b, &policy, now));
        assert_false(ratings_breaker_allow(&b, &policy, now));
    }
}

static void closes_when_the_probe_succeeds(void **state)
{
    ratings_breaker_t b;
    int64_t now;

    (void)state;
    begin(&b);
    now = open_at(&b, 0);
    assert_true(ratings_breaker_allow(&b, &policy, now));
    assert_true(ratings_breaker_success(&b));
    assert_int_equal(ratings_breaker_state(&b), RATINGS_BREAKER_CLOSED);
    assert_false(ratings_breaker_success(&b));
    assert_false(ratings_breaker_failure(&b, &policy, now));
    assert_false(ratings_breaker_failure(&b, &policy, now));
    assert_true(ratings_breaker_failure(&b, &policy, now));
}

static void opens_again_when_the_probe_fails(void **state)
{
    ratings_breaker_t b;
    int64_t now;

    (void)state;
    begin(&b);
    now = open_at(&b, 0);
    for (int i = 0; i < 5; i++) {
        assert_true(ratings_breaker_allow(&b, &policy, now));
        assert_false(ratings_breaker_failure(&b, &policy, now));
        assert_int_equal(ratings_breaker_state(&b), RATINGS_BREAKER_OPEN);
        assert_in_range(probe_at(&b), now + COOLDOWN, now + COOLDOWN + JITTER_MAX);
        now = probe_at(&b);
    }
}

static void late_success_closes(void **state)
{
    ratings_breaker_t b;

    (void)state;
    begin(&b);
    open_at(&b, 0);
    assert_true(ratings_breaker_success(&b));
    assert_true(ratings_breaker_allow(&b, &policy, 0));
}

static void without_cooldown_always_probes(void **state)
{
    const ratings_breaker_limits_t eager = {1, 0, 42};
    ratings_breaker_t b;

    (void)state;
    begin(&b);
    for (int i = 0; i < 5; i++) {
        ratings_breaker_failure(&b, &eager, 7);
        assert_int_equal(ratings_breaker_state(&b), RATINGS_BREAKER_OPEN);
        assert_true(ratings_breaker_allow(&b, &eager, 7));
        assert_true(ratings_breaker_allow(&b, &eager, 7));
    }
}

/* Over many seeds, and over many times, the pause covers the range evenly enough: all of its
 * fifths occur. */
static void jitter_covers_its_range(void **state)
{
    (void)state;
    for (int by_time = 0; by_time <= 1; by_time++) {
        unsigned fifths[5] = {0};

        for (int i = 0; i < 1000; i++) {
            const ratings_breaker_limits_t any = {1, COOLDOWN, by_time ? 42 : (uint64_t)i};
            int64_t now = by_time ? i : 0, over;
            ratings_breaker_t b;

            begin(&b);
            over = open_by(&b, &any, now) - now - COOLDOWN;
            assert_in_range(over, 0, JITTER_MAX);
            fifths[over * 5 / (JITTER_MAX + 1)]++;
        }
        for (int i = 0; i < 5; i++)
            assert_in_range(fifths[i], 100, 300);
    }
}

static void jitter_differs_by_seed(void **state)
{
    const ratings_breaker_limits_t one = {1, COOLDOWN, 1}, other = {1, COOLDOWN, 2};
    ratings_breaker_t a, b;
    int differences = 0;

    (void)state;
    begin(&a);
    begin(&b);
    for (int i = 0; i < 20; i++) {
        differences += open_by(&a, &one, i) != open_by(&b, &other, i);
        ratings_breaker_success(&a);
        ratings_breaker_success(&b);
    }
    assert_in_range(differences, 10, 20);
}

/* The time of a host that has been up for a century. */
static void takes_any_time_of_a_monotonic_clock(void **state)
{
    const int64_t century = INT64_C(100) * 366 * 86400 * 1000000;
    ratings_breaker_t b;
    int64_t at;

    (void)state;
    begin(&b);
    at = open_at(&b, century);
    assert_in_range(at, century + COOLDOWN, century + COOLDOWN + JITTER_MAX);
    assert_true(ratings_breaker_allow(&b, &policy, at));
    assert_true(ratings_breaker_success(&b));
}

/* For a caller that leaves the probe to others for a while. */
static void is_due_once_a_probe_may_start(void **state)
{
    ratings_breaker_t b;
    int64_t at;

    (void)state;
    begin(&b);
    assert_false(ratings_breaker_due(&b, INT64_MAX));
    at = open_at(&b, 0);
    assert_false(ratings_breaker_due(&b, at - 1));
    assert_true(ratings_breaker_due(&b, at));
    assert_true(ratings_breaker_allow(&b, &policy, at));
    assert_false(ratings_breaker_due(&b, at + COOLDOWN - 1));
    assert_true(ratings_breaker_due(&b, at + COOLDOWN));
}

/* What a process that was killed between any two of its calls leaves is what another one finds. */
static void probe_of_a_killed_process_is_given_up(void **state)
{
    ratings_breaker_t b, found;
    int64_t at;

    (void)state;
    begin(&b);
    at = open_at(&b, 0);
    assert_true(ratings_breaker_allow(&b, &policy, at));
    memcpy(&found, &b, sizeof found);
    assert_false(ratings_breaker_allow(&found, &policy, at + 1));
    assert_true(ratings_breaker_allow(&found, &policy, at + COOLDOWN));
    assert_true(ratings_breaker_success(&found));
}

#define THREADS 8
#define ROUNDS 20000

typedef struct {
    ratings_breaker_t breaker;
    int64_t now;
    atomic_uint allowed, opened, closed;
} shared_t;

static void *ask_once(void *data)
{
    shared_t *shared = data;

    if (ratings_breaker_allow(&shared->breaker, &policy, shared->now))
        shared->allowed++;
    return NULL;
}

static void *report_both(void *data)
{
    shared_t *shared = data;

    for (int i = 0; i < ROUNDS; i++) {
        ratings_breaker_allow(&shared->breaker, &policy, i);
        if (i % 5 == 4)
            shared->closed += ratings_breaker_success(&shared->breaker);
        else
            shared->opened += ratings_breaker_failure(&shared->breaker, &policy, i);
    }
    return NULL;
}

static void run_threads(void *(*body)(void *), shared_t *shared)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, body, shared), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void one_thread_gets_the_probe(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        shared_t shared = {.now = 0};

        begin(&shared.breaker);
        shared.now = open_at(&shared.breaker, 0);
        run_threads(ask_once, &shared);
        assert_int_equal(shared.allowed, 1);
    }
}

static void reports_each_change_once(void **state)
{
    shared_t shared = {.now = 0};
    bool still_open;

    (void)state;
    begin(&shared.breaker);
    run_threads(report_both, &shared);
    still_open = ratings_breaker_state(&shared.breaker) != RATINGS_BREAKER_CLOSED;
    assert_true(shared.opened > 0);
    assert_int_equal(shared.opened, shared.closed + still_open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"it begins closed and lets all through", begins_closed, NULL, NULL, NULL},
        {"it opens at its threshold", opens_at_its_threshold, NULL, NULL, NULL},
        {"a threshold of one opens at once", threshold_one_opens_at_once, NULL, NULL, NULL},
        {"a success between failures begins the count anew", counts_failures_in_a_row, NULL, NULL,
         NULL},
        {"it stays open for its cool-down", stays_open_for_its_cooldown, NULL, NULL, NULL},
        {"late failures do not prolong the cool-down", late_failures_prolong_nothing, NULL, NULL,
         NULL},
        {"after the cool-down one probe is let through", lets_one_probe_through, NULL, NULL, NULL},
        {"a lost probe is given up after a cool-down", gives_a_lost_probe_up, NULL, NULL, NULL},
        {"it closes when the probe succeeds", closes_when_the_probe_succeeds, NULL, NULL, NULL},
        {"it opens again when the probe fails, and is silent", opens_again_when_the_probe_fails,
         NULL, NULL, NULL},
        {"a late success closes it", late_success_closes, NULL, NULL, NULL},
        {"without a cool-down each call is a probe", without_cooldown_always_probes, NULL, NULL,
         NULL},
        {"the jitter is up to a quarter, evenly", jitter_covers_its_range, NULL, NULL, NULL},
        {"the jitter differs by seed", jitter_differs_by_seed, NULL, NULL, NULL},
        {"it takes any time of a monotonic clock", takes_any_time_of_a_monotonic_clock, NULL, NULL,
         NULL},
        {"it is due once a probe may start", is_due_once_a_probe_may_start, NULL, NULL, NULL},
        {"the probe of a process that was killed is given up",
         probe_of_a_killed_process_is_given_up, NULL, NULL, NULL},
        {"of many threads one gets the probe", one_thread_gets_the_probe, NULL, NULL, NULL},
        {"each change is reported to one thread", reports_each_change_once, NULL, NULL, NULL},
    };

    return cmocka_run_group_tests_name("breaker", tests, NULL, NULL);
}
