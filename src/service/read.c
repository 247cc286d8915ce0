/* Reading a talk's ratings: the talk exists, the histogram is no older than what was shown, the
 * statistics if the function answers. */
#include "known.h"

#include "../core/clock.h"
#include "../shm/futex.h"
#include "statistics.h"

#define RETRY_US INT64_C(50000)

typedef struct {
    const char *talk_id;
    uint32_t slot;
    int64_t until;
    ratings_lasting_t lasting; /* of the answer */
} question_t;

static apr_status_t read_store(ratings_call_t *call, const question_t *question,
                               ratings_snapshot_t *view)
{
    ratings_child_t *child = call->child;
    ratings_result_t *why = &call->failure.why;
    ratings_call_token_t token;
    if (!ratings_call_policy_begin(&child->policy[RATINGS_BACKEND_STORE], question->until, &token,
                                   why))
        return why->status;
    (void)ratings_store_read(child->store, question->talk_id, question->lasting.partition,
                             question->until, view, why);
    return ratings_store_leave(child, &token, why);
}

/* One read that is good if it is of the log that this host knows, and no older than what this host
 * has seen of it. What was seen is looked up before the store is read; what is shown is seen. */
static apr_status_t try_fresh(ratings_call_t *call, question_t *question, ratings_snapshot_t *view)
{
    ratings_shm_t *shared = call->child->service->shared;
    ratings_lasting_t *lasting = &question->lasting;
    lasting->read_at = ratings_monotonic();
    lasting->version = ratings_shm_version(shared, question->slot);
    ratings_checkpoint_t high = ratings_shm_high(shared, question->lasting.partition);
    apr_status_t status = read_store(call, question, view);
    if (status == APR_EINVAL)
        return APR_EAGAIN;
    if (status != APR_SUCCESS)
        return status;
    if (view->is_behind || view->checkpoint < high.offset || view->log_id != high.log_id ||
        view->log_id == 0)
        return APR_EAGAIN;
    lasting->is_lasting = ratings_shm_note_shown(
        shared, question->lasting.partition, (ratings_checkpoint_t){view->log_id, view->checkpoint},
        question->slot, lasting->read_at, &lasting->version);
    return APR_SUCCESS;
}

/* A store behind what this host has seen of the log was lost or restored: it is being brought up to
 * date, and is waited for. Or it is another server than the one that the projector writes to by
 * now, as after a failover behind a name: connections of before are no longer trusted in the second
 * half of the wait. */
static apr_status_t wait_fresh(ratings_call_t *call, question_t *question, int64_t since,
                               ratings_snapshot_t *view)
{
    ratings_shm_t *shared = call->child->service->shared;
    int64_t half = (question->until - since) / 2, left = 1;
    apr_status_t status = APR_EAGAIN;
    while (status == APR_EAGAIN && left > 0) {
        uint32_t seen = atomic_load(&shared->published);
        status = try_fresh(call, question, view);
        left = question->until - ratings_monotonic();
        if (status == APR_EAGAIN && left < half)
            ratings_store_retire(call->child->store, since);
        if (status == APR_EAGAIN && left > 0)
            ratings_shm_wait(&shared->published, seen, left < RETRY_US ? left : RETRY_US);
    }
    return status;
}

static apr_status_t read_fresh(ratings_call_t *call, question_t *question, ratings_snapshot_t *view)
{
    int64_t since = ratings_monotonic(), until;
    apr_status_t status = try_fresh(call, question, view);
    if (status == APR_EAGAIN && ratings_may_wait(call->child, &until)) {
        question->until = until < question->until ? until : question->until;
        status = wait_fresh(call, question, since, view);
        ratings_waited(call->child, since, status != APR_SUCCESS);
    }
    return status == APR_EAGAIN ? ratings_result_set(&call->failure.why, status,
                                                     "the store is being brought up to date")
                                : status;
}

ratings_outcome_e ratings_read(ratings_call_t *call, const char *talk_id,
                               ratings_summary_t *summary)
{
    ratings_snapshot_t view = {.checkpoint = -1};
    ratings_outcome_e outcome = ratings_talk_known(call, talk_id);
    if (outcome != RATINGS_DONE)
        return outcome;
    question_t question = {.talk_id = talk_id,
                           .lasting.partition = ratings_partition_of(call, talk_id),
                           .slot = ratings_shm_slot(talk_id),
                           .until =
                               ratings_until(call, call->child->service->config->store_timeout)};
    if (question.lasting.partition < 0 || !call->child->store ||
        read_fresh(call, &question, &view) != APR_SUCCESS)
        return ratings_unavailable(call, "the store of ratings");
    summary->histogram = view.histogram;
    summary->has_statistics =
        ratings_statistics_of(call, &summary->histogram, &summary->statistics);
    summary->lasting = question.lasting;
    return RATINGS_DONE;
}
