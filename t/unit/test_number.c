#include "../../src/core/number.h"
#include "unit.h"

typedef struct {
    const char *name;
    const char *text;
    size_t len;
    int64_t min, max;
    bool accepted;
    int64_t value;
} row_t;

#define ANY INT64_MIN, INT64_MAX
#define RATING 1, 5

static row_t rows[] = {
    {"zero is read", BYTES("0"), ANY, true, 0},
    {"one digit is read", BYTES("7"), ANY, true, 7},
    {"several digits are read", BYTES("1234567890"), ANY, true, 1234567890},
    {"a negative number is read", BYTES("-42"), ANY, true, -42},
    {"the largest number is read", BYTES("9223372036854775807"), ANY, true, INT64_MAX},
    {"the smallest number is read", BYTES("-9223372036854775808"), ANY, true, INT64_MIN},
    {"one above the largest is refused", BYTES("9223372036854775808"), ANY, false, 0},
    {"one below the smallest is refused", BYTES("-9223372036854775809"), ANY, false, 0},
    {"far above the largest is refused", BYTES("99999999999999999999"), ANY, false, 0},
    {"the lower limit is inside", BYTES("1"), RATING, true, 1},
    {"the upper limit is inside", BYTES("5"), RATING, true, 5},
    {"one below the lower limit is refused", BYTES("0"), RATING, false, 0},
    {"one above the upper limit is refused", BYTES("6"), RATING, false, 0},
    {"a negative number below the limit is refused", BYTES("-1"), RATING, false, 0},
    {"empty text is refused", BYTES(""), ANY, false, 0},
    {"a sign alone is refused", BYTES("-"), ANY, false, 0},
    {"minus zero is refused", BYTES("-0"), ANY, false, 0},
    {"a plus sign is refused", BYTES("+1"), ANY, false, 0},
    {"two signs are refused", BYTES("--1"), ANY, false, 0},
    {"a leading zero is refused", BYTES("01"), ANY, false, 0},
    {"a leading zero after a sign is refused", BYTES("-01"), ANY, false, 0},
    {"a blank before is refused", BYTES(" 1"), ANY, false, 0},
    {"a blank after is refused", BYTES("1 "), ANY, false, 0},
    {"a line end after is refused", BYTES("1\n"), ANY, false, 0},
    {"a fraction is refused", BYTES("5.0"), ANY, false, 0},
    {"an exponent is refused", BYTES("1e0"), ANY, false, 0},
    {"a hexadecimal number is refused", BYTES("0x1"), ANY, false, 0},
    {"letters are refused", BYTES("five"), ANY, false, 0},
    {"the character after 9 is refused", BYTES("1:"), ANY, false, 0},
    {"the character before 0 is refused", BYTES("1/"), ANY, false, 0},
    {"a NUL byte inside is refused", BYTES("1\0002"), ANY, false, 0},
    {"digits of another script are refused", BYTES("\xD9\xA3"), ANY, false, 0},
};

static void reads_strictly(void **state)
{
    const row_t *row = *state;
    char *text = unit_copy(row->text, row->len);
    int64_t value = 4711;
    bool accepted = ratings_parse_int(text, row->len, row->min, row->max, &value);

    free(text);
    assert_int_equal(accepted, row->accepted);
    assert_true(value == (row->accepted ? row->value : 4711));
}

static void reads_no_further_than_its_length(void **state)
{
    int64_t value = 0;

    (void)state;
    assert_true(ratings_parse_int("123", 2, 0, 99, &value));
    assert_int_equal(value, 12);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, reads_strictly, ROWS(rows));
    unit_add(&suite, "the text ends where its length says", reads_no_further_than_its_length, NULL);
    return unit_run("number", &suite);
}
