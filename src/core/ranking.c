#include "ranking.h"

#include "number.h"

#include <math.h>
#include <string.h>

#define QUANTILE                                                                                   \
    1.65 /* 95% of a normal distribution are above its mean less that many deviations */

bool ratings_prior_parse(const char *text, size_t len, ratings_prior_t *prior)
{
    const char *end = text + len;
    for (int i = 0; i < RATINGS_VALUES; i++) {
        bool is_last = i == RATINGS_VALUES - 1;
        const char *comma = is_last ? end : memchr(text, ',', (size_t)(end - text));
        int64_t count;
        if (!comma ||
            !ratings_parse_int(text, (size_t)(comma - text), 1, RATINGS_PRIOR_COUNT_MAX, &count))
            return false;
        prior->count[i] = (int)count;
        text = comma + !is_last;
    }
    return true;
}

const char *ratings_prior_problem(const char *text)
{
    ratings_prior_t prior;
    return strcmp(text, "off") == 0 || ratings_prior_parse(text, strlen(text), &prior)
               ? NULL
               : "it takes off, or the ratings of 1, 2, 3, 4 and 5 that a talk begins with: five "
                 "whole numbers from 1 to 1000 with commas between them, as in 1,1,1,1,1";
}

/* As score.lua does it, operation by operation: the compiler makes none of two (-ffp-contract=off).
 */
ratings_interval_t ratings_interval_of(const ratings_prior_t *prior,
                                       const ratings_histogram_t *histogram)
{
    double ratings[RATINGS_VALUES], all = 0, sum = 0, squares = 0;
    for (int i = 0; i < RATINGS_VALUES; i++) {
        ratings[i] = (double)prior->count[i] + (double)histogram->count[i];
        all = all + ratings[i];
        sum = sum + (double)(i + RATINGS_VALUE_MIN) * ratings[i];
    }
    double mean = sum / all;
    for (int i = 0; i < RATINGS_VALUES; i++) {
        double off = (double)(i + RATINGS_VALUE_MIN) - mean;
        squares = squares + ratings[i] * off * off;
    }
    double reach = QUANTILE * sqrt(squares / all / (all + 1));
    return (ratings_interval_t){mean - reach, mean + reach};
}
