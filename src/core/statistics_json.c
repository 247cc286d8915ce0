/* Both ends of the call of the statistics function: the answer that it gives, and how that answer
 * is read. */
#include "histogram.h"
#include "json.h"

#include <math.h>
#include <string.h>

static double within_values(double avg)
{
    if (avg > RATINGS_VALUE_MAX && avg <= RATINGS_VALUE_MAX + RATINGS_AVG_SINGLE)
        return RATINGS_VALUE_MAX;
    if (avg < RATINGS_VALUE_MIN && avg >= RATINGS_VALUE_MIN - RATINGS_AVG_SINGLE)
        return RATINGS_VALUE_MIN;
    return avg;
}

static bool plausible_avg(double avg, int64_t total)
{
    if (total == 0)
        return !(avg < 0 || avg > 0);
    return avg >= RATINGS_VALUE_MIN && avg <= RATINGS_VALUE_MAX;
}

static bool is_average_of(const ratings_histogram_t *histogram, double avg)
{
    ratings_statistics_t own;

    return ratings_histogram_statistics(histogram, &own) &&
           fabs(avg - own.avg) <= RATINGS_AVG_TOLERANCE;
}

static const char *read_statistics(const json_t *object, const ratings_histogram_t *histogram,
                                   ratings_statistics_t *out)
{
    const json_t *avg = json_object_get(object, "avg");
    const json_t *count = json_object_get(object, "totalCount");
    int64_t total;

    if (!json_is_number(avg))
        return "avg is missing or no number";
    if (!json_is_integer(count))
        return "totalCount is missing or no integer";
    if (!ratings_histogram_total(histogram, &total) || json_integer_value(count) != total)
        return "totalCount is not that of the histogram";
    out->avg = within_values(json_number_value(avg));
    if (!plausible_avg(out->avg, total))
        return "avg is not between the lowest and the highest rating";
    if (!is_average_of(histogram, out->avg))
        return "avg is not the average of the counts";
    out->total_count = total;
    return NULL;
}

const char *ratings_statistics_from_json(const char *body, size_t len,
                                         const ratings_histogram_t *histogram,
                                         ratings_statistics_t *out)
{
    json_t *object;
    const char *problem = ratings_json_read(body, len, &object);

    if (!problem)
        problem = read_statistics(object, histogram, out);
    json_decref(object);
    return problem;
}

typedef struct {
    double weighted; /* sum of bucket * count */
    int64_t total;
} sums_t;

/* A number by the grammar of JSON, which depends on no locale; jansson would also skip blanks. */
static bool bucket_value(const char *name, double *value)
{
    size_t len = strlen(name);
    json_t *number;

    if (len == 0 || !strchr("-0123456789", name[0]) || !strchr("0123456789", name[len - 1]))
        return false;
    number = json_loadb(name, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    if (!number)
        return false;
    *value = json_real_value(number);
    json_decref(number);
    return true;
}

static const char *add_bucket(sums_t *sums, const char *name, const json_t *count)
{
    double value;

    if (!bucket_value(name, &value))
        return "a bucket's name is not a decimal number";
    if (!json_is_integer(count) || json_integer_value(count) < 0)
        return "a bucket's count is not an integer of at least 0";
    if (__builtin_add_overflow(sums->total, json_integer_value(count), &sums->total))
        return "the sum of the counts is out of range";
    sums->weighted += value * (double)json_integer_value(count);
    return NULL;
}

static const char *add_buckets(sums_t *sums, json_t *ratings)
{
    const char *name, *problem = NULL;
    json_t *count;

    if (!json_is_object(ratings))
        return "ratings is missing or not an object";
    json_object_foreach(ratings, name, count)
    {
        problem = add_bucket(sums, name, count);
        if (problem)
            break;
    }
    return problem;
}

static const char *write_answer(const sums_t *sums, char **reply)
{
    double avg = sums->total > 0 ? sums->weighted / (double)sums->total : 0;

    if (!isfinite(avg))
        return "the average is out of range";
    *reply = ratings_json_write(json_pack("{s:o, s:I}", "avg", ratings_json_number(avg),
                                          "totalCount", (json_int_t)sums->total),
                                avg);
    return *reply ? NULL : ratings_memory_problem;
}

const char *ratings_statistics_answer(const char *request, size_t len, char **reply)
{
    json_t *object;
    const char *problem = ratings_json_read(request, len, &object);
    sums_t sums = {0, 0};

    *reply = NULL;
    if (!problem)
        problem = add_buckets(&sums, json_object_get(object, "ratings"));
    if (!problem)
        problem = write_answer(&sums, reply);
    json_decref(object);
    return problem;
}
