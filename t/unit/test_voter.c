#include "../../src/core/voter.h"
#include "unit.h"

static void prints_and_parses(void **state)
{
    char text[RATINGS_VOTER_TEXT_SIZE];
    ratings_voter_t voter, read;
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        memset(voter.hash, byte, sizeof voter.hash);
        voter.hash[0] = 0x0a;
        ratings_voter_print(&voter, text);
        assert_int_equal(strlen(text), 32);
        assert_memory_equal(text, "0a", 2);
        assert_true(ratings_voter_parse(text, strlen(text), &read));
        assert_memory_equal(&read, &voter, sizeof voter);
    }
}

static void parses_digits_alone(void **state)
{
    const char digits[] = "0123456789abcdef0123456789abcdef";
    ratings_voter_t voter;
    (void)state;
    for (size_t len = 0; len < sizeof digits - 1; len++)
        assert_false(ratings_voter_parse(digits, len, &voter));
    for (size_t i = 0; i < sizeof digits - 1; i++)
        for (int c = 0; c < 256; c++) {
            char text[sizeof digits];
            memcpy(text, digits, sizeof digits);
            text[i] = (char)c;
            bool is_digit = c != 0 && strchr("0123456789abcdef", c);
            assert_int_equal(ratings_voter_parse(text, sizeof digits - 1, &voter), is_digit);
        }
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    unit_add(&suite, "a voter is printed and read back", prints_and_parses, NULL);
    unit_add(&suite, "a voter is 32 lower-case hexadecimal digits", parses_digits_alone, NULL);
    return unit_run("voter", &suite);
}
