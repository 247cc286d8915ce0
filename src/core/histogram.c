#include "histogram.h"

#include "json.h"

bool ratings_histogram_total(const ratings_histogram_t *histogram, int64_t *total)
{
    int64_t sum = 0;

    for (int i = 0; i < RATINGS_VALUES; i++)
        if (__builtin_add_overflow(sum, histogram->count[i], &sum))
            return false;
    *total = sum;
    return true;
}

bool ratings_histogram_statistics(const ratings_histogram_t *histogram,
                                  ratings_statistics_t *statistics)
{
    double weighted = 0;

    if (!ratings_histogram_total(histogram, &statistics->total_count))
        return false;
    for (int i = 0; i < RATINGS_VALUES; i++)
        weighted += (double)(i + RATINGS_VALUE_MIN) * (double)histogram->count[i];
    statistics->avg = statistics->total_count > 0 ? weighted / (double)statistics->total_count : 0;
    return true;
}

_Static_assert(RATINGS_VALUE_MIN >= 0 && RATINGS_VALUE_MAX <= 9, "one digit names each value");

static json_t *counts_object(const ratings_histogram_t *histogram)
{
    json_t *object = json_object();
    bool whole = object != NULL;

    for (int i = 0; whole && i < RATINGS_VALUES; i++) {
        const char name[] = {(char)('0' + RATINGS_VALUE_MIN + i), '\0'};

        whole = json_object_set_new(object, name, json_integer(histogram->count[i])) == 0;
    }
    if (whole)
        return object;
    json_decref(object);
    return NULL;
}

char *ratings_histogram_request(const ratings_histogram_t *histogram)
{
    return ratings_json_write(json_pack("{s:o}", "ratings", counts_object(histogram)), 0);
}

static json_t *reply_object(const ratings_histogram_t *histogram, const ratings_statistics_t *stats)
{
    if (!stats)
        return json_pack("{s:o}", "ratings", counts_object(histogram));
    return json_pack("{s:o, s:{s:o, s:I}}", "ratings", counts_object(histogram), "stats", "avg",
                     ratings_json_number(stats->avg), "totalCount", (json_int_t)stats->total_count);
}

char *ratings_histogram_reply(const ratings_histogram_t *histogram,
                              const ratings_statistics_t *stats)
{
    return ratings_json_write(reply_object(histogram, stats), stats ? stats->avg : 0);
}
