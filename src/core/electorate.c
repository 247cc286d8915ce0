#include "electorate.h"

#include "voter.h"

#include <stdlib.h>
#include <string.h>

bool ratings_electorate_parse(const char *text, size_t len, ratings_electorate_t *electorate)
{
    ratings_voter_t bytes; /* which are written in the same way */
    _Static_assert(sizeof electorate->name == RATINGS_VOTER_TEXT_SIZE, "a name fits");
    *electorate = (ratings_electorate_t){""};
    if (!ratings_voter_parse(text, len, &bytes))
        return false;
    memcpy(electorate->name, text, len);
    return true;
}

bool ratings_electorate_equal(const ratings_electorate_t *a, const ratings_electorate_t *b)
{
    return strcmp(a->name, b->name) == 0;
}

uint64_t ratings_electorate_number(const ratings_electorate_t *electorate)
{
    char half[sizeof electorate->name / 2 + 1] = "";
    if (!electorate->name[0])
        return 0;
    memcpy(half, electorate->name, sizeof half - 1);
    return strtoull(half, NULL, 16) | 1;
}
