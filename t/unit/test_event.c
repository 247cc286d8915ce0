#include "../../src/core/crc32.h"
#include "../../src/core/event.h"
#include "unit.h"

static const char malformed[] = "the JSON is malformed";
static const char bad_version[] = "the event's version is missing or unknown";
static const char bad_talk[] = "the event's talkId is missing or no talk id";
static const char bad_value[] = "the event's value is missing or no rating";
static const char bad_key[] = "the record's key is not the event's talkId";
static const char bad_voter[] = "the event's voter is not one";
static const char bad_idempotency_key[] = "the event's idempotencyKey is not one";
static const char bad_window[] = "the event's idempotencyWindow is missing or out of range";
static const char too_long[] = "the record's value is too long for an event";
static const char tombstone[] = "the record is a tombstone: it has no value";

typedef struct {
    const char *name;
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
    const char *problem;
} row_t;

#define RATING "\"version\":1,\"talkId\":\"t\",\"value\":5"
#define VOTER "\"0123456789abcdef0123456789abcdef\""
#define VOTED(value, voter)                                                                        \
    EVENT("\"version\":1,\"talkId\":\"t\",\"value\":" value ",\"voter\":" voter)
#define EVENT(members) BYTES("t"), BYTES("{" members "}")

static row_t rows[] = {
    {"an event is read", EVENT("\"version\":1,\"talkId\":\"t\",\"value\":5"), NULL},
    {"members may come in any order", EVENT("\"value\":5,\"talkId\":\"t\",\"version\":1"), NULL},
    {"members of later versions are ignored",
     EVENT("\"version\":1,\"talkId\":\"t\",\"value\":5,\"by\":{\"x\":[1.5,null]}"), NULL},

    {"an idempotency key is read",
     EVENT(RATING ",\"idempotencyKey\":\"k\",\"idempotencyWindow\":60000"), NULL},
    {"a window without a key means nothing", EVENT(RATING ",\"idempotencyWindow\":\"x\""), NULL},
    {"an empty idempotency key is none",
     EVENT(RATING ",\"idempotencyKey\":\"\",\"idempotencyWindow\":60000"), bad_idempotency_key},
    {"an idempotency key is text",
     EVENT(RATING ",\"idempotencyKey\":7,\"idempotencyWindow\":60000"), bad_idempotency_key},
    {"an idempotency key is ASCII",
     EVENT(RATING ",\"idempotencyKey\":\"\u00e9\",\"idempotencyWindow\":60000"),
     bad_idempotency_key},
    {"an idempotency key needs its window", EVENT(RATING ",\"idempotencyKey\":\"k\""), bad_window},
    {"a window of 0 is none", EVENT(RATING ",\"idempotencyKey\":\"k\",\"idempotencyWindow\":0"),
     bad_window},
    {"a window over 31 days is none",
     EVENT(RATING ",\"idempotencyKey\":\"k\",\"idempotencyWindow\":2678400001"), bad_window},

    {"a tombstone is no event", BYTES("t"), NULL, 0, tombstone},
    {"an empty value is no event", BYTES("t"), BYTES(""), malformed},
    {"text is no event", BYTES("t"), BYTES("hello"), malformed},
    {"a list is no event", BYTES("t"), BYTES("[]"), "the JSON is not an object"},
    {"an event cut short is no event", BYTES("t"), BYTES("{\"version\":1,\"talkId\":\"t\""),
     malformed},
    {"text after the object is no event", BYTES("t"),
     BYTES("{\"version\":1,\"talkId\":\"t\",\"value\":5}\n{}"), malformed},
    {"a NUL after the object is no event", BYTES("t"),
     BYTES("{\"version\":1,\"talkId\":\"t\",\"value\":5}\0"), "the JSON has a NUL character"},
    {"a member twice is no event", EVENT("\"version\":1,\"talkId\":\"t\",\"value\":5,\"value\":5"),
     "the JSON has an object with the same member twice"},

    {"no version is no event", EVENT("\"talkId\":\"t\",\"value\":5"), bad_version},
    {"version 0 is not ours", EVENT("\"version\":0,\"talkId\":\"t\",\"value\":5"), bad_version},
    {"version 2 is not ours", EVENT("\"version\":2,\"talkId\":\"t\",\"value\":5"), bad_version},
    {"version 1.0 is not ours", EVENT("\"version\":1.0,\"talkId\":\"t\",\"value\":5"), bad_version},
    {"version \"1\" is not ours", EVENT("\"version\":\"1\",\"talkId\":\"t\",\"value\":5"),
     bad_version},
    {"no talkId is no event", EVENT("\"version\":1,\"value\":5"), bad_talk},
    {"a talkId that is a number is no event", EVENT("\"version\":1,\"talkId\":7,\"value\":5"),
     bad_talk},
    {"an empty talkId is no event", EVENT("\"version\":1,\"talkId\":\"\",\"value\":5"), bad_talk},
    {"a talkId with a control character is no event",
     EVENT("\"version\":1,\"talkId\":\"\\u001f\",\"value\":5"), bad_talk},
    {"no value is no event", EVENT("\"version\":1,\"talkId\":\"t\""), bad_value},
    {"value 0 is no event", EVENT("\"version\":1,\"talkId\":\"t\",\"value\":0"), bad_value},
    {"value 6 is no event", EVENT("\"version\":1,\"talkId\":\"t\",\"value\":6"), bad_value},
    {"value 5.0 is no event", EVENT("\"version\":1,\"talkId\":\"t\",\"value\":5.0"), bad_value},
    {"value null is no event", EVENT("\"version\":1,\"talkId\":\"t\",\"value\":null"), bad_value},
    {"a voter that is a number is no event", VOTED("5", "7"), bad_voter},
    {"a voter that is null is no event", VOTED("5", "null"), bad_voter},
    {"a voter of 31 digits is no event", VOTED("5", "\"0123456789abcdef0123456789abcde\""),
     bad_voter},
    {"a voter of 33 digits is no event", VOTED("5", "\"0123456789abcdef0123456789abcdef0\""),
     bad_voter},
    {"a voter in capitals is no event", VOTED("5", "\"0123456789ABCDEF0123456789abcdef\""),
     bad_voter},
    {"a voter with another letter is no event", VOTED("5", "\"0123456789abcdef0123456789abcdeg\""),
     bad_voter},
    {"a voter's value 0 is no event", VOTED("0", VOTER), bad_value},
    {"a voter's value 6 is no event", VOTED("6", VOTER), bad_value},
    {"a voter's value true is no event", VOTED("true", VOTER), bad_value},
    {"a voter without a value is no event",
     EVENT("\"version\":1,\"talkId\":\"t\",\"voter\":" VOTER), bad_value},

    {"another key is no event", BYTES("u"), BYTES("{\"version\":1,\"talkId\":\"t\",\"value\":5}"),
     bad_key},
    {"a shorter key is no event", BYTES("t"),
     BYTES("{\"version\":1,\"talkId\":\"talk\",\"value\":5}"), bad_key},
    {"a longer key is no event", BYTES("talk"),
     BYTES("{\"version\":1,\"talkId\":\"t\",\"value\":5}"), bad_key},
    {"a key with a NUL after is no event", BYTES("t\0"),
     BYTES("{\"version\":1,\"talkId\":\"t\",\"value\":5}"), bad_key},
    {"an empty key is no event", BYTES(""), BYTES("{\"version\":1,\"talkId\":\"t\",\"value\":5}"),
     bad_key},
    {"no key is no event", NULL, 0, BYTES("{\"version\":1,\"talkId\":\"t\",\"value\":5}"), bad_key},
};

static void decodes(void **state)
{
    const row_t *row = *state;
    char *key = row->key ? unit_copy(row->key, row->key_len) : NULL;
    char *value = row->value ? unit_copy(row->value, row->value_len) : NULL;
    ratings_event_t event;
    const char *problem = ratings_event_decode(key, row->key_len, value, row->value_len, &event);

    free(key);
    free(value);
    assert_problem(problem, row->problem);
    if (problem)
        return;
    assert_string_equal(event.rating.talk_id, "t");
    assert_int_equal(event.rating.value, 5);
    assert_false(event.has_voter);
}

/* An event, and blanks after it up to `len` bytes. */
static const char *decode_padded(size_t len)
{
    static const char event[] = "{\"version\":1,\"talkId\":\"t\",\"value\":5}";
    char value[RATINGS_EVENT_VALUE_MAX + 1];
    ratings_event_t read;

    memset(value, ' ', sizeof value);
    memcpy(value, event, sizeof event - 1);
    return ratings_event_decode("t", 1, value, len, &read);
}

/* The same event for the parser: as it stands it is ours, and is known at sight; with a blank at
 * its end, it is any JSON. */
static const char *decode_with_blank(const row_t *row, ratings_event_t *event)
{
    char *value = malloc(row->value_len + 1);
    memcpy(value, row->value, row->value_len);
    value[row->value_len] = ' ';
    const char *problem =
        ratings_event_decode(row->key, row->key_len, value, row->value_len + 1, event);

    free(value);
    return problem;
}

#define OURS(key, id, value)                                                                       \
    BYTES(key), BYTES("{\"version\":1,\"talkId\":\"" id "\",\"value\":" value "}")

static row_t own_rows[] = {
    {"ours is read", OURS("talk", "talk", "1"), NULL},
    {"ours in UTF-8 is read", OURS("caf\xC3\xA9", "caf\xC3\xA9", "5"), NULL},
    {"ours with DEL in it is none", OURS("t\x7F", "t\x7F", "5"), bad_talk},
    {"ours with C1 in it is none", OURS("t\xC2\x80", "t\xC2\x80", "5"), bad_talk},
    {"ours with a bare line feed is none", OURS("t\n", "t\n", "5"), malformed},
    {"ours that is no UTF-8 is none", OURS("t\xE9", "t\xE9", "5"), "the JSON is not valid UTF-8"},
    {"ours with a bare quote is none", OURS("t\"", "t\"", "5"), malformed},
    {"ours with a bare backslash is none", OURS("\\", "\\", "5"), malformed},
    {"an escape is not what it stands for", OURS("t\\n", "t\\n", "5"), bad_talk},
    {"a letter escaped is not the key's", OURS("\\u0074", "\\u0074", "5"), bad_key},
    {"ours without an id is none", OURS("", "", "5"), bad_talk},
    {"ours with value 0 is none", OURS("t", "t", "0"), bad_value},
    {"ours with value 6 is none", OURS("t", "t", "6"), bad_value},
    {"ours with a letter as value is none", OURS("t", "t", "x"), malformed},
    {"ours of a voter is read", OURS("t", "t", "5,\"voter\":" VOTER), NULL},
    {"ours of a voter who withdraws is read", OURS("t", "t", "null,\"voter\":" VOTER), NULL},
    {"ours of nobody who withdraws is none", OURS("t", "t", "null"), bad_value},
    {"ours of a voter with value 0 is none", OURS("t", "t", "0,\"voter\":" VOTER), bad_value},
    {"ours of a voter in capitals is none",
     OURS("t", "t", "5,\"voter\":\"0123456789ABCDEF0123456789abcdef\""), bad_voter},
    {"ours of a voter that is too short is none", OURS("t", "t", "5,\"voter\":\"0123\""),
     bad_voter},
    {"ours of a voter without end is none",
     OURS("t", "t", "5,\"voter\":\"0123456789abcdef0123456789abcdef"), malformed},
    {"ours of another key is none", OURS("u", "t", "5"), bad_key},
    {"ours of a longer key is none", OURS("talk", "t", "5"), bad_key},
};

static void reads_ours_as_any(void **state)
{
    const row_t *row = *state;
    ratings_event_t ours, any;
    const char *problem =
        ratings_event_decode(row->key, row->key_len, row->value, row->value_len, &ours);

    assert_problem(problem, row->problem);
    assert_problem(decode_with_blank(row, &any), row->problem);
    if (problem)
        return;
    assert_string_equal(ours.rating.talk_id, any.rating.talk_id);
    assert_int_equal(ours.rating.value, any.rating.value);
    assert_string_equal(ours.key.text, any.key.text);
    assert_int_equal(ours.has_voter, any.has_voter);
    if (ours.has_voter)
        assert_memory_equal(&ours.voter, &any.voter, sizeof any.voter);
}

static void bounds_the_value(void **state)
{
    (void)state;
    assert_problem(decode_padded(RATINGS_EVENT_VALUE_MAX), NULL);
    assert_problem(decode_padded(RATINGS_EVENT_VALUE_MAX + 1), too_long);
}

static void encodes_as_documented(void **state)
{
    ratings_event_t event = {.rating = {.talk_id = "caf\xC3\xA9 \"x\"", .value = 4}};
    size_t len;
    char *value = ratings_event_encode(&event, &len);

    (void)state;
    assert_string_equal(value, "{\"version\":1,\"talkId\":\"caf\xC3\xA9 \\\"x\\\"\",\"value\":4}");
    assert_int_equal(len, strlen(value));
    free(value);
}

static const ratings_voter_t a_voter = {
    {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0}};
#define A_VOTER "0123456789abcdef0123456789abcd00"

static void encodes_a_voter_as_documented(void **state)
{
    ratings_event_t event = {
        .rating = {"t", 4}, .key = {"k", 60000}, .has_voter = true, .voter = a_voter};
    size_t len;
    char *value = ratings_event_encode(&event, &len);

    (void)state;
    assert_string_equal(value, "{\"version\":1,\"talkId\":\"t\",\"value\":4,\"voter\":\"" A_VOTER
                               "\",\"idempotencyKey\":\"k\",\"idempotencyWindow\":60000}");
    assert_string_equal(ratings_event_type(&event), "ratings.rating.submitted.v1");
    free(value);
}

static void encodes_a_withdrawal_as_documented(void **state)
{
    ratings_event_t event = {
        .rating = {"t", RATINGS_VALUE_NONE}, .has_voter = true, .voter = a_voter};
    size_t len;
    char *value = ratings_event_encode(&event, &len);

    (void)state;
    assert_string_equal(value, "{\"version\":1,\"talkId\":\"t\",\"value\":null,\"voter\":\"" A_VOTER
                               "\"}");
    assert_string_equal(ratings_event_type(&event), "ratings.rating.withdrawn.v1");
    free(value);
}

static void encodes_the_key_as_documented(void **state)
{
    ratings_event_t event = {.rating = {"t", 4}, .key = {"a \"k\"", 60000}};
    size_t len;
    char *value = ratings_event_encode(&event, &len);

    (void)state;
    assert_string_equal(value, "{\"version\":1,\"talkId\":\"t\",\"value\":4,"
                               "\"idempotencyKey\":\"a \\\"k\\\"\",\"idempotencyWindow\":60000}");
    free(value);
}

typedef struct {
    const char *name;
    const char *unit; /* the id is this, as often as it fits */
} spelling_t;

static spelling_t ids[] = {
    {"an event of letters is read back", "x"},
    {"an event of quotes is read back", "\""},
    {"an event of backslashes is read back", "\\"},
    {"an event of slashes is read back", "/"},
    {"an event of two-byte characters is read back", "\xC3\xA9"},
    {"an event of four-byte characters is read back", "\xF0\x9F\x98\x80"},
    {"an event of line separators is read back", "\xE2\x80\xA8"},
};

static void round_trip(const ratings_event_t *event)
{
    const char *id = event->rating.talk_id;
    ratings_event_t read;
    size_t len;
    char *value = ratings_event_encode(event, &len);

    assert_non_null(value);
    assert_true(len <= RATINGS_EVENT_VALUE_MAX);
    assert_problem(ratings_event_decode(id, strlen(id), value, len, &read), NULL);
    free(value);
    assert_string_equal(read.rating.talk_id, id);
    assert_int_equal(read.rating.value, event->rating.value);
    assert_string_equal(read.key.text, event->key.text);
    assert_int_equal(read.key.window_ms, event->key.window_ms);
    assert_int_equal(read.has_voter, event->has_voter);
    if (event->has_voter)
        assert_memory_equal(&read.voter, &event->voter, sizeof event->voter);
}

static void round_trips(void **state)
{
    const spelling_t *id = *state;
    ratings_event_t event = {.rating = {.talk_id = ""}};
    ratings_rating_t *rating = &event.rating;

    while (strlen(rating->talk_id) + strlen(id->unit) <= RATINGS_TALK_ID_MAX) {
        unit_append(rating->talk_id, sizeof rating->talk_id, id->unit);
        for (rating->value = RATINGS_VALUE_MIN; rating->value <= RATINGS_VALUE_MAX; rating->value++)
            round_trip(&event);
    }
    memset(event.key.text, '"', RATINGS_KEY_MAX); /* the longest there is */
    event.key.window_ms = RATINGS_KEY_WINDOW_MAX;
    rating->value = RATINGS_VALUE_MAX;
    round_trip(&event);
    event.has_voter = true;
    event.voter = a_voter;
    for (rating->value = RATINGS_VALUE_NONE; rating->value <= RATINGS_VALUE_MAX; rating->value++)
        round_trip(&event); /* longer still */
    event.key.text[0] = '\0';
    event.key.window_ms = 0;
    for (rating->value = RATINGS_VALUE_NONE; rating->value <= RATINGS_VALUE_MAX; rating->value++)
        round_trip(&event);
}

static void never_encodes_what_is_no_utf8(void **state)
{
    ratings_event_t event = {.rating = {.talk_id = "caf\xE9", .value = 5}};
    size_t len = 4711;

    (void)state;
    assert_null(ratings_event_encode(&event, &len));
    assert_int_equal(len, 0);
}

static void checksum_is_crc32(void **state)
{
    (void)state;
    assert_int_equal(ratings_event_checksum(NULL, 0, "123456789", 9), 0xCBF43926);
    assert_int_equal(ratings_event_checksum("123456789", 9, NULL, 0), 0xCBF43926);
    assert_int_equal(ratings_event_checksum("1234", 4, "56789", 5), 0xCBF43926);
    assert_int_equal(ratings_event_checksum(NULL, 0, NULL, 0), 0);
    assert_int_equal(ratings_crc32(0, "a", 1), 0xE8B7BE43);
    assert_int_equal(ratings_crc32(0, "\0\0\0\0", 4), 0x2144DF1C);
    assert_int_equal(ratings_crc32(0, "\xFF\xFF\xFF\xFF", 4), 0xFFFFFFFF);
}

static void checksum_sees_each_bit(void **state)
{
    unsigned char bytes[64] = {0};
    uint32_t whole = ratings_crc32(0, bytes, sizeof bytes);

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_not_equal(ratings_crc32(0, bytes, sizeof bytes), whole);
        bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, decodes, ROWS(rows));
    unit_add_rows(&suite, reads_ours_as_any, ROWS(own_rows));
    unit_add(&suite, "a value has at most 4096 bytes", bounds_the_value, NULL);
    unit_add(&suite, "an event is written as documented", encodes_as_documented, NULL);
    unit_add(&suite, "an idempotency key is written as documented", encodes_the_key_as_documented,
             NULL);
    unit_add(&suite, "a voter is written as documented", encodes_a_voter_as_documented, NULL);
    unit_add(&suite, "a withdrawal is written as documented", encodes_a_withdrawal_as_documented,
             NULL);
    unit_add_rows(&suite, round_trips, ROWS(ids));
    unit_add(&suite, "what is no UTF-8 is not written", never_encodes_what_is_no_utf8, NULL);
    unit_add(&suite, "the checksum is the CRC-32 of zlib", checksum_is_crc32, NULL);
    unit_add(&suite, "the checksum sees each bit", checksum_sees_each_bit, NULL);
    return unit_run("event", &suite);
}
