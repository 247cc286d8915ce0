#include "../../src/core/remaining_time.h"
#include "unit.h"

#define SECOND INT64_C(1000000)

typedef struct {
    const char *name;
    int64_t done, left, elapsed_us, wanted;
} row_t;

static row_t rows[] = {
    {"half is done", 5000, 5000, 7 * SECOND, 7},
    {"a tenth is done", 1, 9, 3 * SECOND, 27},
    {"a part of a second is a second", 1000, 1, SECOND, 1},
    {"nothing is left", 10, 0, SECOND, 0},
    {"nothing was to do", 0, 0, 0, 0},
    {"more is done than there was", 10, -3, SECOND, 0},
    {"nothing is done yet", 0, 10, SECOND, RATINGS_SECONDS_UNKNOWN},
    {"no time has passed", 5, 5, 0, RATINGS_SECONDS_UNKNOWN},
    {"a clock that went back", 5, 5, -1, RATINGS_SECONDS_UNKNOWN},
    {"it went back to before", -5, 5, SECOND, RATINGS_SECONDS_UNKNOWN},
    {"as good as never", 1, INT64_MAX, INT64_MAX, 1000000000},
};

static void tells(void **state)
{
    const row_t *row = *state;
    assert_int_equal(ratings_seconds_left(row->done, row->left, row->elapsed_us), row->wanted);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, tells, ROWS(rows));
    return unit_run("progress", &suite);
}
