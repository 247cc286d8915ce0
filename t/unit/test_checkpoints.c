#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/shm/segment.h"

#include <pthread.h>

#define P 3 /* a partition */
#define LOG_A 100
#define LOG_B 200

static ratings_shm_t *new_segment(void)
{
    ratings_shm_t *shared = aligned_alloc(RATINGS_CACHE_LINE, sizeof *shared);
    assert_non_null(shared);
    memset(shared, 0, sizeof *shared);
    return shared;
}

static ratings_checkpoint_t at(uint16_t log_id, int64_t offset)
{
    return (ratings_checkpoint_t){log_id, offset};
}

static void publish_applied(ratings_shm_t *shared, ratings_checkpoint_t checkpoint,
                            const uint32_t *slots, int count)
{
    ratings_shm_publish_changes(shared, P, checkpoint, slots, count);
    ratings_shm_publish_watermark(shared, P, checkpoint);
}

/* ---- which checkpoint replaces which ---- */

typedef struct {
    const char *name;
    ratings_checkpoint_t first, second; /* published one after the other */
    ratings_checkpoint_t high, applied; /* what stands then */
} publication_t;

static publication_t publications[] = {
    {"a higher checkpoint replaces both watermarks",
     {LOG_A, 5},
     {LOG_A, 7},
     {LOG_A, 7},
     {LOG_A, 7}},
    {"a lower one replaces neither", {LOG_A, 7}, {LOG_A, 5}, {LOG_A, 7}, {LOG_A, 7}},
    {"another log begins anew", {LOG_A, 7}, {LOG_B, 2}, {LOG_B, 2}, {LOG_B, 2}},
    {"a log that is not known says nothing", {LOG_A, 7}, {0, 9}, {LOG_A, 7}, {LOG_A, 7}},
    {"an empty log does not replace the high watermark of one with records",
     {LOG_A, 7},
     {RATINGS_LOG_ID_EMPTY, 0},
     {LOG_A, 7},
     {RATINGS_LOG_ID_EMPTY, 0}},
    {"a log that is empty up to there does, as its records were deleted",
     {LOG_A, 7},
     {RATINGS_LOG_ID_EMPTY, 7},
     {RATINGS_LOG_ID_EMPTY, 7},
     {RATINGS_LOG_ID_EMPTY, 7}},
    {"the largest offset fits into a word",
     {LOG_A, 0},
     {UINT16_MAX, (INT64_C(1) << 48) - 1},
     {UINT16_MAX, (INT64_C(1) << 48) - 1},
     {UINT16_MAX, (INT64_C(1) << 48) - 1}},
};

static void assert_checkpoint(ratings_checkpoint_t is, ratings_checkpoint_t expected)
{
    assert_int_equal(is.log_id, expected.log_id);
    assert_int_equal(is.offset, expected.offset);
}

static void publication(void **state)
{
    const publication_t *row = *state;
    ratings_shm_t *shared = new_segment();
    ratings_shm_publish_external(shared, P, row->first);
    ratings_shm_publish_external(shared, P, row->second);
    assert_checkpoint(ratings_shm_high(shared, P), row->high);
    assert_checkpoint(ratings_shm_watermark(shared, P), row->applied);
    assert_checkpoint(ratings_shm_high(shared, P + 1), at(0, 0));
    assert_int_equal(atomic_load(&shared->published), 2);
    free(shared);
}

static void bootstrap_raises_the_high_watermark_of_who_knows_nothing(void **state)
{
    ratings_shm_t *shared = new_segment();
    (void)state;
    ratings_shm_publish_bootstrap(shared, P, at(LOG_A, 5));
    ratings_shm_publish_bootstrap(shared, P, at(LOG_A, 9));
    assert_checkpoint(ratings_shm_high(shared, P), at(LOG_A, 5));
    assert_checkpoint(ratings_shm_watermark(shared, P), at(0, 0));
    free(shared);
}

static void a_log_that_ends_before_the_high_watermark_makes_it_forgotten(void **state)
{
    ratings_shm_t *shared = new_segment();
    ratings_checkpoint_t seen = at(LOG_A, 7);
    (void)state;
    ratings_shm_publish_external(shared, P, seen);
    ratings_shm_forget(shared, P, seen, 7);         /* all of it is there */
    ratings_shm_forget(shared, P, at(LOG_A, 6), 5); /* the high watermark is another by now */
    assert_checkpoint(ratings_shm_high(shared, P), seen);
    ratings_shm_forget(shared, P, seen, 6);
    assert_checkpoint(ratings_shm_high(shared, P), at(0, 0));
    assert_checkpoint(ratings_shm_watermark(shared, P), at(0, 0));
    free(shared);
}

/* ---- which store lacks nothing ---- */

typedef struct {
    const char *name;
    ratings_checkpoint_t high, stored; /* looked at one after the other */
    bool covers;
} cover_t;

static cover_t covers[] = {
    {"a store as far as the high watermark covers it", {LOG_A, 7}, {LOG_A, 7}, true},
    {"one that has applied more meanwhile does", {LOG_A, 7}, {LOG_A, 9}, true},
    {"one behind it does not", {LOG_A, 7}, {LOG_A, 6}, false},
    {"one of another log does not, however far", {LOG_A, 7}, {LOG_B, 9}, false},
    {"one of an empty log does not", {LOG_A, 7}, {RATINGS_LOG_ID_EMPTY, 7}, false},
    {"a log without records is covered by itself",
     {RATINGS_LOG_ID_EMPTY, 0},
     {RATINGS_LOG_ID_EMPTY, 0},
     true},
    {"and by its first records, applied meanwhile", {RATINGS_LOG_ID_EMPTY, 0}, {LOG_A, 1}, true},
    {"not by those of a log that ends where it is empty",
     {RATINGS_LOG_ID_EMPTY, 7},
     {LOG_A, 7},
     false},
    {"a high watermark that knows no log is not covered", {0, 0}, {LOG_A, 7}, false},
    {"a store that knows none covers nothing", {RATINGS_LOG_ID_EMPTY, 0}, {0, 1}, false},
};

static void cover(void **state)
{
    const cover_t *row = *state;
    assert_int_equal(ratings_checkpoint_covers(row->stored, row->high), row->covers);
}

/* ---- changes ---- */

static bool changed_since(const ratings_shm_t *shared, uint32_t slot, ratings_changes_t before)
{
    ratings_changes_t now = ratings_shm_changes(shared, slot);
    return now.epoch != before.epoch || now.counter != before.counter;
}

static void what_is_applied_changes_its_talks_alone(void **state)
{
    ratings_shm_t *shared = new_segment();
    const uint32_t slots[] = {17, 4711};
    ratings_changes_t rated = ratings_shm_changes(shared, 17);
    ratings_changes_t other = ratings_shm_changes(shared, 18);
    (void)state;
    publish_applied(shared, at(LOG_A, 2), slots, 2);
    assert_true(changed_since(shared, 17, rated));
    assert_false(changed_since(shared, 18, other));
    ratings_shm_publish_external(shared, P, at(LOG_A, 3));
    assert_true(changed_since(shared, 18, other)); /* it may be any talk */
    free(shared);
}

static void an_answer_at_the_watermark_may_be_cached(void **state)
{
    ratings_shm_t *shared = new_segment();
    (void)state;
    ratings_shm_publish_external(shared, P, at(LOG_A, 5));
    ratings_changes_t changes = ratings_shm_changes(shared, 17);
    assert_true(ratings_shm_note_shown(shared, P, at(LOG_A, 5), 17, 1000000, &changes));
    assert_false(changed_since(shared, 17, changes));
    assert_true(ratings_shm_is_confirmed(shared, P, 1500000, 500000));
    free(shared);
}

/* Whoever sees it may not be shown less afterwards, and what was cached before is less. */
static void an_answer_beyond_the_watermark_raises_high_and_the_talks_counter(void **state)
{
    ratings_shm_t *shared = new_segment();
    (void)state;
    ratings_shm_publish_external(shared, P, at(LOG_A, 5));
    ratings_changes_t before = ratings_shm_changes(shared, 17), changes = before;
    assert_true(ratings_shm_note_shown(shared, P, at(LOG_A, 6), 17, 0, &changes));
    assert_checkpoint(ratings_shm_high(shared, P), at(LOG_A, 6));
    assert_checkpoint(ratings_shm_watermark(shared, P), at(LOG_A, 5));
    assert_true(changed_since(shared, 17, before));
    assert_false(changed_since(shared, 17, changes)); /* it may be cached with the new one */
    free(shared);
}

static void an_answer_below_the_high_watermark_is_not_cached(void **state)
{
    ratings_shm_t *shared = new_segment();
    (void)state;
    ratings_shm_publish_external(shared, P, at(LOG_A, 5));
    ratings_changes_t changes = ratings_shm_changes(shared, 17);
    assert_true(ratings_shm_note_shown(shared, P, at(LOG_A, 8), 17, 0, &changes));
    assert_false(ratings_shm_note_shown(shared, P, at(LOG_A, 7), 17, 0, &changes));
    free(shared);
}

static void what_is_looked_at_again_is_true_at_the_high_watermark_alone(void **state)
{
    ratings_shm_t *shared = new_segment();
    const uint32_t slot = 17;
    ratings_changes_t changes = {0};
    (void)state;
    ratings_shm_publish_changes(shared, P, at(LOG_A, 5), &slot, 1);
    assert_true(ratings_shm_look_again(shared, P, at(LOG_A, 5), slot, &changes));
    assert_false(changed_since(shared, slot, changes));
    assert_false(ratings_shm_look_again(shared, P, at(LOG_B, 5), slot, &changes));
    ratings_shm_publish_changes(shared, P, at(LOG_A, 6), NULL, 0);
    assert_false(ratings_shm_look_again(shared, P, at(LOG_A, 5), slot, &changes));
    free(shared);
}

/* ---- confirmations ---- */

static void the_watermark_alone_is_confirmed_and_not_all_the_time(void **state)
{
    ratings_shm_t *shared = new_segment();
    (void)state;
    ratings_shm_publish_external(shared, P, at(LOG_A, 5));
    ratings_shm_confirm(shared, P, at(LOG_A, 4), 1000000);
    assert_false(ratings_shm_is_confirmed(shared, P, 1000000, 500000));
    ratings_shm_confirm(shared, P, at(LOG_A, 5), 1000000);
    assert_true(ratings_shm_is_confirmed(shared, P, 1500000, 500000));
    ratings_shm_confirm(shared, P, at(LOG_A, 5), 1049999); /* so soon it is not written */
    assert_false(ratings_shm_is_confirmed(shared, P, 1500001, 500000));
    ratings_shm_confirm(shared, P, at(LOG_A, 5), 1050000);
    assert_true(ratings_shm_is_confirmed(shared, P, 1500001, 500000));
    free(shared);
}

static void newer_is_what_no_watermark_knows(void **state)
{
    ratings_shm_t *shared = new_segment();
    (void)state;
    assert_true(ratings_shm_is_newer(shared, P, at(LOG_A, 5)));
    ratings_shm_publish_external(shared, P, at(LOG_A, 5));
    assert_false(ratings_shm_is_newer(shared, P, at(LOG_A, 5)));
    assert_false(ratings_shm_is_newer(shared, P, at(0, 0)));
    assert_true(ratings_shm_is_newer(shared, P, at(LOG_A, 6)));
    assert_true(ratings_shm_is_newer(shared, P, at(LOG_B, 1)));
    free(shared);
}

/* ---- threads ---- */

#define STEPS 20000

static void *publish_all(void *data)
{
    ratings_shm_t *shared = data;
    const uint32_t slot = 17;
    for (int i = 1; i <= STEPS; i++)
        publish_applied(shared, at(LOG_A, i), &slot, 1);
    return NULL;
}

/* Who sees an applied watermark sees the high watermark, and the counter, that came before it. */
static void watermarks_are_seen_in_their_order(void **state)
{
    ratings_shm_t *shared = new_segment();
    pthread_t publisher;
    int64_t last = 0;
    (void)state;
    assert_int_equal(pthread_create(&publisher, NULL, publish_all, shared), 0);
    while (last < STEPS) {
        int64_t applied = ratings_shm_watermark(shared, P).offset;
        assert_true(applied >= last);
        assert_true(ratings_shm_changes(shared, 17).counter >= applied);
        assert_true(ratings_shm_high(shared, P).offset >= applied);
        last = applied;
    }
    assert_int_equal(pthread_join(publisher, NULL), 0);
    free(shared);
}

/* What a GET of another host's rating is looked up by before the cache: a high watermark that a GET
 * has raised has ended no entry yet. */
static void the_applied_watermark_alone_reaches_a_position(void **state)
{
    ratings_shm_t *shared = new_segment();
    ratings_changes_t changes = {0};
    const ratings_position_t none = {0}, position = {P, LOG_A, 7}, other = {P, LOG_B, 7},
                             beside = {P + 1, LOG_A, 7};
    (void)state;
    assert_true(ratings_shm_has_reached(shared, &none));
    assert_false(ratings_shm_has_reached(shared, &position));
    ratings_shm_publish_external(shared, P, at(LOG_A, 6));
    (void)ratings_shm_note_shown(shared, P, at(LOG_A, 7), 17, ratings_monotonic(), &changes);
    assert_checkpoint(ratings_shm_high(shared, P), at(LOG_A, 7));
    assert_false(ratings_shm_has_reached(shared, &position));
    publish_applied(shared, at(LOG_A, 7), NULL, 0);
    assert_true(ratings_shm_has_reached(shared, &position));
    assert_false(ratings_shm_has_reached(shared, &other));
    assert_false(ratings_shm_has_reached(shared, &beside));
    free(shared);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, publication, ROWS(publications));
    unit_add_rows(&suite, cover, ROWS(covers));
    unit_add(&suite, "bootstrap raises the high watermark of who knows nothing",
             bootstrap_raises_the_high_watermark_of_who_knows_nothing, NULL);
    unit_add(&suite, "a log that ends before the high watermark makes it forgotten",
             a_log_that_ends_before_the_high_watermark_makes_it_forgotten, NULL);
    unit_add(&suite, "what is applied changes its talks alone",
             what_is_applied_changes_its_talks_alone, NULL);
    unit_add(&suite, "an answer at the watermark may be cached",
             an_answer_at_the_watermark_may_be_cached, NULL);
    unit_add(&suite, "an answer beyond the watermark raises high and the talk's counter",
             an_answer_beyond_the_watermark_raises_high_and_the_talks_counter, NULL);
    unit_add(&suite, "an answer below the high watermark is not cached",
             an_answer_below_the_high_watermark_is_not_cached, NULL);
    unit_add(&suite, "what is looked at again is true at the high watermark alone",
             what_is_looked_at_again_is_true_at_the_high_watermark_alone, NULL);
    unit_add(&suite, "the watermark alone is confirmed and not all the time",
             the_watermark_alone_is_confirmed_and_not_all_the_time, NULL);
    unit_add(&suite, "newer is what no watermark knows", newer_is_what_no_watermark_knows, NULL);
    unit_add(&suite, "the applied watermark alone reaches a position",
             the_applied_watermark_alone_reaches_a_position, NULL);
    unit_add(&suite, "watermarks are seen in their order", watermarks_are_seen_in_their_order,
             NULL);
    return unit_run("checkpoints", &suite);
}
