#include "voter.h"

#include "number.h"

void ratings_voter_print(const ratings_voter_t *voter, char text[RATINGS_VOTER_TEXT_SIZE])
{
    ratings_hex_write(voter->hash, RATINGS_VOTER_SIZE, text);
}

/* 16: it is no digit. */
static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
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
