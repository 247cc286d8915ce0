/* Reading the log, and folding what was read into chunks for the store. */
#include "projection.h"

#include "../shm/futex.h"

#include "../core/routing_record.h"
#include "../module.h"
#include "batch.h"

#include <string.h>

/* A record that does not count is logged this often at most. */
#define SKIP_LOG_US INT64_C(10000000)
#define COMMIT_US INT64_C(1000000)

/* Of the chunks that are gathered while far behind: they hold up Redis for some tens of
 * milliseconds each. With the records of one more read, events with a key stay below the 8,000
 * values that Lua takes at once. */
#define FAR 20000                    /* events that are left to read */
#define KEYED_SIZE 4096              /* events with a key, of one chunk */
#define GATHER_SIZE (4 * KEYED_SIZE) /* over all partitions, see chunk_size */
#define GATHER_US INT64_C(1000000)   /* so much work is lost at most when something fails */

#define EXPECTED 8 /* records ahead */

/* ---- one record ---- */

static bool may_log(int64_t *logged_at)
{
    int64_t now = ratings_monotonic();
    if (*logged_at && now < *logged_at + SKIP_LOG_US)
        return false;
    *logged_at = now;
    return true;
}

static void skip_repeat(ratings_projector_t *p, const ratings_record_t *record)
{
    uint64_t repeated = atomic_fetch_add(&p->shared->repeated_events, 1) + 1;
    if (may_log(&p->repeat_logged_at))
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, p->child->service->server,
                     "RT0308: the event at partition %d, offset %" APR_INT64_T_FMT
                     " was appended twice and counts once; %" APR_UINT64_T_FMT " so far",
                     record->partition, record->offset, repeated);
}

static void skip(ratings_projector_t *p, const ratings_record_t *record, const char *problem)
{
    uint64_t skipped = atomic_fetch_add(&p->shared->skipped_records, 1) + 1;
    if (!may_log(&p->skip_logged_at))
        return;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, p->child->service->server,
                 "RT0304: record at partition %d, offset %" APR_INT64_T_FMT
                 " is no event and was skipped (%s); %" APR_UINT64_T_FMT " so far",
                 record->partition, record->offset, problem, skipped);
}

static bool is_mark(const ratings_record_t *record, const ratings_fingerprint_t *mark)
{
    ratings_fingerprint_t found = chunk_mark_of(record);
    return found.offset == mark->offset && found.timestamp == mark->timestamp &&
           found.checksum == mark->checksum;
}

/* Reading begins before the position: the last record applied must be among what comes. */
static apr_status_t verify(ratings_projector_t *p, const ratings_record_t *record,
                           ratings_result_t *why)
{
    partition_t *partition = &p->partition[record->partition];
    if (partition->verified || record->offset < partition->mark.offset)
        return APR_SUCCESS;
    if (!is_mark(record, &partition->mark)) {
        p->rebuild_reason = "the record applied last is not in the log: the topic was made again";
        return ratings_result_set(why, APR_EAGAIN, "%s", p->rebuild_reason);
    }
    partition->verified = true;
    ratings_shm_publish_external(p->shared, record->partition, projection_place(partition));
    return APR_SUCCESS;
}

/* ---- chunks: the records of a partition that one script applies ---- */

static chunk_t *begin_chunk(ratings_projector_t *p, int i)
{
    const partition_t *partition = &p->partition[i];
    const ratings_batch_t start = {.generation = p->log.generation,
                                   .partition = i,
                                   .checkpoint = partition->position,
                                   .previous = partition->mark,
                                   .log_time = partition->time};
    if (!p->gathered_at)
        p->gathered_at = ratings_monotonic();
    return chunk_begin(&start, p->fold_pool);
}

static chunk_t *chunk_of(ratings_projector_t *p, int i)
{
    if (!p->partition[i].chunk)
        p->partition[i].chunk = begin_chunk(p, i);
    return p->partition[i].chunk;
}

/* What does not count: not by itself wrong. */
static apr_status_t fold_other(ratings_projector_t *p, const ratings_record_t *record,
                               const char *problem, ratings_result_t *why)
{
    int routed = record->partition == 0
                     ? ratings_routing_decode(record->key, record->key_len, record->value,
                                              record->value_len, RATINGS_PARTITIONS_MAX)
                     : 0;
    if (routed > 0)
        return projection_heed_routing(p, record, routed, why);
    skip(p, record, problem);
    return APR_SUCCESS;
}

static apr_status_t fold_record(ratings_projector_t *p, chunk_t *chunk,
                                const ratings_record_t *record, ratings_result_t *why)
{
    const partition_t *partition = &p->partition[record->partition];
    ratings_dedup_e seen =
        ratings_dedup_window_check_and_add(partition->recent, &record->identity, record->offset);
    bool repeats = seen == RATINGS_DEDUP_DUPLICATE;
    apr_status_t status = seen == RATINGS_DEDUP_NO_MEMORY
                              ? ratings_result_set(why, APR_ENOMEM, "out of memory")
                              : verify(p, record, why);
    const char *problem = status == APR_SUCCESS ? chunk_add(chunk, record, repeats) : NULL;
    if (repeats && record->offset >= partition->position)
        skip_repeat(p, record);
    if (problem)
        return fold_other(p, record, problem, why);
    if (status == APR_SUCCESS && !repeats && record->offset >= partition->position)
        projection_weigh(p, record);
    return status;
}

static bool is_ours(const ratings_projector_t *p, const ratings_record_t *record)
{
    return record->partition >= 0 && record->partition < p->partitions;
}

/* A record, or the end of a partition, which comes between records. */
static apr_status_t take(ratings_projector_t *p, const ratings_record_t *record,
                         ratings_result_t *why)
{
    if (!is_ours(p, record))
        return APR_SUCCESS;
    if (!record->is_end)
        return fold_record(p, chunk_of(p, record->partition), record, why);
    p->partition[record->partition].ended = record->offset;
    return APR_SUCCESS;
}

/* That a record comes: its partition's memory of events is larger than a processor's caches. */
static void expect(const ratings_projector_t *p, const ratings_record_t *record)
{
    if (is_ours(p, record))
        ratings_dedup_window_prefetch(p->partition[record->partition].recent, &record->identity);
}

static apr_status_t fold_batch(ratings_projector_t *p, int count, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < count && status == APR_SUCCESS; i++) {
        if (i + EXPECTED < count)
            expect(p, &p->records[i + EXPECTED]);
        status = take(p, &p->records[i], why);
    }
    for (int i = 0; i < p->partitions; i++)
        if (p->partition[i].chunk)
            chunk_let_go(p->partition[i].chunk);
    return status;
}

/* Much is left to read, so that nobody is served by being quick about what was just read. */
static bool is_far_behind(const ratings_projector_t *p)
{
    int64_t left = 0;
    for (int i = 0; i < p->partitions; i++) {
        const partition_t *partition = &p->partition[i];
        int64_t at = partition->chunk ? chunk_next(partition->chunk) : partition->position;
        left += partition->next > at ? partition->next - at : 0;
    }
    return left > FAR;
}

static bool is_full(const ratings_projector_t *p)
{
    int sum = 0;
    for (int i = 0; i < p->partitions; i++) {
        const chunk_t *chunk = p->partition[i].chunk;
        sum += chunk ? chunk_size(chunk) : 0;
        if (sum >= GATHER_SIZE || (chunk && chunk_keyed(chunk) >= KEYED_SIZE))
            return true;
    }
    return false;
}

/* A chunk costs the store by its talks, not by its events: while far behind, many reads make one.
 */
static bool is_due(const ratings_projector_t *p, int count)
{
    return count == 0 || ratings_monotonic() >= p->gathered_at + GATHER_US || is_full(p) ||
           !is_far_behind(p);
}

static apr_status_t apply_batch(ratings_projector_t *p, int count, ratings_result_t *why)
{
    apr_pool_clear(p->batch_pool);
    apr_status_t status = fold_batch(p, count, why);
    return status == APR_SUCCESS && p->gathered_at && is_due(p, count) ? projection_apply(p, why)
                                                                       : status;
}

/* ---- the end of a rebuild ---- */

/* A partition whose log was read to its end without a record: those that it had were deleted, or it
 * has but marks of transactions. The store is told, else nobody could say of which log it is. */
static apr_status_t pass_empty(ratings_projector_t *p, int i, ratings_result_t *why)
{
    partition_t *partition = &p->partition[i];
    ratings_cas_e end;
    bool is_news = partition->ended > partition->position ||
                   partition->first_mark.offset == RATINGS_FINGERPRINT_NONE;
    if (partition->ended < partition->position || partition->mark.offset >= 0 || !is_news)
        return APR_SUCCESS;
    apr_status_t status = ratings_store_advance(p->store, &p->log, i, partition->ended, &end, why);
    if (status == APR_SUCCESS)
        status = projector_end(p, end, why);
    if (status != APR_SUCCESS)
        return status;
    p->log.checkpoint[i] = partition->position = partition->ended;
    partition->first_mark.offset = p->log.first[i].offset = RATINGS_FINGERPRINT_EMPTY;
    ratings_shm_publish_external(p->shared, i, projection_place(partition));
    return APR_SUCCESS;
}

static apr_status_t pass_all_empty(ratings_projector_t *p, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < p->partitions && status == APR_SUCCESS && !p->gathered_at; i++)
        status = pass_empty(p, i, why);
    return status;
}

/* A log may end with offsets that have no record (marks of transactions): the position alone would
 * not tell. */
static bool has_reached(const partition_t *partition, int64_t end)
{
    return partition->position >= end || partition->ended >= end;
}

static bool is_complete(const ratings_projector_t *p)
{
    for (int i = 0; i < p->partitions; i++)
        if (!has_reached(&p->partition[i], p->partition[i].target))
            return false;
    return true;
}

bool projection_is_going_on(const ratings_projector_t *p)
{
    for (int i = 0; i < p->partitions && !p->has_applied; i++)
        if (!has_reached(&p->partition[i], p->partition[i].next))
            return false;
    return true;
}

static apr_status_t catch_up(ratings_projector_t *p, ratings_result_t *why)
{
    ratings_cas_e end;
    if (!p->log.is_behind)
        return APR_SUCCESS;
    projection_tell_progress(p);
    if (p->gathered_at || p->log.routed == 0 || !is_complete(p))
        return APR_SUCCESS;
    apr_status_t status = ratings_store_caught_up(p->store, p->log.generation, &end, why);
    if (status == APR_SUCCESS)
        status = projector_end(p, end, why);
    if (status != APR_SUCCESS)
        return status;
    p->log.is_behind = false;
    projection_end_progress(p);
    ratings_shm_wake(&p->shared->published);
    ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, p->child->service->server,
                 "RT0309: the rebuild of the store is complete");
    return APR_SUCCESS;
}

/* ---- between batches ---- */

static bool is_same_mark(const ratings_fingerprint_t *a, const ratings_fingerprint_t *b)
{
    return a->offset == b->offset && a->timestamp == b->timestamp && a->checksum == b->checksum;
}

/* Whether the store says something else of the records up to its position than was read in the log.
 */
static bool is_altered(const ratings_projector_t *p, int i)
{
    const partition_t *partition = &p->partition[i];
    return p->log.checkpoint[i] == partition->position &&
           !(is_same_mark(&p->log.last[i], &partition->mark) &&
             is_same_mark(&p->log.first[i], &partition->first_mark) &&
             p->log.log_time[i] == partition->time);
}

/* Whether store or log have changed since they were opened, as they were just looked at. */
static bool has_moved(const ratings_projector_t *p, int i)
{
    return p->log.checkpoint[i] != p->partition[i].position ||
           p->partition[i].next < p->partition[i].position ||
           p->partition[i].next < p->partition[i].target ||
           projection_is_another_log(&p->partition[i], &p->log.first[i]);
}

/* Who projected before, and was held up in the middle of it, may have told of another log since. */
static void tell_again(ratings_projector_t *p, int i, int64_t at)
{
    ratings_checkpoint_t place = projection_place(&p->partition[i]);
    if (!p->partition[i].verified)
        return;
    projection_doubt_high(p, i, place, at);
    if (ratings_shm_is_newer(p->shared, i, place)) {
        ratings_shm_publish_external(p->shared, i, place);
        ratings_visibility_notify(
            p->child->visibility); /* before reading, which may take its time */
    }
    ratings_shm_confirm(p->shared, i, place, at);
}

/* Of the same rebuild, the store says what it did not say before, and what no projector writes. */
static apr_status_t is_changed(ratings_projector_t *p, ratings_result_t *why)
{
    atomic_store(&p->shared->rebuild_request, RATINGS_REBUILD_REQUEST_STORE);
    return ratings_result_set(why, APR_EAGAIN,
                              "somebody has changed what the store says of the log");
}

/* The store, if it is that of the same rebuild. */
static apr_status_t load_same(ratings_projector_t *p, ratings_result_t *why)
{
    char generation[RATINGS_TOKEN_MAX + 1];
    int routed = p->log.routed;
    memcpy(generation, p->log.generation, sizeof generation);
    apr_status_t status = projection_load(p, why);
    if (status != APR_SUCCESS)
        return status;
    if (strcmp(generation, p->log.generation) != 0)
        return ratings_result_set(why, APR_EAGAIN, "the store was rebuilt");
    if (routed > 0 && routed != p->log.routed)
        return is_changed(p, why);
    return p->log.rebuild_request
               ? ratings_result_set(why, APR_EAGAIN, "another host has doubts of the store")
               : APR_SUCCESS;
}

/* Store and log may change behind our back without any traffic: flushed, restored, overwritten;
 * made again. */
static apr_status_t look_at_store(ratings_projector_t *p, ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    if (atomic_load(&p->shared->rebuild_request))
        return ratings_result_set(why, APR_EAGAIN, "a request found that store and log do not fit");
    if (now < p->look_at)
        return APR_SUCCESS;
    p->look_at = now + PROJECTION_LOOK_US;
    apr_status_t status = load_same(p, why);
    if (status == APR_SUCCESS)
        status = projection_read_ends(p, why);
    for (int i = 0; i < p->partitions && status == APR_SUCCESS; i++) {
        if (is_altered(p, i))
            status = is_changed(p, why);
        else if (has_moved(p, i))
            status = ratings_result_set(why, APR_EAGAIN, "store or log are not what they were");
        else
            tell_again(p, i, now);
    }
    return status;
}

static void commit(ratings_projector_t *p)
{
    int64_t now = ratings_monotonic();
    if (!p->commit_due || now < p->commit_at)
        return;
    p->commit_due = false;
    p->commit_at = now + COMMIT_US;
    int64_t *offsets = apr_palloc(p->batch_pool, (size_t)p->partitions * sizeof *offsets);
    for (int i = 0; i < p->partitions; i++)
        offsets[i] = p->partition[i].position;
    ratings_reader_commit(p->reader, offsets, p->partitions);
}

/* How long reading may wait: until the lease or the store wants attention. */
static int64_t patience(const ratings_projector_t *p)
{
    int64_t until = p->renew_at < p->look_at ? p->renew_at : p->look_at;
    if (p->gathered_at && p->gathered_at + GATHER_US < until)
        until = p->gathered_at + GATHER_US;
    int64_t left = until - ratings_monotonic();
    return left > 0 ? left : 0;
}

apr_status_t projection_step(ratings_projector_t *p, ratings_result_t *why)
{
    int count = 0;
    apr_status_t status = projector_renew(p, why);
    if (status == APR_SUCCESS)
        status = look_at_store(p, why);
    if (status == APR_SUCCESS)
        status =
            ratings_reader_read(p->reader, patience(p), p->records, PROJECTION_BATCH, &count, why);
    if (status == APR_SUCCESS)
        status = apply_batch(p, count, why);
    if (status == APR_SUCCESS)
        status = pass_all_empty(p, why);
    if (status == APR_SUCCESS)
        projection_settle_routing(p);
    if (status == APR_SUCCESS)
        status = catch_up(p, why);
    if (status != APR_SUCCESS)
        return status;
    atomic_store(&p->shared->projected_at, ratings_monotonic());
    commit(p);
    projection_judge(p);
    return APR_SUCCESS;
}
