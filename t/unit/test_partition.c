/* What follows from where the store and the log of a partition are. */
#include "unit.h"

#include "../../src/projector/partition.h"

#define SPAN ((int64_t)RATINGS_DEDUP_SPAN)

/* In place of the store's. */
uint16_t ratings_log_id(const ratings_fingerprint_t *of)
{
    return (uint16_t)of->timestamp;
}

/* ---- where reading begins ---- */

typedef struct {
    const char *name;
    int64_t checkpoint, last, log_start;
    bool is_verified;
    int64_t from;
} reading_t;

/* No partition has a batch here. */
int64_t batch_next_offset(const batch_t *batch)
{
    (void)batch;
    return -1;
}

static reading_t readings[] = {
    {"a new log is read from its beginning", 0, -1, 0, true, 0},
    {"a window before the checkpoint", SPAN + 10, SPAN + 9, 0, true, 10},
    {"what the log has not any more is not read", SPAN + 10, SPAN + 9, 50, true, 50},
    {"the record applied last, which is older than a window", 3 * SPAN, 5, 0, false, 5},
    {"the record applied last is within the window", SPAN + 10, SPAN + 9, 0, false, 10},
};

static void reading_begins(void **state)
{
    const reading_t *row = *state;
    const partition_t partition = {.checkpoint = row->checkpoint,
                                   .last.offset = row->last,
                                   .log_start = row->log_start,
                                   .is_verified = row->is_verified};
    assert_int_equal(partition_read_from(&partition), row->from);
}

/* ---- a partition that is being read, and the store as it is loaded then ---- */

#define I 2 /* the partition */

static const ratings_fingerprint_t first = {3, 1000, 7}, last = {8, 2000, 9};

static ratings_store_state_t stored;
static partition_t partition;

static int resume(void **state)
{
    (void)state;
    memset(&stored, 0, sizeof stored);
    memset(&partition, 0, sizeof partition);
    stored.checkpoint[I] = 9;
    stored.first[I] = first;
    stored.last[I] = last;
    stored.log_time[I] = 2000;
    partition.log_start = 3;
    partition.log_end = 20;
    partition.younger = 4;
    return partition_resume(&partition, &stored, I) ? 0 : -1;
}

static int close_it(void **state)
{
    (void)state;
    partition_close(&partition);
    return 0;
}

static void store_that_is_as_it_was_has_neither_moved_nor_is_altered(void **state)
{
    (void)state;
    assert_false(partition_has_moved(&partition, &stored, I));
    assert_false(partition_is_altered(&partition, &stored, I));
    assert_false(partition.is_verified);
    assert_int_equal(partition_checkpoint(&partition).offset, 9);
    assert_int_equal(partition_checkpoint(&partition).log_id, first.timestamp);
}

static void other_checkpoint_is_a_move(void **state)
{
    (void)state;
    stored.checkpoint[I] = 8;
    assert_true(partition_has_moved(&partition, &stored, I));
    assert_false(partition_is_altered(&partition, &stored, I));
}

static void same_checkpoint_with_other_records_is_altered(void **state)
{
    (void)state;
    stored.last[I].checksum++;
    assert_true(partition_is_altered(&partition, &stored, I));
    stored.last[I] = last;
    stored.first[I].timestamp++;
    assert_true(partition_is_altered(&partition, &stored, I));
    stored.first[I] = first;
    stored.log_time[I]++;
    assert_true(partition_is_altered(&partition, &stored, I));
}

static void log_that_became_shorter_has_moved(void **state)
{
    (void)state;
    partition.log_end = 8;
    assert_true(partition_has_moved(&partition, &stored, I));
}

static void log_whose_first_record_is_younger_is_another(void **state)
{
    (void)state;
    partition.younger = first.offset;
    assert_true(partition_is_another_log(&partition, &first));
    assert_true(partition_has_moved(&partition, &stored, I));
}

static void end_without_records_is_reached(void **state)
{
    (void)state;
    assert_false(partition_has_reached(&partition, 12));
    partition.read_to = 12; /* three offsets that are no records */
    assert_true(partition_has_reached(&partition, 12));
    assert_false(partition_has_reached(&partition, 13));
}

static void target_of_a_rebuild_is_where_the_log_ends(void **state)
{
    (void)state;
    stored.is_behind = true;
    assert_true(partition_resume(&partition, &stored, I));
    assert_int_equal(partition.rebuild_target, 20);
}

static void log_without_the_record_applied_last_has_nothing_to_verify(void **state)
{
    (void)state;
    partition.log_start = 9;
    assert_true(partition_resume(&partition, &stored, I));
    assert_true(partition.is_verified);
}

static void batch_that_was_applied_advances(void **state)
{
    const ratings_batch_t batch = {.next_checkpoint = 15,
                                   .log_time = 3000,
                                   .last = {14, 3000, 1},
                                   .first.offset = RATINGS_FINGERPRINT_NONE};
    (void)state;
    partition_advance(&partition, &batch);
    assert_int_equal(partition.checkpoint, 15);
    assert_int_equal(partition.log_time, 3000);
    assert_true(fingerprint_equal(&partition.last, &batch.last));
    assert_true(fingerprint_equal(&partition.first, &first));
    assert_true(partition.knows_tickets);
}

/* Windows are known if they are of the checkpoint, and of a log of which nothing was applied. */
static void tickets_are_known_by_their_checkpoint(void **state)
{
    (void)state;
    stored.tickets_to[I] = 8; /* an older version has applied the last record */
    assert_true(partition_resume(&partition, &stored, I));
    assert_false(partition.knows_tickets);
    stored.tickets_to[I] = 9;
    assert_true(partition_resume(&partition, &stored, I));
    assert_true(partition.knows_tickets);
    stored.tickets_to[I] = -1;
    assert_true(partition_resume(&partition, &stored, I));
    assert_false(partition.knows_tickets);
    stored.checkpoint[I] = 0;
    assert_true(partition_resume(&partition, &stored, I));
    assert_true(partition.knows_tickets);
}

#define RESUMED(test) cmocka_unit_test_setup_teardown(test, resume, close_it)

/* ---- records that are known of, and a log that ends before them ---- */

#define LOG 5
#define SECOND INT64_C(1000000)

typedef struct {
    const char *name;
    struct {
        int64_t now, known, end; /* the first is in seconds */
        uint16_t log_id;         /* that the known ones are of */
        bool is_lost;
    } look[4]; /* up to one whose time is 0 */
} end_t;

static end_t ends[] = {
    {"a log that ends behind what is known", {{1, 10, 10, LOG, false}, {9, 10, 11, LOG, false}}},
    {"one that ends before it has two seconds",
     {{1, 10, 9, LOG, false}, {2, 10, 9, LOG, false}, {3, 10, 9, LOG, true}}},
    {"whose end is lost once",
     {{1, 10, 9, LOG, false}, {9, 10, 9, LOG, true}, {10, 10, 9, LOG, false}}},
    {"an end that comes again begins the time anew",
     {{1, 10, 9, LOG, false}, {2, 10, 10, LOG, false}, {9, 10, 9, LOG, false}}},
    {"what is known of another log says nothing",
     {{1, 10, 9, LOG + 1, false}, {9, 10, 9, LOG + 1, false}}},
};

static void end_is_lost(void **state)
{
    const end_t *row = *state;
    partition_t looked_at = {.beyond_since = 0};
    for (size_t i = 0; i < 4 && row->look[i].now; i++) {
        looked_at.seen = (ratings_checkpoint_t){row->look[i].log_id, row->look[i].known};
        looked_at.log_end = row->look[i].end;
        assert_int_equal(partition_has_lost_its_end(&looked_at, LOG, row->look[i].now * SECOND),
                         row->look[i].is_lost);
    }
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    const struct CMUnitTest resumed[] = {
        RESUMED(store_that_is_as_it_was_has_neither_moved_nor_is_altered),
        RESUMED(other_checkpoint_is_a_move),
        RESUMED(same_checkpoint_with_other_records_is_altered),
        RESUMED(log_that_became_shorter_has_moved),
        RESUMED(log_whose_first_record_is_younger_is_another),
        RESUMED(end_without_records_is_reached),
        RESUMED(target_of_a_rebuild_is_where_the_log_ends),
        RESUMED(log_without_the_record_applied_last_has_nothing_to_verify),
        RESUMED(batch_that_was_applied_advances),
        RESUMED(tickets_are_known_by_their_checkpoint),
    };
    unit_add_rows(&suite, reading_begins, ROWS(readings));
    unit_add_rows(&suite, end_is_lost, ROWS(ends));
    for (size_t i = 0; i < sizeof resumed / sizeof *resumed; i++)
        suite.tests[suite.count++] = resumed[i];
    return unit_run("partition", &suite);
}
