#include "audit_place.h"

bool audit_place_expected(const ratings_prior_t *prior, const ratings_histogram_t *counts,
                          double *score)
{
    int64_t total = 0;
    if (!ratings_histogram_total(counts, &total) || total == 0)
        return false;
    *score = ratings_interval_of(prior, counts).low;
    return true;
}

const char *audit_place_problem(const audit_place_t *place, const ratings_histogram_t *counts)
{
    double expected;
    if (!place->is_compared)
        return NULL;
    if (!audit_place_expected(&place->prior, counts, &expected))
        return place->has_score ? "it is ranked, without a rating" : NULL;
    if (!place->has_score)
        return "it is not in the ranking";
    return place->score != expected ? "its score in the ranking differs" : NULL;
}
