#include "applier.h"

#include "projection_electorate.h"

#include "../core/assertion.h"
#include "../core/clock.h"
#include "../shm/applied_counts.h"

/* Of the batches that are gathered while far behind: the store answers nobody else for some tens of
 * milliseconds for each. With the records of one more read, events with a key stay below the 8,000
 * values that Lua takes at once. */
#define FAR_BEHIND 20000           /* events that are left to read */
#define KEYED_MAX 4096             /* events with a key, of one batch */
#define GATHER_MAX (4 * KEYED_MAX) /* over all partitions, see batch_size */
#define GATHER_US INT64_C(1000000) /* so much work is lost at most when something fails */

/* Of those that a rebuild folds before it writes any vote, as it then looks up none: tables of 256
 * MB (ballots.h), three quarters full, of which growing takes 128 more for a moment. The store has
 * 600 MB for as many. What is looked at before is whether another read still fits, and the events
 * with a key, which come last. */
#define FILL_ROOM ((size_t)1 << 23) /* places for votes, over all partitions */
#define FILL_MORE (KEYED_MAX + 2 * RATINGS_READ_MAX)
#define FILL_TALKS 65536
#define FILL_US INT64_C(30000000)

void applier_init(applier_t *applier, projection_t *projection, apr_pool_t *pool)
{
    applier->projection = projection;
    apr_pool_create(&applier->pool, pool);
    apr_pool_create(&applier->sent_pool, pool);
    exchange_init(&applier->sent, projection->store);
}

void applier_reset(applier_t *applier)
{
    RATINGS_ASSERT(!applier_has_batches(applier));
    applier->has_applied = false;
}

/* ---- gathering ---- */

/* From where what is on its way to the store ends. */
static batch_t *begin_batch(applier_t *applier, int i)
{
    projection_t *p = applier->projection;
    partition_t *partition = &p->partition[i];
    const ratings_batch_t *sent = partition->sent;
    const ratings_batch_t start = {.generation = p->state.generation,
                                   .partition = i,
                                   .checkpoint =
                                       sent ? sent->next_checkpoint : partition->checkpoint,
                                   .previous = sent ? sent->last : partition->last,
                                   .log_time = sent ? sent->log_time : partition->log_time};
    if (!applier->gathered_since)
        applier->gathered_since = ratings_monotonic();
    return batch_create(&start, &partition->barred, &partition->tickets, applier->pool);
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
    return applier->gathered_since != 0 || applier->sent.is_under_way;
}

/* Whether the batch of a partition is the first one with votes since the store was emptied. */
static bool is_filling(const projection_t *p, const partition_t *partition)
{
    return p->state.is_behind && partition->is_unvoted && partition->batch &&
           batch_votes(partition->batch) > 0;
}

static int64_t gathering_time(const projection_t *p)
{
    for (int i = 0; i < p->partitions; i++)
        if (is_filling(p, &p->partition[i]))
            return FILL_US;
    return GATHER_US;
}

int64_t applier_due_at(const applier_t *applier)
{
    return applier->gathered_since ? applier->gathered_since + gathering_time(applier->projection)
                                   : INT64_MAX;
}

/* Much is left to read, so that nobody is served by being quick about what was just read. */
static bool is_far_behind(const projection_t *p)
{
    int64_t left = 0;
    for (int i = 0; i < p->partitions; i++) {
        const partition_t *partition = &p->partition[i];
        int64_t at = partition_read_up_to(partition);
        left += partition->log_end > at ? partition->log_end - at : 0;
    }
    return left > FAR_BEHIND;
}

static bool is_full(const projection_t *p)
{
    int size = 0, talks = 0;
    size_t room = 0;
    bool has_keys = false;
    for (int i = 0; i < p->partitions; i++) {
        const partition_t *partition = &p->partition[i];
        const batch_t *batch = partition->batch;
        if (!batch)
            continue;
        bool fills = is_filling(p, partition);
        size += fills ? 0 : batch_size(batch);
        room += fills ? batch_vote_room(batch, FILL_MORE) : 0;
        talks += fills ? batch_talks(batch) : 0;
        has_keys |= batch_keyed_events(batch) >= KEYED_MAX;
    }
    return size >= GATHER_MAX || room > FILL_ROOM || talks >= FILL_TALKS || has_keys;
}

bool applier_is_due(const applier_t *applier, int count)
{
    const projection_t *p = applier->projection;
    return applier_has_batches(applier) &&
           (count == 0 || ratings_monotonic() >= applier_due_at(applier) || is_full(p) ||
            !is_far_behind(p));
}

/* ---- sending ---- */

/* Fills it with the batch of partition `i` and those of the next ones, as far as they fit. Returns
 * which is the first that was left. */
static int fill_exchange(exchange_t *exchange, const projection_t *p, int i)
{
    exchange_init(exchange, p->store);
    for (; i < p->partitions; i++) {
        batch_t *batch = p->partition[i].batch;
        if (batch && batch_next_offset(batch) != p->partition[i].checkpoint &&
            !exchange_add(exchange, batch))
            break;
    }
    return i;
}

static apr_status_t resolve_keys(projection_t *p, batch_t *batch, ratings_result_t *why)
{
    ratings_cas_e result;
    apr_status_t status = lease_renew(p->lease, why);
    if (status != APR_SUCCESS)
        return status;
    status = batch_resolve_keys(batch, p->store, &result, why);
    return status == APR_SUCCESS ? projection_check_write(p, result, why) : status;
}

static apr_status_t resolve_all_keys(projection_t *p, const exchange_t *exchange,
                                     ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < exchange->count && status == APR_SUCCESS; i++)
        status = resolve_keys(p, exchange->batches[i], why);
    return status;
}

/* For the GETs of this host. */
static void leave_counts(const projection_t *p, const ratings_batch_t *batch,
                         ratings_checkpoint_t checkpoint, int64_t asked_at)
{
    for (int i = 0; batch->counts && i < batch->increment_count; i++)
        ratings_applied_counts_leave(p->shared, batch->partition, checkpoint, asked_at,
                                     batch->increments[i]->talk_id, &batch->counts[i]);
}

static void publish_checkpoint(const projection_t *p, const ratings_batch_t *batch,
                               const uint32_t *slots, int64_t asked_at)
{
    int i = batch->partition;
    ratings_checkpoint_t checkpoint = partition_checkpoint(&p->partition[i]);
    ratings_shm_publish_changes(p->shared, i, checkpoint, slots, batch->increment_count);
    leave_counts(p, batch, checkpoint, asked_at);
    ratings_shm_publish_watermark(p->shared, i, checkpoint);
    ratings_shm_confirm(p->shared, i, checkpoint, asked_at);
}

/* What the store was asked to apply at `asked_at`, or later. */
static void publish_applied(applier_t *applier, const ratings_batch_t *batch, const uint32_t *slots,
                            int64_t asked_at)
{
    projection_t *p = applier->projection;
    partition_t *partition = &p->partition[batch->partition];
    RATINGS_ASSERT(batch->checkpoint == partition->checkpoint);
    partition_advance(partition, batch);
    ratings_metrics_applied(p->options->metrics, batch->next_checkpoint - batch->checkpoint);
    projection_note_lag(p, batch->partition);
    applier->has_applied = applier->is_commit_due = true;
    if (batch->bar_count > 0) {
        p->state.barred[batch->partition] = (int64_t)partition->barred.count;
        projection_publish_barred(p);
    }
    publish_checkpoint(p, batch, slots, asked_at);
    if (batch->standing.electorate.name[0]) {
        p->state.standing = batch->standing;
        electorate_publish_verified(p);
    }
}

/* Nobody reads what is far behind, or a store that is being rebuilt. */
static void send_batches(applier_t *applier, bool in_background)
{
    projection_t *p = applier->projection;
    exchange_t *sent = &applier->sent;
    exchange_begin(sent, in_background, !in_background && !p->state.is_behind);
    for (int i = 0; i < sent->count; i++)
        p->partition[sent->results[i]->partition].sent = sent->results[i];
}

apr_status_t applier_settle(applier_t *applier, ratings_result_t *why)
{
    projection_t *p = applier->projection;
    exchange_t *sent = &applier->sent;
    if (!sent->is_under_way)
        return APR_SUCCESS;
    exchange_end(sent);
    ratings_metrics_exchanged(p->options->metrics, sent->duration);
    apr_status_t status = sent->status;
    if (status != APR_SUCCESS)
        *why = sent->why;
    for (int i = 0; i < sent->count; i++) {
        p->partition[sent->results[i]->partition].sent = NULL;
        if (sent->ends[i] == RATINGS_CAS_APPLIED)
            publish_applied(applier, sent->results[i], batch_slots(sent->batches[i]),
                            sent->begun_at);
        else if (status == APR_SUCCESS)
            status = projection_check_write(p, sent->ends[i], why);
    }
    ratings_visibility_notify(p->options->visibility); /* POSTs need not wait for the rest */
    return status;
}

/* ---- filling an empty store ---- */

/* Redis answers others between two parts. Told to stop, the thread gives up at once, and whoever
 * leads next rebuilds. */
static apr_status_t write_part(projection_t *p, ratings_fill_t *fill, ratings_result_t *why)
{
    ratings_cas_e result;
    apr_status_t status = lease_check(p->lease, why);
    if (status != APR_SUCCESS)
        return status;
    status = ratings_store_fill(p->store, fill, &result, why);
    return status == APR_SUCCESS ? projection_check_write(p, result, why) : status;
}

static apr_status_t apply_in_parts(applier_t *applier, batch_t *batch, ratings_result_t *why)
{
    projection_t *p = applier->projection;
    ratings_fill_t fill = {.part_size = RATINGS_FILL_PART};
    apr_status_t status = resolve_keys(p, batch, why);
    fill.batch = batch_finish(batch, false);
    projection_make_token(fill.token);
    while (status == APR_SUCCESS && !fill.is_complete)
        status = write_part(p, &fill, why);
    if (status == APR_SUCCESS)
        publish_applied(applier, fill.batch, batch_slots(batch), 0);
    return status;
}

/* Who is barred is published with the batch that says so, as it is where reading is: nothing is
 * read beyond it before. */
static bool may_read_on(const exchange_t *exchange)
{
    for (int i = 0; i < exchange->count; i++)
        if (batch_has_bars(exchange->batches[i]))
            return false;
    return true;
}

/* What is gathered from now on is not in the memory of what is on its way. */
static void begin_gathering(applier_t *applier)
{
    projection_t *p = applier->projection;
    apr_pool_t *pool = applier->sent_pool;
    for (int i = 0; i < p->partitions; i++)
        p->partition[i].batch = NULL;
    if (!applier->sent.is_under_way)
        apr_pool_clear(applier->pool);
    apr_pool_clear(pool);
    applier->sent_pool = applier->pool;
    applier->pool = pool;
    applier->gathered_since = 0;
}

apr_status_t applier_flush(applier_t *applier, ratings_result_t *why)
{
    projection_t *p = applier->projection;
    bool goes_on = is_far_behind(p);
    apr_status_t status = applier_settle(applier, why);
    for (int i = 0; i < p->partitions && status == APR_SUCCESS; i++)
        if (is_filling(p, &p->partition[i]))
            status = apply_in_parts(applier, p->partition[i].batch, why);
    for (int i = 0; i < p->partitions && status == APR_SUCCESS;) {
        i = fill_exchange(&applier->sent, p, i);
        status = resolve_all_keys(p, &applier->sent, why);
        if (status == APR_SUCCESS)
            status = lease_renew(p->lease, why);
        if (status != APR_SUCCESS || applier->sent.count == 0)
            break;
        bool in_background = goes_on && i == p->partitions && may_read_on(&applier->sent);
        send_batches(applier, in_background);
        if (!in_background)
            status = applier_settle(applier, why);
    }
    begin_gathering(applier);
    return status;
}

void applier_drop(applier_t *applier)
{
    ratings_result_t why;
    (void)applier_settle(applier, &why);
    begin_gathering(applier);
}
