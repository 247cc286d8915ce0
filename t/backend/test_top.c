/* ratings:top, the ranking of talks: scores as a script of Redis computes them are those of
 * src/core/ranking.h bit by bit, and whatever happens in whatever order, a ranking that is said to
 * be whole is. RATINGS_SEED=N: one run alone. */
#include "redis_server.h"

#define PARTITIONS 2
#define TALKS 12
#define VOTERS 3

static ratings_store_t *store;
static ratings_store_state_t seen;
static uint64_t random_state;

static int draw(int bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (int)((random_state >> 33) % (uint64_t)bound);
}

static int set_up(void **state)
{
    ratings_result_t why;
    (void)state;
    redis_set_up();
    ratings_store_options_t options = {apr_psprintf(redis.pool, "redis://127.0.0.1:%d", redis.port),
                                       1,
                                       apr_time_from_sec(20),
                                       NULL,
                                       NULL,
                                       NULL};
    assert_int_equal(ratings_store_create(&store, &options, &why), APR_SUCCESS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ratings_store_destroy(store);
    redis_tear_down();
    return 0;
}

/* What a script of the test's own answers, of one key and one argument. */
static const char *evaluate(apr_pool_t *pool, const char *script, const char *key,
                            const char *argument)
{
    redisReply *reply = NULL;
    ratings_result_t why;
    if (store_command(store, &reply, NO_DEADLINE, &why, "EVAL", script, "1", key, argument, NULL) !=
        APR_SUCCESS)
        fail_msg("%s: %s", script, why.detail);
    const char *text = reply->type == REDIS_REPLY_STRING ? apr_pstrdup(pool, reply->str) : NULL;
    freeReplyObject(reply);
    return text;
}

static void run_script(const char *script)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, redis.pool);
    (void)evaluate(pool, script, "", "");
    apr_pool_destroy(pool);
}

/* ---- what the projector asks of it ---- */

static void load(void)
{
    ratings_result_t why;
    if (ratings_store_load_state(store, NO_DEADLINE, &seen, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    if (seen.problem)
        fail_msg("the store: %s", seen.problem);
}

static void expect_written(apr_status_t status, const ratings_cas_e *end,
                           const ratings_result_t *why)
{
    if (status != APR_SUCCESS)
        fail_msg("%s", why->detail);
    assert_int_equal(*end, RATINGS_CAS_APPLIED);
}

static void rebuild(void)
{
    static const bool empty[PARTITIONS] = {false, false};
    ratings_sweep_t sweep = {.token = "0123456789abcdef", .cursor = "0"};
    ratings_cas_e end;
    ratings_result_t why;
    assert_int_equal(ratings_store_load_state(store, NO_DEADLINE, &seen, &why), APR_SUCCESS);
    expect_written(ratings_store_claim(store, &seen, &sweep, &end, &why), &end, &why);
    do
        expect_written(ratings_store_sweep(store, &sweep, &end, &why), &end, &why);
    while (strcmp(sweep.cursor, "0") != 0);
    expect_written(
        ratings_store_open(store, &sweep, "ratings", PARTITIONS, PARTITIONS, empty, &end, &why),
        &end, &why);
    expect_written(ratings_store_caught_up(store, sweep.token, &end, &why), &end, &why);
    load();
}

static void set_ranking(const char *prior)
{
    ratings_cas_e end;
    ratings_result_t why;
    expect_written(ratings_store_set_ranking(store, seen.generation, prior, &end, &why), &end,
                   &why);
}

/* Whether there are more talks to be ranked. */
static bool rank_more(void)
{
    ratings_cas_e end;
    ratings_result_t why;
    if (ratings_store_rank(store, seen.generation, &end, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    return end == RATINGS_CAS_APPLIED;
}

/* One record of a partition that does all this. */
static void apply(int partition, const ratings_increment_t *const *increments, int count, int voted)
{
    int64_t at = seen.checkpoint[partition];
    const ratings_batch_t batch = {
        .generation = seen.generation,
        .partition = partition,
        .checkpoint = at,
        .next_checkpoint = at + 1,
        .log_time = 1000 + at,
        .previous = seen.last[partition],
        .last = {at, 1000 + at, 7},
        .first = {at == 0 ? 0 : RATINGS_FINGERPRINT_NONE, 1000, 7},
        .increments = increments,
        .increment_count = count,
        .voted_count = voted,
    };
    const ratings_batch_t *batches[] = {&batch};
    ratings_cas_e end;
    ratings_result_t why;
    expect_written(ratings_store_apply(store, batches, 1, &end, &why), &end, &why);
}

/* ---- the same number in both ---- */

static double score_in_store(apr_pool_t *pool, const char *talk)
{
    const char *text =
        evaluate(pool, "return redis.call('ZSCORE', KEYS[1], ARGV[1])", "ratings:top", talk);
    return text ? strtod(text, NULL) : -1;
}

/* Of any size, most of them small, some 0. */
static int64_t draw_count(void)
{
    int64_t count = draw(4) ? draw(30) : draw(1000000);
    return draw(10) ? count : count * 1000000;
}

#define HISTOGRAMS 3000

static void draw_histogram(apr_pool_t *pool, int i, ratings_increment_t *increment)
{
    *increment = (ratings_increment_t){.talk_id = apr_psprintf(pool, "talk %d", i)};
    for (int v = 0; v < RATINGS_VALUES; v++)
        increment->added[v] = draw_count();
}

static void expect_same_score(apr_pool_t *pool, const ratings_prior_t *prior,
                              const ratings_increment_t *talk)
{
    ratings_histogram_t histogram;
    int64_t total;
    memcpy(histogram.count, talk->added, sizeof histogram.count);
    assert_true(ratings_histogram_total(&histogram, &total));
    double expected = total ? ratings_interval_of(prior, &histogram).low : -1,
           found = score_in_store(pool, talk->talk_id);
    if (found != expected)
        fail_msg("%s: %.17g, not %.17g", talk->talk_id, found, expected);
}

static void compare_scores(const char *text)
{
    static ratings_increment_t increments[HISTOGRAMS];
    static const ratings_increment_t *each[HISTOGRAMS];
    apr_pool_t *pool;
    ratings_prior_t prior;
    assert_true(ratings_prior_parse(text, strlen(text), &prior));
    apr_pool_create(&pool, redis.pool);
    rebuild();
    set_ranking(text);
    for (int i = 0; i < HISTOGRAMS; i++) {
        draw_histogram(pool, i, &increments[i]);
        each[i] = &increments[i];
    }
    load();
    apply(0, each, HISTOGRAMS, 0);
    for (int i = 0; i < HISTOGRAMS; i++)
        expect_same_score(pool, &prior, &increments[i]);
    apr_pool_destroy(pool);
}

static void score_of_the_store_is_that_of_the_core(void **state)
{
    (void)state;
    random_state = 1;
    compare_scores("1,1,1,1,1");
    compare_scores("1,1,3,8,7");
    compare_scores("1000,1,1,1,999");
    compare_scores("3,7,11,13,17");
}

/* ---- a ranking that is said to be whole is ---- */

/* Each talk's counts and score, "1,0,0,2,0 3.4" and so on; nil scores are "none". */
static const char LIST_ALL[] =
    "local out = {} "
    "for t = 0, 11 do "
    "  local n = redis.call('HMGET', 'ratings/talk ' .. t, '1', '2', '3', '4', '5') "
    "  for v = 1, 5 do n[v] = n[v] or '0' end "
    "  out[#out + 1] = table.concat(n, ' ') .. ' ' "
    "    .. (redis.call('ZSCORE', 'ratings:top', 'talk ' .. t) or '-1') "
    "end "
    "out[#out + 1] = redis.call('ZCARD', 'ratings:top') "
    "return table.concat(out, ' ')";

static void expect_whole(uint64_t seed, int step)
{
    ratings_prior_t prior;
    apr_pool_t *pool;
    apr_pool_create(&pool, redis.pool);
    char *end = apr_pstrdup(pool, evaluate(pool, LIST_ALL, "", ""));
    assert_true(ratings_prior_parse(seen.ranking, strlen(seen.ranking), &prior));
    int64_t ranked = 0;
    for (int t = 0; t < TALKS; t++) {
        ratings_histogram_t histogram;
        int64_t total;
        for (int v = 0; v < RATINGS_VALUES; v++)
            histogram.count[v] = strtoll(end, &end, 10);
        double found = strtod(end, &end);
        assert_true(ratings_histogram_total(&histogram, &total));
        ranked += total > 0;
        if (found != (total ? ratings_interval_of(&prior, &histogram).low : -1))
            fail_msg("seed %d, step %d: the score of talk %d is %.17g", (int)seed, step, t, found);
    }
    assert_int_equal(strtoll(end, &end, 10), ranked);
    apr_pool_destroy(pool);
}

static void apply_some(void)
{
    static char ids[TALKS][16];
    ratings_increment_t increments[3];
    ratings_vote_t votes[3];
    const ratings_increment_t *each[3];
    int count = 1 + draw(3), first = draw(TALKS), voted = 0, partition = draw(PARTITIONS);
    for (int i = 0; i < count; i++) {
        int talk = (first + i) % TALKS;
        (void)snprintf(ids[talk], sizeof ids[talk], "talk %d", talk);
        increments[i] = (ratings_increment_t){.talk_id = ids[talk]};
        if (draw(2)) {
            ratings_voter_t voter = {{(unsigned char)draw(VOTERS)}};
            votes[i] = (ratings_vote_t){.voter = voter, .value = draw(2) ? draw(6) : 0};
            increments[i].votes = &votes[i];
            increments[i].vote_count = 1;
            voted++;
        } else if (talk < 6) { /* others are without a rating at times */
            increments[i].added[draw(RATINGS_VALUES)] = 1 + draw(3);
        }
        each[i] = &increments[i];
    }
    load();
    apply(partition, each, count, voted);
}

/* Counts and checkpoint as a version leaves them that knows no ranking. */
static const char OLDER_VERSION[] =
    "local log = 'ratings:log' "
    "local at = redis.call('HINCRBY', log, 'position:0', 1) - 1 "
    "if redis.call('HEXISTS', log, 'first:0') == 0 then "
    "  redis.call('HSET', log, 'first:0', '0:1000:7') end "
    "redis.call('HSET', log, 'mark:0', at .. ':' .. (1000 + at) .. ':7', 'time:0', 1000 + at) "
    "redis.call('HSET', log, 'voters:0', at + 1) "
    "local talk = 'ratings/talk ' .. at % 12 "
    "redis.call('HINCRBY', talk, '4', 1) "
    "if redis.call('HEXISTS', talk, 'anonymous') == 1 then "
    "  redis.call('HINCRBY', talk, 'anonymous', 1) end";

#define EACH_KEY "for _, key in ipairs(redis.call('KEYS', 'ratings[:/]*')) do "

static const char *const mishaps[] = {
    "redis.call('DEL', 'ratings:top')",
    "redis.call('SET', 'ratings:top', 'x')",
    "if redis.call('TYPE', 'ratings:top').ok == 'zset' then "
    "  redis.call('ZREMRANGEBYRANK', 'ratings:top', 0, 0) end",
    "redis.call('HDEL', 'ratings:log', 'ranked')",
    "redis.call('HDEL', 'ratings:log', 'ranking')",
    "redis.call('HSET', 'ratings:log', 'ranking', 'nothing')",
    "if redis.call('HEXISTS', 'ratings:log', 'rerank') == 1 then "
    "  redis.call('HSET', 'ratings:log', 'rerank', 'x') end",
    OLDER_VERSION,
    /* of a run before the server was started again: there, few keys were left */
    "if redis.call('HEXISTS', 'ratings:log', 'rerank') == 1 then "
    "  redis.call('HSET', 'ratings:log', 'rerank', 'abc:8191') end",
    "redis.call('DEL', 'saved') " EACH_KEY
    "  redis.call('HSET', 'saved', key, redis.call('DUMP', key)) end",
    "if redis.call('EXISTS', 'saved') == 1 then " EACH_KEY "redis.call('DEL', key) end "
    "local all = redis.call('HGETALL', 'saved') "
    "for i = 1, #all, 2 do redis.call('RESTORE', all[i], 0, all[i + 1]) end end",
};

#define MISHAPS ((int)(sizeof mishaps / sizeof *mishaps))

/* As the leader does: it begins a ranking where there is none or a bad one, and resumes one
 * that was begun. */
static void lead_on(const char *prior)
{
    load();
    if (strcmp(seen.ranking, prior) != 0 || (!seen.is_ranked && !seen.reranks))
        set_ranking(prior);
    else if (seen.reranks)
        (void)rank_more();
}

static void run_at_random(uint64_t seed)
{
    static const char *const priors[] = {"1,1,1,1,1", "2,1,1,1,3"};
    const char *prior = priors[0];
    int whole = 0;
    random_state = seed;
    /* other keys, between which the talks lie, so that ranking takes some steps */
    run_script("redis.call('FLUSHALL') for i = 1, 5000 do redis.call('SET', 'x' .. i, '') end");
    rebuild();
    for (int step = 0; step < 400; step++) {
        int what = draw(20);
        if (what < 8)
            apply_some();
        else if (what < 18)
            lead_on(prior);
        else if (what < 19)
            run_script(mishaps[draw(MISHAPS)]);
        else if (draw(4) == 0)
            prior = priors[draw(2)];
        load();
        if (seen.is_ranked)
            expect_whole(seed, step);
        whole += seen.is_ranked;
    }
    for (int steps = 0; !seen.is_ranked || strcmp(seen.ranking, prior) != 0; steps++) {
        assert_true(steps < 100);
        lead_on(prior);
        load();
    }
    expect_whole(seed, -1);
    assert_true(whole > 0);
}

static void whatever_happens_a_whole_ranking_is_right(void **state)
{
    const char *seed = getenv("RATINGS_SEED");
    (void)state;
    for (uint64_t s = 1; s <= 40 && !seed; s++)
        run_at_random(s);
    if (seed)
        run_at_random(strtoull(seed, NULL, 10));
}

/* ---- on and off ---- */

static bool has_key(const char *key)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, redis.pool);
    bool has = evaluate(pool, "return redis.call('EXISTS', KEYS[1]) == 1 and 'yes' or nil", key,
                        "") != NULL;
    apr_pool_destroy(pool);
    return has;
}

static void ranking_that_ends_leaves_nothing(void **state)
{
    (void)state;
    random_state = 7;
    run_script("redis.call('FLUSHALL')");
    rebuild();
    apply_some();
    assert_false(has_key("ratings:top"));
    lead_on("1,1,1,1,1");
    apply_some();
    assert_true(has_key("ratings:top"));
    while (rank_more())
        continue;
    load();
    assert_true(seen.is_ranked);
    set_ranking("");
    assert_false(has_key("ratings:top"));
    load();
    assert_string_equal(seen.ranking, "");
    assert_false(seen.is_ranked);
    assert_false(rank_more());
    apr_pool_t *pool;
    apr_pool_create(&pool, redis.pool);
    assert_null(evaluate(pool,
                         "for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do "
                         "if field:find('rank') then return field end end",
                         "ratings:log", ""));
    apr_pool_destroy(pool);
}

static void rebuild_takes_the_ranking_away(void **state)
{
    (void)state;
    random_state = 8;
    lead_on("1,1,1,1,1");
    apply_some();
    rebuild();
    assert_false(has_key("ratings:top"));
    assert_string_equal(seen.ranking, "");
}

static void ranking_is_not_that_of_another_generation(void **state)
{
    ratings_cas_e end;
    ratings_result_t why;
    (void)state;
    rebuild();
    assert_int_equal(ratings_store_set_ranking(store, "another", "1,1,1,1,1", &end, &why),
                     APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_CONFLICT);
    set_ranking("1,1,1,1,1");
    assert_int_equal(ratings_store_rank(store, "another", &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_CONFLICT);
}

/* ---- read for lists of talks ---- */

typedef struct {
    apr_pool_t *pool;
    int count, wrong;
} told_t;

static void compare_with_the_store(void *data, const char *talk_id, double score)
{
    told_t *told = data;
    double stored = score_in_store(told->pool, talk_id);
    told->count++;
    told->wrong += stored < score || stored > score;
}

static apr_status_t read_top(told_t *told, ratings_result_t *why)
{
    told->count = told->wrong = 0;
    return ratings_store_read_top(store, NO_DEADLINE, compare_with_the_store, told, why);
}

static void lists_are_told_the_whole_ranking(void **state)
{
    ratings_result_t why;
    told_t told;
    (void)state;
    apr_pool_create(&told.pool, redis.pool);
    random_state = 9;
    run_script("redis.call('FLUSHALL')");
    rebuild();
    assert_int_equal(read_top(&told, &why), APR_SUCCESS);
    assert_int_equal(told.count, 0);
    lead_on("1,1,1,1,1");
    apply_some();
    while (rank_more())
        continue;
    assert_int_equal(read_top(&told, &why), APR_SUCCESS);
    assert_true(told.count > 0);
    assert_int_equal(told.wrong, 0);
    run_script("redis.call('HSET', 'ratings:log', 'behind', '1')");
    assert_int_equal(read_top(&told, &why), APR_EAGAIN);
    run_script("redis.call('HDEL', 'ratings:log', 'behind')");
    run_script("redis.call('DEL', 'ratings:top'); redis.call('SET', 'ratings:top', 'x')");
    assert_int_equal(read_top(&told, &why), RATINGS_REBUILD_NEEDED);
    run_script("redis.call('DEL', 'ratings:top')");
    apr_pool_destroy(told.pool);
}

static void count_the_best(void *data, const char *talk_id, double score)
{
    (void)talk_id;
    *(int *)data += score > 100;
}

/* Of more talks than a list reads, those with the highest scores. */
static void lists_are_told_the_best(void **state)
{
    ratings_result_t why;
    int count = 0;
    (void)state;
    run_script("redis.call('DEL', 'ratings:top') "
               "for i = 1, 20100 do redis.call('ZADD', 'ratings:top', i, 'talk-' .. i) end");
    assert_int_equal(ratings_store_read_top(store, NO_DEADLINE, count_the_best, &count, &why),
                     APR_SUCCESS);
    assert_int_equal(count, RATINGS_RANKED_MAX);
    run_script("redis.call('DEL', 'ratings:top')");
}

/* As one read of each does. */
static void many_are_read_as_each_is(void **state)
{
    ratings_store_talk_t many[TALKS];
    static char ids[TALKS][16];
    ratings_result_t why;
    int64_t total = 0;
    (void)state;
    random_state = 10;
    run_script("redis.call('FLUSHALL')");
    rebuild();
    for (int i = 0; i < 10; i++)
        apply_some();
    for (int i = 0; i < TALKS; i++) {
        (void)apr_snprintf(ids[i], sizeof ids[i], "talk %d", i);
        many[i] = (ratings_store_talk_t){.talk_id = ids[i], .partition = i % PARTITIONS};
    }
    assert_int_equal(ratings_store_read_many(store, many, TALKS, NO_DEADLINE, &why), APR_SUCCESS);
    for (int i = 0; i < TALKS; i++) {
        ratings_snapshot_t one;
        assert_int_equal(
            ratings_store_read(store, ids[i], many[i].partition, NO_DEADLINE, &one, &why),
            APR_SUCCESS);
        assert_memory_equal(&one.histogram, &many[i].snapshot.histogram, sizeof one.histogram);
        assert_int_equal(one.checkpoint, many[i].snapshot.checkpoint);
        assert_int_equal(one.log_id, many[i].snapshot.log_id);
        assert_int_equal(one.is_behind, many[i].snapshot.is_behind);
        total += one.histogram.count[RATINGS_VALUES - 1];
    }
    assert_true(total > 0);
    run_script("redis.call('SET', 'ratings/talk 1', 'x')");
    assert_int_equal(ratings_store_read_many(store, many, TALKS, NO_DEADLINE, &why),
                     RATINGS_REBUILD_NEEDED);
    run_script("redis.call('FLUSHALL')");
    assert_int_equal(ratings_store_read_many(store, many, 1, NO_DEADLINE, &why), APR_SUCCESS);
    assert_int_equal(many[0].snapshot.checkpoint, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(score_of_the_store_is_that_of_the_core),
        cmocka_unit_test(whatever_happens_a_whole_ranking_is_right),
        cmocka_unit_test(ranking_that_ends_leaves_nothing),
        cmocka_unit_test(rebuild_takes_the_ranking_away),
        cmocka_unit_test(ranking_is_not_that_of_another_generation),
        cmocka_unit_test(lists_are_told_the_whole_ranking),
        cmocka_unit_test(lists_are_told_the_best),
        cmocka_unit_test(many_are_read_as_each_is),
    };
    return cmocka_run_group_tests_name("top", tests, set_up, tear_down);
}
