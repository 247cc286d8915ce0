#include "projection_electorate.h"

#include "../core/clock.h"
#include "../core/container_of.h"

#define ELECTORATE_REAPPEND_US                                                                     \
    INT64_C(5000000) /* until one that was not read back is appended again */

/* On a thread of the producer's. Success is not told here: the record is read back. */
static void on_electorate_delivered(ratings_receiver_t *receiver,
                                    const ratings_delivery_t *delivery)
{
    electorate_t *electorate = RATINGS_CONTAINER_OF(receiver, electorate_t, receiver);
    if (delivery->result.status == APR_SUCCESS)
        return;
    if (!atomic_exchange(&electorate->failed, true))
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, electorate->projection->options->server,
                     "RT0317: the record that says which electorate votes cannot be appended, the "
                     "projector tries again: %s",
                     delivery->result.detail);
    atomic_store(&electorate->append_at, ratings_monotonic() + PROJECTION_BACKOFF_US);
}

void electorate_init(electorate_t *electorate, projection_t *projection)
{
    electorate->projection = projection;
    electorate->receiver.delivered = on_electorate_delivered;
}

void electorate_begin(electorate_t *electorate)
{
    electorate->standing = electorate->projection->state.standing;
}

static bool is_electorate(const ratings_electorate_t *electorate)
{
    return electorate->name[0] != '\0';
}

bool electorate_is_lost(const projection_t *p)
{
    const ratings_store_state_t *state = &p->state;
    const int i = RATINGS_ELECTORATE_PARTITION;
    return is_electorate(p->options->electorate) && state->checkpoint[i] > 0 &&
           state->voters_to[i] != state->checkpoint[i];
}

/* ---- reading ---- */

static bool counts(const ratings_electorate_t *standing, const ratings_electorate_record_t *said)
{
    return !is_electorate(standing) || ratings_electorate_equal(&said->follows, standing) ||
           ratings_electorate_equal(&said->begins, standing);
}

void electorate_read(electorate_t *electorate, batch_t *batch, const ratings_record_t *record,
                     const ratings_electorate_record_t *said)
{
    if (!counts(&electorate->standing.electorate, said))
        return;
    electorate->standing = (ratings_standing_t){said->begins, record->offset, record->timestamp};
    batch_set_standing(batch, &electorate->standing);
    atomic_store(&electorate->failed, false);
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, electorate->projection->options->server,
                 "RT0318: the electorate %s votes, as offset %" APR_INT64_T_FMT
                 " of partition 0 says",
                 said->begins.name, record->offset);
}

/* ---- appending ---- */

static void append_electorate(electorate_t *electorate, const ratings_electorate_t *begins)
{
    const ratings_electorate_record_t record = {*begins, {""}};
    ratings_delivery_t failure;
    atomic_store(&electorate->append_at, ratings_monotonic() + ELECTORATE_REAPPEND_US);
    if (ratings_stream_append_electorate(electorate->projection->options->stream, &record,
                                         &electorate->receiver, &failure) != APR_SUCCESS)
        on_electorate_delivered(&electorate->receiver, &failure);
}

/* A record that was deleted since says nothing to whoever reads the log next. */
void electorate_append_if_missing(electorate_t *electorate)
{
    const projection_t *p = electorate->projection;
    const partition_t *partition = &p->partition[RATINGS_ELECTORATE_PARTITION];
    const ratings_standing_t *standing = &p->state.standing;
    bool stands = is_electorate(&standing->electorate);
    const ratings_electorate_t *begins = stands ? &standing->electorate : p->options->electorate;
    if (!is_electorate(begins) || (stands && standing->offset >= partition->log_start) ||
        ratings_monotonic() < atomic_load(&electorate->append_at) ||
        !partition_has_reached(partition, partition->log_end))
        return;
    append_electorate(electorate, begins);
}

/* Where the leader's host has no secret. It is given the time in which one that has appends it. */
void electorate_append_as_standby(electorate_t *electorate)
{
    const projection_t *p = electorate->projection;
    int64_t append_at = atomic_load(&electorate->append_at);
    if (!is_electorate(p->options->electorate) || p->state.is_behind)
        return;
    if (is_electorate(&p->state.standing.electorate))
        atomic_store(&electorate->append_at, 0);
    else if (append_at == 0)
        atomic_store(&electorate->append_at, ratings_monotonic() + ELECTORATE_REAPPEND_US);
    else if (ratings_monotonic() >= append_at)
        append_electorate(electorate, p->options->electorate);
}

/* ---- publishing ---- */

static void log_admission(const projection_t *p, uint64_t refused)
{
    const ratings_standing_t *standing = &p->state.standing;
    if (refused)
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, p->options->server,
                     "RT0319: RatingsVoterSecret is that of the electorate %s, and offset "
                     "%" APR_INT64_T_FMT " of partition 0 says that %s votes: under another secret "
                     "everybody could vote twice, so voters get 503 from this host",
                     p->options->electorate->name, standing->offset, standing->electorate.name);
    else
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, p->options->server,
                     "RT0320: RatingsVoterSecret is that of the electorate %s, which votes: voters "
                     "are let in again",
                     p->options->electorate->name);
}

static void note_admission(const projection_t *p, uint64_t stands)
{
    uint64_t ours = ratings_electorate_number(p->options->electorate);
    uint64_t refused = ours && stands ? ours ^ stands : 0;
    if (ours && atomic_exchange(&p->shared->electorate_refused, refused) != refused)
        log_admission(p, refused);
}

/* What this host knows of a log that is being read anew stays. */
void electorate_publish(projection_t *p, ratings_checkpoint_t checkpoint)
{
    ratings_checkpoint_t high = ratings_shm_high(p->shared, RATINGS_ELECTORATE_PARTITION);
    bool is_old = checkpoint.log_id == high.log_id && checkpoint.offset < high.offset;
    if (p->state.is_behind || is_old)
        return;
    uint64_t stands = ratings_electorate_number(&p->state.standing.electorate);
    atomic_store(&p->shared->electorate, stands);
    note_admission(p, stands);
}

void electorate_publish_verified(projection_t *p)
{
    const partition_t *partition = &p->partition[RATINGS_ELECTORATE_PARTITION];
    if (partition->is_verified)
        electorate_publish(p, partition_checkpoint(partition));
}
