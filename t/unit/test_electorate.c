#include "../../src/core/electorate_record.h"
#include "../../src/core/event.h"
#include "../../src/core/secret.h"
#include "unit.h"

#define ONE "00112233445566778899aabbccddeeff"
#define TWO "ffeeddccbbaa99887766554433221100"

/* ---- names ---- */

typedef struct {
    const char *name;
    const char *text;
    bool is_one;
} name_row_t;

static name_row_t names[] = {
    {"a name is read", ONE, true},
    {"none is no name", "", false},
    {"one digit less is none", "0112233445566778899aabbccddeeff", false},
    {"one more is none", ONE "0", false},
    {"capitals are none", "00112233445566778899AABBCCDDEEFF", false},
    {"another character is none", "0011223344556677-899aabbccddeeff", false},
};

static void parses(void **state)
{
    const name_row_t *row = *state;
    ratings_electorate_t electorate = {"left over"};
    assert_int_equal(ratings_electorate_parse(row->text, strlen(row->text), &electorate),
                     row->is_one);
    assert_string_equal(electorate.name, row->is_one ? row->text : "");
}

static void has_a_number(void **state)
{
    const ratings_electorate_t none = {""}, one = {ONE}, two = {TWO},
                               zero = {"000000000000000000112233445566aa"};
    (void)state;
    assert_int_equal(ratings_electorate_number(&none), 0);
    assert_true(ratings_electorate_number(&one) == UINT64_C(0x0011223344556677));
    assert_true(ratings_electorate_number(&two) == UINT64_C(0xffeeddccbbaa9989));
    assert_int_not_equal(ratings_electorate_number(&zero), 0);
    assert_true(ratings_electorate_equal(&one, &one));
    assert_false(ratings_electorate_equal(&one, &two));
}

/* ---- records ---- */

typedef struct {
    const char *name;
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
    const char *begins, *follows; /* NULL: it is no such record */
} row_t;

#define OURS(value) BYTES(RATINGS_ELECTORATE_KEY), BYTES(value)
#define FIRST "{\"version\":1,\"electorate\":\"" ONE "\",\"follows\":\"\"}"

static row_t rows[] = {
    {"the first one", OURS(FIRST), ONE, ""},
    {"one that follows", OURS("{\"version\":1,\"electorate\":\"" TWO "\",\"follows\":\"" ONE "\"}"),
     TWO, ONE},
    {"members may come in any order",
     OURS("{ \"follows\": \"\", \"electorate\": \"" ONE "\", \"version\": 1 }"), ONE, ""},
    {"members of later versions are ignored",
     OURS("{\"version\":1,\"electorate\":\"" ONE "\",\"follows\":\"\",\"by\":[1]}"), ONE, ""},
    {"a version that is not known",
     OURS("{\"version\":2,\"electorate\":\"" ONE "\",\"follows\":\"\"}"), NULL, NULL},
    {"without a version", OURS("{\"electorate\":\"" ONE "\",\"follows\":\"\"}"), NULL, NULL},
    {"without a name", OURS("{\"version\":1,\"follows\":\"\"}"), NULL, NULL},
    {"an empty name", OURS("{\"version\":1,\"electorate\":\"\",\"follows\":\"\"}"), NULL, NULL},
    {"what is no name", OURS("{\"version\":1,\"electorate\":\"x\",\"follows\":\"\"}"), NULL, NULL},
    {"a number", OURS("{\"version\":1,\"electorate\":1,\"follows\":\"\"}"), NULL, NULL},
    {"without what it follows", OURS("{\"version\":1,\"electorate\":\"" ONE "\"}"), NULL, NULL},
    {"following nothing that can be",
     OURS("{\"version\":1,\"electorate\":\"" ONE "\",\"follows\":null}"), NULL, NULL},
    {"following what is no name",
     OURS("{\"version\":1,\"electorate\":\"" ONE "\",\"follows\":\"x\"}"), NULL, NULL},
    {"a member twice",
     OURS("{\"version\":1,\"electorate\":\"" ONE "\",\"electorate\":\"" ONE "\",\"follows\":\"\"}"),
     NULL, NULL},
    {"what is malformed", OURS("{\"version\":1"), NULL, NULL},
    {"an empty value", OURS(""), NULL, NULL},
    {"a tombstone", BYTES(RATINGS_ELECTORATE_KEY), NULL, 0, NULL, NULL},
    {"another key", BYTES("t"), BYTES(FIRST), NULL, NULL},
    {"a longer key", BYTES(RATINGS_ELECTORATE_KEY "s"), BYTES(FIRST), NULL, NULL},
    {"no key", NULL, 0, BYTES(FIRST), NULL, NULL},
    {"an event with the members of both",
     OURS("{\"version\":1,\"talkId\":\"ratings:electorate\",\"value\":5,\"electorate\":\"" ONE
          "\",\"follows\":\"\"}"),
     NULL, NULL},
    {"a rating of a talk of that name",
     OURS("{\"version\":1,\"talkId\":\"ratings:electorate\",\"value\":5}"), NULL, NULL},
};

static void decodes(void **state)
{
    const row_t *row = *state;
    ratings_electorate_record_t record;
    bool is_one =
        ratings_electorate_decode(row->key, row->key_len, row->value, row->value_len, &record);
    assert_int_equal(is_one, row->begins != NULL);
    if (!is_one)
        return;
    assert_string_equal(record.begins.name, row->begins);
    assert_string_equal(record.follows.name, row->follows);
}

static void a_value_has_a_bound(void **state)
{
    char value[RATINGS_ELECTORATE_VALUE_MAX + 2];
    ratings_electorate_record_t record;
    (void)state;
    memset(value, ' ', sizeof value);
    memcpy(value, BYTES(FIRST));
    assert_true(ratings_electorate_decode(BYTES(RATINGS_ELECTORATE_KEY), value,
                                          RATINGS_ELECTORATE_VALUE_MAX, &record));
    assert_false(ratings_electorate_decode(BYTES(RATINGS_ELECTORATE_KEY), value,
                                           RATINGS_ELECTORATE_VALUE_MAX + 1, &record));
}

/* What a version before it, which knows events alone, takes it for; and the other way round. */
static void is_no_event(void **state)
{
    const ratings_electorate_record_t record = {{TWO}, {ONE}};
    ratings_electorate_record_t read;
    ratings_event_t event;
    size_t len;
    char *value = ratings_electorate_encode(&record, &len);
    (void)state;
    assert_non_null(value);
    assert_string_equal(value,
                        "{\"version\":1,\"electorate\":\"" TWO "\",\"follows\":\"" ONE "\"}");
    assert_int_equal(len, strlen(value));
    assert_true(ratings_electorate_decode(BYTES(RATINGS_ELECTORATE_KEY), value, len, &read));
    assert_memory_equal(&read, &record, sizeof record);
    assert_non_null(ratings_event_decode(BYTES(RATINGS_ELECTORATE_KEY), value, len, &event));
    free(value);
}

/* ---- of a secret ---- */

/* "mod_ratings electorate", a NUL, the topic, a NUL: by an HMAC of another maker (Python's hmac).
 */
static void is_named_by_secret_and_topic(void **state)
{
    static const char bytes[] = "0123456789abcdef0123456789abcdef";
    ratings_secret_t secret, other;
    ratings_electorate_t one, two;
    (void)state;
    assert_true(ratings_secret_set(&secret, bytes, sizeof bytes - 1));
    assert_true(ratings_secret_set(&other, bytes, sizeof bytes - 2));
    assert_true(ratings_secret_electorate(&secret, "ratings", &one));
    assert_string_equal(one.name, "15495a950d63e0d6e86ac9b43c756cd1");
    assert_true(ratings_secret_electorate(&secret, "rating", &two));
    assert_false(ratings_electorate_equal(&one, &two));
    assert_true(ratings_secret_electorate(&other, "ratings", &two));
    assert_false(ratings_electorate_equal(&one, &two));
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, parses, ROWS(names));
    unit_add(&suite, "an electorate has a number", has_a_number, NULL);
    unit_add_rows(&suite, decodes, ROWS(rows));
    unit_add(&suite, "a value has at most 256 bytes", a_value_has_a_bound, NULL);
    unit_add(&suite, "an electorate's record is no event", is_no_event, NULL);
    unit_add(&suite, "an electorate is named by secret and topic", is_named_by_secret_and_topic,
             NULL);
    return unit_run("electorate", &suite);
}
