#include "../../src/core/voter_cookie.h"
#include "unit.h"

#include <stdio.h>

static ratings_secret_t secret, other;

/* As Python has it: hmac.new(b"0123456789abcdef" * 2, b"mod_ratings cookie\0\0" + b"0f" * 16,
 * "sha256").hexdigest()[:32] */
#define IDENTITY "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
#define SIGNATURE "9de8d7467a8e0c6f5e73ebe5dac59154"
#define SIGNED IDENTITY "." SIGNATURE
#define FORGED IDENTITY "." IDENTITY

typedef struct {
    const char *name;
    const char *field;
    bool found;
} row_t;

static row_t rows[] = {
    {"alone", "v=" SIGNED, true},
    {"after others", "a=b; v=" SIGNED, true},
    {"before others", "v=" SIGNED "; a=b", true},
    {"without blanks", "a=b;v=" SIGNED ";c=d", true},
    {"in the second field, after a comma", "a=b, v=" SIGNED, true},
    {"after a forged one", "v=" FORGED "; v=" SIGNED, true},
    {"after one of another length", "v=x; v=" SIGNED, true},
    {"among separators", " ;; v=" SIGNED ";", true},
    {"no field", NULL, false},
    {"an empty field", "", false},
    {"separators alone", "; ;", false},
    {"another name", "w=" SIGNED, false},
    {"a longer name", "vv=" SIGNED, false},
    {"the name in capitals", "V=" SIGNED, false},
    {"a name alone", "v", false},
    {"an empty value", "v=", false},
    {"a forged one", "v=" FORGED, false},
    {"another identity", "v=1" IDENTITY "." SIGNATURE, false},
    {"an identity of the same length", "v=1f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f." SIGNATURE, false},
    {"the first digit of the signature differs", "v=" IDENTITY ".x" SIGNATURE, false},
    {"the signature in capitals", "v=" IDENTITY ".9DE8D7467A8E0C6F5E73EBE5DAC59154", false},
    {"another character between", "v=" IDENTITY "-" SIGNATURE, false},
    {"cut short", "v=" IDENTITY ".", false},
    {"something after it", "v=" SIGNED "0", false},
    {"in double quotes", "v=\"" SIGNED "\"", false},
};

static void find(void **state)
{
    const row_t *row = *state;
    char *field = row->field ? unit_copy(row->field, strlen(row->field) + 1) : NULL;
    char identity[RATINGS_COOKIE_IDENTITY + 1];
    bool foreign = ratings_voter_cookie_find(&other, field, "v", identity);
    bool found = ratings_voter_cookie_find(&secret, field, "v", identity);
    free(field);
    assert_int_equal(found, row->found);
    assert_false(foreign);
    if (found)
        assert_string_equal(identity, IDENTITY);
}

/* Each digit of the signature counts. */
static void each_digit(void **state)
{
    char field[] = "v=" SIGNED, identity[RATINGS_COOKIE_IDENTITY + 1];
    (void)state;
    for (size_t i = 2 + RATINGS_COOKIE_IDENTITY; field[i]; i++) {
        field[i] ^= 1;
        assert_false(ratings_voter_cookie_find(&secret, field, "v", identity));
        field[i] ^= 1;
    }
    assert_true(ratings_voter_cookie_find(&secret, field, "v", identity));
}

static void made(void **state)
{
    char first[RATINGS_COOKIE_IDENTITY + 1], second[RATINGS_COOKIE_IDENTITY + 1],
        found[RATINGS_COOKIE_IDENTITY + 1], field[2 + RATINGS_COOKIE_VALUE + 1] = "v=";
    (void)state;
    assert_true(ratings_voter_cookie_new(&secret, first, field + 2));
    assert_int_equal(strlen(field + 2), RATINGS_COOKIE_VALUE);
    assert_int_equal(strspn(first, "0123456789abcdef"), RATINGS_COOKIE_IDENTITY);
    assert_true(ratings_voter_cookie_find(&secret, field, "v", found));
    assert_string_equal(found, first);
    assert_false(ratings_voter_cookie_find(&other, field, "v", found));
    assert_true(ratings_voter_cookie_new(&secret, second, field + 2));
    assert_string_not_equal(second, first);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    if (!ratings_secret_set(&secret, BYTES("0123456789abcdef0123456789abcdef")) ||
        !ratings_secret_set(&other, BYTES("0123456789abcdef0123456789abcdeX")))
        return 1;
    unit_add_rows(&suite, find, ROWS(rows));
    unit_add(&suite, "each digit of a signature counts", each_digit, NULL);
    unit_add(&suite, "a new cookie is found, and no two are alike", made, NULL);
    return unit_run("voter_cookie", &suite);
}
