#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/shm/applied_counts.h"

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>

#include <pthread.h>

#define P 2
#define LOG 100
#define TALK "flight-of-the-gopher"
#define TTL INT64_C(60000000)

static const ratings_shm_cache_geometry_t small = {16, 8, 16};
static const ratings_shm_cache_geometry_t *const geometry[RATINGS_CACHES] = {
    [RATINGS_CACHE_TALKS] = &small,      [RATINGS_CACHE_RESPONSES] = &small,
    [RATINGS_CACHE_STATISTICS] = &small, [RATINGS_CACHE_COUNTS] = &ratings_applied_counts_geometry,
    [RATINGS_CACHE_HEALTH] = &small,
};

static apr_pool_t *process;

/* Its store is at 5, as was confirmed just now. */
static ratings_shm_t *new_segment(void)
{
    static int count;
    ratings_shm_t *shared = NULL;
    const ratings_checkpoint_t checkpoint = {LOG, 5};
    assert_int_equal(ratings_shm_attach(&shared, apr_psprintf(process, "%d", count++), geometry,
                                        process, process),
                     APR_SUCCESS);
    ratings_shm_publish_external(shared, P, checkpoint);
    ratings_shm_confirm(shared, P, checkpoint, ratings_monotonic());
    return shared;
}

/* As the leader does with what it has applied: the talk's only rating is as often a 5 as `next`
 * says. */
static void apply(ratings_shm_t *shared, const char *talk_id, int64_t next)
{
    const ratings_checkpoint_t checkpoint = {LOG, next};
    const ratings_histogram_t histogram = {{0, 0, 0, 0, next}};
    const uint32_t slot = ratings_shm_slot(talk_id);
    int64_t asked_at = ratings_monotonic();
    ratings_shm_publish_changes(shared, P, checkpoint, &slot, 1);
    ratings_applied_counts_leave(shared, P, checkpoint, asked_at, talk_id, &histogram);
    ratings_shm_publish_watermark(shared, P, checkpoint);
}

/* How many times it was rated with a 5; -1: nobody has left that. */
static int64_t left_within(const ratings_shm_t *shared, const char *talk_id, int64_t ttl)
{
    ratings_validator_t validator;
    ratings_histogram_t histogram;
    return ratings_applied_counts_get(shared, ttl, talk_id, P, &validator, &histogram)
               ? histogram.count[RATINGS_VALUES - 1]
               : -1;
}

static int64_t left(const ratings_shm_t *shared, const char *talk_id)
{
    return left_within(shared, talk_id, TTL);
}

static ratings_shm_t *with_counts(void **state)
{
    ratings_shm_t *shared = new_segment();
    (void)state;
    apply(shared, TALK, 6);
    assert_int_equal(left(shared, TALK), 6);
    return shared;
}

/* ---- what is left, and for how long it is true ---- */

static void counts_are_left_for_their_talk_alone(void **state)
{
    char longest[RATINGS_TALK_ID_MAX + 1];
    ratings_shm_t *shared = with_counts(state);
    memset(longest, 'x', RATINGS_TALK_ID_MAX);
    longest[RATINGS_TALK_ID_MAX] = '\0';
    assert_int_equal(left(shared, "another"), -1);
    apply(shared, longest, 7);
    assert_int_equal(left(shared, longest), 7);
    assert_int_equal(left(shared, longest + 1), -1);
    assert_int_equal(left(shared, TALK), 6);
}

static void what_is_made_of_them_is_true_as_long_as_they_are(void **state)
{
    ratings_shm_t *shared = with_counts(state);
    ratings_validator_t validator = {.partition = -1};
    ratings_histogram_t histogram;
    const uint32_t slot = ratings_shm_slot(TALK);
    assert_true(ratings_applied_counts_get(shared, TTL, TALK, P, &validator, &histogram));
    assert_true(validator.is_cacheable);
    assert_int_equal(validator.partition, P);
    assert_true(ratings_validator_holds(shared, &validator, slot, ratings_monotonic(), TTL));
    apply(shared, TALK, 7);
    assert_false(ratings_validator_holds(shared, &validator, slot, ratings_monotonic(), TTL));
}

static void a_rating_of_the_talk_ends_them(void **state)
{
    ratings_shm_t *shared = with_counts(state);
    const ratings_checkpoint_t next = {LOG, 7};
    const uint32_t slot = ratings_shm_slot(TALK);
    apply(shared, "another", 7);
    assert_int_equal(left(shared, TALK), 6);
    ratings_shm_publish_changes(shared, P, next, &slot, 1); /* whether or not more are left */
    assert_int_equal(left(shared, TALK), -1);
    apply(shared, TALK, 8);
    assert_int_equal(left(shared, TALK), 8);
}

static void what_another_host_applies_ends_them(void **state)
{
    ratings_shm_t *shared = with_counts(state);
    ratings_shm_publish_external(shared, P, (ratings_checkpoint_t){LOG, 7});
    assert_int_equal(left(shared, TALK), -1);
}

static void a_get_that_shows_more_ends_them(void **state)
{
    ratings_shm_t *shared = with_counts(state);
    ratings_changes_t changes;
    (void)ratings_shm_note_shown(shared, P, (ratings_checkpoint_t){LOG, 7}, ratings_shm_slot(TALK),
                                 ratings_monotonic(), &changes);
    assert_int_equal(left(shared, TALK), -1);
}

static void time_ends_them(void **state)
{
    ratings_shm_t *shared = with_counts(state);
    assert_int_equal(left_within(shared, TALK, 0), -1);
    atomic_store(&shared->confirmed_at[P], ratings_monotonic() - 1100000);
    assert_int_equal(left(shared, TALK), -1);
}

static void another_partitions_are_not_taken(void **state)
{
    ratings_shm_t *shared = with_counts(state);
    ratings_validator_t validator;
    ratings_histogram_t histogram;
    assert_false(ratings_applied_counts_get(shared, TTL, TALK, P + 1, &validator, &histogram));
}

/* ---- what is not left ---- */

/* A store that was restored: GETs wait until it is where it was. */
static void nothing_is_left_below_the_high_watermark(void **state)
{
    ratings_shm_t *shared = with_counts(state);
    ratings_shm_publish_external(shared, P, (ratings_checkpoint_t){LOG, 9});
    apply(shared, TALK, 8);
    assert_int_equal(left(shared, TALK), -1);
    apply(shared, TALK, 9);
    assert_int_equal(left(shared, TALK), 9);
}

/* Whoever was stopped in the middle of publishing, while others went on. */
static void nothing_is_left_once_more_is_known(void **state)
{
    ratings_shm_t *shared = with_counts(state);
    const ratings_checkpoint_t next = {LOG, 7};
    const ratings_histogram_t histogram = {{0, 0, 0, 0, 7}};
    const uint32_t slot = ratings_shm_slot(TALK);
    ratings_changes_t changes;
    ratings_shm_publish_changes(shared, P, next, &slot, 1);
    (void)ratings_shm_note_shown(shared, P, (ratings_checkpoint_t){LOG, 8}, slot,
                                 ratings_monotonic(), &changes);
    ratings_applied_counts_leave(shared, P, next, ratings_monotonic(), TALK, &histogram);
    assert_int_equal(left(shared, TALK), -1);
}

/* ---- threads ---- */

#define STEPS 20000

static void *apply_all(void *data)
{
    ratings_shm_t *shared = data;
    for (int i = 6; i < STEPS; i++)
        apply(shared, TALK, i);
    return NULL;
}

/* They count all that was visible before, and all that was shown before. */
static void counts_never_go_back(void **state)
{
    ratings_shm_t *shared = with_counts(state);
    pthread_t leader;
    int64_t shown = 0, visible = 0;
    assert_int_equal(pthread_create(&leader, NULL, apply_all, shared), 0);
    while (visible < STEPS - 1) {
        atomic_store(&shared->confirmed_at[P], ratings_monotonic());
        visible = ratings_shm_watermark(shared, P).offset;
        int64_t counted = left(shared, TALK);
        if (counted < 0)
            continue;
        assert_true(counted >= visible);
        assert_true(counted >= shown);
        shown = counted;
    }
    assert_int_equal(pthread_join(leader, NULL), 0);
    assert_int_equal(left(shared, TALK), STEPS - 1);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&process, NULL) != APR_SUCCESS)
        return 1;
    unit_add(&suite, "counts are left for their talk alone", counts_are_left_for_their_talk_alone,
             NULL);
    unit_add(&suite, "what is made of them is true as long as they are",
             what_is_made_of_them_is_true_as_long_as_they_are, NULL);
    unit_add(&suite, "a rating of the talk ends them", a_rating_of_the_talk_ends_them, NULL);
    unit_add(&suite, "what another host applies ends them", what_another_host_applies_ends_them,
             NULL);
    unit_add(&suite, "a GET that shows more ends them", a_get_that_shows_more_ends_them, NULL);
    unit_add(&suite, "time ends them", time_ends_them, NULL);
    unit_add(&suite, "another partition's are not taken", another_partitions_are_not_taken, NULL);
    unit_add(&suite, "nothing is left below the high watermark",
             nothing_is_left_below_the_high_watermark, NULL);
    unit_add(&suite, "nothing is left once more is known", nothing_is_left_once_more_is_known,
             NULL);
    unit_add(&suite, "counts never go back", counts_never_go_back, NULL);
    int failed = unit_run("applied counts", &suite);
    apr_pool_destroy(process);
    apr_terminate();
    return failed;
}
