/* Listing talks: from the list that the child knows, in memory; their order by score, and their
 * ratings, from the store. */
#include "../core/clock.h"
#include "../core/container_of.h"
#include "backend_call.h"
#include "fresh.h"
#include "known_talks.h"
#include "routing.h"
#include "use_cases.h"

#include <string.h>

_Static_assert(RATINGS_PAGE_MAX <= RATINGS_STORE_READ_MAX,
               "the talks of a page are read in one step");

static ratings_outcome_e list_unavailable(ratings_call_t *call)
{
    call->failure.part = "the list of talks";
    return RATINGS_OUTCOME_UNAVAILABLE;
}

static ratings_outcome_e store_unavailable(ratings_call_t *call)
{
    call->failure.part = "the store of ratings";
    return RATINGS_OUTCOME_UNAVAILABLE;
}

/* ---- what is searched for ---- */

/* APR_NOTFOUND: no talk has it. */
static apr_status_t find_key(ratings_call_t *call, const char *text, const char **key)
{
    ratings_child_t *child = call->child;
    ratings_result_t *why = &call->failure.why;
    ratings_call_token_t token;
    if (!ratings_backend_call_begin(call, RATINGS_BACKEND_TALKS, call->deadline, &token))
        return why->status;
    (void)ratings_talks_key(child->talks, text, call->deadline, call->pool, key, why);
    return ratings_call_policy_end(&token, why);
}

/* ---- scores ---- */

static bool hides_nothing(const ratings_hide_rules_t *rules)
{
    for (int i = 0; i < RATINGS_HIDE_RULES; i++)
        if (rules->rule[i] != RATINGS_HIDE_NEVER)
            return false;
    return true;
}

/* Hidden talks come after all others, as those do that have no rating: their place says nothing of
 * their scores. */
static int64_t shown_rank(const ratings_call_t *call, const ratings_talk_t *talk,
                          const ratings_hide_rules_t *rules, int64_t rank)
{
    const ratings_histogram_t unknown = {{0}};
    bool is_hidden = ratings_hidden_by_any(rules, &talk->window, &unknown, call->came_at).is_hidden;
    return is_hidden ? RATINGS_NEVER : rank;
}

/* A number of ratings below which results are hidden is no number that a ranking knows. */
static bool is_ranked(const ratings_call_t *call, const ratings_hide_rules_t *rules)
{
    for (int i = 0; i < RATINGS_HIDE_RULES; i++)
        if (rules->rule[i] > 0)
            return false;
    return strcmp(call->child->service->config->ranking_prior, "off") != 0;
}

static ratings_outcome_e find_ranks(ratings_call_t *call, ratings_known_talks_t *talks,
                                    const ratings_hide_rules_t *rules, int64_t **ranks)
{
    const ratings_talk_list_t *list = &talks->list;
    if (!is_ranked(call, rules))
        return RATINGS_OUTCOME_NO_RANKING;
    *ranks = ratings_known_ranks(call, talks);
    if (!*ranks)
        return store_unavailable(call);
    for (int i = 0; i < list->count && !hides_nothing(rules); i++)
        (*ranks)[i] = shown_rank(call, &list->talks[i], rules, (*ranks)[i]);
    return RATINGS_OUTCOME_DONE;
}

/* ---- ratings ---- */

typedef struct {
    ratings_fresh_t fresh;
    int count;
    ratings_store_talk_t talks[RATINGS_PAGE_MAX];
    ratings_checkpoint_t high[RATINGS_PAGE_MAX]; /* of their partitions, before the read */
} many_t;

static apr_status_t read_many(ratings_call_t *call, many_t *many)
{
    ratings_child_t *child = call->child;
    ratings_result_t *why = &call->failure.why;
    ratings_call_token_t token;
    if (!ratings_backend_call_begin(call, RATINGS_BACKEND_STORE, many->fresh.until, &token))
        return why->status;
    (void)ratings_store_read_many(child->store, many->talks, many->count, many->fresh.until, why);
    return ratings_call_policy_end(&token, why);
}

static bool is_talk_fresh(const ratings_call_t *call, many_t *many, int index)
{
    const ratings_store_talk_t *talk = &many->talks[index];
    return ratings_fresh_is(call, &many->fresh, talk->partition, &talk->snapshot,
                            many->high[index]);
}

static void note_shown(ratings_shm_t *shared, const many_t *many, int64_t read_at)
{
    for (int i = 0; i < many->count; i++) {
        const ratings_store_talk_t *talk = &many->talks[i];
        uint32_t slot = ratings_shm_slot(talk->talk_id);
        ratings_changes_t changes = ratings_shm_changes(shared, slot); /* nothing is cached by it */
        const ratings_checkpoint_t shown = {talk->snapshot.log_id, talk->snapshot.checkpoint};
        (void)ratings_shm_note_shown(shared, talk->partition, shown, slot, read_at, &changes);
    }
}

/* As a GET of each talk reads it (read.c): the high watermarks before the store. */
static apr_status_t read_many_once(ratings_call_t *call, ratings_fresh_t *read)
{
    many_t *many = RATINGS_CONTAINER_OF(read, many_t, fresh);
    ratings_shm_t *shared = call->child->service->shared;
    int64_t read_at = ratings_monotonic();
    for (int i = 0; i < many->count; i++)
        many->high[i] = ratings_shm_high(shared, many->talks[i].partition);
    apr_status_t status = read_many(call, many);
    if (status == RATINGS_REBUILD_NEEDED)
        return APR_EAGAIN;
    for (int i = 0; i < many->count && status == APR_SUCCESS; i++)
        status = is_talk_fresh(call, many, i) ? APR_SUCCESS : APR_EAGAIN;
    if (status == APR_SUCCESS)
        note_shown(shared, many, read_at);
    return status;
}

/* What is hidden goes no further than this. */
static void summarise_talk(const ratings_call_t *call, const ratings_hide_rules_t *rules,
                           const ratings_talk_t *talk, const ratings_histogram_t *histogram,
                           ratings_talk_results_t *results)
{
    *results = (ratings_talk_results_t){
        .hidden = ratings_hidden_by_any(rules, &talk->window, histogram, call->came_at)};
    if (results->hidden.is_hidden)
        return;
    results->histogram = *histogram;
    results->has_statistics = ratings_histogram_statistics(histogram, &results->statistics);
}

static ratings_outcome_e add_ratings(ratings_call_t *call, const ratings_hide_rules_t *rules,
                                     ratings_listing_t *listing)
{
    many_t *many = apr_pcalloc(call->pool, sizeof *many);
    many->fresh.read_once = read_many_once;
    many->count = listing->page.count;
    listing->results = apr_palloc(call->pool, RATINGS_PAGE_MAX * sizeof *listing->results);
    for (int i = 0; i < many->count; i++) {
        const char *id = listing->page.talks[i]->id;
        int partition = ratings_routing_partition(call, id);
        if (partition < 0)
            return RATINGS_OUTCOME_UNAVAILABLE;
        many->talks[i] = (ratings_store_talk_t){.talk_id = id, .partition = partition};
    }
    ratings_outcome_e outcome =
        many->count > 0 ? ratings_fresh_read(call, &many->fresh) : RATINGS_OUTCOME_DONE;
    for (int i = 0; i < many->count && outcome == RATINGS_OUTCOME_DONE; i++)
        summarise_talk(call, rules, listing->page.talks[i], &many->talks[i].snapshot.histogram,
                       &listing->results[i]);
    return outcome;
}

/* ---- the use cases ---- */

static ratings_outcome_e fill_page(ratings_call_t *call, const ratings_talk_query_t *query,
                                   const ratings_hide_rules_t *rules, ratings_listing_t *listing)
{
    ratings_known_talks_t *talks = listing->known;
    const char *words = "";
    int64_t *ranks = NULL;
    ratings_outcome_e outcome = RATINGS_OUTCOME_DONE;
    if (query->order == RATINGS_TALKS_BY_SCORE)
        outcome = find_ranks(call, talks, rules, &ranks);
    if (outcome != RATINGS_OUTCOME_DONE)
        return outcome;
    apr_status_t status = query->q[0] ? find_key(call, query->q, &words) : APR_SUCCESS;
    if (status == APR_NOTFOUND)
        return RATINGS_OUTCOME_DONE;
    if (status != APR_SUCCESS)
        return list_unavailable(call);
    ratings_talk_list_page(&talks->list, query, words, ranks, &listing->page);
    return RATINGS_OUTCOME_DONE;
}

ratings_outcome_e ratings_list_talks(ratings_call_t *call, const ratings_talk_query_t *query,
                                     const ratings_hide_rules_t *rules, ratings_listing_t *listing)
{
    *listing = (ratings_listing_t){.known = ratings_known_talks(call)};
    if (!listing->known)
        return list_unavailable(call);
    listing->zone = listing->known->list.zone;
    ratings_outcome_e outcome = fill_page(call, query, rules, listing);
    return outcome == RATINGS_OUTCOME_DONE && query->with_ratings
               ? add_ratings(call, rules, listing)
               : outcome;
}

void ratings_list_end(ratings_call_t *call, ratings_listing_t *listing)
{
    ratings_known_talks_release(call, listing->known);
}

static apr_status_t read_talk_row(ratings_call_t *call, const char *talk_id,
                                  ratings_talk_list_t *list)
{
    ratings_child_t *child = call->child;
    ratings_result_t *why = &call->failure.why;
    ratings_call_token_t token;
    if (!ratings_backend_call_begin(call, RATINGS_BACKEND_TALKS, call->deadline, &token))
        return why->status;
    (void)ratings_talks_list(child->talks, talk_id, call->deadline, call->pool, list, why);
    return ratings_call_policy_end(&token, why);
}

ratings_outcome_e ratings_list_talk(ratings_call_t *call, const char *talk_id, bool with_ratings,
                                    const ratings_hide_rules_t *rules, ratings_listing_t *listing)
{
    ratings_talk_list_t list;
    *listing = (ratings_listing_t){.known = NULL};
    if (ratings_talk_id_problem(talk_id, strlen(talk_id)))
        return RATINGS_OUTCOME_NO_TALK;
    apr_status_t status = read_talk_row(call, talk_id, &list);
    if (status == APR_NOTFOUND)
        return RATINGS_OUTCOME_NO_TALK;
    if (status != APR_SUCCESS)
        return list_unavailable(call);
    *listing = (ratings_listing_t){.zone = list.zone, .page = {.count = 1, .talks = {list.talks}}};
    ratings_outcome_e outcome =
        with_ratings ? add_ratings(call, rules, listing) : RATINGS_OUTCOME_DONE;
    if (outcome != RATINGS_OUTCOME_DONE)
        listing->results = NULL;
    return outcome;
}
