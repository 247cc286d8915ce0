/* A store that is no read model of the log is emptied and read anew from the log's beginning. */
#include "projection.h"

#include "../module.h"

#include <apr_general.h>

#include <stdio.h>
#include <string.h>

static apr_status_t claim(ratings_projector_t *p, ratings_sweep_t *sweep, ratings_result_t *why)
{
    uint64_t random = 0;
    ratings_cas_e end;
    apr_generate_random_bytes((unsigned char *)&random, sizeof random);
    (void)snprintf(sweep->token, sizeof sweep->token, "%016llx", (unsigned long long)random);
    apr_status_t status = ratings_store_claim(p->store, &p->log, sweep, &end, why);
    return status == APR_SUCCESS ? projector_end(p, end, why) : status;
}

static apr_status_t sweep_all(ratings_projector_t *p, ratings_sweep_t *sweep, ratings_result_t *why)
{
    ratings_cas_e end;
    apr_status_t status;
    do {
        if (projector_stopping(p))
            return ratings_result_set(why, APR_EAGAIN, "the child ends");
        status = ratings_store_sweep(p->store, sweep, &end, why);
        if (status == APR_SUCCESS)
            status = projector_end(p, end, why);
        if (status == APR_SUCCESS)
            status = projector_renew(p, why);
    } while (status == APR_SUCCESS && strcmp(sweep->cursor, "0") != 0);
    return status;
}

/* As far as this host remembers; the log has the last word (projection_routing.c). 0: not known. */
static int routing(const ratings_projector_t *p, int partitions)
{
    int known = atomic_load(&p->shared->routed);
    return known <= partitions ? known : 0;
}

static apr_status_t open_store(ratings_projector_t *p, const ratings_sweep_t *sweep, int partitions,
                               ratings_result_t *why)
{
    ratings_cas_e end;
    bool empty[RATINGS_PARTITIONS_MAX];
    for (int i = 0; i < partitions; i++)
        empty[i] = p->partition[i].next == 0;
    apr_status_t status = ratings_store_open(p->store, sweep, p->child->service->config->topic,
                                             partitions, routing(p, partitions), empty, &end, why);
    if (status == APR_SUCCESS)
        status = projector_end(p, end, why);
    return status == APR_SUCCESS ? projection_load(p, why) : status;
}

static int64_t records_to_read(const ratings_projector_t *p, int partitions)
{
    int64_t records = 0;
    for (int i = 0; i < partitions; i++)
        records += p->partition[i].next - p->partition[i].first;
    return records;
}

apr_status_t projection_rebuild(ratings_projector_t *p, int partitions, const char *reason,
                                ratings_result_t *why)
{
    ratings_sweep_t sweep = {.cursor = "0"};
    int64_t records = records_to_read(p, partitions);
    apr_status_t status = claim(p, &sweep, why);
    if (status == APR_SUCCESS)
        status = sweep_all(p, &sweep, why);
    if (status == APR_SUCCESS)
        status = open_store(p, &sweep, partitions, why);
    if (status != APR_SUCCESS)
        return status;
    atomic_store(&p->shared->rebuild_request, RATINGS_REBUILD_REQUEST_NONE);
    /* a first start has nothing to lose and nothing to read: not worth a warning */
    ap_log_error(APLOG_MARK, sweep.deleted || records ? APLOG_WARNING : APLOG_INFO, 0,
                 p->child->service->server,
                 "RT0305: the store is rebuilt from the log (%s): %" APR_INT64_T_FMT
                 " talks deleted, %" APR_INT64_T_FMT " records to read",
                 reason, sweep.deleted, records);
    return APR_SUCCESS;
}
