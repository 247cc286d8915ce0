/* What of ratings-audit needs neither Kafka nor Redis: the fold and the keys. */
#include "../../src/core/event.h"
#include "../../src/core/ticket_window.h"
#include "../../src/ctl/audit_fold.h"
#include "unit.h"

#include <stdio.h>

/* ---- the fold ---- */

#define PARTITIONS 2

static void fold_text(audit_fold_t *fold, int partition, int64_t timestamp, bool append_time,
                      const char *key, const char *value)
{
    char *k = unit_copy(key, strlen(key)), *v = unit_copy(value, strlen(value));
    const audit_record_t record = {.partition = partition,
                                   .offset = fold->partition[partition].next,
                                   .timestamp = timestamp,
                                   .append_time = append_time,
                                   .key = k,
                                   .value = v,
                                   .key_len = strlen(key),
                                   .value_len = strlen(value)};

    assert_true(audit_fold_record(fold, &record));
    free(k);
    free(v);
}

#define EVENT_MAX 512

/* `key` NULL: none */
static void write_event(char text[EVENT_MAX], const char *talk, int value, const char *key,
                        int64_t window)
{
    (void)snprintf(text, EVENT_MAX, "{\"version\":1,\"talkId\":\"%s\",\"value\":%d", talk, value);
    if (key)
        (void)snprintf(text + strlen(text), EVENT_MAX - strlen(text),
                       ",\"idempotencyKey\":\"%s\",\"idempotencyWindow\":%lld", key,
                       (long long)window);
    unit_append(text, EVENT_MAX, "}");
}

static void rate(audit_fold_t *fold, int partition, const char *talk, int value, const char *key,
                 int64_t window, int64_t at)
{
    char text[EVENT_MAX];

    write_event(text, talk, value, key, window);
    fold_text(fold, partition, at, true, talk, text);
}

/* A record that says who it is. */
static void fold_named(audit_fold_t *fold, int partition, const char *source, const char *id,
                       const char *talk, const char *value)
{
    char *s = unit_copy(source, strlen(source)), *i = unit_copy(id, strlen(id));
    const audit_record_t record = {.partition = partition,
                                   .offset = fold->partition[partition].next,
                                   .timestamp = 1,
                                   .append_time = true,
                                   .key = talk,
                                   .value = value,
                                   .key_len = strlen(talk),
                                   .value_len = strlen(value),
                                   .identity = ratings_identity(s, strlen(source), i, strlen(id))};

    assert_true(audit_fold_record(fold, &record));
    free(s);
    free(i);
}

static void rate_named(audit_fold_t *fold, int partition, const char *source, const char *id,
                       const char *talk, int value)
{
    char text[EVENT_MAX];

    write_event(text, talk, value, NULL, 0);
    fold_named(fold, partition, source, id, talk, text);
}

static audit_talk_t *talk_of(audit_fold_t *fold, const char *id)
{
    audit_talk_t *talk = audit_fold_talk(fold, id, strlen(id));

    assert_non_null(talk);
    return talk;
}

static void assert_counts(ratings_histogram_t counts, int64_t one, int64_t two, int64_t three,
                          int64_t four, int64_t five)
{
    const int64_t expected[RATINGS_VALUES] = {one, two, three, four, five};

    for (int v = 0; v < RATINGS_VALUES; v++)
        assert_int_equal(counts.count[v], expected[v]);
}

static int set_up(void **state)
{
    audit_fold_t *fold = malloc(sizeof *fold);

    if (!fold)
        return -1;
    *state = fold;
    return audit_fold_init(fold, PARTITIONS) ? 0 : -1;
}

static int tear_down(void **state)
{
    audit_fold_free(*state);
    free(*state);
    return 0;
}

static void counts_events(void **state)
{
    audit_fold_t *fold = *state;

    rate(fold, 0, "a", 5, NULL, 0, 1);
    rate(fold, 1, "b", 1, NULL, 0, 1);
    rate(fold, 0, "a", 5, NULL, 0, 2);
    rate(fold, 0, "a", 2, NULL, 0, 3);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 1, 0, 0, 2);
    assert_counts(audit_fold_expected(talk_of(fold, "b")), 1, 0, 0, 0, 0);
    assert_int_equal(fold->talks, 2);
    assert_int_equal(fold->partition[0].next, 3);
    assert_int_equal(fold->partition[0].records, 3);
    assert_int_equal(fold->partition[1].records, 1);
}

/* A voter, "1" to "9", sets a rating, or withdraws it (0). */
static void vote(audit_fold_t *fold, int partition, const char *talk, char voter, int value,
                 const char *key)
{
    char text[EVENT_MAX], digit[] = {(char)('0' + value), '\0'};

    (void)snprintf(text, sizeof text,
                   "{\"version\":1,\"talkId\":\"%s\",\"value\":%s,\"voter\":"
                   "\"0000000000000000000000000000000%c\"",
                   talk, value ? digit : "null", voter);
    if (key)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                       ",\"idempotencyKey\":\"%s\",\"idempotencyWindow\":1000", key);
    unit_append(text, sizeof text, "}");
    fold_text(fold, partition, 1, true, talk, text);
}

static void last_event_of_a_voter_counts(void **state)
{
    audit_fold_t *fold = *state;
    vote(fold, 0, "a", '1', 5, NULL);
    vote(fold, 0, "a", '2', 5, NULL);
    rate(fold, 0, "a", 5, NULL, 0, 1);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 3);
    vote(fold, 0, "a", '1', 3, NULL);
    vote(fold, 0, "a", '1', 3, NULL);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 1, 0, 2);
    vote(fold, 0, "a", '2', 0, NULL);
    vote(fold, 0, "a", '3', 0, NULL); /* there is nothing to withdraw */
    vote(fold, 0, "b", '2', 4, NULL);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 1, 0, 1);
    assert_counts(audit_fold_expected(talk_of(fold, "b")), 0, 0, 0, 1, 0);
    assert_int_equal(audit_fold_expected_anonymous(talk_of(fold, "a")), 1);
    assert_int_equal(audit_fold_anonymous_now(talk_of(fold, "a")), 1);
    rate(fold, 0, "c", 1, NULL, 0, 1);
    assert_int_equal(audit_fold_anonymous_now(talk_of(fold, "c")), -1);
}

static void keys_are_each_voters_own(void **state)
{
    audit_fold_t *fold = *state;
    vote(fold, 0, "a", '1', 5, "k");
    vote(fold, 0, "a", '1', 2, NULL);
    vote(fold, 0, "a", '1', 5, "k"); /* repeated, whatever came between */
    vote(fold, 0, "a", '2', 4, "k");
    rate(fold, 0, "a", 1, "k", 1000, 1);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 1, 1, 0, 1, 0);
    assert_int_equal(fold->partition[0].repeated, 1);
}

static void write_bar(char text[EVENT_MAX], char voter, bool is_barred)
{
    (void)snprintf(text, EVENT_MAX,
                   "{\"version\":1,\"voter\":\"0000000000000000000000000000000%c\",\"barred\":%s}",
                   voter, is_barred ? "true" : "false");
}

static void bar(audit_fold_t *fold, int partition, char voter, bool is_barred)
{
    char text[EVENT_MAX];
    write_bar(text, voter, is_barred);
    fold_text(fold, partition, 1, true, RATINGS_BAR_KEY, text);
}

static void ratings_of_a_barred_voter_do_not_count(void **state)
{
    audit_fold_t *fold = *state;
    vote(fold, 0, "a", '1', 5, NULL);
    bar(fold, 0, '1', true);
    bar(fold, 0, '1', true);
    vote(fold, 0, "a", '1', 3, NULL); /* the one before stays until it is withdrawn */
    vote(fold, 0, "b", '1', 3, "k");
    vote(fold, 0, "a", '2', 4, NULL);
    vote(fold, 1, "a", '1', 2, NULL); /* each partition is folded by itself */
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 1, 0, 1, 1);
    assert_counts(audit_fold_expected(talk_of(fold, "b")), 0, 0, 0, 0, 0);
    vote(fold, 0, "a", '1', 0, NULL);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 1, 0, 1, 0);
    assert_int_equal(fold->partition[0].barred, 2);
    assert_int_equal(fold->partition[0].bars.barred, 1);
    bar(fold, 0, '1', false);
    bar(fold, 0, '2', false);        /* who was not barred */
    vote(fold, 0, "b", '1', 1, "k"); /* the key was not used */
    assert_counts(audit_fold_expected(talk_of(fold, "b")), 1, 0, 0, 0, 0);
    assert_int_equal(fold->partition[0].bars.barred, 0);
    assert_int_equal(fold->partition[0].barred, 2);
    assert_int_equal(fold->partition[0].skipped, 0);
}

static void a_bar_that_is_appended_twice_bars_once(void **state)
{
    audit_fold_t *fold = *state;
    char text[EVENT_MAX];
    write_bar(text, '1', true);
    fold_named(fold, 0, "/s", "1", RATINGS_BAR_KEY, text);
    bar(fold, 0, '1', false);
    fold_named(fold, 0, "/s", "1", RATINGS_BAR_KEY, text);
    vote(fold, 0, "a", '1', 3, NULL);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 1, 0, 0);
}

static void votes_are_compared_as_they_were_read(void **state)
{
    const int64_t at_start[PARTITIONS] = {2, 1};
    audit_fold_t *fold = *state;
    vote(fold, 0, "a", '1', 5, NULL);
    vote(fold, 0, "a", '2', 4, NULL);
    vote(fold, 1, "a", '1', 3, NULL); /* each partition is folded by itself */
    audit_talk_t *talk = talk_of(fold, "a");
    audit_fold_read_at(talk, at_start);
    vote(fold, 0, "a", '1', 1, NULL); /* after the store was read */
    vote(fold, 0, "a", '2', 0, NULL);
    assert_counts(audit_fold_expected(talk), 0, 0, 1, 1, 1);
    assert_counts(audit_fold_now(talk), 1, 0, 1, 0, 0);

    talk->found.votes = calloc(3, sizeof *talk->found.votes); /* the fold's from now on */
    audit_found_vote_t *found = talk->found.votes;
    const struct {
        int partition, value;
        unsigned char voter;
    } votes[] = {{0, 5, 1}, {0, 4, 2}, {1, 3, 1}};
    for (int i = 0; i < 3; i++) {
        const ratings_voter_t voter = {.hash[RATINGS_VOTER_SIZE - 1] = votes[i].voter};
        audit_fold_field(found[i].field, &voter, votes[i].partition);
        found[i].value = votes[i].value;
    }
    talk->found.vote_count = 3;
    assert_true(audit_fold_votes_agree(talk));
    talk->found.vote_count = 2;
    assert_false(audit_fold_votes_agree(talk));
    talk->found.vote_count = 3;
    found[1].value = 5;
    assert_false(audit_fold_votes_agree(talk));
    found[1].value = 4;
    found[2].field[0] ^= 1;
    assert_false(audit_fold_votes_agree(talk));
    found[2].field[0] ^= 1;
    audit_fold_read_at(talk, NULL); /* the next time, the store has moved on */
    assert_false(audit_fold_votes_agree(talk));
    assert_counts(audit_fold_expected(talk), 1, 0, 1, 0, 0);
}

static void knows_first_and_last_again(void **state)
{
    audit_fold_t *fold = *state;
    audit_partition_t *partition = &fold->partition[1];

    assert_int_equal(partition->first.offset, -1);
    assert_int_equal(partition->last.offset, -1);
    partition->next = 7; /* the log begins there */
    fold_text(fold, 1, 11, true, "1234", "56789");
    rate(fold, 1, "a", 5, NULL, 0, 12);
    assert_int_equal(partition->first.offset, 7);
    assert_int_equal(partition->first.timestamp, 11);
    assert_int_equal(partition->first.checksum, 0xCBF43926); /* the check value of this CRC */
    assert_int_equal(partition->last.offset, 8);
    assert_int_equal(partition->last.timestamp, 12);
}

static void skips_what_is_no_event(void **state)
{
    audit_fold_t *fold = *state;
    const audit_record_t tombstone = {.key = "a", .key_len = 1};

    fold_text(fold, 0, 1, true, "a", "garbage");
    fold_text(fold, 0, 1, true, "b", "{\"version\":1,\"talkId\":\"a\",\"value\":5}");
    rate(fold, 0, "a", 6, NULL, 0, 1);
    rate(fold, 0, "a", 5, "k", 0, 1); /* a window of no length */
    assert_true(audit_fold_record(fold, &tombstone));
    assert_int_equal(fold->partition[0].records, 5);
    assert_int_equal(fold->partition[0].skipped, 5);
    assert_int_equal(fold->talks, 0);
}

static void notes_how_talks_are_routed(void **state)
{
    audit_fold_t *fold = *state;

    fold_text(fold, 1, 1, true, "ratings:routing", "{\"version\":1,\"partitions\":2}");
    assert_int_equal(fold->routing_partitions, 0);
    assert_int_equal(fold->partition[1].skipped, 1); /* it means nothing there */
    fold_text(fold, 0, 1, true, "ratings:routing", "{\"version\":1,\"partitions\":1}");
    fold_text(fold, 0, 1, true, "ratings:routing", "{\"version\":1,\"partitions\":2}");
    assert_int_equal(fold->routing_partitions, 1); /* the first one says it */
    assert_int_equal(fold->partition[0].skipped, 0);
    assert_int_equal(fold->partition[0].records, 2);
    assert_int_equal(fold->talks, 0);
}

#define ONE "00112233445566778899aabbccddeeff"
#define TWO "ffeeddccbbaa99887766554433221100"
#define THREE "0123456789abcdef0123456789abcdef"

static void begin_electorate(audit_fold_t *fold, int partition, int64_t timestamp,
                             const char *begins, const char *follows)
{
    char value[160];
    (void)snprintf(value, sizeof value, "{\"version\":1,\"electorate\":\"%s\",\"follows\":\"%s\"}",
                   begins, follows);
    fold_text(fold, partition, timestamp, true, "ratings:electorate", value);
}

static void notes_which_electorate_votes(void **state)
{
    static const struct {
        const char *begins, *follows, *stands;
        int64_t since; /* offset and timestamp of the record that says so */
    } rows[] = {
        {ONE, "", ONE, 0},    /* the first */
        {TWO, "", ONE, 0},    /* which another host appends at the same time */
        {ONE, "", ONE, 2},    /* repeats it */
        {THREE, TWO, ONE, 2}, /* what does not stand has no successor */
        {TWO, ONE, TWO, 4},   /* the next one */
        {THREE, ONE, TWO, 4}, /* too late */
        {ONE, TWO, ONE, 6},   /* and back */
    };
    audit_fold_t *fold = *state;
    begin_electorate(fold, 1, 1, THREE, "");
    assert_string_equal(fold->electorate.it.name, ""); /* it means nothing there */
    assert_int_equal(fold->partition[1].skipped, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin_electorate(fold, 0, 100 + (int64_t)i, rows[i].begins, rows[i].follows);
        assert_string_equal(fold->electorate.it.name, rows[i].stands);
        assert_int_equal(fold->electorate.offset, rows[i].since);
        assert_int_equal(fold->electorate.timestamp, 100 + rows[i].since);
    }
    assert_int_equal(fold->partition[0].skipped, 0);
    assert_int_equal(fold->talks, 0);
}

static void knows_a_talk_in_two_partitions(void **state)
{
    audit_fold_t *fold = *state;

    rate(fold, 0, "a", 5, NULL, 0, 1);
    assert_false(audit_fold_is_spread(talk_of(fold, "a")));
    rate(fold, 1, "a", 5, NULL, 0, 1);
    assert_true(audit_fold_is_spread(talk_of(fold, "a")));
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 2);
}

static void the_log_keeps_time(void **state)
{
    audit_fold_t *fold = *state;

    fold_text(fold, 0, 100, false, "a", "garbage"); /* a producer's time is none */
    assert_int_equal(fold->partition[0].time, 0);
    fold_text(fold, 0, 50, true, "a", "garbage"); /* but a record need not be an event */
    assert_int_equal(fold->partition[0].time, 50);
    rate(fold, 0, "a", 5, NULL, 0, 40);
    assert_int_equal(fold->partition[0].time, 50);
    assert_int_equal(fold->partition[1].time, 0);
}

static void a_key_counts_once(void **state)
{
    audit_fold_t *fold = *state;

    rate(fold, 0, "a", 5, "k", 10, 100);
    rate(fold, 0, "a", 5, "k", 10, 105); /* again */
    rate(fold, 0, "a", 4, "k", 10, 109); /* another value */
    rate(fold, 0, "a", 5, "other", 10, 105);
    rate(fold, 0, "b", 5, "k", 10, 105); /* another talk */
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 2);
    assert_counts(audit_fold_expected(talk_of(fold, "b")), 0, 0, 0, 0, 1);
    assert_int_equal(fold->partition[0].repeated, 2);
    rate(fold, 0, "a", 4, "k", 10, 110); /* its time is over */
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 1, 2);
}

static void the_time_of_any_record_ends_a_key(void **state)
{
    audit_fold_t *fold = *state;

    rate(fold, 0, "a", 5, "k", 10, 100);
    fold_text(fold, 0, 110, true, "x", "garbage");
    rate(fold, 0, "a", 5, "k", 10, 101); /* the broker's clock went back, the log's does not */
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 2);
}

static void a_key_needs_append_time(void **state)
{
    static const char value[] = "{\"version\":1,\"talkId\":\"a\",\"value\":5,\"idempotencyKey\":"
                                "\"k\",\"idempotencyWindow\":1000}";
    audit_fold_t *fold = *state;

    fold_text(fold, 0, 100, false, "a", value);
    fold_text(fold, 0, 101, false, "a", value);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 2);
    fold_text(fold, 0, 102, true, "a", value); /* the first that is judged */
    fold_text(fold, 0, 103, true, "a", value);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 3);
}

static void partitions_have_keys_of_their_own(void **state)
{
    audit_fold_t *fold = *state;

    rate(fold, 0, "a", 5, "k", 1000, 100);
    rate(fold, 1, "a", 5, "k", 1000, 100);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 2);
    assert_true(audit_fold_is_spread(talk_of(fold, "a")));
}

static void an_event_that_is_appended_twice_counts_once(void **state)
{
    audit_fold_t *fold = *state;

    rate_named(fold, 0, "/s", "1", "a", 5);
    rate_named(fold, 0, "/s", "1", "a", 5); /* again */
    rate_named(fold, 0, "/s", "2", "a", 5);
    rate_named(fold, 0, "/t", "1", "a", 5);
    rate_named(fold, 1, "/s", "1", "a", 4); /* elsewhere */
    rate_named(fold, 0, "/s", "", "a", 1);
    rate_named(fold, 0, "/s", "", "a", 1); /* who does not say who it is */
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 2, 0, 0, 1, 3);
    assert_int_equal(fold->partition[0].duplicates, 1);
    assert_int_equal(fold->partition[0].repeated, 0);
    assert_int_equal(fold->partition[0].records, 6);
    assert_int_equal(fold->partition[0].last.offset, 5); /* it is a record as others are */
    assert_int_equal(fold->partition[1].duplicates, 0);
}

static void who_comes_again_after_long_is_new(void **state)
{
    audit_fold_t *fold = *state;

    rate_named(fold, 0, "/s", "1", "a", 5);
    fold->partition[0].next = RATINGS_DEDUP_SPAN;
    rate_named(fold, 0, "/s", "1", "a", 5);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 1);
    fold->partition[0].next = 2 * RATINGS_DEDUP_SPAN + 1;
    rate_named(fold, 0, "/s", "1", "a", 5);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 2);
}

/* It follows from the log alone, so records that are no events are noted as well. */
static void a_repeat_need_not_repeat_an_event(void **state)
{
    audit_fold_t *fold = *state;

    fold_named(fold, 0, "/s", "1", "a", "garbage");
    rate_named(fold, 0, "/s", "1", "a", 5);
    assert_int_equal(fold->talks, 0);
    rate_named(fold, 0, "/s", "2", "a", 5);
    fold_named(fold, 0, "/s", "2", "a", "garbage");
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 1);
    assert_int_equal(fold->partition[0].skipped, 2);
    assert_int_equal(fold->partition[0].duplicates, 1);
}

/* The key's window begins with the event that counted, and is not looked at by the repeat. */
static void a_repeat_is_nothing_to_its_key(void **state)
{
    char text[EVENT_MAX];
    audit_fold_t *fold = *state;

    write_event(text, "a", 5, "k", 10);
    fold_named(fold, 0, "/s", "1", "a", text); /* at 1: the key holds until 11 */
    rate(fold, 0, "b", 1, NULL, 0, 11);
    fold_named(fold, 0, "/s", "1", "a", text); /* the key is as good as new, the event is not */
    rate(fold, 0, "a", 5, "k", 10, 12);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 0, 0, 2);
    fold_named(fold, 0, "/s", "1", "a", text);
    assert_int_equal(fold->partition[0].duplicates, 2);
    assert_int_equal(fold->partition[0].repeated, 0);
}

static void counts_up_to_where_the_store_was_read(void **state)
{
    static const int64_t early[PARTITIONS] = {2, 0}, late[PARTITIONS] = {3, 1};
    audit_fold_t *fold = *state;
    audit_talk_t *talk = talk_of(fold, "a");

    rate(fold, 0, "a", 5, NULL, 0, 1);
    audit_fold_read_at(talk, early);
    rate(fold, 0, "a", 5, NULL, 0, 1); /* offset 1 */
    rate(fold, 0, "a", 4, NULL, 0, 1); /* offset 2 */
    rate(fold, 1, "a", 1, NULL, 0, 1); /* offset 0 */
    assert_counts(audit_fold_expected(talk), 0, 0, 0, 0, 2);
    assert_counts(audit_fold_now(talk), 1, 0, 0, 1, 2);
    audit_fold_read_at(talk, late);
    assert_counts(audit_fold_expected(talk), 1, 0, 0, 1, 2);
    rate(fold, 0, "a", 3, NULL, 0, 1); /* offset 3 */
    assert_counts(audit_fold_expected(talk), 1, 0, 0, 1, 2);
    audit_fold_read_at(talk, NULL);
    assert_counts(audit_fold_expected(talk), 1, 0, 1, 1, 2);
}

static void counts_chosen_talks_alone(void **state)
{
    audit_fold_t *fold = *state;
    audit_talk_t *talk = talk_of(fold, "a");

    fold->chosen = true;
    rate(fold, 0, "a", 5, NULL, 0, 1);
    rate(fold, 0, "b", 5, NULL, 0, 1);
    fold_text(fold, 0, 1, true, "b", "garbage");
    assert_int_equal(fold->talks, 1);
    assert_counts(audit_fold_expected(talk), 0, 0, 0, 0, 1);
    assert_int_equal(fold->partition[0].skipped, 1);
}

static void notes_talks_that_are_not_chosen(void **state)
{
    audit_fold_t *fold = *state;
    audit_talk_t *talk = talk_of(fold, "a");

    fold->chosen = true;
    rate_named(fold, 0, "/s", "1", "b", 5);
    rate_named(fold, 0, "/s", "1", "a", 5);
    assert_counts(audit_fold_expected(talk), 0, 0, 0, 0, 0);
    assert_int_equal(fold->partition[0].duplicates, 1);
}

static void names_may_have_any_bytes(void **state)
{
    audit_fold_t *fold = *state;
    audit_talk_t *talk = audit_fold_talk(fold, BYTES("a\0b"));

    assert_ptr_equal(audit_fold_talk(fold, BYTES("a\0b")), talk);
    assert_ptr_not_equal(audit_fold_talk(fold, BYTES("a")), talk);
    assert_ptr_not_equal(audit_fold_talk(fold, BYTES("a\0c")), talk);
    assert_non_null(audit_fold_talk(fold, "", 0));
    assert_int_equal(fold->talks, 4);
}

/* ---- keys ---- */

/* Each key holds for ten of a hundred thousand moments. */
static void forgets_keys_that_have_run_out(void **state)
{
    audit_keys_t keys = {0};
    const ratings_key_t key = {"", 10};
    const int talk = 0;
    size_t most = 0;
    char text[32];

    (void)state;
    for (int64_t now = 1; now <= 100000; now++) {
        (void)snprintf(text, sizeof text, "%lld", (long long)now);
        ratings_use_t *use = audit_keys_use(&keys, &talk, text, now);
        assert_non_null(use);
        assert_int_equal(ratings_key_resolve(use, &key, 5, now, now), RATINGS_VERDICT_COUNTED);
        assert_int_equal(audit_keys_live(&keys, now), now < 10 ? now : 10);
        most = keys.count > most ? keys.count : most;
    }
    assert_in_range(most, 10, 2048);
    audit_keys_free(&keys);
    assert_int_equal(keys.count, 0);
}

static void keeps_keys_that_hold(void **state)
{
    audit_keys_t keys = {0};
    const ratings_key_t key = {"", RATINGS_KEY_WINDOW_MAX};
    const int talk = 0;
    char text[32];

    (void)state;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20000; i++) {
            (void)snprintf(text, sizeof text, "%d", i);
            ratings_use_t *use = audit_keys_use(&keys, &talk, text, i);
            assert_non_null(use);
            assert_int_equal(ratings_key_resolve(use, &key, 5, i, i),
                             round ? RATINGS_VERDICT_REPEATED : RATINGS_VERDICT_COUNTED);
        }
    assert_int_equal(keys.count, 20000);
    audit_keys_free(&keys);
}

/* ---- who sees events ---- */

typedef struct {
    size_t count;
    audit_verdict_e verdict[8];
    int64_t counted_at[8];
} notes_t;

static bool note_event(void *self, const audit_seen_t *seen)
{
    notes_t *notes = self;
    notes->verdict[notes->count] = seen->verdict;
    notes->counted_at[notes->count++] = seen->counted_at;
    return notes->count < 7; /* as if memory ran out */
}

static void an_observer_sees_what_became_of_events(void **state)
{
    char text[EVENT_MAX];
    audit_fold_t *fold = *state;
    notes_t notes = {0};

    fold->observe = note_event;
    fold->observer = &notes;
    write_event(text, "a", 1, NULL, 0);
    fold_text(fold, 0, 1, true, "a", "{}");
    rate(fold, 0, "a", 5, "k", 10, 1); /* at offset 1 */
    rate(fold, 0, "a", 5, "k", 10, 2);
    rate(fold, 0, "a", 4, "k", 10, 3);
    fold_named(fold, 0, "/s", "1", "a", text);
    fold_named(fold, 0, "/s", "1", "a", text);
    rate(fold, 0, "a", 4, "k", 10, 11);
    assert_int_equal(notes.count, 6); /* what is no event is not seen */
    static const audit_verdict_e expected[] = {AUDIT_VERDICT_COUNTED,   AUDIT_VERDICT_REPEATED,
                                               AUDIT_VERDICT_CONFLICT,  AUDIT_VERDICT_COUNTED,
                                               AUDIT_VERDICT_DUPLICATE, AUDIT_VERDICT_COUNTED};
    for (size_t i = 0; i < notes.count; i++)
        assert_int_equal(notes.verdict[i], expected[i]);
    assert_int_equal(notes.counted_at[1], 1);
    assert_int_equal(notes.counted_at[2], 1);
    assert_int_equal(notes.counted_at[4], -1);
    fold->chosen = true;
    rate(fold, 0, "b", 5, NULL, 0, 12);
    assert_int_equal(notes.count, 6); /* nor is a talk that was not chosen */
    const audit_record_t last = {.offset = fold->partition[0].next,
                                 .key = "a",
                                 .key_len = 1,
                                 .value = text,
                                 .value_len = strlen(text)};
    assert_false(audit_fold_record(fold, &last));
}

/* ---- tickets ---- */

static uint64_t drawn = 1;

static uint64_t draw(uint64_t limit)
{
    drawn = drawn * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (drawn >> 33) % limit;
}

static void fold_ticket(audit_fold_t *fold, int partition, uint64_t life, uint64_t number)
{
    static const char text[] = "{\"version\":1,\"talkId\":\"a\",\"value\":3}";
    const audit_record_t record = {.partition = partition,
                                   .offset = fold->partition[partition].next,
                                   .timestamp = 1,
                                   .key = "a",
                                   .value = text,
                                   .key_len = 1,
                                   .value_len = sizeof text - 1,
                                   .ticket = {life, number}};
    assert_true(audit_fold_record(fold, &record));
}

static void ticket_counts_once_in_each_partition(void **state)
{
    audit_fold_t *fold = *state;
    fold_ticket(fold, 0, 7, 5);
    fold_ticket(fold, 1, 7, 5);
    for (int i = 0; i < 40000; i++) /* further than any deduplication window */
        fold_ticket(fold, 0, 8, (uint64_t)i);
    fold_ticket(fold, 0, 7, 5);
    fold_ticket(fold, 0, 8, 3); /* below the window */
    fold_ticket(fold, 0, 7, 4);
    assert_int_equal(fold->partition[0].duplicates, 2);
    assert_int_equal(fold->partition[1].duplicates, 0);
    assert_counts(audit_fold_expected(talk_of(fold, "a")), 0, 0, 40003, 0, 0);
}

/* More lives than are kept, of which a few have most events. */
static void tickets_count_as_the_service_has_it(void **state)
{
    audit_tickets_t tickets;
    ratings_ticket_windows_t windows = {0};
    uint64_t around[20] = {0};
    (void)state;
    audit_tickets_init(&tickets);
    for (int i = 0; i < 100000; i++) {
        uint64_t life = draw(8) ? draw(20) : draw(3000), forgotten;
        uint64_t *number = &around[life % 20], leap = draw(50) ? draw(3) : draw(3000);
        *number += leap;
        const ratings_ticket_t ticket = {1 + life, *number - (*number < 2000 ? 0 : draw(2000))};
        int64_t counted_at;
        bool counts;
        assert_true(audit_tickets_note(&tickets, &ticket, i, &counts, &counted_at));
        assert_int_equal(counts, ratings_ticket_windows_check_and_note(
                                     &windows, &ticket, i, &forgotten) == RATINGS_TICKET_COUNTS);
        assert_true(counted_at < i && (!counts || counted_at < 0));
    }
    assert_int_equal(tickets.count, RATINGS_LIVES_MAX);
    audit_tickets_free(&tickets);
    ratings_ticket_windows_free(&windows);
}

#define FOLD(name, function)                                                                       \
    {                                                                                              \
        name, function, set_up, tear_down, NULL                                                    \
    }

static const struct CMUnitTest folds[] = {
    FOLD("a ticket counts once in each partition", ticket_counts_once_in_each_partition),
    FOLD("each event counts for its talk", counts_events),
    FOLD("the last event of a voter counts", last_event_of_a_voter_counts),
    FOLD("each voter has idempotency keys of its own", keys_are_each_voters_own),
    FOLD("ratings of a barred voter do not count", ratings_of_a_barred_voter_do_not_count),
    FOLD("a bar that is appended twice bars once", a_bar_that_is_appended_twice_bars_once),
    FOLD("votes are compared as they were when the store was read",
         votes_are_compared_as_they_were_read),
    FOLD("the first and the last record are known again", knows_first_and_last_again),
    FOLD("what is no event is skipped", skips_what_is_no_event),
    FOLD("a record that says how talks are routed is noted", notes_how_talks_are_routed),
    FOLD("a record that begins an electorate is noted", notes_which_electorate_votes),
    FOLD("a talk in two partitions is known", knows_a_talk_in_two_partitions),
    FOLD("the log keeps time by append times alone", the_log_keeps_time),
    FOLD("a key counts once in its window", a_key_counts_once),
    FOLD("the time of any record ends a key", the_time_of_any_record_ends_a_key),
    FOLD("a key means nothing without append time", a_key_needs_append_time),
    FOLD("each partition has keys of its own", partitions_have_keys_of_their_own),
    FOLD("an event that is appended twice counts once",
         an_event_that_is_appended_twice_counts_once),
    FOLD("an event that comes again after long is a new one", who_comes_again_after_long_is_new),
    FOLD("what is repeated need not be an event", a_repeat_need_not_repeat_an_event),
    FOLD("an event that is repeated is nothing to its key", a_repeat_is_nothing_to_its_key),
    FOLD("events count up to where the store was read", counts_up_to_where_the_store_was_read),
    FOLD("events of talks that were not chosen do not count", counts_chosen_talks_alone),
    FOLD("events of talks that were not chosen are noted", notes_talks_that_are_not_chosen),
    FOLD("a talk of the store may have any name", names_may_have_any_bytes),
    FOLD("an observer sees what became of each event", an_observer_sees_what_became_of_events),
};

int main(void)
{
    unit_suite_t suite = {.count = 0};

    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++)
        suite.tests[suite.count++] = folds[i];
    unit_add(&suite, "keys that have run out are forgotten", forgets_keys_that_have_run_out, NULL);
    unit_add(&suite, "keys that hold are kept", keeps_keys_that_hold, NULL);
    unit_add(&suite, "tickets count as in the service's windows",
             tickets_count_as_the_service_has_it, NULL);
    return unit_run("audit", &suite);
}
