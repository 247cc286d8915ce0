#include "event_fold.h"

#include "../core/clock.h"
#include "../core/routing_record.h"

#define LOG_US INT64_C(10000000) /* a kind of record that does not count is logged this often */
#define PREFETCH_DISTANCE 8      /* records */

void event_fold_init(event_fold_t *fold, projection_t *projection, applier_t *applier,
                     routing_t *routing, electorate_t *electorate)
{
    fold->projection = projection;
    fold->applier = applier;
    fold->routing = routing;
    fold->electorate = electorate;
}

/* ---- what does not count ---- */

static bool may_log(int64_t *logged_at)
{
    int64_t now = ratings_monotonic();
    if (*logged_at && now < *logged_at + LOG_US)
        return false;
    *logged_at = now;
    return true;
}

static void note_duplicate(event_fold_t *fold, const ratings_record_t *record)
{
    const projection_t *p = fold->projection;
    uint64_t repeated = atomic_fetch_add(&p->shared->repeated_events, 1) + 1;
    ratings_metrics_duplicate(p->options->metrics);
    if (may_log(&fold->duplicate_logged_at))
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, p->options->server,
                     "RT0308: the event at partition %d, offset %" APR_INT64_T_FMT
                     " was appended twice and counts once; %" APR_UINT64_T_FMT " so far",
                     record->partition, record->offset, repeated);
}

static void note_skipped(event_fold_t *fold, const ratings_record_t *record, const char *problem)
{
    const projection_t *p = fold->projection;
    uint64_t skipped = atomic_fetch_add(&p->shared->skipped_records, 1) + 1;
    ratings_metrics_undecodable(p->options->metrics);
    if (!may_log(&fold->skip_logged_at))
        return;
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, p->options->server,
                 "RT0304: record at partition %d, offset %" APR_INT64_T_FMT
                 " is no event and was skipped (%s); %" APR_UINT64_T_FMT " so far",
                 record->partition, record->offset, problem, skipped);
}

/* Not by itself wrong: it may be a record that says how talks are routed, which electorate votes,
 * or whose ratings count for nothing. */
static apr_status_t fold_no_event(event_fold_t *fold, batch_t *batch,
                                  const ratings_record_t *record, const char *problem,
                                  ratings_result_t *why)
{
    ratings_electorate_record_t electorate;
    ratings_bar_t bar;
    int said = record->partition == 0
                   ? ratings_routing_decode(record->key, record->key_len, record->value,
                                            record->value_len, RATINGS_PARTITIONS_MAX)
                   : 0;
    if (said > 0)
        return routing_read(fold->routing, record, said, why);
    if (record->partition == RATINGS_ELECTORATE_PARTITION &&
        ratings_electorate_decode(record->key, record->key_len, record->value, record->value_len,
                                  &electorate)) {
        electorate_read(fold->electorate, batch, record, &electorate);
        return APR_SUCCESS;
    }
    if (ratings_bar_decode(record->key, record->key_len, record->value, record->value_len, &bar))
        return batch_bar(batch, &bar) ? APR_SUCCESS
                                      : ratings_result_set(why, APR_ENOMEM, "out of memory");
    note_skipped(fold, record, problem);
    return APR_SUCCESS;
}

/* ---- one record ---- */

/* Reading begins before the checkpoint: the record applied last must be among what comes. */
static apr_status_t verify_log(projection_t *p, const ratings_record_t *record,
                               ratings_result_t *why)
{
    partition_t *partition = &p->partition[record->partition];
    if (partition->is_verified || record->offset < partition->last.offset)
        return APR_SUCCESS;
    ratings_fingerprint_t found = fingerprint_of(record);
    if (!fingerprint_equal(&found, &partition->last)) {
        p->rebuild_reason = "the record applied last is not in the log: the topic was recreated";
        return ratings_result_set(why, RATINGS_REBUILD_NEEDED, "%s", p->rebuild_reason);
    }
    partition->is_verified = true;
    ratings_shm_publish_external(p->shared, record->partition, partition_checkpoint(partition));
    if (record->partition == RATINGS_ELECTORATE_PARTITION)
        electorate_publish_verified(p);
    return APR_SUCCESS;
}

/* Records before the checkpoint are in the windows already, if those are of the checkpoint. Else no
 * version that knows tickets has applied any record so far, and there must be none with a ticket,
 * as far back as that version itself looks for duplicates. */
static apr_status_t check_ticket(projection_t *p, batch_t *batch, const ratings_record_t *record,
                                 bool *is_duplicate, ratings_result_t *why)
{
    const partition_t *partition = &p->partition[record->partition];
    *is_duplicate = false;
    if (record->offset < partition->checkpoint && !partition->knows_tickets) {
        p->rebuild_reason = "an older version has applied events, and knows no tickets";
        return ratings_result_set(why, RATINGS_REBUILD_NEEDED, "%s", p->rebuild_reason);
    }
    if (record->offset < batch_next_offset(batch))
        return APR_SUCCESS;
    ratings_ticket_e found = batch_note_ticket(batch, &record->ticket, record->offset);
    *is_duplicate = found == RATINGS_TICKET_REPEATED;
    return found == RATINGS_TICKET_NO_MEMORY ? ratings_result_set(why, APR_ENOMEM, "out of memory")
                                             : APR_SUCCESS;
}

/* An event with a ticket needs no deduplication window: its ticket tells it for ever. */
static apr_status_t check_duplicate(projection_t *p, batch_t *batch, const ratings_record_t *record,
                                    bool *is_duplicate, ratings_result_t *why)
{
    if (record->ticket.life)
        return check_ticket(p, batch, record, is_duplicate, why);
    ratings_dedup_e found = ratings_dedup_window_check_and_add(
        p->partition[record->partition].window, &record->identity, record->offset);
    *is_duplicate = found == RATINGS_DEDUP_DUPLICATE;
    return found == RATINGS_DEDUP_NO_MEMORY ? ratings_result_set(why, APR_ENOMEM, "out of memory")
                                            : APR_SUCCESS;
}

static apr_status_t fold_record(event_fold_t *fold, batch_t *batch, const ratings_record_t *record,
                                ratings_result_t *why)
{
    const partition_t *partition = &fold->projection->partition[record->partition];
    bool is_duplicate = false;
    fold->projection->reads_append_times |= record->has_append_time;
    apr_status_t status = verify_log(fold->projection, record, why);
    if (status == APR_SUCCESS)
        status = check_duplicate(fold->projection, batch, record, &is_duplicate, why);
    const char *problem = status == APR_SUCCESS ? batch_add(batch, record, is_duplicate) : NULL;
    if (is_duplicate && record->offset >= partition->checkpoint)
        note_duplicate(fold, record);
    if (problem)
        return fold_no_event(fold, batch, record, problem, why);
    if (status == APR_SUCCESS && !is_duplicate && record->offset >= partition->checkpoint)
        routing_add_evidence(fold->routing, record);
    return status;
}

/* ---- all of a read ---- */

static bool is_ours(const projection_t *p, const ratings_record_t *record)
{
    return record->partition >= 0 && record->partition < p->partitions;
}

/* A record, or the end of a partition, which comes between records. What was appended here may have
 * been folded before it was read (direct.h). */
static apr_status_t fold_read(event_fold_t *fold, const ratings_record_t *record,
                              ratings_result_t *why)
{
    projection_t *p = fold->projection;
    if (!is_ours(p, record))
        return APR_SUCCESS;
    partition_t *partition = &p->partition[record->partition];
    if (record->is_end)
        partition->read_to = record->offset;
    if (record->offset < partition->read_at)
        return APR_SUCCESS;
    partition->read_at = record->is_end ? record->offset : record->offset + 1;
    return record->is_end
               ? APR_SUCCESS
               : fold_record(fold, applier_batch(fold->applier, record->partition), record, why);
}

/* A partition's window is larger than a processor's caches. */
static void prefetch_window(const projection_t *p, const ratings_record_t *record)
{
    if (is_ours(p, record) && !record->ticket.life)
        ratings_dedup_window_prefetch(p->partition[record->partition].window, &record->identity);
}

apr_status_t event_fold_records(event_fold_t *fold, const ratings_record_t *records, int count,
                                ratings_result_t *why)
{
    projection_t *p = fold->projection;
    apr_status_t status = APR_SUCCESS;
    for (int i = 0; i < count && status == APR_SUCCESS; i++) {
        if (i + PREFETCH_DISTANCE < count)
            prefetch_window(p, &records[i + PREFETCH_DISTANCE]);
        status = fold_read(fold, &records[i], why);
    }
    for (int i = 0; i < p->partitions; i++)
        if (p->partition[i].batch && !batch_detach(p->partition[i].batch) && status == APR_SUCCESS)
            status = ratings_result_set(why, APR_ENOMEM, "out of memory");
    return status;
}
