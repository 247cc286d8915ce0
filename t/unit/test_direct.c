/* When the leader reads the log, and when it goes by its own reports and asks where the log ends.
 */
#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/projector/direct.h"
#include "../../src/shm/append_ring.h"

#define OTHER                                                                                      \
    UINT64_C(99) /* the life of another host's append ring; those of this one's are random */
#define SECOND INT64_C(1000000)

/* ---- a log, and who reads it ---- */

static int ends_asked, reads_begun;
static bool is_read;

apr_status_t projection_read_ends(projection_t *p, ratings_result_t *why)
{
    (void)p;
    ends_asked++;
    return ratings_result_ok(why);
}

apr_status_t projection_read_on(projection_t *p, ratings_result_t *why)
{
    (void)p;
    is_read = true;
    reads_begun++;
    return ratings_result_ok(why);
}

void ratings_reader_unassign(ratings_reader_t *reader)
{
    (void)reader;
    is_read = false;
}

void ratings_reader_wake(ratings_reader_t *reader)
{
    (void)reader;
}

apr_status_t event_fold_records(event_fold_t *fold, const ratings_record_t *records, int count,
                                ratings_result_t *why)
{
    for (int i = 0; i < count; i++)
        fold->projection->partition[records[i].partition].read_at = records[i].offset + 1;
    return ratings_result_ok(why);
}

/* ---- a leader ---- */

static projection_t projection;
static ratings_projector_options_t options;
static event_fold_t fold;
static own_records_t own;
static direct_t direct;

static int open_leader(void **state)
{
    (void)state;
    memset(&projection, 0, sizeof projection);
    memset(&direct, 0, sizeof direct);
    options.rings = aligned_alloc(RATINGS_CACHE_LINE, ratings_append_rings_size());
    assert_non_null(options.rings);
    memset(options.rings, 0, ratings_append_rings_size());
    assert_int_equal(ratings_append_rings_init(options.rings), APR_SUCCESS);
    projection.options = &options;
    projection.reader = (ratings_reader_t *)(void *)&projection; /* nobody looks into it */
    projection.partitions = 1;
    projection.partition[0].is_verified = true;
    fold.projection = &projection;
    own_records_init(&own);
    direct_init(&direct, &projection, &fold, &own);
    direct_begin(&direct);
    ends_asked = reads_begun = 0;
    is_read = true;
    return 0;
}

static int close_leader(void **state)
{
    (void)state;
    direct_end(&direct);
    own_records_destroy(&own);
    free(options.rings);
    return 0;
}

/* All that was noted of times was so much earlier. */
static void let_pass(int64_t us)
{
    int64_t *times[] = {&direct.direct_from, &direct.others_until, &direct.look_at, &direct.own_at,
                        &direct.busy_since};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
        if (*times[i] && *times[i] != INT64_MAX)
            *times[i] -= us;
}

static void check(void)
{
    ratings_result_t why;
    assert_int_equal(direct_check(&direct, &why), APR_SUCCESS);
}

static void read_foreign(void)
{
    const ratings_record_t record = {.offset = projection.partition[0].read_at,
                                     .ticket.life = OTHER};
    direct_note_read(&direct, &record, 1);
    projection.partition[0].read_at++;
    projection.partition[0].log_end = projection.partition[0].read_at;
}

static void report_own(void)
{
    const ratings_record_t record = {
        .offset = projection.partition[0].read_at, .key = "", .value = ""};
    ratings_result_t why;
    int count;
    own_records_add(&own, &record);
    assert_int_equal(direct_fold(&direct, &count, &why), APR_SUCCESS);
    assert_int_equal(count, 1);
    projection.partition[0].log_end = projection.partition[0].read_at;
}

/* Steps of the leader, `pause` apart, each with a record of its own or without one. */
static void go_on(int steps, int64_t pause, bool with_own)
{
    for (int i = 0; i < steps; i++) {
        let_pass(pause);
        if (with_own)
            report_own();
        check();
    }
}

/* ---- tests ---- */

static void leader_that_is_alone_reads_nothing_and_asks_nothing(void **state)
{
    (void)state;
    go_on(100, SECOND / 40, false);
    assert_true(direct.is_direct);
    assert_false(is_read);
    assert_int_equal(ends_asked, 0);
    assert_int_equal(direct_due_at(&direct), INT64_MAX);
}

static void idle_leader_reads_while_others_are_expected(void **state)
{
    (void)state;
    read_foreign();
    go_on(40 * 59, SECOND / 40, false);
    assert_true(is_read);
    assert_int_equal(ends_asked, 0);
    go_on(80, SECOND / 40, false);
    assert_false(is_read);
    assert_int_equal(ends_asked, 0);
}

static void few_records_of_its_own_do_not_change_that(void **state)
{
    (void)state;
    read_foreign();
    go_on(100, SECOND / 5, true);
    assert_true(is_read);
    assert_int_equal(ends_asked, 0);
    assert_int_equal(reads_begun, 0);
}

static void busy_leader_asks_for_others(void **state)
{
    (void)state;
    read_foreign();
    go_on(45, SECOND / 40, true);
    assert_true(direct.is_direct);
    ends_asked = 0;
    go_on(40, SECOND / 40, true);
    assert_in_range(ends_asked, 30, 41);
    assert_true(direct_due_at(&direct) <= ratings_monotonic() + SECOND / 40);
}

static void leader_that_becomes_idle_reads_again(void **state)
{
    (void)state;
    read_foreign();
    go_on(80, SECOND / 40, true);
    assert_false(is_read);
    go_on(38, SECOND / 40, false);
    assert_false(is_read);
    go_on(4, SECOND / 40, false);
    assert_true(is_read);
    assert_false(direct.is_direct);
    ends_asked = 0;
    go_on(400, SECOND / 40, false);
    assert_int_equal(ends_asked, 0);
    assert_int_equal(reads_begun, 1);
}

static void leader_that_is_busy_alone_asks_nothing(void **state)
{
    (void)state;
    go_on(200, SECOND / 40, true);
    assert_true(direct.is_direct);
    assert_int_equal(ends_asked, 0);
}

static void what_is_at_the_end_and_not_reported_is_read(void **state)
{
    (void)state;
    go_on(80, SECOND / 40, false);
    assert_false(is_read);
    projection.partition[0].log_end++;
    direct_note_ends(&direct);
    check();
    assert_false(is_read);
    direct.doubt_at = 1; /* the time for reports is over */
    check();
    assert_true(is_read);
}

#define LEADER(test) cmocka_unit_test_setup_teardown(test, open_leader, close_leader)

int main(void)
{
    unit_suite_t suite = {.count = 0};
    const struct CMUnitTest tests[] = {
        LEADER(leader_that_is_alone_reads_nothing_and_asks_nothing),
        LEADER(idle_leader_reads_while_others_are_expected),
        LEADER(few_records_of_its_own_do_not_change_that),
        LEADER(busy_leader_asks_for_others),
        LEADER(leader_that_becomes_idle_reads_again),
        LEADER(leader_that_is_busy_alone_asks_nothing),
        LEADER(what_is_at_the_end_and_not_reported_is_read),
    };
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        suite.tests[suite.count++] = tests[i];
    return unit_run("direct", &suite);
}
