/* Applying what was read to the store. */
#include "projection.h"

/* Talks, and events with a key, of the chunks that are sent together, so that those of one read go
 * at once, and large ones one by one: Redis answers others between two exchanges. */
#define LOAD_SIZE PROJECTION_BATCH

apr_status_t projector_end(ratings_projector_t *p, ratings_cas_e end, ratings_result_t *why)
{
    switch (end) {
    case RATINGS_CAS_APPLIED:
        return ratings_result_ok(why);
    case RATINGS_CAS_CONFLICT:
        return ratings_result_set(why, APR_EAGAIN,
                                  "the store has moved: somebody else wrote to it");
    case RATINGS_CAS_CORRUPT:
        break;
    }
    atomic_store(&p->shared->rebuild_request, RATINGS_REBUILD_REQUEST_STORE);
    return ratings_result_set(why, APR_EAGAIN, "the store holds what this module does not write");
}

static void applied(ratings_projector_t *p, const ratings_batch_t *chunk, const uint32_t *slots)
{
    partition_t *partition = &p->partition[chunk->partition];
    partition->position = chunk->next_checkpoint;
    partition->mark = chunk->last;
    partition->time = chunk->log_time;
    if (chunk->first.offset >= 0)
        partition->first_mark = chunk->first;
    p->commit_due = p->has_applied = true;
    ratings_shm_publish_applied(p->shared, chunk->partition, projection_place(partition), slots,
                                chunk->increment_count);
}

/* ---- loads: the chunks that go to the store in one exchange ---- */

typedef struct {
    chunk_t *chunks[RATINGS_APPLY_MAX];
    int count, size; /* of all, see chunk_size */
} load_t;

static bool fits(const load_t *load, const chunk_t *chunk)
{
    return load->count == 0 ||
           (load->count < RATINGS_APPLY_MAX && load->size + chunk_size(chunk) <= LOAD_SIZE);
}

/* Those of partition `i` and of the next ones, as far as they fit; which is the first that was
 * left. */
static int fill_load(const ratings_projector_t *p, int i, load_t *load)
{
    for (; i < p->partitions; i++) {
        chunk_t *chunk = p->partition[i].chunk;
        if (!chunk || chunk_next(chunk) == p->partition[i].position)
            continue;
        if (!fits(load, chunk))
            break;
        load->chunks[load->count++] = chunk;
        load->size += chunk_size(chunk);
    }
    return i;
}

static apr_status_t settle_load(ratings_projector_t *p, const load_t *load, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < load->count && status == APR_SUCCESS; i++) {
        ratings_cas_e end;
        status = projector_renew(p, why);
        if (status == APR_SUCCESS)
            status = chunk_settle(load->chunks[i], p->store, &end, why);
        if (status == APR_SUCCESS)
            status = projector_end(p, end, why);
    }
    return status;
}

static apr_status_t apply_load(ratings_projector_t *p, const load_t *load, ratings_result_t *why)
{
    const ratings_batch_t *chunks[RATINGS_APPLY_MAX];
    ratings_cas_e ends[RATINGS_APPLY_MAX];
    for (int i = 0; i < load->count; i++)
        chunks[i] = chunk_result(load->chunks[i]);
    apr_status_t status = ratings_store_apply(p->store, chunks, load->count, ends, why);
    for (int i = 0; i < load->count; i++) {
        if (ends[i] == RATINGS_CAS_APPLIED)
            applied(p, chunks[i], chunk_slots(load->chunks[i]));
        else if (status == APR_SUCCESS)
            status = projector_end(p, ends[i], why);
    }
    ratings_visibility_notify(
        p->child->visibility); /* what else a step does is not to be waited for */
    return status;
}

void projection_drop_chunks(ratings_projector_t *p)
{
    for (int i = 0; i < p->partitions; i++)
        p->partition[i].chunk = NULL;
    apr_pool_clear(p->fold_pool);
    p->gathered_at = 0;
}

/* On a busy machine each exchange may take a good part of the lease. */
apr_status_t projection_apply(ratings_projector_t *p, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < p->partitions && status == APR_SUCCESS;) {
        load_t load = {.count = 0};
        i = fill_load(p, i, &load);
        status = settle_load(p, &load, why);
        if (status == APR_SUCCESS)
            status = projector_renew(p, why);
        if (status == APR_SUCCESS && load.count > 0)
            status = apply_load(p, &load, why);
    }
    projection_drop_chunks(p);
    return status;
}
