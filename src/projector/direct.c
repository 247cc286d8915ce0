#include "direct.h"

#include "../core/clock.h"

#define ALONE_US INT64_C(1000000)     /* after something foreign, until it is direct again */
#define OTHERS_US INT64_C(60000000)   /* for so long others are expected after one was seen */
#define LOOK_OTHERS_US INT64_C(25000) /* how often the ends are asked for meanwhile */
#define BUSY_PAUSE_US INT64_C(100000) /* records of its own with longer pauses are few */
#define REPORTS_US INT64_C(25000)     /* what is at the end may be ours, and be reported so late */

void direct_init(direct_t *direct, projection_t *projection, event_fold_t *fold, own_records_t *own)
{
    direct->projection = projection;
    direct->fold = fold;
    direct->own = own;
}

/* The log is read, for a while at least. */
static void read_for_a_while(direct_t *direct)
{
    direct->is_direct = false;
    direct->direct_from = ratings_monotonic() + ALONE_US;
    direct->doubt_at = 0;
    direct->look_at = INT64_MAX;
}

void direct_begin(direct_t *direct)
{
    read_for_a_while(direct);
    direct->has_gap = false;
    direct->others_until = 0;
    direct->own_at = direct->busy_since = 0;
    own_records_listen(direct->own, direct->projection->reader);
}

void direct_end(direct_t *direct)
{
    own_records_listen(direct->own, NULL);
}

int64_t direct_due_at(const direct_t *direct)
{
    int64_t doubt_at = direct->doubt_at ? direct->doubt_at : INT64_MAX;
    return direct->is_direct ? ratings_earlier(direct->look_at, doubt_at) : INT64_MAX;
}

/* ---- what there is beside our own ---- */

static bool ends_beyond_fold(const projection_t *p)
{
    for (int i = 0; i < p->partitions; i++)
        if (p->partition[i].log_end > p->partition[i].read_at)
            return true;
    return false;
}

void direct_note_ends(direct_t *direct)
{
    if (direct->is_direct && !direct->doubt_at && ends_beyond_fold(direct->projection))
        direct->doubt_at = ratings_monotonic() + REPORTS_US;
}

/* What was folded by its report comes from the reader as well, while that reads. */
static bool is_of_others(const projection_t *p, const ratings_record_t *record)
{
    return !record->is_end && record->partition < p->partitions &&
           record->offset >= p->partition[record->partition].read_at &&
           !ratings_append_has_life(p->options->rings, record->ticket.life);
}

void direct_note_read(direct_t *direct, const ratings_record_t *records, int count)
{
    for (int i = 0; i < count; i++) {
        if (!is_of_others(direct->projection, &records[i]))
            continue;
        int64_t now = ratings_monotonic();
        direct->direct_from = now + ALONE_US;
        direct->others_until = now + OTHERS_US;
        return;
    }
}

/* ---- our own ---- */

static apr_status_t fold_if_next(direct_t *direct, const ratings_record_t *record, int *count,
                                 ratings_result_t *why)
{
    projection_t *p = direct->projection;
    if (record->partition >= p->partitions)
        return APR_SUCCESS;
    const partition_t *partition = &p->partition[record->partition];
    if (!partition->is_verified || record->offset < partition->read_at)
        return APR_SUCCESS;
    if (record->offset > partition->read_at) {
        direct->has_gap = true;
        return APR_SUCCESS;
    }
    ++*count;
    return event_fold_records(direct->fold, record, 1, why);
}

static void note_own(direct_t *direct, int64_t now)
{
    if (now > direct->own_at + BUSY_PAUSE_US)
        direct->busy_since = now;
    direct->own_at = now;
}

apr_status_t direct_fold(direct_t *direct, int *count, ratings_result_t *why)
{
    own_record_list_t list;
    const own_record_t *kept;
    apr_status_t status = APR_SUCCESS;
    *count = 0;
    own_records_take(direct->own, &list);
    STAILQ_FOREACH(kept, &list, link)
        if (status == APR_SUCCESS)
            status = fold_if_next(direct, &kept->record, count, why);
    own_records_free(&list);
    if (*count > 0)
        note_own(direct, ratings_monotonic());
    return status;
}

/* ---- reading, or not ---- */

static bool expects_others(const direct_t *direct, int64_t now)
{
    return now < direct->others_until;
}

/* For a while, so that it does not begin and end to be direct with each record. */
static bool is_busy(const direct_t *direct, int64_t now)
{
    return now <= direct->own_at + BUSY_PAUSE_US && now >= direct->busy_since + ALONE_US;
}

static bool may_be_direct(const direct_t *direct, int64_t now)
{
    const projection_t *p = direct->projection;
    if (p->state.is_behind || now < direct->direct_from ||
        (expects_others(direct, now) && !is_busy(direct, now)))
        return false;
    for (int i = 0; i < p->partitions; i++)
        if (!p->partition[i].is_verified)
            return false;
    return !ends_beyond_fold(p);
}

static apr_status_t read_again(direct_t *direct, ratings_result_t *why)
{
    read_for_a_while(direct);
    return projection_read_on(direct->projection, why);
}

static apr_status_t look_for_others(direct_t *direct, int64_t now, ratings_result_t *why)
{
    direct->look_at = INT64_MAX;
    if (!expects_others(direct, now))
        return APR_SUCCESS;
    if (now > direct->own_at + ALONE_US)
        return read_again(direct, why);
    direct->look_at = now + LOOK_OTHERS_US;
    apr_status_t status = projection_read_ends(direct->projection, why);
    direct_note_ends(direct);
    return status;
}

apr_status_t direct_check(direct_t *direct, ratings_result_t *why)
{
    int64_t now = ratings_monotonic();
    bool has_gap = direct->has_gap;
    direct->has_gap = false;
    if (!direct->is_direct && !may_be_direct(direct, now))
        return APR_SUCCESS;
    if (!direct->is_direct) {
        direct->is_direct = true;
        direct->look_at = now;
        ratings_reader_unassign(direct->projection->reader);
    }
    bool is_late = direct->doubt_at && now >= direct->doubt_at;
    if (has_gap || (is_late && ends_beyond_fold(direct->projection)))
        return read_again(direct, why);
    if (is_late)
        direct->doubt_at = 0;
    return now >= direct->look_at ? look_for_others(direct, now, why) : APR_SUCCESS;
}
