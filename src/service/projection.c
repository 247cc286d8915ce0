/* Applying the log to the store: agreeing on where they stand, then chunk after chunk. */
#include "projection.h"

#include "../core/event.h"
#include "../module.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include <string.h>

#define SKIP_LOG_US INT64_C(10000000) /* a record that is no event is logged this often at most */
#define COMMIT_US INT64_C(1000000)

apr_status_t projector_end(ratings_projector_t *p, ratings_store_end_e end, ratings_result_t *why)
{
    switch (end) {
    case RATINGS_STORE_DONE:
        return ratings_result_ok(why);
    case RATINGS_STORE_MOVED:
        return ratings_result_set(why, APR_EAGAIN,
                                  "the store has moved: somebody else wrote to it");
    case RATINGS_STORE_CORRUPT:
        break;
    }
    atomic_store(&p->shared->suspect, RATINGS_SUSPECT_STORE);
    return ratings_result_set(why, APR_EAGAIN, "the store holds what this module does not write");
}

/* ---- opening: where do log and store stand? ---- */

static apr_status_t read_ends(ratings_projector_t *p, ratings_result_t *why)
{
    int64_t *first = apr_palloc(p->batch_pool, (size_t)p->partitions * sizeof *first);
    int64_t *next = apr_palloc(p->batch_pool, (size_t)p->partitions * sizeof *next);
    apr_status_t status =
        ratings_reader_ends(p->reader, p->partitions, PROJECTION_STEP_US, first, next, why);
    for (int i = 0; i < p->partitions && status == APR_SUCCESS; i++) {
        p->partition[i].first = first[i];
        p->partition[i].next = next[i];
    }
    return status;
}

/* Partitions that the store has a position for, if these are the first ones without a gap; else -1.
 */
static int count_positions(const ratings_log_t *log)
{
    int count = 0, all = 0;
    while (count < RATINGS_PARTITIONS_MAX && log->position[count] >= 0)
        count++;
    for (int i = 0; i < RATINGS_PARTITIONS_MAX; i++)
        all += log->position[i] >= 0;
    return all == count ? count : -1;
}

/* What is wrong with a partition's position, or NULL. */
static const char *position_problem(const ratings_projector_t *p, int i)
{
    int64_t position = p->log.position[i];
    const ratings_mark_t *mark = &p->log.mark[i];
    if (position > p->partition[i].next)
        return "the log ends before the store's position: it was truncated or made again";
    if (position > 0 && (mark->offset < 0 || mark->offset >= position))
        return "the store does not say which record it applied last";
    return NULL;
}

/* Why the store is no read model of this log, or NULL. */
static const char *rebuild_reason(const ratings_projector_t *p)
{
    const char *problem = p->rebuild_reason;
    uint32_t suspect = atomic_load(&p->shared->suspect);
    int known = count_positions(&p->log);
    if (suspect == RATINGS_SUSPECT_STORE)
        return "a key of a talk, or a count, is not what this module writes";
    if (suspect == RATINGS_SUSPECT_LOG)
        return "an event was appended below the store's position: the topic was made again";
    if (!p->log.present || known <= 0 || p->log.routed <= 0)
        return p->log.claim[0] ? "a rebuild was not finished" : "the store is empty or was lost";
    if (known > p->partitions || p->log.routed > p->partitions)
        return "the topic has fewer partitions than the store: it was made again";
    for (int i = 0; i < known && !problem; i++)
        problem = position_problem(p, i);
    return problem;
}

/* The topic was given partitions: they count from 0. Talks stay where they are. */
static apr_status_t extend(ratings_projector_t *p, ratings_result_t *why)
{
    ratings_store_end_e end;
    int known = count_positions(&p->log);
    if (known == p->partitions)
        return APR_SUCCESS;
    apr_status_t status = ratings_store_extend(p->store, &p->log, known, p->partitions, &end, why);
    if (status == APR_SUCCESS)
        status = projector_end(p, end, why);
    return status == APR_SUCCESS ? ratings_store_load(p->store, &p->log, why) : status;
}

static apr_status_t check_topic(ratings_projector_t *p, const ratings_topic_t *topic,
                                ratings_result_t *why)
{
    const char *ours = p->child->service->config->topic;
    p->partitions = topic->partitions;
    if (atomic_exchange(&p->shared->topic_fault, topic->fault) != topic->fault && topic->fault)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, p->child->service->server, "RT0303: %s",
                     ratings_stream_fault_text(topic->fault));
    if (p->log.present && p->log.topic[0] && strcmp(p->log.topic, ours) != 0)
        return ratings_result_set(why, APR_EINVAL,
                                  "the store holds the ratings of topic '%s', not of '%s'",
                                  p->log.topic, ours);
    return APR_SUCCESS;
}

/* Where reading begins: at the mark, so that the first record read proves that the log is the one
 * that was applied; at the position when there is nothing to prove, or no record any more. */
static int64_t start_of(const partition_t *partition)
{
    int64_t from = partition->verified ? partition->position : partition->mark.offset;
    return from < partition->first ? partition->first : from;
}

static void adopt(ratings_projector_t *p, int i)
{
    partition_t *partition = &p->partition[i];
    partition->position = p->log.position[i];
    partition->mark = p->log.mark[i];
    partition->verified = partition->position == 0 || partition->mark.offset < partition->first;
    ratings_shared_limit(p->shared, i, partition->next);
    if (partition->verified)
        ratings_shared_publish_adopted(p->shared, i, partition->position);
}

static apr_status_t begin_reading(ratings_projector_t *p, ratings_result_t *why)
{
    int64_t *from = apr_pcalloc(p->batch_pool, (size_t)p->partitions * sizeof *from);
    for (int i = 0; i < p->partitions; i++) {
        adopt(p, i);
        from[i] = start_of(&p->partition[i]);
    }
    atomic_store(&p->shared->routed, p->log.routed);
    p->look_at = ratings_monotonic() + PROJECTION_LOOK_US;
    return ratings_reader_assign(p->reader, from, p->partitions, why);
}

static apr_status_t agree(ratings_projector_t *p, ratings_result_t *why)
{
    const char *reason = rebuild_reason(p);
    apr_status_t status = APR_SUCCESS;
    if (reason)
        status = projection_rebuild(p, p->partitions, reason, why);
    if (status == APR_SUCCESS)
        status = extend(p, why);
    return status;
}

apr_status_t projection_open(ratings_projector_t *p, ratings_result_t *why)
{
    ratings_topic_t topic = {0};
    apr_pool_clear(p->batch_pool);
    apr_status_t status = ratings_stream_topic(p->child->stream, PROJECTION_STEP_US, &topic, why);
    if (status == APR_SUCCESS)
        status = ratings_store_load(p->store, &p->log, why);
    if (status == APR_SUCCESS)
        status = check_topic(p, &topic, why);
    if (status == APR_SUCCESS)
        status = read_ends(p, why);
    if (status == APR_SUCCESS)
        status = agree(p, why);
    if (status == APR_SUCCESS)
        status = begin_reading(p, why);
    p->rebuild_reason = NULL;
    return status;
}

/* ---- one record ---- */

static void skip(ratings_projector_t *p, const ratings_record_t *record, const char *problem)
{
    int64_t now = ratings_monotonic();
    uint64_t skipped = atomic_fetch_add(&p->shared->skipped, 1) + 1;
    if (now < p->skip_logged_at + SKIP_LOG_US && p->skip_logged_at)
        return;
    p->skip_logged_at = now;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, p->child->service->server,
                 "RT0304: record at partition %d, offset %" APR_INT64_T_FMT
                 " is no event and was skipped (%s); %" APR_UINT64_T_FMT " so far",
                 record->partition, record->offset, problem, skipped);
}

static ratings_mark_t mark_of(const ratings_record_t *record)
{
    ratings_mark_t mark = {
        record->offset, record->timestamp,
        ratings_event_checksum(record->key, record->key_len, record->value, record->value_len)};
    return mark;
}

static bool is_mark(const ratings_record_t *record, const ratings_mark_t *mark)
{
    ratings_mark_t found = mark_of(record);
    return found.offset == mark->offset && found.timestamp == mark->timestamp &&
           found.checksum == mark->checksum;
}

/* The first record read must be the last one applied. */
static apr_status_t verify(ratings_projector_t *p, const ratings_record_t *record,
                           ratings_result_t *why)
{
    partition_t *partition = &p->partition[record->partition];
    if (partition->verified)
        return APR_SUCCESS;
    if (!is_mark(record, &partition->mark)) {
        p->rebuild_reason = "the record applied last is not in the log: the topic was made again";
        return ratings_result_set(why, APR_EAGAIN, "%s", p->rebuild_reason);
    }
    partition->verified = true;
    ratings_shared_publish_adopted(p->shared, record->partition, partition->position);
    return APR_SUCCESS;
}

/* ---- one chunk: the records of a batch that are of one partition ---- */

typedef struct {
    ratings_chunk_t chunk;
    ratings_increment_t *increments;
    uint32_t *slots;
    apr_hash_t *by_talk;
} fold_t;

static fold_t fold_begin(const ratings_projector_t *p, int partition, int room)
{
    fold_t fold = {.chunk = {.generation = p->log.generation,
                             .partition = partition,
                             .position = p->partition[partition].position}};
    fold.chunk.next = fold.chunk.position;
    fold.increments = apr_pcalloc(p->batch_pool, (size_t)room * sizeof *fold.increments);
    fold.slots = apr_palloc(p->batch_pool, (size_t)room * sizeof *fold.slots);
    fold.by_talk = apr_hash_make(p->batch_pool);
    fold.chunk.increments = fold.increments;
    return fold;
}

static void fold_rating(ratings_projector_t *p, fold_t *fold, const ratings_rating_t *rating)
{
    ratings_increment_t *increment =
        apr_hash_get(fold->by_talk, rating->talk_id, APR_HASH_KEY_STRING);
    if (!increment) {
        increment = &fold->increments[fold->chunk.count];
        increment->talk_id = apr_pstrdup(p->batch_pool, rating->talk_id);
        fold->slots[fold->chunk.count++] = ratings_shared_slot(rating->talk_id);
        apr_hash_set(fold->by_talk, increment->talk_id, APR_HASH_KEY_STRING, increment);
    }
    increment->added[rating->value - RATINGS_VALUE_MIN]++;
}

static void fold_record(ratings_projector_t *p, fold_t *fold, const ratings_record_t *record)
{
    ratings_event_t event;
    if (record->offset < fold->chunk.next) /* the mark itself, and what came before the position */
        return;
    const char *problem = ratings_event_decode(record->key, record->key_len, record->value,
                                               record->value_len, &event);
    if (problem)
        skip(p, record, problem);
    else
        fold_rating(p, fold, &event.rating);
    fold->chunk.next = record->offset + 1;
    fold->chunk.mark = mark_of(record);
}

static apr_status_t apply(ratings_projector_t *p, const fold_t *fold, ratings_result_t *why)
{
    ratings_store_end_e end;
    const ratings_chunk_t *chunk = &fold->chunk;
    if (chunk->next == chunk->position)
        return APR_SUCCESS;
    apr_status_t status = ratings_store_apply(p->store, chunk, &end, why);
    if (status == APR_SUCCESS)
        status = projector_end(p, end, why);
    if (status != APR_SUCCESS)
        return status;
    p->partition[chunk->partition].position = chunk->next;
    p->partition[chunk->partition].mark = chunk->mark;
    p->commit_due = true;
    ratings_shared_publish_applied(p->shared, chunk->partition, chunk->next, fold->slots,
                                   chunk->count);
    p->look_at = ratings_monotonic() + PROJECTION_LOOK_US;
    return APR_SUCCESS;
}

/* Folds and applies the records from `first` on that are of its partition, and marks them done by
 * partition -1. */
static apr_status_t apply_partition(ratings_projector_t *p, int first, int count,
                                    ratings_result_t *why)
{
    int partition = p->records[first].partition;
    apr_status_t status = APR_SUCCESS;
    fold_t fold = fold_begin(p, partition, count - first);
    for (int i = first; i < count && status == APR_SUCCESS; i++) {
        if (p->records[i].partition != partition)
            continue;
        status = verify(p, &p->records[i], why);
        if (status == APR_SUCCESS)
            fold_record(p, &fold, &p->records[i]);
        p->records[i].partition = -1;
    }
    return status == APR_SUCCESS ? apply(p, &fold, why) : status;
}

static apr_status_t apply_batch(ratings_projector_t *p, int count, ratings_result_t *why)
{
    apr_status_t status = APR_SUCCESS;
    apr_pool_clear(p->batch_pool);
    for (int i = 0; i < count && status == APR_SUCCESS; i++)
        if (p->records[i].partition >= 0 && p->records[i].partition < p->partitions)
            status = apply_partition(p, i, count, why);
    return status;
}

/* ---- between batches ---- */

/* Store and log may change behind our back without any traffic: flushed, restored, overwritten;
 * made again. */
static apr_status_t look_at_store(ratings_projector_t *p, ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    if (atomic_load(&p->shared->suspect))
        return ratings_result_set(why, APR_EAGAIN, "a request found that store and log do not fit");
    if (now < p->look_at)
        return APR_SUCCESS;
    p->look_at = now + PROJECTION_LOOK_US;
    apr_status_t status = ratings_store_load(p->store, &p->log, why);
    if (status == APR_SUCCESS)
        status = read_ends(p, why);
    for (int i = 0; i < p->partitions && status == APR_SUCCESS; i++)
        if (!p->log.present || p->log.position[i] != p->partition[i].position ||
            p->partition[i].next < p->partition[i].position)
            status = ratings_result_set(why, APR_EAGAIN, "store or log are not what they were");
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
        commit(p);
    return status;
}
