#include "rebuild.h"

#include <string.h>

static apr_status_t claim_store(projection_t *p, ratings_sweep_t *sweep, ratings_result_t *why)
{
    ratings_cas_e result;
    projection_make_token(sweep->token);
    apr_status_t status = ratings_store_claim(p->store, &p->state, sweep, &result, why);
    return status == APR_SUCCESS ? projection_check_write(p, result, why) : status;
}

static apr_status_t sweep_store(projection_t *p, ratings_sweep_t *sweep, ratings_result_t *why)
{
    ratings_cas_e result;
    apr_status_t status;
    do {
        status = lease_check(p->lease, why);
        if (status == APR_SUCCESS)
            status = ratings_store_sweep(p->store, sweep, &result, why);
        if (status == APR_SUCCESS)
            status = projection_check_write(p, result, why);
    } while (status == APR_SUCCESS && strcmp(sweep->cursor, "0") != 0);
    return status;
}

/* As far as this host remembers; the log has the last word (projection_routing.h). 0: not known. */
static int remembered_routing(const projection_t *p)
{
    int known = atomic_load(&p->shared->routing_partitions);
    return known <= p->partitions ? known : 0;
}

static apr_status_t open_store(projection_t *p, const ratings_sweep_t *sweep, ratings_result_t *why)
{
    ratings_cas_e result;
    bool empty[RATINGS_PARTITIONS_MAX];
    for (int i = 0; i < p->partitions; i++)
        empty[i] = p->partition[i].log_end == 0;
    apr_status_t status = ratings_store_open(p->store, sweep, p->options->topic, p->partitions,
                                             remembered_routing(p), empty, &result, why);
    if (status == APR_SUCCESS)
        status = projection_check_write(p, result, why);
    return status == APR_SUCCESS ? projection_load(p, why) : status;
}

static int64_t records_to_read(const projection_t *p)
{
    int64_t records = 0;
    for (int i = 0; i < p->partitions; i++)
        records += p->partition[i].log_end - p->partition[i].log_start;
    return records;
}

apr_status_t rebuild_store(projection_t *p, const char *reason, ratings_result_t *why)
{
    ratings_sweep_t sweep = {.cursor = "0"};
    int64_t records = records_to_read(p);
    apr_status_t status = claim_store(p, &sweep, why);
    if (status == APR_SUCCESS)
        status = sweep_store(p, &sweep, why);
    if (status == APR_SUCCESS)
        status = open_store(p, &sweep, why);
    if (status != APR_SUCCESS)
        return status;
    atomic_store(&p->shared->rebuild_request, RATINGS_REBUILD_REQUEST_NONE);
    ratings_metrics_rebuilt(p->options->metrics);
    /* a first start has nothing to lose and nothing to read: not worth a warning */
    ap_log_error(APLOG_MARK, sweep.deleted || records ? APLOG_WARNING : APLOG_INFO, 0,
                 p->options->server,
                 "RT0305: the store is rebuilt from the log (%s): %" APR_INT64_T_FMT
                 " talks deleted, %" APR_INT64_T_FMT " records to read",
                 reason, sweep.deleted, records);
    return APR_SUCCESS;
}
