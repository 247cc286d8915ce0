#include "../../src/core/position.h"
#include "unit.h"

/* ---- text ---- */

typedef struct {
    const char *name;
    ratings_position_t position;
    const char *text;
} text_row_t;

static text_row_t texts[] = {
    {"the first record of a log that is not known", {0, 0, 1}, "v1-00000000000000000001"},
    {"each part has its place", {10, 0xbc1, 0x2f}, "v1-000a0bc100000000002f"},
    {"the largest of each", {1023, 0xffff, RATINGS_POSITION_OFFSET_MAX}, "v1-03ffffffffffffffffff"},
    {"none", {0, 0, 0}, "v1-00000000000000000000"},
};

static void test_text(void **state)
{
    const text_row_t *row = *state;
    ratings_position_t position = {-1, 7, -1};
    char text[RATINGS_POSITION_TEXT_SIZE];

    ratings_position_print(&row->position, text);
    assert_string_equal(text, row->text);
    assert_true(ratings_position_parse(text, &position));
    assert_int_equal(position.partition, row->position.partition);
    assert_int_equal(position.log_id, row->position.log_id);
    assert_true(position.offset == row->position.offset);
}

/* ---- what is none ---- */

typedef struct {
    const char *name;
    const char *text;
    size_t len;
} other_row_t;

static other_row_t others[] = {
    {"an empty text", BYTES("")},
    {"the version alone", BYTES("v1-")},
    {"another version", BYTES("v2-00000000000000000001")},
    {"no version", BYTES("00000000000000000001")},
    {"a version in capitals", BYTES("V1-00000000000000000001")},
    {"a digit less", BYTES("v1-0000000000000000001")},
    {"a digit more", BYTES("v1-000000000000000000001")},
    {"a capital digit", BYTES("v1-0000000000000000000A")},
    {"what is no digit", BYTES("v1-0000000000000000000g")},
    {"a sign", BYTES("v1-00000000-00000000001")},
    {"a blank before", BYTES(" v1-00000000000000000001")},
    {"a blank after", BYTES("v1-00000000000000000001 ")},
    {"a blank in the place of a digit", BYTES("v1-00000000 00000000001")},
    {"quotes", BYTES("\"v1-00000000000000000001\"")},
    {"two of them, as httpd joins two headers",
     BYTES("v1-00000000000000000001, v1-00000000000000000002")},
    {"a partition that no topic has", BYTES("v1-04000000000000000001")},
    {"the largest partition of four digits", BYTES("v1-ffff0000000000000001")},
    {"bytes beyond ASCII", BYTES("v1-0000000000000000000\xc3\xa4")},
};

static void test_other(void **state)
{
    const other_row_t *row = *state;
    ratings_position_t position = {3, 7, 11};
    char *text = unit_copy(row->text, row->len + 1); /* with its end */

    assert_false(ratings_position_parse(text, &position));
    assert_int_equal(position.partition, 3);
    assert_int_equal(position.log_id, 7);
    assert_true(position.offset == 11);
    free(text);
}

/* ---- where a store is ---- */

typedef struct {
    const char *name;
    ratings_position_t position;
    uint16_t log_id;
    int64_t checkpoint;
    bool is_reached;
} reached_row_t;

static reached_row_t reached[] = {
    {"none is reached by a store that knows nothing", {0, 0, 0}, 0, -1, true},
    {"none of another log, too", {0, 9, 0}, 7, 0, true},
    {"a checkpoint before it", {0, 7, 5}, 7, 4, false},
    {"the checkpoint itself", {0, 7, 5}, 7, 5, true},
    {"one beyond", {0, 7, 5}, 7, 6, true},
    {"one beyond, of another log", {0, 7, 5}, 8, 6, false},
    {"one beyond, of a log that is not known", {0, 7, 5}, 0, 6, false},
    {"of whichever log, before it", {0, 0, 5}, 8, 4, false},
    {"of whichever log, at it", {0, 0, 5}, 8, 5, true},
    {"a store without a checkpoint", {0, 0, 1}, 0, -1, false},
    {"the largest", {0, 7, RATINGS_POSITION_OFFSET_MAX}, 7, RATINGS_POSITION_OFFSET_MAX - 1, false},
};

static void test_reached(void **state)
{
    const reached_row_t *row = *state;
    assert_int_equal(ratings_position_is_reached(&row->position, row->log_id, row->checkpoint),
                     row->is_reached);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add_rows(&suite, test_text, ROWS(texts));
    unit_add_rows(&suite, test_other, ROWS(others));
    unit_add_rows(&suite, test_reached, ROWS(reached));
    return unit_run("position", &suite);
}
