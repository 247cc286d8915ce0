#include "applier.h"

#include "projection_electorate.h"

#include "../core/assertion.h"
#include "../core/clock.h"

/* Of the batches that are gathered while far behind: the store answers nobody else for some tens of
 * milliseconds for each. With the records of one more read, events with a key stay below the 8,000
 * values that Lua takes at once. */
#define FAR_BEHIND 20000           /* events that are left to read */
#define KEYED_MAX 4096             /* events with a key, of one batch */
#define GATHER_MAX (4 * KEYED_MAX) /* over all partitions, see batch_size */
#define GATHER_US INT64_C(1000000) /* so much work is lost at most when something fails */

/* Talks, votes, events with a key, and bars, of the batches that are sent together, so that those
 * of one read go at once, and large ones one by one: Redis answers others between two exchanges. */
#define EXCHANGE_MAX 1000

void applier_init(applier_t *applier, projection_t *projection, apr_pool_t *pool)
{
    applier->projection = projection;
    apr_pool_create(&applier->pool, pool);
}

void applier_reset(applier_t *applier)
{
    RATINGS_ASSERT(!applier_has_batches(applier));
    applier->has_applied = false;
}

/* ---- gathering ---- */

static batch_t *begin_batch(applier_t *applier, int i)
{
    projection_t *p = applier->projection;
    partition_t *partition = &p->partition[i];
    const ratings_batch_t start = {.generation = p->state.generation,
                                   .partition = i,
                                   .checkpoint = partition->checkpoint,
                                   .previous = partition->last,
                                   .log_time = partition->log_time};
    if (!applier->gathered_since)
        applier->gathered_since = ratings_monotonic();
    return batch_create(&start, &partition->barred, applier->pool);
}

batch_t *applier_batch(applier_t *applier, int i)
{
    partition_t *partition = &applier->projection->partition[i];
    if (!partition->batch)
        partition->batch = begin_batch(applier, i);
    return partition->batch;
}

bool applier_has_batches(const applier_t *applier)
{
    return applier->gathered_since != 0;
}

int64_t applier_due_at(const applier_t *applier)
{
    return applier_has_batches(applier) ? applier->gathered_since + GATHER_US : INT64_MAX;
}

/* Much is left to read, so that nobody is served by being quick about what was just read. */
static bool is_far_behind(const projection_t *p)
{
    int64_t left = 0;
    for (int i = 0; i < p->partitions; i++) {
        const partition_t *partition = &p->partition[i];
        int64_t at = partition->batch ? batch_next_offset(partition->batch) : partition->checkpoint;
        left += partition->log_end > at ? partition->log_end - at : 0;
    }
    return left > FAR_BEHIND;
}

static bool is_full(const projection_t *p)
{
    int sum = 0;
    for (int i = 0; i < p->partitions; i++) {
        const batch_t *batch = p->partition[i].batch;
        sum += batch ? batch_size(batch) : 0;
        if (sum >= GATHER_MAX || (batch && batch_keyed_events(batch) >= KEYED_MAX))
            return true;
    }
    return false;
}

bool applier_is_due(const applier_t *applier, int count)
{
    const projection_t *p = applier->projection;
    return applier_has_batches(applier) &&
           (count == 0 || ratings_monotonic() >= applier_due_at(applier) || is_full(p) ||
            !is_far_behind(p));
}

/* ---- sending ---- */

/* The batches that go to the store in one exchange. */
typedef struct {
    batch_t *batches[RATINGS_APPLY_MAX];
    int count, size; /* of all, see batch_size */
} exchange_t;

static bool fits(const exchange_t *exchange, const batch_t *batch)
{
    return exchange->count == 0 || (exchange->count < RATINGS_APPLY_MAX &&
                                    exchange->size + batch_size(batch) <= EXCHANGE_MAX);
}

/* Those of partition `i` and of the next ones, as far as they fit; which is the first that was
 * left. */
static int fill_exchange(const projection_t *p, int i, exchange_t *exchange)
{
    for (; i < p->partitions; i++) {
        batch_t *batch = p->partition[i].batch;
        if (!batch || batch_next_offset(batch) == p->partition[i].checkpoint)
            continue;
        if (!fits(exchange, batch))
            break;
        exchange->batches[exchange->count++] = batch;
        exchange->size += batch_size(batch);
    }
    return i;
}

static apr_status_t resolve_keys(projection_t *p, const exchange_t *exchange, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < exchange->count && status == APR_SUCCESS; i++) {
        ratings_cas_e result;
        status = lease_renew(p->lease, why);
        if (status == APR_SUCCESS)
            status = batch_resolve_keys(exchange->batches[i], p->store, &result, why);
        if (status == APR_SUCCESS)
            status = projection_check_write(p, result, why);
    }
    return status;
}

static void publish_applied(applier_t *applier, const ratings_batch_t *batch, const uint32_t *slots)
{
    projection_t *p = applier->projection;
    partition_t *partition = &p->partition[batch->partition];
    RATINGS_ASSERT(batch->checkpoint == partition->checkpoint);
    partition_advance(partition, batch);
    applier->has_applied = applier->is_commit_due = true;
    if (batch->bar_count > 0) {
        p->state.barred[batch->partition] = (int64_t)partition->barred.count;
        projection_publish_barred(p);
    }
    ratings_shm_publish_applied(p->shared, batch->partition, partition_checkpoint(partition), slots,
                                batch->increment_count);
    if (batch->standing.electorate.name[0]) {
        p->state.standing = batch->standing;
        electorate_publish_verified(p);
    }
}

static apr_status_t send_exchange(applier_t *applier, const exchange_t *exchange,
                                  ratings_result_t *why)
{
    projection_t *p = applier->projection;
    const ratings_batch_t *batches[RATINGS_APPLY_MAX];
    ratings_cas_e results[RATINGS_APPLY_MAX];
    for (int i = 0; i < exchange->count; i++)
        batches[i] = batch_finish(exchange->batches[i]);
    apr_status_t status = ratings_store_apply(p->store, batches, exchange->count, results, why);
    for (int i = 0; i < exchange->count; i++) {
        if (results[i] == RATINGS_CAS_APPLIED)
            publish_applied(applier, batches[i], batch_slots(exchange->batches[i]));
        else if (status == APR_SUCCESS)
            status = projection_check_write(p, results[i], why);
    }
    ratings_visibility_notify(p->options->visibility); /* POSTs need not wait for the rest */
    return status;
}

apr_status_t applier_flush(applier_t *applier, ratings_result_t *why)
{
    projection_t *p = applier->projection;
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < p->partitions && status == APR_SUCCESS;) {
        exchange_t exchange = {.count = 0};
        i = fill_exchange(p, i, &exchange);
        status = resolve_keys(p, &exchange, why);
        if (status == APR_SUCCESS)
            status = lease_renew(p->lease, why);
        if (status == APR_SUCCESS && exchange.count > 0)
            status = send_exchange(applier, &exchange, why);
    }
    applier_drop(applier);
    return status;
}

void applier_drop(applier_t *applier)
{
    projection_t *p = applier->projection;
    for (int i = 0; i < p->partitions; i++)
        p->partition[i].batch = NULL;
    apr_pool_clear(applier->pool);
    applier->gathered_since = 0;
}
