#include "ranker.h"

#include <apr_strings.h>

#include <string.h>

void ranker_init(ranker_t *ranker, projection_t *projection)
{
    *ranker = (ranker_t){.projection = projection};
}

void ranker_open(ranker_t *ranker)
{
    ranker->has_settled = ranker->is_busy = false;
}

static bool ranks_by_ours(const projection_t *p)
{
    return strcmp(p->state.ranking, p->options->ranking) == 0;
}

static const char *ranking_text(const char *prior)
{
    return prior[0] ? prior : "off";
}

/* A store that had no ranking, as after each rebuild, is not worth more than an information. */
static void log_new_ranking(const projection_t *p)
{
    if (ranks_by_ours(p))
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, p->options->server,
            "RT0315: talks were lost of the ranking: all are ranked anew, by their counts");
    else
        ap_log_error(APLOG_MARK, p->state.ranking[0] ? APLOG_NOTICE : APLOG_INFO, 0,
                     p->options->server,
                     "RT0316: talks are ranked by RatingsRankingPrior %s, not %s",
                     ranking_text(p->options->ranking), ranking_text(p->state.ranking));
}

/* By the prior of this host. The store says then that talks are left to be ranked. */
static apr_status_t begin_ranking(ranker_t *ranker, ratings_result_t *why)
{
    projection_t *p = ranker->projection;
    ratings_cas_e result;
    apr_status_t status =
        ratings_store_set_ranking(p->store, p->state.generation, p->options->ranking, &result, why);
    if (status == APR_SUCCESS)
        status = projection_check_write(p, result, why);
    if (status != APR_SUCCESS)
        return status;
    log_new_ranking(p);
    (void)apr_cpystrn(p->state.ranking, p->options->ranking, sizeof p->state.ranking);
    ranker->is_busy = p->options->ranking[0] != '\0';
    return APR_SUCCESS;
}

/* A rebuild is quicker without a ranking, and nobody reads the store meanwhile. */
apr_status_t ranker_check(ranker_t *ranker, ratings_result_t *why)
{
    const projection_t *p = ranker->projection;
    bool has_settled = ranker->has_settled;
    if (p->state.is_behind || ranker->is_busy)
        return APR_SUCCESS;
    ranker->has_settled = true;
    if (ranks_by_ours(p)) {
        if (!p->options->ranking[0] || p->state.is_ranked)
            return APR_SUCCESS;
        ranker->is_busy = p->state.reranks; /* somebody has begun */
        return ranker->is_busy ? APR_SUCCESS : begin_ranking(ranker, why);
    }
    return has_settled && p->state.ranking[0] ? APR_SUCCESS : begin_ranking(ranker, why);
}

apr_status_t ranker_step(ranker_t *ranker, ratings_result_t *why)
{
    projection_t *p = ranker->projection;
    ratings_cas_e result;
    if (!ranker->is_busy)
        return APR_SUCCESS;
    apr_status_t status = ratings_store_rank(p->store, p->state.generation, &result, why);
    if (status != APR_SUCCESS)
        return status;
    ranker->is_busy = result == RATINGS_CAS_APPLIED;
    return APR_SUCCESS;
}
