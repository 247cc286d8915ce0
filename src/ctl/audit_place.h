/* A talk's place in the ranking (../core/ranking.h), as the store has it and as it must be. Pure.
 */
#ifndef RATINGS_AUDIT_PLACE_H
#define RATINGS_AUDIT_PLACE_H

#include "../core/ranking.h"

/* What the store had when the talk was read. */
typedef struct {
    bool is_compared; /* talks are ranked, by `prior`, and no new ranking is under way */
    ratings_prior_t prior;
    bool has_score;
    double score; /* as ratings:top has it */
} audit_place_t;

/* The score that a talk with these counts must have. False: it must have none, as it has no
 * ratings. */
bool audit_place_expected(const ratings_prior_t *prior, const ratings_histogram_t *counts,
                          double *score);

/* What is wrong with the place of a talk that must have these counts (static); NULL for nothing. */
const char *audit_place_problem(const audit_place_t *place, const ratings_histogram_t *counts);

#endif
