/* What a child knows of all talks and of their ranking, before backends of this file's: the ranks
 * are those of the list that a request has, whichever list they were read for. */
#include "unit.h"

#include "../../src/core/clock.h"
#include "../../src/service/backend_call.h"
#include "../../src/service/known_talks.h"

#include <apr_general.h>
#include <apr_strings.h>

#define HOUR INT64_C(3600000000)
#define TALKS_MAX 4

/* ---- the backends ---- */

typedef struct {
    const char *talk_id;
    double score;
} scored_t;

static struct {
    const char
        *listed[TALKS_MAX + 1]; /* the talks' ids, up to NULL, in the order of their titles */
    scored_t ranked[TALKS_MAX + 1];
    bool refuses, fails; /* the next call of a backend */
    int lists, rankings, tokens;
} backends;

bool ratings_backend_call_begin(ratings_call_t *call, ratings_backend_e backend, int64_t until,
                                ratings_call_token_t *token)
{
    (void)backend, (void)until, (void)token;
    backends.tokens += !backends.refuses;
    if (backends.refuses)
        (void)ratings_result_set(&call->failure.why, RATINGS_NOT_ASKED, "refused");
    return !backends.refuses;
}

apr_status_t ratings_call_policy_end(ratings_call_token_t *token, const ratings_result_t *why)
{
    (void)token;
    backends.tokens--;
    return why->status;
}

void ratings_call_policy_abandon(ratings_call_token_t *token, bool got)
{
    (void)token, (void)got;
    backends.tokens--;
}

apr_status_t ratings_talks_list(ratings_talks_t *talks, const char *talk_id, int64_t expires_at,
                                apr_pool_t *pool, ratings_talk_list_t *list, ratings_result_t *why)
{
    (void)talks, (void)expires_at;
    assert_null(talk_id);
    backends.lists++;
    if (backends.fails)
        return ratings_result_set(why, APR_EGENERAL, "no list");
    list->talks = apr_pcalloc(pool, TALKS_MAX * sizeof *list->talks);
    for (list->count = 0; backends.listed[list->count]; list->count++)
        list->talks[list->count].id = backends.listed[list->count];
    return ratings_result_set(why, APR_SUCCESS, "%s", "");
}

apr_status_t ratings_store_read_top(ratings_store_t *store, int64_t deadline,
                                    ratings_store_tell_fn *tell, void *data, ratings_result_t *why)
{
    (void)store, (void)deadline;
    backends.rankings++;
    if (backends.fails)
        return ratings_result_set(why, APR_EGENERAL, "no ranking");
    for (const scored_t *one = backends.ranked; one->talk_id; one++)
        tell(data, one->talk_id, one->score);
    return ratings_result_set(why, APR_SUCCESS, "%s", "");
}

/* ---- a child, and a request of it ---- */

typedef struct {
    ratings_config_t config;
    ratings_service_t service;
    ratings_child_t child;
    ratings_call_t call;
} request_t;

static void request_open(request_t *request)
{
    memset(request, 0, sizeof *request);
    memset(&backends, 0, sizeof backends);
    request->config.talk_ttl = request->config.cache_ttl = HOUR;
    request->config.talks_timeout = request->config.store_timeout = HOUR;
    request->config.deadline = HOUR;
    request->service.config = &request->config;
    request->child.service = &request->service;
    ratings_known_cache_init(&request->child.talk_list);
    ratings_known_cache_init(&request->child.talk_ranks);
    request->call.child = &request->child;
    request->call.deadline = ratings_monotonic() + HOUR;
    assert_int_equal(apr_pool_create_unmanaged(&request->call.pool), APR_SUCCESS);
}

static void request_close(request_t *request)
{
    ratings_background_join(&request->child.background);
    assert_int_equal(backends.tokens, 0);
    ratings_known_cache_destroy(&request->child.talk_list);
    ratings_known_cache_destroy(&request->child.talk_ranks);
    apr_pool_destroy(request->call.pool);
}

static void list_talks(const char *first, const char *second, const char *third)
{
    const char *const ids[] = {first, second, third, NULL};
    memcpy(backends.listed, ids, sizeof ids);
}

static void rank_talks(scored_t first, scored_t second, scored_t third)
{
    const scored_t scores[] = {first, second, third, {NULL, 0}};
    memcpy(backends.ranked, scores, sizeof scores);
}

#define NOBODY ((scored_t){NULL, 0})
#define SCORED(id, score) ((scored_t){id, score})

/* As if what is known were older than anybody takes: the next request reads it. */
static void forget(ratings_known_cache_t *cache)
{
    cache->newest->read_at -= 2 * HOUR;
}

/* Asserts the order in which a list has its talks by rank, best first; ranks of who is not ranked
 * are never. */
static void assert_ranking(request_t *request, ratings_known_talks_t *talks, const char *expected)
{
    const int64_t *ranks = ratings_known_ranks(&request->call, talks);
    char order[TALKS_MAX + 1] = "";
    assert_non_null(ranks);
    for (size_t length = 0; length < strlen(expected); length++) {
        int best = -1;
        for (int i = 0; i < talks->list.count; i++)
            if (ranks[i] != RATINGS_NEVER && !strchr(order, *talks->list.talks[i].id) &&
                (best < 0 || ranks[i] < ranks[best]))
                best = i;
        assert_true(best >= 0);
        order[length] = *talks->list.talks[best].id;
    }
    assert_string_equal(order, expected);
    for (int i = 0; i < talks->list.count; i++)
        assert_int_equal(ranks[i] != RATINGS_NEVER,
                         strchr(expected, *talks->list.talks[i].id) != NULL);
    assert_true(ranks[talks->list.count] == RATINGS_NEVER);
}

/* ---- ranks ---- */

static void talks_are_ranked_by_score(void **state)
{
    request_t request;
    (void)state;
    request_open(&request);
    list_talks("a", "b", "c");
    rank_talks(SCORED("a", 1.5), SCORED("c", 4.25), SCORED("deleted", 5));
    ratings_known_talks_t *talks = ratings_known_talks(&request.call);
    assert_non_null(talks);
    assert_int_equal(talks->list.count, 3);
    for (int i = 0; i < 2; i++)
        assert_ranking(&request, talks, "ca");
    assert_int_equal(backends.rankings, 1);
    ratings_known_talks_release(&request.call, talks);
    request_close(&request);
}

static void a_score_of_nothing_is_ranked_last(void **state)
{
    request_t request;
    (void)state;
    request_open(&request);
    list_talks("a", "b", "c");
    rank_talks(SCORED("a", 0), SCORED("b", 1e-9), SCORED("c", 1));
    ratings_known_talks_t *talks = ratings_known_talks(&request.call);
    assert_ranking(&request, talks, "cba");
    ratings_known_talks_release(&request.call, talks);
    request_close(&request);
}

/* Two requests, one of which has the list before that of the other. */
static void ranks_are_of_the_list_that_a_request_has(void **state)
{
    request_t request;
    bool are_of_the_newer = *(const bool *)*state;
    request_open(&request);
    list_talks("a", "b", "c");
    rank_talks(SCORED("a", 1), SCORED("b", 3), SCORED("c", 2));
    ratings_known_talks_t *older = ratings_known_talks(&request.call);
    if (!are_of_the_newer)
        assert_ranking(&request, older, "bca");
    forget(&request.child.talk_list);
    list_talks("c", "b", NULL);
    ratings_known_talks_t *newer = ratings_known_talks(&request.call);
    assert_int_equal(newer->list.count, 2);
    assert_ranking(&request, newer, "bc");
    assert_ranking(&request, older, "bca");
    assert_int_equal(backends.rankings, 1);
    ratings_known_talks_release(&request.call, older);
    ratings_known_talks_release(&request.call, newer);
    request_close(&request);
}

static struct {
    const char *name;
    bool are_of_the_newer;
} read_for[] = {{"ranks that were read for the list before", false},
                {"ranks that were read for the list after it", true}};

static void test_read_for(void **state)
{
    void *are_of_the_newer = &((typeof(&read_for[0]))*state)->are_of_the_newer;
    ranks_are_of_the_list_that_a_request_has(&are_of_the_newer);
}

/* ---- what cannot be read ---- */

static void what_fails_is_read_by_the_next(void **state)
{
    request_t request;
    (void)state;
    request_open(&request);
    list_talks("a", NULL, NULL);
    rank_talks(SCORED("a", 1), NOBODY, NOBODY);
    backends.fails = true;
    assert_null(ratings_known_talks(&request.call));
    assert_string_equal(request.call.failure.why.detail, "no list");
    backends.fails = false;
    ratings_known_talks_t *talks = ratings_known_talks(&request.call);
    assert_non_null(talks);
    backends.fails = true;
    assert_null(ratings_known_ranks(&request.call, talks));
    assert_string_equal(request.call.failure.why.detail, "no ranking");
    backends.fails = false;
    assert_ranking(&request, talks, "a");
    assert_int_equal(backends.lists, 2);
    assert_int_equal(backends.rankings, 2);
    ratings_known_talks_release(&request.call, talks);
    request_close(&request);
}

static void what_may_not_be_asked_is_read_by_the_next(void **state)
{
    request_t request;
    (void)state;
    request_open(&request);
    list_talks("a", NULL, NULL);
    backends.refuses = true;
    assert_null(ratings_known_talks(&request.call));
    assert_int_equal(request.call.failure.why.status, RATINGS_NOT_ASKED);
    assert_int_equal(backends.lists, 0);
    backends.refuses = false;
    ratings_known_talks_t *talks = ratings_known_talks(&request.call);
    assert_non_null(talks);
    ratings_known_talks_release(&request.call, talks);
    ratings_known_talks_release(&request.call, NULL);
    request_close(&request);
}

/* ---- in the background ---- */

static void half_its_time_over_it_is_read_for_the_next(void **state)
{
    request_t request;
    (void)state;
    request_open(&request);
    list_talks("a", NULL, NULL);
    rank_talks(SCORED("a", 1), NOBODY, NOBODY);
    ratings_known_talks_t *first = ratings_known_talks(&request.call);
    assert_ranking(&request, first, "a");
    request.child.talk_list.newest->read_at -= HOUR / 2 + 1;
    list_talks("b", "a", NULL);
    ratings_known_talks_t *same = ratings_known_talks(&request.call);
    ratings_background_join(&request.child.background);
    assert_ptr_equal(same, first);
    assert_int_equal(backends.lists, 2);
    ratings_known_talks_t *next = ratings_known_talks(&request.call);
    assert_ptr_not_equal(next, first);
    assert_int_equal(next->list.count, 2);
    ratings_known_talks_release(&request.call, first);
    ratings_known_talks_release(&request.call, same);
    ratings_known_talks_release(&request.call, next);
    request_close(&request);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};
    apr_initialize();
    unit_add(&suite, "talks are ranked by score", talks_are_ranked_by_score, NULL);
    unit_add(&suite, "a score of nothing is ranked last", a_score_of_nothing_is_ranked_last, NULL);
    unit_add_rows(&suite, test_read_for, ROWS(read_for));
    unit_add(&suite, "what fails is read by the next", what_fails_is_read_by_the_next, NULL);
    unit_add(&suite, "what may not be asked is read by the next",
             what_may_not_be_asked_is_read_by_the_next, NULL);
    unit_add(&suite, "half its time over it is read for the next",
             half_its_time_over_it_is_read_for_the_next, NULL);
    return unit_run("known_talks", &suite);
}
