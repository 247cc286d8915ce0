/* The scripts of the store on a real Redis: what stops one leaves the store as it was, or in need
 * of a rebuild; and what the store says of itself is checked by one function, which the scripts
 * mirror. */
#include "redis_server.h"

#include <sys/resource.h>

static ratings_store_t *admin; /* of the user that may do everything */

/* ---- the server ---- */

static ratings_store_t *store_of(const char *login)
{
    ratings_store_options_t options = {
        apr_psprintf(redis.pool, "redis://%s127.0.0.1:%d", login, redis.port),
        1,
        apr_time_from_sec(5),
        NULL,
        NULL,
        NULL};
    ratings_store_t *store = NULL;
    ratings_result_t why;
    assert_int_equal(ratings_store_create(&store, &options, &why), APR_SUCCESS);
    return store;
}

static void restart_server(const char *options)
{
    ratings_store_destroy(admin);
    redis_stop();
    redis_start(options);
    admin = store_of("");
}

static int set_up(void **state)
{
    (void)state;
    redis_set_up();
    admin = store_of("");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ratings_store_destroy(admin);
    redis_tear_down();
    return 0;
}

/* What a script of the test's own answers. */
static const char *evaluate(const char *script)
{
    redisReply *reply = NULL;
    ratings_result_t why;
    if (store_command(admin, &reply, NO_DEADLINE, &why, "EVAL", script, "0", NULL) != APR_SUCCESS)
        fail_msg("%s: %s", script, why.detail);
    const char *text = apr_pstrdup(redis.pool, reply->str ? reply->str : "");
    freeReplyObject(reply);
    return text;
}

/* Words with a space between them. */
static void command(const char *line)
{
    const char *words[32], *word;
    char *rest = apr_pstrdup(redis.pool, line), *last = NULL;
    size_t lengths[32];
    store_command_t asked = {0, words, lengths, 0, false, NULL};
    redisReply *reply;
    ratings_result_t why;
    while ((word = apr_strtok(rest, " ", &last)) != NULL && asked.argc < 32) {
        rest = NULL;
        words[asked.argc] = word;
        lengths[asked.argc++] = strlen(word);
    }
    assert_int_equal(store_pipeline(admin, &asked, 1, &reply, NO_DEADLINE, &why), APR_SUCCESS);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s: %s", line, reply->str);
    freeReplyObject(reply);
}

/* All that the store holds. */
static const char *contents(void)
{
    return evaluate("local keys, out = redis.call('KEYS', '*'), {} table.sort(keys) "
                    "for _, key in ipairs(keys) do "
                    "  out[#out + 1] = key .. '=' .. redis.sha1hex(redis.call('DUMP', key)) "
                    "end return table.concat(out, ' ')");
}

static int major_version(void)
{
    return atoi(evaluate("return redis.call('INFO', 'server'):match('redis_version:(%d+)')"));
}

/* ---- what the projector asks of it ---- */

static ratings_store_state_t seen;

static void load(ratings_store_t *store)
{
    ratings_result_t why;
    if (ratings_store_load_state(store, NO_DEADLINE, &seen, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
}

/* A store of two partitions, both empty. */
static apr_status_t rebuild(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    static const bool empty[] = {true, false};
    ratings_sweep_t sweep = {.token = "0123456789abcdef", .cursor = "0"};
    apr_status_t status = ratings_store_claim(store, &seen, &sweep, end, why);
    do
        if (status == APR_SUCCESS && *end == RATINGS_CAS_APPLIED)
            status = ratings_store_sweep(store, &sweep, end, why);
    while (status == APR_SUCCESS && *end == RATINGS_CAS_APPLIED && strcmp(sweep.cursor, "0") != 0);
    if (status == APR_SUCCESS && *end == RATINGS_CAS_APPLIED)
        status = ratings_store_open(store, &sweep, "ratings", 2, 2, empty, end, why);
    return status;
}

static ratings_voter_t voter_of(int n)
{
    ratings_voter_t voter = {{0}}; /* any bytes, a 0 among them */
    memcpy(voter.hash, &n, sizeof n);
    voter.hash[RATINGS_VOTER_SIZE - 1] = 0xFF;
    return voter;
}

/* Of the next record of partition 0, which says nothing yet. */
static ratings_batch_t next_batch(void)
{
    int64_t at = seen.checkpoint[0], now = 1000000 * (at + 1);
    return (ratings_batch_t){
        .generation = seen.generation,
        .checkpoint = at,
        .next_checkpoint = at + 1,
        .log_time = now,
        .previous = seen.last[0],
        .last = {at, now, 7},
        .first = {at == 0 ? 0 : RATINGS_FINGERPRINT_NONE, now, 7},
        .barred = seen.barred[0],
        .standing = {.offset = -1},
        .lives = seen.lives[0],
    };
}

/* One record after another of partition 0: an event, all of one talk, each with a key of its own if
 * `keyed`; or a bar; or one that begins an electorate. NULL: none. */
static apr_status_t apply_record(ratings_store_t *store, const ratings_increment_t *increment,
                                 bool keyed, const ratings_bar_t *bar,
                                 const ratings_standing_t *standing, ratings_cas_e *end,
                                 ratings_result_t *why)
{
    const ratings_increment_t *increments[] = {increment};
    ratings_batch_t batch = next_batch();
    int64_t at = batch.checkpoint;
    ratings_key_use_t use = {{"talk", NULL, apr_psprintf(redis.pool, "k%d", (int)at)},
                             {at, batch.log_time + 1, 4},
                             keyed};
    ratings_key_use_t *uses[] = {&use};
    batch.increments = increments;
    batch.increment_count = increment != NULL;
    batch.voted_count = increment && increment->vote_count > 0;
    batch.uses = uses;
    batch.use_count = 1;
    batch.bars = bar;
    batch.bar_count = bar != NULL;
    if (standing)
        batch.standing = *standing;
    const ratings_batch_t *batches[] = {&batch};
    return ratings_store_apply(store, batches, 1, end, why);
}

static apr_status_t apply_increment(ratings_store_t *store, const ratings_increment_t *increment,
                                    bool keyed, ratings_cas_e *end, ratings_result_t *why)
{
    return apply_record(store, increment, keyed, NULL, NULL, end, why);
}

static apr_status_t apply_bar(ratings_store_t *store, int n, bool is_barred, ratings_cas_e *end,
                              ratings_result_t *why)
{
    const ratings_bar_t bar = {voter_of(n), is_barred};
    return apply_record(store, NULL, false, &bar, NULL, end, why);
}

#define ELECTORATE "00112233445566778899aabbccddeeff"

static apr_status_t apply_electorate(ratings_store_t *store, ratings_cas_e *end,
                                     ratings_result_t *why)
{
    static const ratings_standing_t next = {{ELECTORATE}, 2, 1700000000000};
    return apply_record(store, NULL, false, NULL, &next, end, why);
}

/* The ticket `number` of a life has counted, and none other of it; a life is forgotten, or none: 0.
 */
static apr_status_t apply_ticket(ratings_store_t *store, uint64_t life, uint64_t number,
                                 uint64_t forgotten, ratings_cas_e *end, ratings_result_t *why)
{
    ratings_batch_t batch = next_batch();
    ratings_ticket_windows_t tickets = {0};
    uint64_t none;
    const ratings_ticket_t ticket = {life, number};
    assert_int_equal(
        ratings_ticket_windows_check_and_note(&tickets, &ticket, batch.checkpoint, &none),
        RATINGS_TICKET_COUNTS);
    batch.windows = tickets.window;
    batch.window_count = 1;
    batch.forgotten = &forgotten;
    batch.forgotten_count = forgotten != 0;
    const ratings_batch_t *batches[] = {&batch};
    apr_status_t status = ratings_store_apply(store, batches, 1, end, why);
    ratings_ticket_windows_free(&tickets);
    return status;
}

static apr_status_t apply(ratings_store_t *store, bool keyed, ratings_cas_e *end,
                          ratings_result_t *why)
{
    const ratings_increment_t increment = {.talk_id = "talk", .added = {0, 0, 0, 1, 0}};
    return apply_increment(store, &increment, keyed, end, why);
}

/* Of voter number `n`; beside an anonymous rating of 4 if `more`. */
static apr_status_t apply_vote(ratings_store_t *store, int n, int value, bool more,
                               ratings_cas_e *end, ratings_result_t *why)
{
    const ratings_vote_t vote = {.voter = voter_of(n), .value = value};
    const ratings_increment_t increment = {
        .talk_id = "talk", .added = {0, 0, 0, more, 0}, .votes = &vote, .vote_count = 1};
    return apply_increment(store, &increment, false, end, why);
}

static void expect_applied(bool keyed)
{
    ratings_cas_e end;
    ratings_result_t why;
    load(admin);
    if (seen.problem)
        fail_msg("%s", seen.problem);
    if (apply(admin, keyed, &end, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
}

static void expect_rebuilt(void)
{
    ratings_cas_e end;
    ratings_result_t why;
    load(admin);
    if (rebuild(admin, &end, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
    load(admin);
    if (seen.problem)
        fail_msg("after a rebuild: %s", seen.problem);
}

static void expect_vote(int n, int value)
{
    ratings_cas_e end;
    ratings_result_t why;
    load(admin);
    if (apply_vote(admin, n, value, false, &end, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
}

static void expect_bar(int n, bool is_barred)
{
    ratings_cas_e end;
    ratings_result_t why;
    load(admin);
    if (apply_bar(admin, n, is_barred, &end, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
}

static void expect_ticket(uint64_t life, uint64_t number, uint64_t forgotten)
{
    ratings_cas_e end;
    ratings_result_t why;
    load(admin);
    if (apply_ticket(admin, life, number, forgotten, &end, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
}

static int counted(void)
{
    return atoi(evaluate("return redis.call('HGET', 'ratings/talk', '4') or '0'"));
}

/* What the log held is applied, and by how many partitions talks are routed was read in it. */
static void expect_routed(void)
{
    ratings_cas_e end;
    ratings_result_t why;
    load(admin);
    assert_int_equal(ratings_store_set_routing(admin, &seen, 2, 0, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
    assert_int_equal(ratings_store_caught_up(admin, seen.generation, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
}

/* Three events applied, the last of which has forgotten the key of the first. */
static void prepare(void)
{
    command("FLUSHALL");
    expect_rebuilt();
    for (int i = 0; i < 3; i++)
        expect_applied(true);
    expect_routed();
    load(admin);
    assert_null(seen.problem);
    assert_int_equal(counted(), 3);
}

/* ---- judging ---- */

static void store_as_written_is_no_problem(void **state)
{
    (void)state;
    prepare();
    assert_string_equal(seen.topic, "ratings");
    assert_int_equal(seen.checkpoint_count, 2);
    assert_int_equal(seen.routing_partitions, 2);
    assert_int_equal(seen.checkpoint[0], 3);
    assert_int_equal(seen.checkpoint[1], 0);
    assert_int_equal(seen.log_time[0], 3000000);
    assert_false(seen.is_behind);
    assert_int_equal(seen.routing_offset, 0);
    assert_string_equal(
        evaluate("return table.concat({redis.call('HGET', 'ratings:log', 'uses:0'), "
                 "redis.call('HLEN', 'ratings:keys:0'), redis.call('ZCARD', 'ratings:expiry:0')}, "
                 "' ')"),
        "3:1 1 1");
}

#define LONG                                                                                       \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define SET(field, value) "redis.call('HSET', 'ratings:log', '" field "', '" value "')"
#define VAST(field) "redis.call('HSET', 'ratings:log', '" field "', string.rep('x', 6000000))"
#define DROP(fields) "redis.call('HDEL', 'ratings:log', " fields ")"

/* What somebody did to the store, and what load says of it. NULL: no problem, and the scripts
 * say the same. */
static const struct {
    const char *change, *problem;
} changes[] = {
    {"redis.call('DEL', 'ratings:log')", "lost"},
    {"redis.call('SET', 'ratings:log', 'x')", "not what this module writes"},
    {"redis.call('DEL', 'ratings:log') redis.call('SADD', 'ratings:log', 'x')",
     "not what this module writes"},
    {"redis.call('PEXPIRE', 'ratings:log', 1)", NULL},
    {"for i = 1, 30000 do " SET("extra' .. i .. '", "1") " end", "not what this module writes"},
    {VAST("extra"), "not what this module writes"},
    {VAST("generation"), "not what this module writes"},
    {VAST("topic"), "not what this module writes"},
    {DROP("'generation'") VAST("claim"), "not what this module writes"},
    {SET("extra", "1"), NULL},
    {SET("swept", "many"), NULL},
    {DROP("'topic'"), "of which topic"},
    {SET("topic", ""), "field topic"},
    {SET("topic", LONG LONG), "field topic"},
    {SET("topic", "rat\\0ings"), "field topic"},
    {DROP("'generation'"), "of which rebuild"},
    {SET("generation", ""), "field generation"},
    {SET("generation", LONG), "field generation"},
    {SET("generation", "0123\\0x"), "field generation"},
    {SET("generation", "another"), NULL},
    {SET("claim", "left over"), "that is over"},
    {SET("claim", LONG), "field claim"},
    {DROP("'generation'") SET("claim", LONG), "field claim"},
    {DROP("'generation'") SET("claim", "somebody"), "not finished"},
    {SET("behind", ""), "field behind"},
    {SET("behind", "0"), "field behind"},
    {SET("behind", "1"), NULL},
    {SET("suspect", "a word"), "field suspect"},
    {SET("suspect", "0"), "field suspect"},
    {SET("suspect", "-1"), "field suspect"},
    {SET("suspect", "03"), "field suspect"},
    {SET("suspect", "99999999999999999999"), "field suspect"},
    {SET("suspect", ""), "field suspect"},
    {DROP("'partitions'"), "routed"},
    {SET("partitions", "0"), "routed"},
    {SET("partitions", "-1"), "field partitions"},
    {SET("routing", "x"), "field routing"},
    {SET("routing", ""), "field routing"},
    {SET("routing", "01"), "field routing"},
    {SET("routing", LONG), "field routing"},
    {DROP("'routing'"), NULL},
    {SET("electorate", ""), "field electorate"},
    {SET("electorate", "none"), "field electorate"},
    {SET("electorate", "1:2:"), "field electorate"},
    {SET("electorate", "-1:2:00112233445566778899aabbccddeeff"), "field electorate"},
    {SET("electorate", "1:x:00112233445566778899aabbccddeeff"), "field electorate"},
    {SET("electorate", "1:2:00112233445566778899aabbccddeefg"), "field electorate"},
    {SET("electorate", "281474976710656:2:00112233445566778899aabbccddeeff"), "field electorate"},
    {SET("electorate", "1:-1:00112233445566778899aabbccddeeff"), NULL},
    {SET("partitions", "1025"), "field partitions"},
    {SET("partitions", "two"), "field partitions"},
    {SET("partitions", "3"), "routed"},
    {DROP("'positions'"), NULL},
    {SET("positions", "1"), NULL}, /* an older version has extended it */
    {SET("positions", "3"), "no checkpoint of some"},
    {SET("positions", "02"), "field positions"},
    {DROP("'position:0'"), "no checkpoint of some"},
    {DROP("'position:1'"), "no checkpoint of some"},
    {DROP("'position:1', 'first:1', 'positions'") SET("partitions", "1"), NULL},
    {DROP("'position:0', 'mark:0', 'first:0', 'time:0'"), "no checkpoint of some"},
    {SET("position:0", ""), "field position"},
    {SET("position:0", "-1"), "field position"},
    {SET("position:0", "03"), "field position"},
    {SET("position:0", "3 "), "field position"},
    {SET("position:0", "x"), "field position"},
    {SET("position:0", "281474976710656"), "field position"},
    {SET("position:0", "99999999999999999999"), "field position"},
    {SET("position:0", LONG), "field position"},
    {SET("position:0", "applying"), "stopped in its middle"},
    {SET("position:0", "2"), "applied last"},
    {SET("position:0", "4"), "applied last"},
    {SET("position:0", "0"), "has no checkpoint"},
    {SET("position:1", "1"), "applied last"},
    {SET("position:2", "0"), NULL}, /* as an older version extends it */
    {SET("position:3", "0"), "no checkpoint of some"},
    {SET("position:1024", "0"), "cannot be"},
    {SET("position:01", "0"), "cannot be"},
    {SET("position:x", "0"), "cannot be"},
    {SET("mark:7", "0:1:1"), "has no checkpoint"},
    {SET("first:7", "empty"), "has no checkpoint"},
    {SET("time:7", "1"), "has no checkpoint"},
    {DROP("'mark:0'"), "applied last"},
    {SET("mark:0", ""), "field mark"},
    {SET("mark:0", "empty"), "applied last"},
    {SET("mark:0", "2:1"), "field mark"},
    {SET("mark:0", "02:1:1"), "field mark"},
    {SET("mark:0", "2:1:4294967296"), "field mark"},
    {SET("mark:0", "2:1:1\\0x"), "field mark"},
    {SET("mark:0", "1:1:1"), "applied last"},
    {SET("mark:0", LONG), "field mark"},
    {DROP("'first:0'"), "applied first"},
    {SET("first:0", "empty"), "applied first"},
    {SET("first:0", "3:1:1"), "applied first"},
    {SET("first:0", "x"), "field first"},
    {DROP("'time:0'"), "the log's time"},
    {SET("time:0", "-1"), "field time"},
    {SET("time:0", "x"), "field time"},
    {SET("time:0", ""), "field time"},
    {DROP("'uses:0'"), NULL},
    {SET("uses:0", "x"), "field uses"},
    {SET("uses:0", "-1"), "field uses"},
    {SET("uses:0", "01"), "field uses"},
    {SET("uses:0", "3:"), "field uses"},
    {SET("uses:0", ":1"), "field uses"},
    {SET("uses:0", "3:1:1"), "field uses"},
    {SET("uses:0", "03:1"), "field uses"},
    {SET("uses:0", "2:7"), NULL}, /* an older version has applied the last */
    {SET("uses:0", "7"), NULL},
    {SET("tickets:0", "0"), "field tickets"},
    {SET("tickets:0", "3"), "field tickets"},
    {SET("tickets:0", "3:x"), "field tickets"},
    {SET("tickets:0", "3:1025"), "field tickets"},
    {SET("tickets:0", "2:1"), "an older version"},
    {SET("tickets:0", "2:0"), NULL},
    {DROP("'tickets:0'"), NULL},
    {SET("voters:0", "x"), "field voters"},
    {SET("voters:0", "-1"), "field voters"},
    {SET("voters:0", ""), "field voters"},
    {SET("voters:0", "03"), "field voters"},
    {SET("voters:0", "2"), NULL}, /* an older version has applied the last */
    {DROP("'voters:0'"), NULL},
    {SET("voters:7", "1"), NULL},
    {SET("barred:0", "x"), "field barred"},
    {SET("barred:0", "-1"), "field barred"},
    {SET("barred:0", "0"), NULL},
    {SET("barred:0", "1") SET("voters:0", "2"), "an older version"},
    {SET("barred:0", "1") DROP("'voters:0'"), "an older version"},
    {SET("ranking", "1,1,1,1,1"), NULL}, /* no count depends on a ranking */
    {SET("ranking", LONG), NULL},
    {SET("ranking", "1,1,1,1,1") SET("ranked", "x"), NULL},
    {SET("ranking", "1,1,1,1,1") SET("rerank", "x"), NULL},
    {SET("ranking", "1,1,1,1,1") SET("ranked:0", "x"), NULL},
    {SET("ranking", "1,1,1,1,1") "redis.call('SET', 'ratings:top', 'x')", NULL},
};

static void what_is_not_as_it_is_written_must_be_rebuilt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        prepare();
        evaluate(apr_pstrcat(redis.pool, changes[i].change, " return 'OK'", NULL));
        load(admin);
        if (!changes[i].problem && strstr(changes[i].change, "PEXPIRE"))
            AWAIT((load(admin), seen.problem != NULL));
        else if (changes[i].problem ? !seen.problem || !strstr(seen.problem, changes[i].problem)
                                    : seen.problem != NULL)
            fail_msg("%.100s: %s", changes[i].change, seen.problem ? seen.problem : "no problem");
        if (!seen.problem)
            expect_applied(true);
        expect_rebuilt();
        assert_int_equal(counted(), 0);
        expect_applied(true);
    }
}

/* Keys that no field of ratings:log describes: apply.lua finds them. */
static void keys_that_are_not_as_they_are_written_are_corrupt(void **state)
{
    static const char *const rows[] = {
        "redis.call('SET', 'ratings/talk', 'x')",
        "redis.call('HSET', 'ratings/talk', '4', 'x')",
        "redis.call('HSET', 'ratings/talk', '4', '-1')",
        "redis.call('HSET', 'ratings/talk', '4', '')",
        "redis.call('HSET', 'ratings/talk', '4', '9999999999999999')",
        "redis.call('SET', 'ratings:keys:0', 'x')",
        "redis.call('SET', 'ratings:expiry:0', 'x')",
        "redis.call('DEL', 'ratings:keys:0')",
        "redis.call('DEL', 'ratings:expiry:0')",
        "redis.call('DEL', 'ratings:keys:0', 'ratings:expiry:0')",
        "redis.call('HSET', 'ratings:keys:0', 'x', 'y')",
        "redis.call('ZADD', 'ratings:expiry:0', '1', 'y')",
        "redis.call('RENAME', 'ratings:keys:0', 'ratings:keys:1')",
        SET("uses:0", "3:7"),
    };
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof rows / sizeof rows[0]); i++) {
        ratings_cas_e end;
        ratings_result_t why;
        prepare();
        evaluate(apr_pstrcat(redis.pool, rows[i / 2], " return 'OK'", NULL));
        const char *before = contents();
        load(admin);
        assert_int_equal(apply(admin, i % 2, &end, &why), APR_SUCCESS);
        if (end != RATINGS_CAS_CORRUPT)
            fail_msg("%s: %d", rows[i / 2], end);
        assert_string_equal(contents(), before);
        expect_rebuilt();
        expect_applied(true);
    }
}

/* ---- voters ---- */

/* Counts, voters and anonymous ratings of the talk: "0,0,0,3,1 1 3". */
static const char *tally(void)
{
    return evaluate("local counts = redis.call('HMGET', 'ratings/talk', '1', '2', '3', '4', '5') "
                    "for v = 1, 5 do counts[v] = counts[v] or '0' end "
                    "return table.concat({table.concat(counts, ','), "
                    "redis.call('HLEN', 'ratings:voters/talk'), "
                    "redis.call('HGET', 'ratings/talk', 'anonymous') or 'none'}, ' ')");
}

static int own_rating(int n)
{
    const ratings_voter_t voter = voter_of(n);
    ratings_snapshot_t snapshot;
    ratings_result_t why;
    int value = -1;
    if (ratings_store_read_vote(admin, "talk", &voter, 0, NO_DEADLINE, &snapshot, &value, &why) !=
        APR_SUCCESS)
        fail_msg("%s", why.detail);
    return value;
}

static void last_rating_of_a_voter_is_the_one_that_counts(void **state)
{
    static const struct {
        int voter, value;
        const char *tally;
    } steps_of_voters[] = {
        {1, 5, "0,0,0,3,1 1 3"}, {2, 4, "0,0,0,4,1 2 3"}, {1, 2, "0,1,0,4,0 2 3"},
        {1, 2, "0,1,0,4,0 2 3"}, {2, 0, "0,1,0,3,0 1 3"}, {2, 0, "0,1,0,3,0 1 3"},
        {3, 0, "0,1,0,3,0 1 3"}, {1, 0, "0,0,0,3,0 0 3"}, {1, 1, "1,0,0,3,0 1 3"},
        {2, 1, "2,0,0,3,0 2 3"},
    };
    (void)state;
    prepare();
    assert_string_equal(tally(), "0,0,0,3,0 0 none");
    assert_int_equal(own_rating(1), RATINGS_VALUE_NONE);
    for (size_t i = 0; i < sizeof steps_of_voters / sizeof steps_of_voters[0]; i++) {
        expect_vote(steps_of_voters[i].voter, steps_of_voters[i].value);
        assert_string_equal(tally(), steps_of_voters[i].tally);
        assert_int_equal(own_rating(steps_of_voters[i].voter), steps_of_voters[i].value);
    }
    expect_applied(true);
    assert_string_equal(tally(), "2,0,0,4,0 2 4");
    expect_rebuilt();
    assert_string_equal(tally(), "0,0,0,0,0 0 none");
}

/* More than one command takes. */
static void votes_of_many_are_applied_at_once(void **state)
{
    enum { VOTERS = 5001 };
    static ratings_vote_t votes[VOTERS];
    const ratings_increment_t increment = {.talk_id = "talk", .votes = votes, .vote_count = VOTERS};
    (void)state;
    prepare();
    for (int value = 5; value >= RATINGS_VALUE_NONE; value -= 5) {
        ratings_cas_e end;
        ratings_result_t why;
        for (int i = 0; i < VOTERS; i++)
            votes[i] = (ratings_vote_t){.voter = voter_of(i), .value = value};
        load(admin);
        assert_int_equal(apply_increment(admin, &increment, false, &end, &why), APR_SUCCESS);
        assert_int_equal(end, RATINGS_CAS_APPLIED);
        assert_string_equal(tally(), value ? "0,0,0,3,5001 5001 3" : "0,0,0,3,0 0 3");
    }
}

/* What somebody did to a talk with voters, or to what the store says of them: found before the
 * first write, and before the voter's rating is shown. */
static void talk_whose_voters_are_not_as_they_are_written_is_corrupt(void **state)
{
    static const char *const rows[] = {
        "redis.call('DEL', 'ratings:voters/talk')",
        "redis.call('SET', 'ratings:voters/talk', 'x')",
        "redis.call('HSET', 'ratings:voters/talk', 'x', '5')",
        "local key = 'ratings:voters/talk' "
        "redis.call('HDEL', key, redis.call('HKEYS', key)[1])",
        "redis.call('HDEL', 'ratings/talk', 'anonymous')",
        "redis.call('HINCRBY', 'ratings/talk', 'anonymous', '1')",
        "redis.call('HINCRBY', 'ratings/talk', 'anonymous', '-1')",
        "redis.call('HSET', 'ratings/talk', 'anonymous', 'x')",
        "redis.call('HINCRBY', 'ratings/talk', '4', '1')",
        "redis.call('DEL', 'ratings/talk')",
        SET("voters:0", "4"),
        DROP("'voters:0'"),
    };
    const ratings_voter_t voter = voter_of(1);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratings_cas_e end;
        ratings_result_t why;
        ratings_snapshot_t snapshot;
        int value;
        prepare();
        expect_vote(1, 5);
        expect_vote(2, 5);
        evaluate(apr_pstrcat(redis.pool, rows[i], " return 'OK'", NULL));
        const char *before = contents();
        load(admin);
        assert_null(seen.problem);
        assert_int_equal(apply_vote(admin, 1, 3, true, &end, &why), APR_SUCCESS);
        if (end != RATINGS_CAS_CORRUPT)
            fail_msg("%s: %d", rows[i], end);
        assert_string_equal(contents(), before);
        assert_int_equal(
            ratings_store_read_vote(admin, "talk", &voter, 0, NO_DEADLINE, &snapshot, &value, &why),
            RATINGS_REBUILD_NEEDED);
        expect_rebuilt();
        expect_vote(1, 3);
        assert_string_equal(tally(), "0,0,1,0,0 1 0");
    }
}

/* What the sum does not tell: a rating that was edited for another one. */
static void vote_that_is_no_rating_is_corrupt(void **state)
{
    static const char *const values[] = {"6", "0", "x", "", "55"};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        ratings_cas_e end;
        ratings_result_t why;
        prepare();
        expect_vote(1, 5);
        evaluate(apr_pstrcat(redis.pool,
                             "local key = 'ratings:voters/talk' redis.call('HSET', key, ",
                             "redis.call('HKEYS', key)[1], '", values[i], "') return 'OK'", NULL));
        const char *before = contents();
        load(admin);
        assert_int_equal(apply_vote(admin, 1, 3, false, &end, &why), APR_SUCCESS);
        assert_int_equal(end, RATINGS_CAS_CORRUPT);
        assert_string_equal(contents(), before);
    }
    prepare();
    expect_vote(1, 5);
    evaluate("local key = 'ratings:voters/talk' "
             "redis.call('HSET', key, redis.call('HKEYS', key)[1], '2') return 'OK'");
    ratings_cas_e end;
    ratings_result_t why;
    load(admin);
    assert_int_equal(apply_vote(admin, 1, 3, false, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_CORRUPT); /* nobody has rated it with 2 */
}

/* It has counted a voter's event as an anonymous rating. Anonymous events go on meanwhile. */
static void vote_after_an_older_version_leads_to_a_rebuild(void **state)
{
    static const char *const left[] = {"", DROP("'voters:0'")};
    (void)state;
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        ratings_cas_e end;
        ratings_result_t why;
        prepare();
        if (i == 0)
            expect_vote(1, 5);
        evaluate(apr_pstrcat(
            redis.pool,
            "local log, talk = 'ratings:log', 'ratings/talk' "
            "local last = redis.call('HGET', log, 'position:0') "
            "redis.call('HINCRBY', log, 'position:0', 1) redis.call('HINCRBY', talk, '5', 1) "
            "redis.call('HSET', log, 'mark:0', last .. ':3000000:7') ",
            left[i], " return 'OK'", NULL));
        load(admin);
        assert_null(seen.problem);
        expect_applied(true);
        load(admin);
        assert_int_equal(apply_vote(admin, 1, 3, false, &end, &why), APR_SUCCESS);
        assert_int_equal(end, RATINGS_CAS_CORRUPT);
    }
}

/* ---- barred voters ---- */

/* The set that the projector folds with; what it could not load. */
static ratings_cas_e load_barred(ratings_voter_set_t *barred)
{
    ratings_cas_e end;
    ratings_result_t why;
    load(admin);
    assert_null(seen.problem);
    if (ratings_store_load_barred(admin, &seen, 0, barred, &end, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    return end;
}

static void expect_barred(bool first, bool second)
{
    ratings_voter_set_t barred = {0};
    const ratings_voter_t voters[] = {voter_of(1), voter_of(2)};
    const bool expected[] = {first, second};
    load(admin);
    assert_int_equal(seen.barred[0], first + second);
    if (first || second)
        assert_int_equal(load_barred(&barred), RATINGS_CAS_APPLIED);
    for (int i = 0; i < 2; i++) {
        ratings_result_t why;
        int64_t checkpoint;
        bool is_barred = !expected[i];
        assert_int_equal(ratings_voter_set_has(&barred, &voters[i]), expected[i]);
        assert_int_equal(ratings_store_read_barred(admin, &voters[i], 0, NO_DEADLINE, &is_barred,
                                                   &checkpoint, &why),
                         APR_SUCCESS);
        assert_int_equal(is_barred, expected[i]);
        assert_int_equal(checkpoint, seen.checkpoint[0]);
    }
    ratings_voter_set_free(&barred);
}

static void who_is_barred_is_as_the_last_bar_says(void **state)
{
    (void)state;
    prepare();
    expect_barred(false, false);
    expect_bar(1, true);
    expect_bar(1, true);
    expect_barred(true, false);
    expect_bar(2, true);
    expect_barred(true, true);
    expect_bar(1, false);
    expect_bar(1, false);
    expect_barred(false, true);
    expect_bar(2, false);
    expect_barred(false, false);
    expect_bar(1, true);
    expect_rebuilt();
    expect_barred(false, false);
    assert_string_equal(evaluate("return redis.call('EXISTS', 'ratings:barred:0') .. ''"), "0");
}

/* Else the ratings of whoever was barred would count. */
static void barred_voters_that_are_not_as_they_are_written_are_corrupt(void **state)
{
    static const char *const rows[] = {
        "redis.call('DEL', 'ratings:barred:0')",
        "redis.call('SET', 'ratings:barred:0', 'x')",
        "redis.call('HSET', 'ratings:barred:0', 'x', '1')",
        "local key = 'ratings:barred:0' redis.call('HDEL', key, redis.call('HKEYS', key)[1])",
        SET("barred:0", "3"),
    };
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof rows / sizeof rows[0]); i++) {
        ratings_voter_set_t barred = {0};
        ratings_cas_e end;
        ratings_result_t why;
        prepare();
        expect_bar(1, true);
        expect_bar(2, true);
        load(admin);
        ratings_store_state_t was = seen;
        evaluate(apr_pstrcat(redis.pool, rows[i / 2], " return 'OK'", NULL));
        const char *before = contents();
        assert_int_equal(load_barred(&barred), RATINGS_CAS_CORRUPT);
        seen = was; /* the projector has them, and applies another batch */
        assert_int_equal(i % 2 ? apply(admin, false, &end, &why)
                               : apply_bar(admin, 3, true, &end, &why),
                         APR_SUCCESS);
        if (end != RATINGS_CAS_CORRUPT)
            fail_msg("%s: %d", rows[i / 2], end);
        assert_string_equal(contents(), before);
        ratings_voter_set_free(&barred);
        expect_rebuilt();
    }
}

/* As many, but what is no voter. */
static void barred_voter_that_is_none_is_corrupt(void **state)
{
    ratings_voter_set_t barred = {0};
    (void)state;
    prepare();
    expect_bar(1, true);
    evaluate("redis.call('DEL', 'ratings:barred:0') "
             "redis.call('HSET', 'ratings:barred:0', 'x', '1') return 'OK'");
    assert_int_equal(load_barred(&barred), RATINGS_CAS_CORRUPT);
    ratings_voter_set_free(&barred);
}

static void barred_voters_of_another_checkpoint_are_a_conflict(void **state)
{
    ratings_voter_set_t barred = {0};
    ratings_cas_e end;
    ratings_result_t why;
    (void)state;
    prepare();
    expect_bar(1, true);
    load(admin);
    ratings_store_state_t was = seen;
    expect_applied(false);
    assert_int_equal(ratings_store_load_barred(admin, &was, 0, &barred, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_CONFLICT);
    assert_int_equal(barred.count, 0);
}

/* It skips the records of both, and counts what the voter gives as anonymous ratings. */
static void record_after_an_older_version_leads_to_a_rebuild(void **state)
{
    ratings_cas_e end;
    ratings_result_t why;
    (void)state;
    prepare();
    evaluate(SET("voters:0", "2") " return 'OK'");
    load(admin);
    assert_null(seen.problem);
    assert_int_equal(apply_bar(admin, 1, true, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_CORRUPT);
    assert_int_equal(apply_electorate(admin, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_CORRUPT);
}

/* ---- tickets ---- */

#define LIFE UINT64_C(0x1234567890abcdef)

static ratings_cas_e load_tickets(const ratings_store_state_t *state,
                                  ratings_ticket_windows_t *tickets)
{
    ratings_cas_e end;
    ratings_result_t why;
    if (ratings_store_load_tickets(admin, state, 0, tickets, &end, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    return end;
}

static void windows_are_as_the_last_batch_says(void **state)
{
    ratings_ticket_windows_t tickets = {0};
    (void)state;
    prepare();
    assert_int_equal(seen.lives[0], 0);
    assert_int_equal(seen.tickets_to[0], 3);
    expect_ticket(LIFE, 5, 0);
    expect_ticket(1, 0, 0);
    expect_ticket(LIFE, UINT64_MAX, 0);
    expect_applied(true);
    load(admin);
    assert_int_equal(seen.lives[0], 2);
    assert_int_equal(seen.tickets_to[0], 7);
    assert_int_equal(load_tickets(&seen, &tickets), RATINGS_CAS_APPLIED);
    assert_int_equal(tickets.count, 2);
    assert_true(tickets.window[0].life == 1 && tickets.window[0].highest == 0);
    assert_true(tickets.window[1].life == LIFE && tickets.window[1].highest == UINT64_MAX);
    assert_int_equal(tickets.window[1].offset, 5);
    ratings_ticket_windows_free(&tickets);
    expect_ticket(2, 3, 1); /* one goes, another one comes */
    expect_ticket(2, 4, 9); /* one that came within the batch goes again */
    expect_ticket(2, 5, 2); /* and one goes, and comes again */
    load(admin);
    assert_int_equal(seen.lives[0], 2);
    assert_int_equal(load_tickets(&seen, &tickets), RATINGS_CAS_APPLIED);
    assert_true(tickets.window[0].life == 2 && tickets.window[0].highest == 5);
    ratings_ticket_windows_free(&tickets);
    expect_rebuilt();
    assert_int_equal(seen.lives[0], 0);
    assert_string_equal(evaluate("return redis.call('EXISTS', 'ratings:tickets:0') .. ''"), "0");
}

/* Else an event that is appended again would count again. */
static void windows_that_are_not_as_they_are_written_are_corrupt(void **state)
{
    static const char *const rows[] = {
        "redis.call('DEL', 'ratings:tickets:0')",
        "redis.call('SET', 'ratings:tickets:0', 'x')",
        "redis.call('HSET', 'ratings:tickets:0', 'x', '1')",
        "redis.call('HDEL', 'ratings:tickets:0', '1234567890abcdef')",
        SET("tickets:0", "5:3"),
        DROP("'tickets:0'"),
        SET("tickets:0", "4:2"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratings_ticket_windows_t tickets = {0};
        ratings_cas_e end;
        ratings_result_t why;
        prepare();
        expect_ticket(LIFE, 1, 0);
        expect_ticket(1, 1, 0);
        load(admin);
        ratings_store_state_t was = seen;
        evaluate(apr_pstrcat(redis.pool, rows[i], " return 'OK'", NULL));
        const char *before = contents();
        load(admin);
        bool is_noticed = seen.problem || load_tickets(&seen, &tickets) == RATINGS_CAS_CORRUPT;
        if (!is_noticed && seen.lives[0] != 0) /* none: then a ticket before leads to a rebuild */
            fail_msg("%s", rows[i]);
        seen = was; /* the projector has them, and applies another batch */
        assert_int_equal(apply_ticket(admin, LIFE, 2, 0, &end, &why), APR_SUCCESS);
        if (end != RATINGS_CAS_CORRUPT)
            fail_msg("%s: %d", rows[i], end);
        assert_string_equal(contents(), before);
        ratings_ticket_windows_free(&tickets);
        expect_rebuilt();
    }
}

/* As many, but what is no life, or no window. */
static void window_that_is_none_is_corrupt(void **state)
{
    static const char *const rows[] = {
        "'1234567890ABCDEF', redis.call('HGET', key, '1234567890abcdef')",
        "'0000000000000000', redis.call('HGET', key, '1234567890abcdef')",
        "'1234567890abcdef', ''",
        "'1234567890abcdef', string.rep('\\0', 144)",
        "'1234567890abcdef', string.rep('\\255', 145)",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratings_ticket_windows_t tickets = {0};
        prepare();
        expect_ticket(LIFE, 7, 0);
        evaluate(apr_psprintf(redis.pool,
                              "local key = 'ratings:tickets:0' local field, value = %s "
                              "redis.call('DEL', key) redis.call('HSET', key, field, value) "
                              "return 'OK'",
                              rows[i]));
        load(admin);
        if (load_tickets(&seen, &tickets) != RATINGS_CAS_CORRUPT)
            fail_msg("%s", rows[i]);
        ratings_ticket_windows_free(&tickets);
    }
}

static void windows_of_another_checkpoint_are_a_conflict(void **state)
{
    ratings_ticket_windows_t tickets = {0};
    (void)state;
    prepare();
    expect_ticket(LIFE, 1, 0);
    load(admin);
    ratings_store_state_t was = seen;
    expect_applied(false);
    assert_int_equal(load_tickets(&was, &tickets), RATINGS_CAS_CONFLICT);
    assert_int_equal(tickets.count, 0);
}

/* It has moved the checkpoint on. Where no ticket had counted before, the projector looks whether
 * one came among what that version has applied, and else goes on. */
static void tickets_of_before_an_older_version_lead_to_a_rebuild(void **state)
{
    static const char older[] = "local log = 'ratings:log' "
                                "local last = redis.call('HGET', log, 'position:0') "
                                "redis.call('HINCRBY', log, 'position:0', 1) "
                                "redis.call('HSET', log, 'mark:0', last .. ':5000000:7') "
                                "return 'OK'";
    (void)state;
    prepare();
    evaluate(older);
    load(admin);
    assert_null(seen.problem);
    assert_int_equal(seen.tickets_to[0], seen.checkpoint[0] - 1);
    expect_ticket(LIFE, 1, 0);
    evaluate(older);
    load(admin);
    assert_non_null(seen.problem);
    assert_non_null(strstr(seen.problem, "an older version"));
    expect_rebuilt();
}

/* How many commands a batch is, by Redis's own count. */
static int commands_counted(void)
{
    return atoi(evaluate("local calls = 0 "
                         "for name, n in redis.call('INFO', "
                         "'commandstats'):gmatch('cmdstat_(%w+)[^:]*:calls=(%d+)') do "
                         "  if not name:find('^eval') and name ~= 'echo' and name ~= 'config' and "
                         "name ~= 'info' then "
                         "    calls = calls + n end end return calls .. ''"));
}

static int commands_of_tickets(void)
{
    ratings_cas_e end;
    ratings_result_t why;
    load(admin);
    command("CONFIG RESETSTAT");
    assert_int_equal(apply_ticket(admin, LIFE, (uint64_t)seen.checkpoint[0], 0, &end, &why),
                     APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
    return commands_counted();
}

static int commands_of(bool keyed, bool voted)
{
    ratings_cas_e end;
    ratings_result_t why;
    load(admin);
    command("CONFIG RESETSTAT");
    if (voted)
        assert_int_equal(apply_vote(admin, 1, 5, true, &end, &why), APR_SUCCESS);
    else
        assert_int_equal(apply(admin, keyed, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
    return commands_counted();
}

static void batch_without_votes_costs_what_it_did(void **state)
{
    (void)state;
    command("FLUSHALL");
    expect_rebuilt();
    /* HMGET, HLEN, ZCARD; HMGET of the talk; HSET without effect; HSET, HSET of the talk, HLEN,
     * HSET */
    assert_int_equal(commands_of(false, false), 9);
    /* the talk's first vote: HLEN; HDEL without effect; HSET */
    assert_int_equal(commands_of(false, true), 9 + 3);
    /* the same again: HLEN, HMGET; HDEL without effect */
    assert_int_equal(commands_of(false, true), 9 + 3);
    /* the talk has a voter now */
    assert_int_equal(commands_of(false, false), 9);
    /* HLEN, while anybody is barred */
    expect_bar(1, true);
    assert_int_equal(commands_of(false, false), 9 + 1);
    expect_bar(1, false);
    assert_int_equal(commands_of(false, false), 9);
    /* tickets, without a talk: HLEN, HDEL without effect, HSET */
    assert_int_equal(commands_of_tickets(), 9 - 2 + 3);
    assert_int_equal(commands_of_tickets(), 9 - 2 + 3);
    assert_int_equal(commands_of(false, false), 9);
}

/* As a rolling upgrade is: a version that knows no uses:N goes on between two that do. */
static void count_that_an_older_version_left_behind_is_no_damage(void **state)
{
    (void)state;
    prepare();
    const char *left = evaluate("return redis.call('HGET', 'ratings:log', 'uses:0')");
    expect_applied(true);
    evaluate("redis.call('HSET', 'ratings:keys:0', 'x', '1:9:9') "
             "redis.call('ZADD', 'ratings:expiry:0', '9', 'x') return 'OK'");
    evaluate(apr_psprintf(redis.pool,
                          "redis.call('HSET', 'ratings:log', 'uses:0', '%s') return 'OK'", left));
    expect_applied(true);
    assert_int_equal(counted(), 5);
}

/* Out of memory, more than the kernel gives. */
static void batch_that_cannot_be_sent_is_not_applied(void **state)
{
    static const ratings_increment_t increment = {.talk_id = "talk", .added = {0, 0, 0, 1, 0}};
    static const ratings_increment_t *const increments[] = {&increment};
    const ratings_batch_t small = {
        .generation = "x", .increments = increments, .increment_count = 1};
    const ratings_batch_t huge = {.generation = "x", .increment_count = 300000000};
    const ratings_batch_t *batches[] = {&small, &huge};
    ratings_cas_e ends[] = {RATINGS_CAS_APPLIED, RATINGS_CAS_APPLIED};
    ratings_result_t why;
    struct rlimit was, little;
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* it ends a program that asks for so much */
#endif
    assert_int_equal(getrlimit(RLIMIT_AS, &was), 0);
    little = was;
    little.rlim_cur = 1 << 30;
    assert_int_equal(setrlimit(RLIMIT_AS, &little), 0);
    apr_status_t status = ratings_store_apply(admin, batches, 2, ends, &why);
    assert_int_equal(setrlimit(RLIMIT_AS, &was), 0);
    assert_int_equal(status, RATINGS_NOT_ASKED);
    assert_int_equal(ends[0], RATINGS_CAS_CONFLICT);
    assert_int_equal(ends[1], RATINGS_CAS_CONFLICT);
}

/* ---- what a user may not do ---- */

/* The line of the documents: its commands, as "+name". */
static char *documented_line(void)
{
    FILE *file = fopen("docs/security.md", "r");
    char line[1024];
    assert_non_null(file);
    while (fgets(line, sizeof line, file) && !strstr(line, "ACL SETUSER ratings "))
        ;
    fclose(file);
    assert_non_null(strstr(line, "ACL SETUSER ratings "));
    line[strcspn(line, "\n")] = '\0';
    return apr_pstrdup(redis.pool, strstr(line, "ACL SETUSER ratings "));
}

static ratings_store_t *documented_user(void)
{
    command("ACL DELUSER ratings");
    command(documented_line());
    return store_of("ratings:PASSWORD@");
}

typedef apr_status_t (*step_f)(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why);

static apr_status_t apply_keyed(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return apply(store, true, end, why);
}

static apr_status_t apply_unkeyed(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return apply(store, false, end, why);
}

static apr_status_t apply_voted(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return apply_vote(store, 1, 5, true, end, why);
}

static apr_status_t apply_barring(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return apply_bar(store, 1, true, end, why);
}

static apr_status_t apply_ticketed(ratings_store_t *store, ratings_cas_e *end,
                                   ratings_result_t *why)
{
    return apply_ticket(store, LIFE, 1, 9, end, why);
}

static apr_status_t read_barred(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    const ratings_voter_t voter = voter_of(1);
    bool is_barred;
    int64_t checkpoint;
    *end = RATINGS_CAS_APPLIED;
    return ratings_store_read_barred(store, &voter, 0, NO_DEADLINE, &is_barred, &checkpoint, why);
}

static apr_status_t read_vote(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    const ratings_voter_t voter = voter_of(1);
    ratings_snapshot_t snapshot;
    int value;
    *end = RATINGS_CAS_APPLIED;
    return ratings_store_read_vote(store, "talk", &voter, 0, NO_DEADLINE, &snapshot, &value, why);
}

static apr_status_t add_partitions(ratings_store_t *store, ratings_cas_e *end,
                                   ratings_result_t *why)
{
    return ratings_store_add_partitions(store, &seen, 5, end, why);
}

static apr_status_t caught_up(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return ratings_store_caught_up(store, seen.generation, end, why);
}

static apr_status_t set_routing(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return ratings_store_set_routing(store, &seen, 1, 2, end, why);
}

static apr_status_t advance(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return ratings_store_advance(store, &seen, 1, 7, end, why);
}

static apr_status_t request_rebuild(ratings_store_t *store, ratings_cas_e *end,
                                    ratings_result_t *why)
{
    return ratings_store_request_rebuild(store, seen.generation, 1, end, why);
}

static apr_status_t read_talk(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    ratings_snapshot_t snapshot;
    *end = RATINGS_CAS_APPLIED;
    return ratings_store_read(store, "a", 0, NO_DEADLINE, &snapshot, why);
}

static apr_status_t read_many(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    ratings_store_talk_t talks[] = {{.talk_id = "a"}, {.talk_id = "b"}};
    *end = RATINGS_CAS_APPLIED;
    return ratings_store_read_many(store, talks, 2, NO_DEADLINE, why);
}

static void count_ranked(void *data, const char *talk_id, double score)
{
    (void)talk_id, (void)score;
    ++*(int *)data;
}

static apr_status_t read_top(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    int ranked = 0;
    *end = RATINGS_CAS_APPLIED;
    return ratings_store_read_top(store, NO_DEADLINE, count_ranked, &ranked, why);
}

static apr_status_t read_use(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    ratings_use_t use;
    int64_t position;
    *end = RATINGS_CAS_APPLIED;
    const ratings_store_key_t key = {"a", NULL, "key"};
    return ratings_store_read_use(store, &key, 0, NO_DEADLINE, &use, &position, why);
}

static apr_status_t set_ranking(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return ratings_store_set_ranking(store, seen.generation, "1,1,1,1,1", end, why);
}

static apr_status_t end_ranking(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return ratings_store_set_ranking(store, seen.generation, "", end, why);
}

static apr_status_t rank_more(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return ratings_store_rank(store, seen.generation, end, why);
}

static apr_status_t apply_ranked(ratings_store_t *store, ratings_cas_e *end, ratings_result_t *why)
{
    return apply(store, false, end, why);
}

static const step_f steps[] = {
    apply_keyed,     apply_unkeyed, add_partitions, set_routing,      advance,     caught_up,
    request_rebuild, rebuild,       read_talk,      read_use,         apply_voted, read_vote,
    read_barred,     apply_barring, apply_ticketed, apply_electorate, set_ranking, end_ranking,
    rank_more,       apply_ranked,  read_many,      read_top};

#define STEPS (sizeof steps / sizeof steps[0])

/* As a step needs it: these are of a store that is to rank its talks. */
static void prepare_for(step_f step)
{
    ratings_cas_e end;
    ratings_result_t why;
    prepare();
    if (step != end_ranking && step != rank_more && step != apply_ranked)
        return;
    assert_int_equal(set_ranking(admin, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
}

/* A step is done, or refused with a reason that names the command while nothing has changed. */
static bool expect_all_or_nothing(ratings_store_t *store, step_f step, const char *denied)
{
    ratings_cas_e end = RATINGS_CAS_CONFLICT;
    ratings_result_t why;
    prepare_for(step);
    const char *before = contents();
    if (step(store, &end, &why) == APR_SUCCESS) {
        assert_int_equal(end, RATINGS_CAS_APPLIED);
        return true;
    }
    if (strcmp(contents(), before) != 0)
        fail_msg("%s: %s: something was written: %s", denied, why.detail, contents());
    const char *reason = ratings_store_fault_text(why.fault);
    if (denied && (!reason || !strstr(reason, apr_psprintf(redis.pool, " %s ", denied))))
        fail_msg("%s: %s: %s", denied, why.detail, reason ? reason : "no reason");
    return false;
}

static const char *upper(const char *name)
{
    char *text = apr_pstrdup(redis.pool, name);
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    return text;
}

static void documented_user_may_do_all_of_it(void **state)
{
    ratings_store_t *store = documented_user();
    char holder[RATINGS_TOKEN_MAX + 1];
    bool held = false;
    ratings_result_t why;
    (void)state;
    for (size_t i = 0; i < STEPS; i++)
        assert_true(expect_all_or_nothing(store, steps[i], NULL));
    for (int i = 0; i < 2; i++)
        assert_int_equal(ratings_store_acquire_lease(store, "me", "", 300000, &held, holder, &why),
                         APR_SUCCESS);
    assert_true(held);
    assert_int_equal(ratings_store_release_lease(store, "me", NO_DEADLINE, &why), APR_SUCCESS);
    ratings_store_destroy(store);
}

static void denied_command_changes_nothing(void **state)
{
    ratings_store_t *store = documented_user();
    int refused = 0;
    char *last = NULL, *line = documented_line();
    (void)state;
    for (char *word = apr_strtok(line, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
        if (word[0] != '+')
            continue;
        command(apr_psprintf(redis.pool, "ACL SETUSER ratings -%s", word + 1));
        ratings_store_retire(store, ratings_monotonic()); /* ECHO is tried with a connection */
        for (size_t i = 0; i < STEPS; i++)
            refused += !expect_all_or_nothing(store, steps[i], upper(word + 1));
        command(apr_psprintf(redis.pool, "ACL SETUSER ratings %s", word));
        for (size_t i = 0; i < STEPS; i++)
            assert_true(expect_all_or_nothing(store, steps[i], NULL));
    }
    assert_in_range(refused, 15, 200);
    ratings_store_destroy(store);
}

static void renamed_command_changes_nothing(void **state)
{
    static const char *const names[] = {"HSET", "HDEL",  "ZADD",   "ZREM", "ZRANGEBYSCORE",
                                        "HLEN", "ZCARD", "UNLINK", "HMGET"};
    (void)state;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        /* what was written before it was renamed: kept in a file, as the store cannot be made now
         */
        ratings_cas_e end;
        ratings_result_t why;
        prepare_for(rank_more);
        command("SAVE");
        restart_server(apr_psprintf(redis.pool, "--rename-command %s \"''\"", names[n]));
        const char *before = contents();
        ratings_store_state_t was = seen;
        for (size_t i = 0; i < STEPS; i++) {
            seen = was;
            if (steps[i] != rebuild && steps[i](admin, &end, &why) == APR_SUCCESS)
                before = contents(); /* it takes no such command */
            assert_string_equal(contents(), before);
        }
        seen = was;
        assert_int_not_equal(rebuild(admin, &end, &why), APR_SUCCESS);
        assert_non_null(ratings_store_fault_text(why.fault));
        assert_non_null(strstr(ratings_store_fault_text(why.fault), names[n]));
        assert_string_equal(contents(), before);
        restart_server("");
    }
}

/* Allowed on all keys but the talks': it is stopped after it has begun. */
static void script_stopped_in_its_middle_leads_to_a_rebuild(void **state)
{
    ratings_cas_e end;
    ratings_result_t why;
    ratings_snapshot_t snapshot;
    (void)state;
    if (major_version() < 7)
        skip();
    prepare();
    command("ACL SETUSER half on >half resetkeys ~ratings:* +@all "
            "(~ratings* +eval +evalsha +hmget +type)");
    ratings_store_t *store = store_of("half:half@");
    assert_int_not_equal(apply(store, true, &end, &why), APR_SUCCESS);
    assert_non_null(strstr(why.detail, "(HSET)"));
    load(admin);
    assert_string_equal(seen.problem, "a write to the store was stopped in its middle");
    assert_int_equal(ratings_store_read(admin, "talk", 0, NO_DEADLINE, &snapshot, &why),
                     RATINGS_REBUILD_NEEDED);
    const char *before = contents();
    assert_int_not_equal(rebuild(store, &end, &why), APR_SUCCESS); /* as long as it would loop */
    assert_string_equal(contents(), before);
    command("ACL SETUSER half ~*");
    assert_int_equal(rebuild(store, &end, &why), APR_SUCCESS);
    expect_applied(true);
    assert_int_equal(counted(), 1);
    ratings_store_destroy(store);
}

/* ---- each compare-and-set ---- */

/* What somebody else has done since the state was loaded, so that a step changes nothing. */
static const struct {
    step_f step;
    const char *change;
} conflicts[] = {
    {apply_keyed, SET("generation", "another")},
    {apply_keyed, SET("position:0", "9")},
    {apply_keyed, SET("mark:0", "2:1:1")},
    {apply_keyed, DROP("'mark:0'")},
    {apply_unkeyed, SET("generation", "another")},
    {apply_ticketed, SET("generation", "another")},
    {apply_ticketed, SET("position:0", "9")},
    {add_partitions, SET("generation", "another")},
    {add_partitions, SET("position:2", "0")},
    {set_routing, SET("generation", "another")},
    {set_routing, SET("routing", "7")},
    {set_routing, DROP("'routing'")},
    {advance, SET("generation", "another")},
    {advance, SET("position:1", "3")},
    {advance, SET("mark:1", "0:1:1")},
    {caught_up, SET("generation", "another")},
    {request_rebuild, SET("generation", "another")},
    {set_ranking, SET("generation", "another")},
    {end_ranking, SET("generation", "another")},
    {rank_more, SET("generation", "another")},
    {rank_more, DROP("'rerank'")},
    {rank_more, DROP("'ranking'")},
    {rank_more, SET("ranking", "none")},
    {rebuild, SET("generation", "another")},
    {rebuild, SET("claim", "somebody")},
};

static void expect_conflict(step_f step, const char *change)
{
    ratings_cas_e end = RATINGS_CAS_APPLIED;
    ratings_result_t why;
    prepare_for(step);
    evaluate(apr_pstrcat(redis.pool, change, " return 'OK'", NULL));
    const char *before = contents();
    if (step(admin, &end, &why) != APR_SUCCESS)
        fail_msg("%s: %s", change, why.detail);
    if (end != RATINGS_CAS_CONFLICT)
        fail_msg("%s: %d", change, end);
    assert_string_equal(contents(), before);
}

static void step_after_somebody_else_has_written_is_a_conflict(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof conflicts / sizeof conflicts[0]; i++)
        expect_conflict(conflicts[i].step, conflicts[i].change);
    for (size_t i = 0; i < STEPS; i++) {
        if (steps[i] == read_talk || steps[i] == read_use || steps[i] == read_vote ||
            steps[i] == read_barred || steps[i] == read_many || steps[i] == read_top)
            continue;
        expect_conflict(steps[i], "redis.call('DEL', 'ratings:log')");
        expect_conflict(steps[i], "redis.call('SET', 'ratings:log', 'x')");
    }
}

/* A step of a sweep, and opening, in a store that somebody else has claimed or that was restored.
 */
static void rebuild_that_lost_its_claim_is_a_conflict(void **state)
{
    static const char *const rows[] = {SET("claim", "somebody"), SET("swept", "7"),
                                       "redis.call('DEL', 'ratings:log')"};
    static const bool empty[] = {true, true};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ratings_sweep_t sweep = {.token = "0123456789abcdef", .cursor = "0"};
        ratings_cas_e end;
        ratings_result_t why;
        prepare();
        assert_int_equal(ratings_store_claim(admin, &seen, &sweep, &end, &why), APR_SUCCESS);
        assert_int_equal(ratings_store_sweep(admin, &sweep, &end, &why), APR_SUCCESS);
        assert_int_equal(end, RATINGS_CAS_APPLIED);
        evaluate(apr_pstrcat(redis.pool, rows[i], " return 'OK'", NULL));
        const char *before = contents();
        assert_int_equal(ratings_store_sweep(admin, &sweep, &end, &why), APR_SUCCESS);
        assert_int_equal(end, RATINGS_CAS_CONFLICT);
        assert_int_equal(ratings_store_open(admin, &sweep, "ratings", 2, 2, empty, &end, &why),
                         APR_SUCCESS);
        assert_int_equal(end, RATINGS_CAS_CONFLICT);
        assert_string_equal(contents(), before);
    }
}

static void expect_step(step_f step)
{
    ratings_cas_e end;
    ratings_result_t why;
    if (step(admin, &end, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
    load(admin);
    assert_null(seen.problem);
}

static void each_step_writes_what_it_says(void **state)
{
    (void)state;
    command("FLUSHALL");
    expect_rebuilt();
    assert_true(seen.is_behind);
    assert_int_equal(seen.first[0].offset, RATINGS_FINGERPRINT_EMPTY);
    assert_int_equal(seen.first[1].offset, RATINGS_FINGERPRINT_NONE);
    assert_int_equal(seen.routing_offset, -1);
    expect_step(caught_up);
    assert_false(seen.is_behind);
    expect_step(set_routing);
    assert_int_equal(seen.routing_partitions, 1);
    assert_int_equal(seen.routing_offset, 2);
    assert_int_equal(seen.standing.offset, -1);
    assert_string_equal(seen.standing.electorate.name, "");
    expect_step(apply_electorate);
    assert_int_equal(seen.standing.offset, 2);
    assert_int_equal(seen.standing.timestamp, 1700000000000);
    assert_string_equal(seen.standing.electorate.name, ELECTORATE);
    expect_step(apply_unkeyed);
    assert_string_equal(seen.standing.electorate.name, ELECTORATE); /* which stays */
    expect_step(advance);
    assert_int_equal(seen.checkpoint[1], 7);
    assert_int_equal(seen.first[1].offset, RATINGS_FINGERPRINT_EMPTY);
    expect_step(add_partitions);
    assert_int_equal(seen.checkpoint_count, 5);
    assert_int_equal(seen.checkpoint[4], 0);
    expect_step(request_rebuild);
    assert_int_equal(seen.rebuild_request, 1);
}

/* ---- a server that is full ---- */

static void full_server_changes_nothing_but_what_frees_memory(void **state)
{
    ratings_cas_e end;
    ratings_result_t why;
    (void)state;
    static const step_f batches[] = {apply_keyed, apply_unkeyed, apply_voted, apply_ticketed};
    const size_t count = sizeof batches / sizeof batches[0];
    for (size_t i = 0; i < 2 * count; i++) {
        if (i < count) {
            prepare();
        } else { /* no key expires, so that fewer commands are tried */
            command("FLUSHALL");
            expect_rebuilt();
        }
        const char *before = contents();
        command("CONFIG SET maxmemory 1");
        assert_int_equal(batches[i % count](admin, &end, &why), APR_EGENERAL);
        assert_non_null(strstr(why.detail, "OOM"));
        assert_string_equal(contents(), before);
        if (i < count) {
            assert_int_equal(rebuild(admin, &end, &why), APR_SUCCESS);
            assert_int_equal(end, RATINGS_CAS_APPLIED);
        }
        command("CONFIG SET maxmemory 0");
        if (i < count)
            expect_applied(true);
    }
}

/* ---- the lease ---- */

static void what_is_no_lease_goes(void **state)
{
    static const char *const rows[] = {"SET ratings:projector x",
                                       "SET ratings:projector x PX 61000",
                                       "SET ratings:projector x EX 9999999",
                                       "RPUSH ratings:projector x", "HSET ratings:projector x y"};
    char holder[RATINGS_TOKEN_MAX + 1];
    ratings_result_t why;
    bool held;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        command("FLUSHALL");
        command(rows[i]);
        assert_int_equal(ratings_store_acquire_lease(admin, "me", "", 300000, &held, holder, &why),
                         APR_SUCCESS);
        assert_true(held);
        assert_int_equal(ratings_store_acquire_lease(admin, "you", "", 300000, &held, holder, &why),
                         APR_SUCCESS);
        assert_false(held);
        assert_string_equal(holder, "me");
    }
}

static void lease_is_given_up_by_who_holds_it(void **state)
{
    char holder[RATINGS_TOKEN_MAX + 1];
    ratings_result_t why;
    bool held;
    (void)state;
    command("FLUSHALL");
    assert_int_equal(ratings_store_acquire_lease(admin, "me", "", 5000000, &held, holder, &why),
                     APR_SUCCESS);
    assert_true(held);
    assert_int_equal(ratings_store_release_lease(admin, "you", NO_DEADLINE, &why), APR_SUCCESS);
    assert_string_equal(evaluate("return redis.call('GET', 'ratings:projector')"), "me");
    assert_int_equal(ratings_store_release_lease(admin, "me", NO_DEADLINE, &why), APR_SUCCESS);
    assert_int_equal(ratings_store_acquire_lease(admin, "you", "", 5000000, &held, holder, &why),
                     APR_SUCCESS);
    assert_true(held);
}

static void lease_of_the_same_host_is_taken_over(void **state)
{
    static const struct {
        const char *host;
        bool held;
    } rows[] = {{"", false}, {"there:", false}, {"here:", true}};
    char holder[RATINGS_TOKEN_MAX + 1];
    ratings_result_t why;
    bool held;
    (void)state;
    command("FLUSHALL");
    command("SET ratings:projector here:me PX 5000");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(ratings_store_acquire_lease(admin, "here:you", rows[i].host, 5000000,
                                                     &held, holder, &why),
                         APR_SUCCESS);
        assert_int_equal(held, rows[i].held);
        assert_string_equal(holder, held ? "here:you" : "here:me");
    }
}

/* ---- by digest ---- */

/* How often the server was asked for a command since CONFIG RESETSTAT, whether it refused or not.
 */
static int calls_of(const char *name)
{
    redisReply *reply;
    ratings_result_t why;
    int calls = 0, rejected = 0;
    assert_int_equal(store_command(admin, &reply, NO_DEADLINE, &why, "INFO", "commandstats", NULL),
                     APR_SUCCESS);
    const char *line = strstr(reply->str, apr_psprintf(redis.pool, "cmdstat_%s:", name));
    if (line)
        (void)sscanf(strchr(line, ':'), ":calls=%d,", &calls);
    const char *more = line ? strstr(line, "rejected_calls=") : NULL;
    if (more)
        (void)sscanf(more, "rejected_calls=%d", &rejected);
    freeReplyObject(reply);
    return calls + rejected;
}

static void expect_loads(ratings_store_t *store, int evaluated_by_digest, int evaluated)
{
    ratings_result_t why;
    ratings_store_state_t state;
    command("CONFIG RESETSTAT");
    assert_int_equal(ratings_store_load_state(store, NO_DEADLINE, &state, &why), APR_SUCCESS);
    assert_int_equal(ratings_store_load_state(store, NO_DEADLINE, &state, &why), APR_SUCCESS);
    assert_int_equal(calls_of("evalsha"), evaluated_by_digest);
    assert_int_equal(calls_of("eval"), evaluated);
}

static void script_is_sent_whole_where_its_digest_says_nothing(void **state)
{
    (void)state;
    prepare();
    ratings_store_t *store = documented_user();
    command("SCRIPT FLUSH");
    expect_loads(store, 2, 1);
    expect_loads(store, 2, 0);
    command("SCRIPT FLUSH");
    expect_loads(store, 2, 1);
    ratings_store_destroy(store);
}

static void script_is_sent_whole_to_who_refuses_digests(void **state)
{
    (void)state;
    prepare();
    ratings_store_t *store = documented_user();
    command("ACL SETUSER ratings -evalsha");
    expect_loads(store, 1, 2);
    expect_loads(store, 0, 2);
    ratings_store_retire(store, ratings_monotonic()); /* another connection may be allowed to */
    command("ACL SETUSER ratings +evalsha");
    expect_loads(store, 2, 0);
    ratings_store_destroy(store);
    restart_server("--rename-command EVALSHA \"''\"");
    prepare();
    expect_loads(admin, 0, 2); /* nor is a command counted that the server does not know */
    restart_server("");
}

/* ---- what a refusal says ---- */

static void refusal_names_the_command(void **state)
{
    static const struct {
        const char *text, *command;
    } rows[] = {
        {"NOPERM this user has no permissions to run the 'zadd' command", " ZADD "},
        {"NOPERM this user has no permissions to run the 'eval' command or its subcommand",
         " EVAL "},
        {"ERR unknown command `HGETALL`, with args beginning with: `ratings:log`, ", " HGETALL "},
        {"ERR The user executing the script can't run this command or subcommand (HSET)", " HSET "},
        {"OOM command not allowed when used memory > 'maxmemory'. (ZADD)", NULL},
        {"READONLY You can't write against a read only replica. (UNLINK)", NULL},
        {"ERR Unknown Redis command called from script (HLEN)", " HLEN "},
        {"NOPERM ACL failure in script: User ratings has no permissions to run the 'hset' command "
         "(HSET)",
         " HSET "},
        {"ERR ACL failure in script: User ratings has no permissions to run the 'hlen' command "
         "(HLEN)",
         " HLEN "},
        {"NOPERM this user has no permissions to access one of the keys used as arguments",
         " a key "},
        {"NOAUTH Authentication required.", NULL},
        {"ERR nothing of the kind (FLUSHALL)", NULL},
        {"ERR (", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fault = store_refusal_fault(rows[i].text);
        const char *reason = fault > RATINGS_STORE_DENIED ? ratings_store_fault_text(fault) : NULL;
        if (rows[i].command ? !reason || !strstr(reason, rows[i].command) : reason != NULL)
            fail_msg("%s: %s", rows[i].text, reason ? reason : "no reason");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_as_written_is_no_problem),
        cmocka_unit_test(what_is_not_as_it_is_written_must_be_rebuilt),
        cmocka_unit_test(keys_that_are_not_as_they_are_written_are_corrupt),
        cmocka_unit_test(count_that_an_older_version_left_behind_is_no_damage),
        cmocka_unit_test(last_rating_of_a_voter_is_the_one_that_counts),
        cmocka_unit_test(votes_of_many_are_applied_at_once),
        cmocka_unit_test(talk_whose_voters_are_not_as_they_are_written_is_corrupt),
        cmocka_unit_test(who_is_barred_is_as_the_last_bar_says),
        cmocka_unit_test(barred_voters_that_are_not_as_they_are_written_are_corrupt),
        cmocka_unit_test(barred_voter_that_is_none_is_corrupt),
        cmocka_unit_test(barred_voters_of_another_checkpoint_are_a_conflict),
        cmocka_unit_test(record_after_an_older_version_leads_to_a_rebuild),
        cmocka_unit_test(windows_are_as_the_last_batch_says),
        cmocka_unit_test(windows_that_are_not_as_they_are_written_are_corrupt),
        cmocka_unit_test(window_that_is_none_is_corrupt),
        cmocka_unit_test(windows_of_another_checkpoint_are_a_conflict),
        cmocka_unit_test(tickets_of_before_an_older_version_lead_to_a_rebuild),
        cmocka_unit_test(vote_that_is_no_rating_is_corrupt),
        cmocka_unit_test(vote_after_an_older_version_leads_to_a_rebuild),
        cmocka_unit_test(batch_without_votes_costs_what_it_did),
        cmocka_unit_test(batch_that_cannot_be_sent_is_not_applied),
        cmocka_unit_test(documented_user_may_do_all_of_it),
        cmocka_unit_test(denied_command_changes_nothing),
        cmocka_unit_test(renamed_command_changes_nothing),
        cmocka_unit_test(script_stopped_in_its_middle_leads_to_a_rebuild),
        cmocka_unit_test(step_after_somebody_else_has_written_is_a_conflict),
        cmocka_unit_test(rebuild_that_lost_its_claim_is_a_conflict),
        cmocka_unit_test(each_step_writes_what_it_says),
        cmocka_unit_test(full_server_changes_nothing_but_what_frees_memory),
        cmocka_unit_test(what_is_no_lease_goes),
        cmocka_unit_test(lease_is_given_up_by_who_holds_it),
        cmocka_unit_test(lease_of_the_same_host_is_taken_over),
        cmocka_unit_test(script_is_sent_whole_where_its_digest_says_nothing),
        cmocka_unit_test(script_is_sent_whole_to_who_refuses_digests),
        cmocka_unit_test(refusal_names_the_command),
    };
    return cmocka_run_group_tests_name("scripts", tests, set_up, tear_down);
}
