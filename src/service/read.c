/* Reading a talk's ratings, or a voter's own: the talk exists, the histogram counts all that this
 * host has shown before, the statistics are there if the function answers. */
#include "../core/clock.h"
#include "../core/container_of.h"
#include "../shm/applied_counts.h"
#include "backend_call.h"
#include "fresh.h"
#include "routing.h"
#include "statistics.h"
#include "talk_cache.h"
#include "use_cases.h"

typedef struct {
    ratings_fresh_t fresh;
    const char *talk_id;
    const ratings_voter_t *voter; /* whose rating is asked for; NULL: the talk's counts */
    int value;                    /* that rating */
    uint32_t slot;
    ratings_validator_t validator; /* of the answer */
    ratings_snapshot_t *snapshot;  /* what it is made of */
} query_t;

/* ---- the store ---- */

static void ask_for_query(ratings_call_t *call, query_t *query, ratings_snapshot_t *snapshot)
{
    ratings_store_t *store = call->child->store;
    ratings_result_t *why = &call->failure.why;
    int partition = query->validator.partition;
    if (query->voter)
        (void)ratings_store_read_vote(store, query->talk_id, query->voter, partition,
                                      query->fresh.until, snapshot, &query->value, why);
    else
        (void)ratings_store_read(store, query->talk_id, partition, query->fresh.until, snapshot,
                                 why);
}

static apr_status_t read_store(ratings_call_t *call, query_t *query, ratings_snapshot_t *snapshot)
{
    ratings_result_t *why = &call->failure.why;
    ratings_call_token_t token;
    if (!ratings_backend_call_begin(call, RATINGS_BACKEND_STORE, query->fresh.until, &token))
        return why->status;
    ask_for_query(call, query, snapshot);
    return ratings_call_policy_end(&token, why);
}

/* Changes and high watermark are looked up before the store is read: whatever is published
 * meanwhile ends the answer's validity. APR_EAGAIN: it is not fresh. */
static apr_status_t read_fresh_once(ratings_call_t *call, query_t *query,
                                    ratings_snapshot_t *snapshot)
{
    ratings_shm_t *shared = call->child->service->shared;
    ratings_validator_t *validator = &query->validator;
    validator->read_at = ratings_monotonic();
    validator->changes = ratings_shm_changes(shared, query->slot);
    ratings_checkpoint_t high = ratings_shm_high(shared, validator->partition);
    apr_status_t status = read_store(call, query, snapshot);
    if (status == RATINGS_REBUILD_NEEDED)
        return APR_EAGAIN;
    if (status != APR_SUCCESS)
        return status;
    if (!ratings_fresh_is(call, &query->fresh, validator->partition, snapshot, high))
        return APR_EAGAIN;
    validator->is_cacheable =
        ratings_shm_note_shown(shared, validator->partition,
                               (ratings_checkpoint_t){snapshot->log_id, snapshot->checkpoint},
                               query->slot, validator->read_at, &validator->changes);
    return APR_SUCCESS;
}

static apr_status_t read_query_once(ratings_call_t *call, ratings_fresh_t *read)
{
    query_t *query = RATINGS_CONTAINER_OF(read, query_t, fresh);
    return read_fresh_once(call, query, query->snapshot);
}

/* ---- the counts that the leader has left ---- */

/* In the place of a read of the store. Whoever sees that the position is reached sees what came
 * before that, as with the response cache. */
static bool take_applied_counts(ratings_call_t *call, query_t *query,
                                ratings_histogram_t *histogram)
{
    const ratings_service_t *service = call->child->service;
    if (query->voter)
        return false;
    bool is_hit =
        ratings_shm_has_reached(service->shared, &call->position) &&
        ratings_applied_counts_get(service->shared, service->config->cache_ttl, query->talk_id,
                                   query->validator.partition, &query->validator, histogram);
    ratings_metrics_lookup(service->metrics, RATINGS_METRIC_CACHE_COUNTS, is_hit);
    call->cache = is_hit ? "counts" : "miss";
    return is_hit;
}

/* ---- the use cases ---- */

/* Of an existing talk; `*query` has its id and whose rating is asked for. */
static ratings_outcome_e read_talk(ratings_call_t *call, query_t *query,
                                   ratings_snapshot_t *snapshot)
{
    ratings_outcome_e outcome = ratings_talk_lookup(call, query->talk_id);
    if (outcome != RATINGS_OUTCOME_DONE)
        return outcome;
    query->validator.partition = ratings_routing_partition(call, query->talk_id);
    if (query->validator.partition < 0)
        return RATINGS_OUTCOME_UNAVAILABLE;
    if (take_applied_counts(call, query, &snapshot->histogram))
        return RATINGS_OUTCOME_DONE;
    query->slot = ratings_shm_slot(query->talk_id);
    query->fresh.read_once = read_query_once;
    query->snapshot = snapshot;
    return ratings_fresh_read(call, &query->fresh);
}

ratings_outcome_e ratings_read_own(ratings_call_t *call, const char *talk_id,
                                   const ratings_voter_t *voter, int *value)
{
    ratings_snapshot_t snapshot = {.checkpoint = -1};
    query_t query = {.talk_id = talk_id, .voter = voter};
    ratings_outcome_e outcome = read_talk(call, &query, &snapshot);
    *value = query.value;
    return outcome;
}

/* What is hidden goes no further than this: the function is not asked for its statistics. */
static void summarise(ratings_call_t *call, const ratings_histogram_t *histogram,
                      ratings_summary_t *summary)
{
    summary->hidden = ratings_hidden_by(call->hide, &call->window, histogram, call->came_at);
    summary->validator.until = summary->hidden.until;
    if (summary->hidden.is_hidden)
        return;
    summary->histogram = *histogram;
    summary->has_statistics =
        ratings_statistics_of(call, &summary->histogram, &summary->statistics);
}

ratings_outcome_e ratings_read(ratings_call_t *call, const char *talk_id,
                               ratings_summary_t *summary)
{
    ratings_snapshot_t snapshot = {.checkpoint = -1};
    query_t query = {.talk_id = talk_id};
    ratings_outcome_e outcome = read_talk(call, &query, &snapshot);
    if (outcome != RATINGS_OUTCOME_DONE)
        return outcome;
    *summary = (ratings_summary_t){.validator = query.validator};
    summarise(call, &snapshot.histogram, summary);
    return RATINGS_OUTCOME_DONE;
}

/* ---- its responses ---- */

/* Off with RatingsStatsMemo: every GET is to ask the function. */
static bool is_cache_used(const ratings_config_t *config)
{
    return config->stats_memo && config->cache_ttl > 0 && config->talk_ttl > 0;
}

/* The position is looked up before the cache is: whoever sees the applied watermark sees what it
 * has ended there. */
bool ratings_read_cached(const ratings_service_t *service, const char *talk_id, ratings_hide_t hide,
                         const ratings_position_t *position, ratings_entity_t *entity)
{
    const ratings_response_ttl_t ttl = {service->config->cache_ttl, service->config->talk_ttl};
    bool is_hit = is_cache_used(service->config) &&
                  ratings_shm_has_reached(service->shared, position) &&
                  ratings_response_cache_get(service->shared, &ttl, talk_id, hide, entity);
    ratings_metrics_lookup(service->metrics, RATINGS_METRIC_CACHE_RESPONSES, is_hit);
    return is_hit;
}

/* A response that lacks statistics is sent once: the function may answer for the next. */
void ratings_cache_response(const ratings_call_t *call, const char *talk_id,
                            const ratings_summary_t *summary, const ratings_entity_t *entity)
{
    const ratings_service_t *service = call->child->service;
    if (is_cache_used(service->config) && (summary->hidden.is_hidden || summary->has_statistics) &&
        summary->validator.is_cacheable)
        ratings_response_cache_put(service->shared, talk_id, call->hide, &summary->validator,
                                   call->talk_known_at, entity);
}
