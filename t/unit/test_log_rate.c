#include "unit.h"

#include "../../src/shm/segment.h"

#include <pthread.h>
#include <stdio.h>

#define SECOND_US INT64_C(1000000)
#define A "127.0.0.1:9092"
#define B "127.0.0.2:9092"

static ratings_shm_t *new_segment(void)
{
    ratings_shm_t *shared = aligned_alloc(RATINGS_CACHE_LINE, sizeof *shared);
    assert_non_null(shared);
    memset(shared, 0, sizeof *shared);
    return shared;
}

/* ---- once in a while ---- */

static void a_line_is_written_once_in_ten_seconds(void **state)
{
    ratings_shm_t *shared = new_segment();
    (void)state;
    assert_true(ratings_shm_may_log(shared, RATINGS_LINE_STREAM, 1));
    assert_false(ratings_shm_may_log(shared, RATINGS_LINE_STREAM, 1));
    assert_false(ratings_shm_may_log(shared, RATINGS_LINE_STREAM, 10 * SECOND_US));
    assert_true(ratings_shm_may_log(shared, RATINGS_LINE_NO_STATS, 10 * SECOND_US));
    assert_true(ratings_shm_may_log(shared, RATINGS_LINE_STREAM, 10 * SECOND_US + 1));
    free(shared);
}

/* ---- once for an outage ---- */

/* A step of a broker's life, and whether it is logged. */
typedef struct {
    char what; /* 'b': an outage begins, 'e': it ends; 0: no more */
    const char *broker;
    int64_t at; /* seconds */
    bool is_logged;
} step_t;

typedef struct {
    const char *name;
    step_t steps[8];
} outage_row_t;

static outage_row_t outages[] = {
    {"begin and end are logged once",
     {{'b', A, 1, true}, {'b', A, 2, false}, {'e', A, 3, true}, {'e', A, 4, false}}},
    {"however long it lasts",
     {{'b', A, 1, true},
      {'b', A, 600, false},
      {'b', A, 1199, false},
      {'b', A, 1798, false},
      {'e', A, 7200, true}}},
    {"one that nobody has seen for ten minutes is another",
     {{'b', A, 1, true}, {'b', A, 2, false}, {'b', A, 602, true}, {'e', A, 603, true}}},
    {"what was always there does not end", {{'e', A, 1, false}, {'b', A, 2, true}}},
    {"each broker has its own",
     {{'b', A, 1, true},
      {'b', B, 1, true},
      {'e', A, 2, true},
      {'b', B, 3, false},
      {'e', B, 4, true}}},
    {"one ten seconds after another is logged",
     {{'b', A, 1, true}, {'e', A, 2, true}, {'b', A, 12, true}, {'e', A, 13, true}}},
    {"one within ten seconds is not, nor is its end",
     {{'b', A, 1, true}, {'e', A, 2, true}, {'b', A, 11, false}, {'e', A, 11, false}}},
    {"but if it goes on",
     {{'b', A, 1, true},
      {'e', A, 2, true},
      {'b', A, 11, false},
      {'b', A, 12, true},
      {'e', A, 13, true}}},
};

static void test_outage(void **state)
{
    const outage_row_t *row = *state;
    ratings_shm_t *shared = new_segment();
    for (const step_t *step = row->steps; step->what; step++) {
        int64_t at = step->at * SECOND_US;
        assert_int_equal(step->what == 'b' ? ratings_shm_outage_begins(shared, step->broker, at)
                                           : ratings_shm_outage_ends(shared, step->broker, at),
                         step->is_logged);
    }
    free(shared);
}

static void brokers_beyond_the_room_are_logged_now_and_then(void **state)
{
    ratings_shm_t *shared = new_segment();
    char broker[32];
    (void)state;
    for (int i = 0; i <= RATINGS_OUTAGES; i++) {
        (void)snprintf(broker, sizeof broker, "host:%d", i);
        assert_true(ratings_shm_outage_begins(shared, broker, 1));
    }
    assert_false(ratings_shm_outage_begins(shared, broker, 2));
    assert_true(ratings_shm_outage_begins(shared, broker, 1 + 10 * SECOND_US));
    for (int i = 0; i <= RATINGS_OUTAGES; i++) {
        (void)snprintf(broker, sizeof broker, "host:%d", i);
        assert_int_equal(ratings_shm_outage_ends(shared, broker, 2), i < RATINGS_OUTAGES);
    }
    free(shared);
}

/* ---- by many at once ---- */

#define THREADS 8
#define ROUNDS 2000

typedef struct {
    ratings_shm_t *shared;
    pthread_barrier_t barrier;
    atomic_int begun, ended;
} crowd_t;

static void *see_outages(void *data)
{
    crowd_t *crowd = data;
    char broker[32];
    for (int i = 0; i < ROUNDS; i++) {
        int64_t now = (int64_t)(i + 1) * 20 * SECOND_US;
        (void)snprintf(broker, sizeof broker, "host:%d", i % RATINGS_OUTAGES);
        pthread_barrier_wait(&crowd->barrier);
        atomic_fetch_add(&crowd->begun, ratings_shm_outage_begins(crowd->shared, broker, now));
        pthread_barrier_wait(&crowd->barrier);
        atomic_fetch_add(&crowd->ended, ratings_shm_outage_ends(crowd->shared, broker, now));
    }
    return NULL;
}

static void one_of_many_logs_it(void **state)
{
    crowd_t crowd = {.shared = new_segment()};
    pthread_t thread[THREADS];
    (void)state;
    pthread_barrier_init(&crowd.barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, see_outages, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&crowd.barrier);
    assert_int_equal(crowd.begun, ROUNDS);
    assert_int_equal(crowd.ended, ROUNDS);
    free(crowd.shared);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add(&suite, "a line is written once in ten seconds", a_line_is_written_once_in_ten_seconds,
             NULL);
    unit_add_rows(&suite, test_outage, ROWS(outages));
    unit_add(&suite, "brokers beyond the room are logged now and then",
             brokers_beyond_the_room_are_logged_now_and_then, NULL);
    unit_add(&suite, "one of many logs it", one_of_many_logs_it, NULL);
    return unit_run("log_rate", &suite);
}
