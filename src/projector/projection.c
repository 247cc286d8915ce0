#include "projection.h"

#include <apr_general.h>
#include <apr_strings.h>

#include <stdio.h>
#include <string.h>

/* ---- the store ---- */

apr_status_t projection_load(projection_t *p, ratings_result_t *why)
{
    apr_status_t status = ratings_store_load_state(p->store, INT64_MAX, &p->state, why);
    return status == APR_SUCCESS && p->state.problem
               ? ratings_result_set(why, RATINGS_REBUILD_NEEDED, "%s", p->state.problem)
               : status;
}

bool projection_load_ours(projection_t *p)
{
    ratings_result_t why;
    return projection_load(p, &why) == APR_SUCCESS &&
           strcmp(p->state.topic, p->options->topic) == 0;
}

ratings_checkpoint_t projection_stored_checkpoint(const projection_t *p, int i)
{
    return (ratings_checkpoint_t){ratings_log_id(&p->state.first[i]), p->state.checkpoint[i]};
}

void projection_make_token(char token[RATINGS_TOKEN_MAX + 1])
{
    uint64_t random = 0;
    apr_generate_random_bytes((unsigned char *)&random, sizeof random);
    (void)snprintf(token, RATINGS_TOKEN_MAX + 1, "%016llx", (unsigned long long)random);
}

apr_status_t projection_request_rebuild(projection_t *p, ratings_rebuild_request_e reason,
                                        const char *text, ratings_result_t *why)
{
    ratings_shm_request_rebuild(p->shared, reason);
    return ratings_result_set(why, RATINGS_REBUILD_NEEDED, "%s", text);
}

apr_status_t projection_check_write(projection_t *p, ratings_cas_e result, ratings_result_t *why)
{
    switch (result) {
    case RATINGS_CAS_APPLIED:
        return ratings_result_ok(why);
    case RATINGS_CAS_CONFLICT:
        return ratings_result_set(why, APR_EAGAIN, "somebody else has written to the store");
    case RATINGS_CAS_CORRUPT:
        break;
    }
    return projection_request_rebuild(p, RATINGS_REBUILD_REQUEST_STORE,
                                      "the store holds what this module does not write", why);
}

void projection_publish_barred(projection_t *p)
{
    bool has_barred = false;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++)
        has_barred |= p->state.barred[i] > 0;
    atomic_store(&p->shared->has_barred, has_barred);
}

bool projection_has_append_times(const projection_t *p)
{
    bool has = p->reads_append_times;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX && !has; i++)
        has = p->state.log_time[i] > 0;
    return has;
}

/* ---- the log ---- */

/* A consumer is a dozen threads and connections: a child that does not lead has none. */
apr_status_t projection_make_reader(projection_t *p, ratings_result_t *why)
{
    return p->reader ? APR_SUCCESS : ratings_reader_create(&p->reader, p->options->reader, why);
}

static void *run_closer(void *data)
{
    ratings_reader_destroy(data);
    return NULL;
}

static void join_closer(projection_t *p)
{
    if (p->has_closer)
        pthread_join(p->closer, NULL);
    p->has_closer = false;
}

/* On a thread of its own: the lease may be to be had in this very moment, or the child be to end.
 * While that is still busy with an earlier reader, or there is no thread, the next call does it. */
void projection_close_reader(projection_t *p)
{
    if (!p->reader || (p->has_closer && pthread_tryjoin_np(p->closer, NULL) != 0))
        return;
    p->has_closer = pthread_create(&p->closer, NULL, run_closer, p->reader) == 0;
    if (p->has_closer)
        p->reader = NULL;
}

void projection_free_reader(projection_t *p)
{
    if (p->reader)
        ratings_reader_destroy(p->reader);
    p->reader = NULL;
    join_closer(p);
}

apr_status_t projection_read_on(projection_t *p, ratings_result_t *why)
{
    int64_t *from = apr_palloc(p->scratch, (size_t)p->partitions * sizeof *from);
    for (int i = 0; i < p->partitions; i++)
        from[i] = p->partition[i].read_at;
    return ratings_reader_assign(p->reader, from, p->partitions, why);
}

apr_status_t projection_read_ends(projection_t *p, ratings_result_t *why)
{
    int64_t *start = apr_palloc(p->scratch, (size_t)p->partitions * sizeof *start);
    int64_t *end = apr_palloc(p->scratch, (size_t)p->partitions * sizeof *end);
    for (int i = 0; i < p->partitions; i++) {
        p->partition[i].seen = ratings_shm_high(p->shared, i);
        p->partition[i].metrics_end = ratings_metrics_end(p->options->metrics, i);
    }
    apr_status_t status = ratings_stream_ends(p->options->stream, p->partitions,
                                              PROJECTION_TIMEOUT_US, start, end, why);
    for (int i = 0; i < p->partitions && status == APR_SUCCESS; i++) {
        p->partition[i].log_start = start[i];
        p->partition[i].log_end = end[i];
    }
    return status == APR_SUCCESS ? time_search_younger(&p->time_search, p->state.first,
                                                       p->partition, p->partitions, p->scratch, why)
                                 : status;
}

void projection_note_end(const projection_t *p, int i)
{
    ratings_metrics_set_end(p->options->metrics, i, p->partition[i].metrics_end,
                            p->partition[i].log_end);
}

/* The offsets after the last record that have none (markers of transactions) are as if applied. */
void projection_note_lag(const projection_t *p, int i)
{
    const partition_t *partition = &p->partition[i];
    ratings_checkpoint_t checkpoint = partition_checkpoint(partition);
    bool is_all_applied = partition_read_up_to(partition) == partition->checkpoint;
    if (is_all_applied && partition->read_to > partition->checkpoint)
        checkpoint.offset = partition->read_to;
    ratings_metrics_note_checkpoint(p->options->metrics, i, checkpoint, partition->last.timestamp);
}

void projection_check_high(projection_t *p, int i, ratings_checkpoint_t checkpoint, int64_t now)
{
    partition_t *partition = &p->partition[i];
    if (!partition_has_lost_its_end(partition, checkpoint.log_id, now))
        return;
    ratings_shm_forget(p->shared, i, partition->seen, partition->log_end);
    ratings_shm_publish_external(p->shared, i, checkpoint);
}
