#include "../../src/core/bar_record.h"
#include "../../src/core/event.h"
#include "unit.h"

#define VOTER "5f0c3a9d4b1e8872d06c9be1a4f3207e"

typedef enum { NOT_OURS, BARRED, UNBARRED } end_e;

typedef struct {
    const char *name;
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
    end_e end;
} row_t;

#define OURS(value) BYTES(RATINGS_BAR_KEY), BYTES(value)
#define BAR "{\"version\":1,\"voter\":\"" VOTER "\",\"barred\":true}"

static row_t rows[] = {
    {"a bar is read", OURS(BAR), BARRED},
    {"its end is read", OURS("{\"version\":1,\"voter\":\"" VOTER "\",\"barred\":false}"), UNBARRED},
    {"a reason changes nothing",
     OURS("{\"version\":1,\"voter\":\"" VOTER "\",\"barred\":true,\"reason\":\"why\"}"), BARRED},
    {"members may come in any order, later versions may add some",
     OURS("{ \"by\": [1], \"barred\": true, \"voter\": \"" VOTER "\", \"version\": 1 }"), BARRED},
    {"without a voter it is none", OURS("{\"version\":1,\"barred\":true}"), NOT_OURS},
    {"a voter of other digits is none",
     OURS("{\"version\":1,\"voter\":\"5F0C3A9D4B1E8872D06C9BE1A4F3207E\",\"barred\":true}"),
     NOT_OURS},
    {"a voter that is cut is none", OURS("{\"version\":1,\"voter\":\"5f0c\",\"barred\":true}"),
     NOT_OURS},
    {"without barred it says nothing", OURS("{\"version\":1,\"voter\":\"" VOTER "\"}"), NOT_OURS},
    {"a number says nothing", OURS("{\"version\":1,\"voter\":\"" VOTER "\",\"barred\":1}"),
     NOT_OURS},
    {"a version that is not known says nothing",
     OURS("{\"version\":2,\"voter\":\"" VOTER "\",\"barred\":true}"), NOT_OURS},
    {"a member twice says nothing",
     OURS("{\"version\":1,\"voter\":\"" VOTER "\",\"barred\":true,\"barred\":true}"), NOT_OURS},
    {"what is malformed says nothing", OURS("{\"version\":1"), NOT_OURS},
    {"an empty value says nothing", OURS(""), NOT_OURS},
    {"a tombstone says nothing", BYTES(RATINGS_BAR_KEY), NULL, 0, NOT_OURS},
    {"another key is another record", BYTES("t"), BYTES(BAR), NOT_OURS},
    {"a longer key is another one", BYTES(RATINGS_BAR_KEY "s"), BYTES(BAR), NOT_OURS},
    {"no key is another record", NULL, 0, BYTES(BAR), NOT_OURS},
    {"a rating of a talk of that name is an event",
     OURS("{\"version\":1,\"talkId\":\"" RATINGS_BAR_KEY "\",\"value\":5,\"voter\":\"" VOTER
          "\",\"barred\":true}"),
     NOT_OURS},
};

static void decodes(void **state)
{
    const row_t *row = *state;
    ratings_bar_t bar;
    char voter[RATINGS_VOTER_TEXT_SIZE];
    ratings_event_t event;
    bool is_bar = ratings_bar_decode(row->key, row->key_len, row->value, row->value_len, &bar);

    assert_int_equal(is_bar, row->end != NOT_OURS);
    if (!is_bar)
        return;
    ratings_voter_print(&bar.voter, voter);
    assert_string_equal(voter, VOTER);
    assert_int_equal(bar.is_barred, row->end == BARRED);
    assert_non_null(
        ratings_event_decode(row->key, row->key_len, row->value, row->value_len, &event));
}

static void a_value_has_a_bound(void **state)
{
    char value[RATINGS_BAR_VALUE_MAX + 1];
    ratings_bar_t bar;

    (void)state;
    memset(value, ' ', sizeof value);
    memcpy(value, BYTES(BAR));
    assert_true(ratings_bar_decode(BYTES(RATINGS_BAR_KEY), value, RATINGS_BAR_VALUE_MAX, &bar));
    assert_false(
        ratings_bar_decode(BYTES(RATINGS_BAR_KEY), value, RATINGS_BAR_VALUE_MAX + 1, &bar));
}

static void encodes(void **state)
{
    ratings_bar_t bar = {.is_barred = true};
    size_t len;

    (void)state;
    assert_true(ratings_voter_parse(VOTER, strlen(VOTER), &bar.voter));
    assert_string_equal(ratings_bar_type(&bar), "ratings.voter.barred.v1");
    char *text = ratings_bar_encode(&bar, "a \"bot\"", &len);
    assert_string_equal(text, "{\"version\":1,\"voter\":\"" VOTER
                              "\",\"barred\":true,\"reason\":\"a \\\"bot\\\"\"}");
    assert_int_equal(len, strlen(text));
    free(text);
    bar.is_barred = false;
    assert_string_equal(ratings_bar_type(&bar), "ratings.voter.unbarred.v1");
    text = ratings_bar_encode(&bar, NULL, &len);
    assert_string_equal(text, "{\"version\":1,\"voter\":\"" VOTER "\",\"barred\":false}");
    free(text);
}

/* The longest one, all of it escaped, is within the bound of a value. */
static void a_reason_is_a_short_text(void **state)
{
    char reason[RATINGS_BAR_REASON_MAX + 1];
    ratings_bar_t bar = {.is_barred = true}, read;
    size_t len;

    (void)state;
    memset(reason, '"', sizeof reason);
    assert_false(ratings_bar_reason_is_valid(reason, sizeof reason));
    assert_false(ratings_bar_reason_is_valid("", 0));
    assert_false(ratings_bar_reason_is_valid(BYTES("a\nb")));
    assert_false(ratings_bar_reason_is_valid(BYTES("a\xff")));
    assert_true(ratings_bar_reason_is_valid(BYTES("B\xc3\xa4"
                                                  "r")));
    reason[RATINGS_BAR_REASON_MAX] = '\0';
    assert_true(ratings_bar_reason_is_valid(reason, RATINGS_BAR_REASON_MAX));
    char *text = ratings_bar_encode(&bar, reason, &len);
    assert_true(ratings_bar_decode(BYTES(RATINGS_BAR_KEY), text, len, &read));
    free(text);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, decodes, ROWS(rows));
    unit_add(&suite, "a value has a bound", a_value_has_a_bound, NULL);
    unit_add(&suite, "a record is written", encodes, NULL);
    unit_add(&suite, "a reason is a short text", a_reason_is_a_short_text, NULL);
    return unit_run("bar_record", &suite);
}
