#include "number.h"

/* Canonical: each integer has one spelling. */
static bool canonical_digits(const char *digits, size_t len, bool negative)
{
    if (len == 0 || (digits[0] == '0' && (len > 1 || negative)))
        return false;
    for (size_t i = 0; i < len; i++)
        if (digits[i] < '0' || digits[i] > '9')
            return false;
    return true;
}

/* Sums downwards, since the range below zero is the larger one. */
static bool negated_value(const char *digits, size_t len, int64_t *out)
{
    int64_t value = 0;

    for (size_t i = 0; i < len; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digits[i] - '0', &value))
            return false;
    *out = value;
    return true;
}

bool ratings_parse_int(const char *text, size_t len, int64_t min, int64_t max, int64_t *out)
{
    bool negative = len > 0 && text[0] == '-';
    const char *digits = negative ? text + 1 : text;
    size_t count = negative ? len - 1 : len;
    int64_t value;

    if (!canonical_digits(digits, count, negative) || !negated_value(digits, count, &value))
        return false;
    if (!negative && __builtin_sub_overflow(0, value, &value))
        return false;
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

int ratings_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

void ratings_hex_write(const unsigned char *bytes, size_t count, char *text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * count] = '\0';
}

/* One more than the digit; 0: it is none. A table, as the branches of comparisons cannot be
 * predicted: digits of a hash are random. */
static const unsigned char digit_and_one[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* Above 15: it is no digit. */
static unsigned digit_of(char c)
{
    return digit_and_one[(unsigned char)c] - 1U;
}

bool ratings_hex_read(const char *text, size_t count, unsigned char *bytes)
{
    unsigned seen = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        seen |= high | low;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return seen < 16;
}
