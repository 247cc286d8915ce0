#include "../../src/core/rating.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ratings_rating_t rating;

    if (ratings_rating_from_json((const char *)data, size, &rating))
        return 0;
    MUST(!ratings_talk_id_problem(rating.talk_id, strlen(rating.talk_id)));
    MUST(rating.value >= RATINGS_VALUE_MIN && rating.value <= RATINGS_VALUE_MAX);
    return 0;
}
