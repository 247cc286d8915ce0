/* By what talks are ranked: the lower end of an interval for a talk's true average, so that one 5
 * does not beat forty ratings of 4.8. Pure functions, any thread.
 *
 * A talk begins with the ratings of a prior, as if it had been given those (a Dirichlet
 * distribution over the five values). With n_v its ratings of value v, of the prior and its own
 * together, and N their sum, what is known of its true average has
 *
 *     mean      m = (1 n_1 + 2 n_2 + ... + 5 n_5) / N
 *     variance    = (n_1 (1-m)^2 + ... + n_5 (5-m)^2) / N / (N + 1)
 *
 * and the interval is m - 1.65 * sqrt(variance) to m + 1.65 * sqrt(variance): with a probability of
 * 95%, as far as a normal distribution says it, the true average is above the lower end, the score.
 * The fewer ratings a talk has, the further below their average its score is, and the nearer to
 * that of the prior.
 *
 * Evan Miller, Ranking Items With Star Ratings (2014),
 * https://www.evanmiller.org/ranking-items-with-star-ratings.html; the moments are those of the
 * Dirichlet distribution, https://en.wikipedia.org/wiki/Dirichlet_distribution. The variance is
 * summed up around the mean: as a difference of two sums it would lose its digits where nearly all
 * ratings are the same, and could be less than 0.
 *
 * The store has the same function (../backend/store/scripts/score.lua): the same operations on
 * doubles in the same order, each of which IEEE 754 rounds in one way alone. So whoever audits the
 * store compares scores exactly. */
#ifndef RATINGS_CORE_RANKING_H
#define RATINGS_CORE_RANKING_H

#include "histogram.h"

#include <stddef.h>

#define RATINGS_PRIOR_COUNT_MAX 1000
#define RATINGS_PRIOR_TEXT_SIZE 25 /* five numbers, four commas and the end */

/* How many ratings of each value a talk begins with: 1 to RATINGS_PRIOR_COUNT_MAX. */
typedef struct {
    int count[RATINGS_VALUES];
} ratings_prior_t;

/* Reads the whole of `len` bytes as a prior, "1,1,2,3,2": the ratings of 1 to 5, without blanks and
 * leading zeros, so that a prior has one text. False: it is none, and `*prior` is undefined. */
bool ratings_prior_parse(const char *text, size_t len, ratings_prior_t *prior);

/* NULL if `text` is a prior or "off", else what is allowed (static). */
const char *ratings_prior_problem(const char *text);

typedef struct {
    double low; /* the score */
    double high;
} ratings_interval_t;

/* The interval of a talk with these ratings. */
ratings_interval_t ratings_interval_of(const ratings_prior_t *prior,
                                       const ratings_histogram_t *histogram);

#endif
