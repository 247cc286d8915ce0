#include "../../src/core/event.h"
#include "../../src/core/routing_record.h"
#include "unit.h"

typedef struct {
    const char *name;
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
    int partitions;
} row_t;

#define OURS(value) BYTES(RATINGS_ROUTING_KEY), BYTES(value)
#define MOST 16

static row_t rows[] = {
    {"a routing record is read", OURS("{\"version\":1,\"partitions\":4}"), 4},
    {"members may come in any order", OURS("{ \"partitions\": 1, \"version\": 1 }"), 1},
    {"members of later versions are ignored", OURS("{\"version\":1,\"partitions\":2,\"by\":[1]}"),
     2},
    {"as many as there may be", OURS("{\"version\":1,\"partitions\":16}"), 16},
    {"more than there may be are none", OURS("{\"version\":1,\"partitions\":17}"), 0},
    {"no partitions are none", OURS("{\"version\":1,\"partitions\":0}"), 0},
    {"fewer than none are none", OURS("{\"version\":1,\"partitions\":-1}"), 0},
    {"a number that does not fit an int is none", OURS("{\"version\":1,\"partitions\":4294967297}"),
     0},
    {"a real number is none", OURS("{\"version\":1,\"partitions\":4.0}"), 0},
    {"text is none", OURS("{\"version\":1,\"partitions\":\"4\"}"), 0},
    {"without a number it says nothing", OURS("{\"version\":1}"), 0},
    {"a version that is not known says nothing", OURS("{\"version\":2,\"partitions\":4}"), 0},
    {"without a version it says nothing", OURS("{\"partitions\":4}"), 0},
    {"a member twice says nothing", OURS("{\"version\":1,\"partitions\":4,\"partitions\":4}"), 0},
    {"what is malformed says nothing", OURS("{\"version\":1,\"partitions\":4"), 0},
    {"an empty value says nothing", OURS(""), 0},
    {"a tombstone says nothing", BYTES(RATINGS_ROUTING_KEY), NULL, 0, 0},
    {"another key is another record", BYTES("t"), BYTES("{\"version\":1,\"partitions\":4}"), 0},
    {"a longer key is another one", BYTES(RATINGS_ROUTING_KEY "s"),
     BYTES("{\"version\":1,\"partitions\":4}"), 0},
    {"no key is another record", NULL, 0, BYTES("{\"version\":1,\"partitions\":4}"), 0},
    {"a rating of a talk of that name is an event",
     OURS("{\"version\":1,\"talkId\":\"ratings:routing\",\"value\":5}"), 0},
};

static void decodes(void **state)
{
    const row_t *row = *state;

    assert_int_equal(
        ratings_routing_decode(row->key, row->key_len, row->value, row->value_len, MOST),
        row->partitions);
}

static void a_value_has_a_bound(void **state)
{
    char value[RATINGS_ROUTING_VALUE_MAX + 2];

    (void)state;
    memset(value, ' ', sizeof value);
    memcpy(value, BYTES("{\"version\":1,\"partitions\":4}"));
    assert_int_equal(
        ratings_routing_decode(BYTES(RATINGS_ROUTING_KEY), value, RATINGS_ROUTING_VALUE_MAX, MOST),
        4);
    assert_int_equal(ratings_routing_decode(BYTES(RATINGS_ROUTING_KEY), value,
                                            RATINGS_ROUTING_VALUE_MAX + 1, MOST),
                     0);
}

/* What a version before it, which knows events alone, takes it for; and the other way round. */
static void is_no_event(void **state)
{
    ratings_event_t event;
    size_t len;
    char *value = ratings_routing_encode(12, &len);

    (void)state;
    assert_non_null(value);
    assert_string_equal(value, "{\"version\":1,\"partitions\":12}");
    assert_int_equal(len, strlen(value));
    assert_int_equal(ratings_routing_decode(BYTES(RATINGS_ROUTING_KEY), value, len, MOST), 12);
    assert_non_null(ratings_event_decode(BYTES(RATINGS_ROUTING_KEY), value, len, &event));
    free(value);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, decodes, ROWS(rows));
    unit_add(&suite, "a value has at most 256 bytes", a_value_has_a_bound, NULL);
    unit_add(&suite, "a routing record is no event", is_no_event, NULL);
    return unit_run("routing_record", &suite);
}
