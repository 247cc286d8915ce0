#include "../../src/core/rating.h"
#include "fuzz.h"

#include <string.h>

static void check_query(const char *query, const ratings_rating_t *rating)
{
    char talk_id[RATINGS_TALK_ID_MAX + 1];

    MUST(!ratings_talk_id_from_query(query, talk_id));
    MUST(strcmp(talk_id, rating->talk_id) == 0);
}

/* What is a good body without NUL bytes names the same talk as a query. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ratings_rating_t rating;
    char *query;

    if (ratings_rating_from_form((const char *)data, size, &rating))
        return 0;
    MUST(!ratings_talk_id_problem(rating.talk_id, strlen(rating.talk_id)));
    MUST(rating.value >= RATINGS_VALUE_MIN && rating.value <= RATINGS_VALUE_MAX);
    query = malloc(size + 1);
    MUST(query);
    memcpy(query, data, size);
    query[size] = '\0';
    if (strlen(query) == size)
        check_query(query, &rating);
    free(query);
    return 0;
}
