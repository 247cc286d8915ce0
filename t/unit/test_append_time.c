/* Whether a topic keeps append times, as a host learns it: every order of what can come. */
#include "unit.h"

#include "../../src/shm/append_time.h"

#define UNKNOWN RATINGS_APPEND_TIME_UNKNOWN
#define KEPT RATINGS_APPEND_TIME_KEPT
#define NOT_KEPT RATINGS_APPEND_TIME_NOT_KEPT
#define DENIED RATINGS_APPEND_TIME_DENIED

static ratings_shm_t *open_shared(ratings_append_time_e known)
{
    ratings_shm_t *shared = aligned_alloc(RATINGS_CACHE_LINE, sizeof *shared);
    assert_non_null(shared);
    memset(shared, 0, sizeof *shared);
    atomic_store(&shared->append_time, known);
    return shared;
}

/* ---- one step ---- */

typedef enum {
    SETTINGS_KEPT,
    SETTINGS_NOT_KEPT,
    SETTINGS_UNREADABLE,
    LOG_HAS, /* the store has applied a record with an append time, and the settings say so */
    RECORD_WITH,
    RECORD_WITHOUT,
    UNCOMPARED /* an event with a key counted so */
} step_e;

#define STEPS (UNCOMPARED + 1)

static void take(ratings_shm_t *shared, step_e step)
{
    switch (step) {
    case SETTINGS_KEPT:
        (void)ratings_append_time_note_settings(shared, KEPT);
        break;
    case SETTINGS_NOT_KEPT:
        (void)ratings_append_time_note_settings(shared, NOT_KEPT);
        break;
    case SETTINGS_UNREADABLE:
        (void)ratings_append_time_note_settings(shared, UNKNOWN);
        break;
    case LOG_HAS:
        ratings_append_time_note_log(shared);
        break;
    case RECORD_WITH:
    case RECORD_WITHOUT:
        ratings_append_time_note_record(shared, step == RECORD_WITH);
        break;
    case UNCOMPARED:
        ratings_append_time_deny(shared);
        break;
    }
}

typedef struct {
    const char *name;
    ratings_append_time_e before, after[STEPS];
} row_t;

static row_t rows[] = {
    /* KEPT, NOT_KEPT, unreadable; the log; with, without; uncompared */
    {"of nothing", UNKNOWN, {UNKNOWN, NOT_KEPT, UNKNOWN, KEPT, KEPT, DENIED, UNKNOWN}},
    {"of kept", KEPT, {KEPT, NOT_KEPT, KEPT, KEPT, KEPT, DENIED, DENIED}},
    {"of not kept", NOT_KEPT, {DENIED, NOT_KEPT, NOT_KEPT, NOT_KEPT, NOT_KEPT, NOT_KEPT, NOT_KEPT}},
    {"of denied", DENIED, {DENIED, NOT_KEPT, DENIED, DENIED, KEPT, DENIED, DENIED}},
};

static void test_row(void **state)
{
    const row_t *row = *state;
    for (int step = 0; step < STEPS; step++) {
        ratings_shm_t *shared = open_shared(row->before);
        take(shared, (step_e)step);
        assert_int_equal(ratings_append_time(shared), row->after[step]);
        free(shared);
    }
}

static void settings_tell_what_was_known_before(void **state)
{
    (void)state;
    ratings_shm_t *shared = open_shared(DENIED);
    assert_int_equal(ratings_append_time_note_settings(shared, NOT_KEPT), DENIED);
    assert_int_equal(ratings_append_time_note_settings(shared, NOT_KEPT), NOT_KEPT);
    assert_int_equal(ratings_append_time_note_settings(shared, KEPT), NOT_KEPT);
    assert_int_equal(ratings_append_time_note_settings(shared, UNKNOWN), DENIED);
    free(shared);
}

/* ---- every order ---- */

#define LENGTH 6

static const step_e untrue[] = {SETTINGS_KEPT, SETTINGS_NOT_KEPT, SETTINGS_UNREADABLE,
                                RECORD_WITHOUT};
#define UNTRUE (sizeof untrue / sizeof untrue[0])

/* `order`: a digit for each step. */
static void try_order(size_t order)
{
    ratings_shm_t *shared = open_shared(UNKNOWN);
    for (int i = 0; i < LENGTH; i++, order /= UNTRUE) {
        take(shared, untrue[order % UNTRUE]);
        assert_int_not_equal(ratings_append_time(shared), KEPT);
    }
    free(shared);
}

/* A broker that keeps the producer's times: none of its records has another, and its log has none.
 * Whatever its topic says, and whenever, no request with a key is ever taken. */
static void broker_that_keeps_the_producers_times_is_never_believed(void **state)
{
    size_t orders = 1;
    (void)state;
    for (int i = 0; i < LENGTH; i++)
        orders *= UNTRUE;
    for (size_t order = 0; order < orders; order++)
        try_order(order);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, test_row, ROWS(rows));
    unit_add(&suite, "settings tell what was known before", settings_tell_what_was_known_before,
             NULL);
    unit_add(&suite, "a broker that keeps the producer's times is never believed",
             broker_that_keeps_the_producers_times_is_never_believed, NULL);
    return unit_run("append_time", &suite);
}
