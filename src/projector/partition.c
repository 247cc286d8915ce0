#include "partition.h"

#include "../core/assertion.h"

#define BEYOND_TIMEOUT_US INT64_C(2000000)

bool fingerprint_equal(const ratings_fingerprint_t *a, const ratings_fingerprint_t *b)
{
    return a->offset == b->offset && a->timestamp == b->timestamp && a->checksum == b->checksum;
}

bool partition_resume(partition_t *partition, const ratings_store_state_t *state, int i)
{
    RATINGS_ASSERT(!partition->batch && !partition->sent);
    ratings_dedup_window_free(partition->window);
    partition->window = ratings_dedup_window_new();
    ratings_voter_set_free(&partition->barred);
    ratings_ticket_windows_free(&partition->tickets);
    partition->knows_tickets =
        state->checkpoint[i] == 0 || state->tickets_to[i] == state->checkpoint[i];
    partition->checkpoint = state->checkpoint[i];
    partition->last = state->last[i];
    partition->first = state->first[i];
    partition->log_time = state->log_time[i];
    partition->rebuild_target = state->is_behind ? partition->log_end : 0;
    partition->is_unvoted = state->is_behind && partition->checkpoint == 0;
    partition->read_to = -1;
    partition->is_verified = partition->last.offset < partition->log_start; /* or there is none */
    return partition->window != NULL;
}

void partition_close(partition_t *partition)
{
    ratings_dedup_window_free(partition->window);
    partition->window = NULL;
    ratings_voter_set_free(&partition->barred);
    ratings_ticket_windows_free(&partition->tickets);
}

void partition_advance(partition_t *partition, const ratings_batch_t *batch)
{
    partition->checkpoint = batch->next_checkpoint;
    partition->last = batch->last;
    partition->log_time = batch->log_time;
    partition->knows_tickets = true;
    partition->is_unvoted = partition->is_unvoted && batch->voted_count == 0;
    if (batch->first.offset >= 0)
        partition->first = batch->first;
}

ratings_checkpoint_t partition_checkpoint(const partition_t *partition)
{
    return (ratings_checkpoint_t){ratings_log_id(&partition->first), partition->checkpoint};
}

int64_t partition_read_from(const partition_t *partition)
{
    int64_t from = partition->checkpoint - RATINGS_DEDUP_SPAN;
    if (!partition->is_verified && from > partition->last.offset)
        from = partition->last.offset;
    return from < partition->log_start ? partition->log_start : from;
}

int64_t partition_read_up_to(const partition_t *partition)
{
    if (partition->batch)
        return batch_next_offset(partition->batch);
    return partition->sent ? partition->sent->next_checkpoint : partition->checkpoint;
}

bool partition_has_reached(const partition_t *partition, int64_t end)
{
    return partition->checkpoint >= end || partition->read_to >= end;
}

bool partition_is_another_log(const partition_t *partition, const ratings_fingerprint_t *first)
{
    return first->offset >= 0 && partition->younger == first->offset;
}

bool partition_has_lost_its_end(partition_t *partition, uint16_t log_id, int64_t now)
{
    bool is_beyond =
        partition->seen.log_id == log_id && partition->seen.offset > partition->log_end;
    if (is_beyond && !partition->beyond_since)
        partition->beyond_since = now;
    bool is_lost = is_beyond && now >= partition->beyond_since + BEYOND_TIMEOUT_US;
    if (!is_beyond || is_lost)
        partition->beyond_since = 0;
    return is_lost;
}

bool partition_has_moved(const partition_t *partition, const ratings_store_state_t *state, int i)
{
    return state->checkpoint[i] != partition->checkpoint ||
           partition->log_end < partition->checkpoint ||
           partition->log_end < partition->rebuild_target ||
           partition_is_another_log(partition, &state->first[i]);
}

bool partition_is_altered(const partition_t *partition, const ratings_store_state_t *state, int i)
{
    return state->checkpoint[i] == partition->checkpoint &&
           !(fingerprint_equal(&state->last[i], &partition->last) &&
             fingerprint_equal(&state->first[i], &partition->first) &&
             state->log_time[i] == partition->log_time);
}
