#include "voter.h"

#include "number.h"

void ratings_voter_print(const ratings_voter_t *voter, char text[RATINGS_VOTER_TEXT_SIZE])
{
    ratings_hex_write(voter->hash, RATINGS_VOTER_SIZE, text);
}

bool ratings_voter_parse(const char *text, size_t len, ratings_voter_t *voter)
{
    return len == RATINGS_VOTER_TEXT_SIZE - 1 &&
           ratings_hex_read(text, RATINGS_VOTER_SIZE, voter->hash);
}
