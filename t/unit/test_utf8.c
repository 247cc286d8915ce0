#include "../../src/core/utf8.h"
#include "unit.h"

typedef struct {
    const char *name;
    const char *text;
    size_t len;
    int32_t point; /* -1: refused */
    size_t used;
} row_t;

static row_t rows[] = {
    {"NUL is a code point", BYTES("\0"), 0, 1},
    {"ASCII takes one byte", BYTES("a"), 'a', 1},
    {"the last of one byte", BYTES("\x7F"), 0x7F, 1},
    {"the first of two bytes", BYTES("\xC2\x80"), 0x80, 2},
    {"the last of two bytes", BYTES("\xDF\xBF"), 0x7FF, 2},
    {"the first of three bytes", BYTES("\xE0\xA0\x80"), 0x800, 3},
    {"the last of three bytes", BYTES("\xEF\xBF\xBF"), 0xFFFF, 3},
    {"the last before the surrogates", BYTES("\xED\x9F\xBF"), 0xD7FF, 3},
    {"the first after the surrogates", BYTES("\xEE\x80\x80"), 0xE000, 3},
    {"the first of four bytes", BYTES("\xF0\x90\x80\x80"), 0x10000, 4},
    {"the last code point", BYTES("\xF4\x8F\xBF\xBF"), 0x10FFFF, 4},
    {"only the head is read", BYTES("\xC3\xA9tude"), 0xE9, 2},
    {"nothing is refused", BYTES(""), -1, 0},
    {"a continuation byte first is refused", BYTES("\x80"), -1, 0},
    {"the last continuation byte first is refused", BYTES("\xBF"), -1, 0},
    {"NUL overlong in two bytes is refused", BYTES("\xC0\x80"), -1, 0},
    {"a slash overlong in two bytes is refused", BYTES("\xC0\xAF"), -1, 0},
    {"DEL overlong in two bytes is refused", BYTES("\xC1\xBF"), -1, 0},
    {"a slash overlong in three bytes is refused", BYTES("\xE0\x80\xAF"), -1, 0},
    {"the last overlong in three bytes is refused", BYTES("\xE0\x9F\xBF"), -1, 0},
    {"a slash overlong in four bytes is refused", BYTES("\xF0\x80\x80\xAF"), -1, 0},
    {"the last overlong in four bytes is refused", BYTES("\xF0\x8F\xBF\xBF"), -1, 0},
    {"the first surrogate is refused", BYTES("\xED\xA0\x80"), -1, 0},
    {"the last surrogate is refused", BYTES("\xED\xBF\xBF"), -1, 0},
    {"a pair of surrogates (CESU-8) is refused", BYTES("\xED\xA0\xBD\xED\xB8\x80"), -1, 0},
    {"one above the last code point is refused", BYTES("\xF4\x90\x80\x80"), -1, 0},
    {"a lead of far above is refused", BYTES("\xF5\x80\x80\x80"), -1, 0},
    {"five bytes are refused", BYTES("\xF8\x88\x80\x80\x80"), -1, 0},
    {"six bytes are refused", BYTES("\xFC\x84\x80\x80\x80\x80"), -1, 0},
    {"FE is refused", BYTES("\xFE"), -1, 0},
    {"FF is refused", BYTES("\xFF"), -1, 0},
    {"two bytes cut to one are refused", BYTES("\xC3"), -1, 0},
    {"three bytes cut to two are refused", BYTES("\xE2\x82"), -1, 0},
    {"four bytes cut to three are refused", BYTES("\xF0\x9F\x98"), -1, 0},
    {"a letter where a continuation byte belongs is refused", BYTES("\xC3z"), -1, 0},
    {"a lead where a continuation byte belongs is refused", BYTES("\xE2\x82\xC3"), -1, 0},
};

static void decodes(void **state)
{
    const row_t *row = *state;
    char *text = unit_copy(row->text, row->len);
    size_t used = 0;
    int32_t point = ratings_utf8_next(text, row->len, &used);

    free(text);
    assert_int_equal(point, row->point);
    assert_int_equal(used, row->used);
}

/* Encodes by the rule, whatever the rule says of the code point. */
static size_t encode(uint32_t point, char *out)
{
    static const unsigned char leads[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    size_t bytes = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

    for (size_t i = bytes - 1; i > 0; i--, point >>= 6)
        out[i] = (char)(0x80 | (point & 0x3F));
    out[0] = (char)(leads[bytes] | point);
    return bytes;
}

static void round_trips_every_scalar_value(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x10FFFF; point++) {
        char text[4];
        size_t used = 0, len = encode(point, text);
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;

        assert_int_equal(ratings_utf8_next(text, len, &used), surrogate ? -1 : (int32_t)point);
        assert_int_equal(used, surrogate ? 0 : len);
    }
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, decodes, ROWS(rows));
    unit_add(&suite, "every code point but the surrogates is read back",
             round_trips_every_scalar_value, NULL);
    return unit_run("utf8", &suite);
}
