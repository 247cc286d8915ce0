#include "../../src/core/histogram.h"
#include "fuzz.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

static void check_reply(const char *reply)
{
    json_t *object = json_loads(reply, JSON_REJECT_DUPLICATES, NULL);
    const json_t *avg = json_object_get(object, "avg");
    const json_t *total = json_object_get(object, "totalCount");

    MUST(json_object_size(object) == 2);
    MUST(json_is_number(avg) && isfinite(json_number_value(avg)));
    MUST(json_is_integer(total) && json_integer_value(total) >= 0);
    json_decref(object);
}

/* The same input is also read as an answer, to a histogram of as many ratings. */
static void check_as_answer(const char *text, size_t size)
{
    const ratings_histogram_t histogram = {{0, 0, 1, 0, 7}};
    ratings_statistics_t stats;

    if (ratings_statistics_from_json(text, size, &histogram, &stats))
        return;
    MUST(stats.total_count == 8);
    MUST(stats.avg > 4.74 && stats.avg < 4.76);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *reply;
    const char *problem = ratings_statistics_answer((const char *)data, size, &reply);

    MUST((reply == NULL) == (problem != NULL));
    if (reply)
        check_reply(reply);
    free(reply);
    check_as_answer((const char *)data, size);
    return 0;
}
