#include "../../src/core/rating.h"
#include "fuzz.h"

#include <string.h>

static void check_query(const char *query, const ratings_rating_t *rating)
{
    char talk_id[RATINGS_TALK_ID_MAX + 1];

    MUST(!ratings_talk_id_from_query(query, talk_id));
    MUST(strcmp(talk_id, rating->talk_id) == 0);
}

/* What withdraws is all that a page's form may say more. */
static void check_page_form(const char *body, size_t size, const ratings_rating_t *rating)
{
    ratings_rating_t page;
    bool is_good = !ratings_rating_from_page_form(body, size, &page);

    MUST(is_good || !rating);
    if (rating)
        MUST(page.value == rating->value && strcmp(page.talk_id, rating->talk_id) == 0);
    else if (is_good)
        MUST(page.value == RATINGS_VALUE_NONE);
}

/* What is a good body without NUL bytes names the same talk as a query. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ratings_rating_t rating;
    char *query;
    bool is_good = !ratings_rating_from_form((const char *)data, size, &rating);

    check_page_form((const char *)data, size, is_good ? &rating : NULL);
    if (!is_good)
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
