#include "../base64.h"
#include <unit.h>

typedef struct {
    const char *name;
    const char *text;
    size_t len;
    const char *bytes; /* NULL: refused */
    size_t bytes_len;
} row_t;

#define REFUSED NULL, 0

/* The first seven are the test vectors of RFC 4648. */
static row_t rows[] = {
    {"nothing is nothing", BYTES(""), BYTES("")},
    {"one byte has two pads", BYTES("Zg=="), BYTES("f")},
    {"two bytes have one pad", BYTES("Zm8="), BYTES("fo")},
    {"three bytes have no pad", BYTES("Zm9v"), BYTES("foo")},
    {"four bytes are two groups", BYTES("Zm9vYg=="), BYTES("foob")},
    {"five bytes are two groups", BYTES("Zm9vYmE="), BYTES("fooba")},
    {"six bytes are two groups", BYTES("Zm9vYmFy"), BYTES("foobar")},
    {"all bits set are slashes", BYTES("////"), BYTES("\xFF\xFF\xFF")},
    {"plus is a digit", BYTES("++++"), BYTES("\xFB\xEF\xBE")},
    {"NUL bytes are bytes", BYTES("AAAA"), BYTES("\0\0\0")},

    {"a group cut short is refused", BYTES("Zm9"), REFUSED},
    {"one character is refused", BYTES("Z"), REFUSED},
    {"pads alone are refused", BYTES("===="), REFUSED},
    {"three pads are refused", BYTES("Z==="), REFUSED},
    {"a pad inside is refused", BYTES("Zg==Zg=="), REFUSED},
    {"a digit after a pad is refused", BYTES("Zg=v"), REFUSED},
    {"a line feed is refused", BYTES("Zm9\n"), REFUSED},
    {"a blank is refused", BYTES("Zm 9"), REFUSED},
    {"the alphabet for URLs is refused", BYTES("-_-_"), REFUSED},
    {"a NUL is refused", BYTES("Zm9\0"), REFUSED},
    {"a byte beyond ASCII is refused", BYTES("Zm9\xFF"), REFUSED},
    {"stray bits before two pads are refused", BYTES("Zh=="), REFUSED},
    {"stray bits before one pad are refused", BYTES("Zm9="), REFUSED},
};

static void decodes(void **state)
{
    const row_t *row = *state;
    char *text = unit_copy(row->text, row->len), *bytes = text;
    size_t len = 0;
    bool decoded = lambda_base64_decode(text, row->len, &bytes, &len);

    free(text);
    assert_int_equal(decoded, row->bytes != NULL);
    if (decoded) {
        assert_int_equal(len, row->bytes_len);
        assert_memory_equal(bytes, row->bytes, len);
    } else {
        assert_null(bytes);
    }
    free(bytes);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, decodes, ROWS(rows));
    return unit_run("base64", &suite);
}
