#include "voter.h"

#include "number.h"

void ratings_voter_print(const ratings_voter_t *voter, char text[RATINGS_VOTER_TEXT_SIZE])
{
    ratings_hex_write(voter->hash, RATINGS_VOTER_SIZE, text);
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

bool ratings_voter_parse(const char *text, size_t len, ratings_voter_t *voter)
{
    unsigned seen = 0;
    if (len != RATINGS_VOTER_TEXT_SIZE - 1)
        return false;
    for (size_t i = 0; i < RATINGS_VOTER_SIZE; i++) {
        unsigned high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);
        seen |= high | low;
        voter->hash[i] = (unsigned char)(high << 4 | low);
    }
    return seen < 16;
}
