#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/shm/response_cache.h"

#include <apr_general.h>
#include <apr_pools.h>
#include <apr_strings.h>

#define P 2
#define LOG 100
#define TALK "flight-of-the-gopher"

static const ratings_shm_cache_geometry_t small = {16, 8, 16};
static const ratings_shm_cache_geometry_t *const geometry[RATINGS_CACHES] = {
    [RATINGS_CACHE_TALKS] = &small,  [RATINGS_CACHE_RESPONSES] = &ratings_response_cache_geometry,
    [RATINGS_CACHE_COUNTS] = &small, [RATINGS_CACHE_STATISTICS] = &small,
    [RATINGS_CACHE_HEALTH] = &small,
};

static const ratings_response_ttl_t ttl = {60000000, 60000000};
static const ratings_entity_t sent = {.length = 4, .etag = "\"1\"", .body = "{42}"};

static apr_pool_t *process;

static ratings_shm_t *attach(const char *key)
{
    ratings_shm_t *shared = NULL;
    assert_int_equal(ratings_shm_attach(&shared, key, geometry, process, process), APR_SUCCESS);
    return shared;
}

/* ---- the segment ---- */

static void a_segment_is_found_again_by_its_key(void **state)
{
    ratings_shm_t *first = attach("a\nb"), *other = attach("a\nc");
    (void)state;
    assert_ptr_equal(attach("a\nb"), first);
    assert_ptr_not_equal(other, first);
    assert_int_not_equal(other->id, first->id);
    assert_int_equal((uintptr_t)first % RATINGS_CACHE_LINE, 0);
}

/* As at a graceful restart: what the new configuration has no use for is given back. */
static void a_segment_that_nobody_attaches_again_is_new_the_next_time(void **state)
{
    uint64_t kept = attach("kept")->id, left = attach("left")->id;
    (void)state;
    ratings_shm_release_all(process);
    assert_int_equal(attach("kept")->id, kept);
    ratings_shm_destroy_released(process);
    assert_int_equal(attach("kept")->id, kept);
    assert_int_not_equal(attach("left")->id, left);
}

static ratings_voter_rates_t *attach_rates(const char *key)
{
    ratings_voter_rates_t *rates = NULL;
    assert_int_equal(ratings_shm_attach_rates(&rates, key, process, process), APR_SUCCESS);
    return rates;
}

/* RatingsVoterRate comes and goes with a graceful restart, beside a segment that stays. */
static void the_table_of_rates_is_a_segment_of_its_own(void **state)
{
    const ratings_voter_rate_t once = {1, INT64_C(1000000)};
    const ratings_voter_t voter = {{1}};
    uint64_t id = attach("rated")->id;
    (void)state;
    assert_int_equal(ratings_voter_rates_admit(attach_rates("rated"), &once, &voter, 1), 0);
    assert_int_equal(ratings_voter_rates_admit(attach_rates("rated"), &once, &voter, 1), 1000000);
    assert_int_equal(ratings_voter_rates_admit(attach_rates("other"), &once, &voter, 1), 0);
    assert_int_equal((uintptr_t)attach_rates("rated") % RATINGS_CACHE_LINE, 0);
    ratings_shm_release_all(process);
    assert_int_equal(attach("rated")->id, id);
    ratings_shm_destroy_released(process);
    assert_int_equal(attach("rated")->id, id);
    assert_int_equal(ratings_voter_rates_admit(attach_rates("rated"), &once, &voter, 1), 0);
}

/* ---- the cache ---- */

/* A segment of its own, whose store has an applied watermark that was just confirmed, and
 * which has the talk's response of an endpoint with this rule. */
static ratings_shm_t *with_response_until(ratings_hide_t rule, int64_t until)
{
    static int count;
    ratings_shm_t *shared = attach(apr_psprintf(process, "cache %d", count++));
    int64_t now = ratings_monotonic();
    ratings_shm_publish_external(shared, P, (ratings_checkpoint_t){LOG, 5});
    ratings_shm_confirm(shared, P, (ratings_checkpoint_t){LOG, 5}, now);
    const ratings_validator_t validator = {
        true, P, ratings_shm_changes(shared, ratings_shm_slot(TALK)), now, until};
    ratings_response_cache_put(shared, TALK, rule, &validator, now, &sent);
    return shared;
}

static ratings_shm_t *with_response(void **state)
{
    (void)state;
    return with_response_until(RATINGS_HIDE_NEVER, RATINGS_NEVER);
}

static bool is_cached_by(const ratings_shm_t *shared, ratings_hide_t rule)
{
    ratings_entity_t entity;
    return ratings_response_cache_get(shared, &ttl, TALK, rule, &entity);
}

static bool is_cached(const ratings_shm_t *shared, const char *talk_id)
{
    ratings_entity_t entity;
    return ratings_response_cache_get(shared, &ttl, talk_id, RATINGS_HIDE_NEVER, &entity);
}

static void a_response_is_sent_again(void **state)
{
    ratings_shm_t *shared = with_response(state);
    ratings_entity_t entity = {0};
    assert_true(ratings_response_cache_get(shared, &ttl, TALK, RATINGS_HIDE_NEVER, &entity));
    assert_memory_equal(&entity, &sent, sizeof sent);
    assert_false(is_cached(shared, "another"));
}

static void a_rating_of_the_talk_ends_it(void **state)
{
    ratings_shm_t *shared = with_response(state);
    uint32_t slot = (ratings_shm_slot(TALK) + 1) % RATINGS_CHANGE_SLOTS;
    ratings_shm_publish_changes(shared, P, (ratings_checkpoint_t){LOG, 6}, &slot, 1);
    assert_true(is_cached(shared, TALK)); /* that was another talk's */
    slot = ratings_shm_slot(TALK);
    ratings_shm_publish_changes(shared, P, (ratings_checkpoint_t){LOG, 7}, &slot, 1);
    assert_false(is_cached(shared, TALK));
}

static void what_another_host_applies_ends_all(void **state)
{
    ratings_shm_t *shared = with_response(state);
    ratings_shm_publish_external(shared, P + 1, (ratings_checkpoint_t){LOG, 6});
    assert_false(is_cached(shared, TALK));
}

static void time_ends_it(void **state)
{
    ratings_shm_t *shared = with_response(state);
    const ratings_response_ttl_t short_response = {0, 60000000}, short_talk = {60000000, 0};
    ratings_entity_t entity;
    assert_false(
        ratings_response_cache_get(shared, &short_response, TALK, RATINGS_HIDE_NEVER, &entity));
    assert_false(
        ratings_response_cache_get(shared, &short_talk, TALK, RATINGS_HIDE_NEVER, &entity));
}

static void a_watermark_that_nobody_confirms_ends_it(void **state)
{
    ratings_shm_t *shared = with_response(state);
    atomic_store(&shared->confirmed_at[P], ratings_monotonic() - 1100000);
    assert_false(is_cached(shared, TALK));
}

static void each_rule_has_its_own(void **state)
{
    ratings_shm_t *shared = with_response(state);
    assert_true(is_cached_by(shared, RATINGS_HIDE_NEVER));
    assert_false(is_cached_by(shared, RATINGS_HIDE_UNTIL_CLOSED));
    assert_false(is_cached_by(shared, 3));
    shared = with_response_until(3, RATINGS_NEVER);
    assert_true(is_cached_by(shared, 3));
    assert_false(is_cached_by(shared, 4));
    assert_false(is_cached_by(shared, RATINGS_HIDE_NEVER));
    assert_false(is_cached_by(shared, RATINGS_HIDE_UNTIL_CLOSED));
}

static void what_is_hidden_ends_on_the_second(void **state)
{
    (void)state;
    ratings_shm_t *shared =
        with_response_until(RATINGS_HIDE_UNTIL_CLOSED, ratings_wall_clock() + 60000000);
    assert_true(is_cached_by(shared, RATINGS_HIDE_UNTIL_CLOSED));
    shared = with_response_until(RATINGS_HIDE_UNTIL_CLOSED, ratings_wall_clock());
    assert_false(is_cached_by(shared, RATINGS_HIDE_UNTIL_CLOSED));
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    if (apr_initialize() != APR_SUCCESS || apr_pool_create(&process, NULL) != APR_SUCCESS)
        return 1;
    unit_add(&suite, "a segment is found again by its key", a_segment_is_found_again_by_its_key,
             NULL);
    unit_add(&suite, "a segment that nobody attaches again is new the next time",
             a_segment_that_nobody_attaches_again_is_new_the_next_time, NULL);
    unit_add(&suite, "the table of rates is a segment of its own",
             the_table_of_rates_is_a_segment_of_its_own, NULL);
    unit_add(&suite, "a response is sent again", a_response_is_sent_again, NULL);
    unit_add(&suite, "a rating of the talk ends it", a_rating_of_the_talk_ends_it, NULL);
    unit_add(&suite, "what another host applies ends all", what_another_host_applies_ends_all,
             NULL);
    unit_add(&suite, "time ends it", time_ends_it, NULL);
    unit_add(&suite, "a watermark that nobody confirms ends it",
             a_watermark_that_nobody_confirms_ends_it, NULL);
    unit_add(&suite, "each rule has its own", each_rule_has_its_own, NULL);
    unit_add(&suite, "what is hidden ends on the second", what_is_hidden_ends_on_the_second, NULL);
    int failed = unit_run("response cache", &suite);
    apr_pool_destroy(process);
    apr_terminate();
    return failed;
}
