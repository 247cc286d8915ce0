/* GET /talks, and GET /talks/ID */
#include "handlers.h"

#include "../service/pool_json.h"
#include "endpoint.h"
#include "notes.h"
#include "position_header.h"
#include "reply.h"
#include "use_case_reply.h"

#include <apr_strings.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- a talk as JSON ---- */

/* NULL when memory ran out. */
static char *results_json(const ratings_talk_results_t *results)
{
    if (results->hidden.is_hidden)
        return ratings_hidden_reply(&results->hidden);
    return ratings_histogram_reply(&results->histogram,
                                   results->has_statistics ? &results->statistics : NULL);
}

/* One object of the members of two, neither of which is empty. */
static const char *join_objects(apr_pool_t *pool, const char *first, const char *second)
{
    return apr_psprintf(pool, "%.*s,%s", (int)strlen(first) - 1, first, second + 1);
}

/* What is known of the talk, then what GET /ratings answers, if that was asked for. NULL when
 * memory ran out, or what is known is not UTF-8. */
static const char *talk_json(apr_pool_t *pool, const ratings_listing_t *listing, int index)
{
    char *talk = ratings_talk_json(listing->page.talks[index]);
    char *results = listing->results ? results_json(&listing->results[index]) : NULL;
    const char *json = NULL;
    if (talk && results)
        json = join_objects(pool, talk, results);
    else if (talk && !listing->results)
        json = apr_pstrdup(pool, talk);
    free(talk);
    free(results);
    return json;
}

/* ---- replies ---- */

static int reply_document(request_rec *r, const char *json)
{
    char *etag = apr_palloc(r->pool, RATINGS_ETAG_SIZE);
    if (!json)
        return HTTP_INTERNAL_SERVER_ERROR;
    ratings_etag_of(json, strlen(json), etag);
    const ratings_representation_t representation = {
        .type = "application/json",
        .body = json,
        .length = strlen(json),
        .etag = etag,
        .mismatch = "The talks are not what If-Match names.",
    };
    return ratings_reply_representation(r, &representation);
}

/* With a comma before; "" if there is none. PostgreSQL takes <any"text>3 for one as well. */
static const char *zone_member(apr_pool_t *pool, const char *zone)
{
    const char *object =
        zone ? ratings_pool_json(pool, json_pack("{s:s}", "timeZone", zone)) : NULL;
    return object ? apr_psprintf(pool, ",%.*s", (int)strlen(object) - 2, object + 1) : "";
}

/* "next":...,"timeZone":..., each if there is one, with a comma before. */
static const char *page_members(apr_pool_t *pool, const ratings_listing_t *listing,
                                ratings_talk_order_e order)
{
    char cursor[RATINGS_CURSOR_TEXT_SIZE];
    const char *next = "";
    if (listing->page.has_more) {
        ratings_talk_page_cursor(&listing->page, order, cursor);
        next = apr_pstrcat(pool, ",\"next\":\"", cursor, "\"", NULL);
    }
    return apr_pstrcat(pool, next, zone_member(pool, listing->zone), NULL);
}

/* NULL as of talk_json. */
static const char *page_json(apr_pool_t *pool, const ratings_listing_t *listing,
                             ratings_talk_order_e order)
{
    apr_array_header_t *talks = apr_array_make(pool, RATINGS_PAGE_MAX, sizeof(const char *));
    for (int i = 0; i < listing->page.count; i++) {
        const char *json = talk_json(pool, listing, i);
        if (!json)
            return NULL;
        APR_ARRAY_PUSH(talks, const char *) = json;
    }
    return apr_pstrcat(pool, "{\"talks\":[", apr_array_pstrcat(pool, talks, ','), "]",
                       page_members(pool, listing, order), "}", NULL);
}

/* ---- the endpoint ---- */

static ratings_hide_rules_t rules_of(const request_rec *r, const ratings_server_t *server)
{
    return ratings_location_hide_rules(ratings_location_of_request(r), &server->config);
}

int ratings_get_talks(request_rec *r, const ratings_server_t *server)
{
    ratings_talk_query_t *query = apr_palloc(r->pool, sizeof *query);
    ratings_listing_t *listing = apr_palloc(r->pool, sizeof *listing);
    const ratings_hide_rules_t rules = rules_of(r, server);
    ratings_position_t position;
    const char *problem = ratings_talk_query_parse(r->args, query);
    if (!problem)
        problem = ratings_position_of_request(r, &position);
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    ratings_call_t call = ratings_use_case_call(r, server);
    call.position = position;
    ratings_outcome_e outcome = ratings_list_talks(&call, query, &rules, listing);
    ratings_note_call(r, &call, outcome);
    const char *json =
        outcome == RATINGS_OUTCOME_DONE ? page_json(r->pool, listing, query->order) : NULL;
    ratings_list_end(&call, listing);
    return outcome == RATINGS_OUTCOME_DONE ? reply_document(r, json)
                                           : ratings_use_case_refuse(r, &call, outcome);
}

int ratings_get_talk(request_rec *r, const ratings_server_t *server)
{
    ratings_listing_t *listing = apr_palloc(r->pool, sizeof *listing);
    const ratings_hide_rules_t rules = rules_of(r, server);
    bool with_ratings;
    ratings_position_t position;
    const char *problem = ratings_talk_query_parse_one(r->args, &with_ratings);
    if (!problem)
        problem = ratings_position_of_request(r, &position);
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    ratings_call_t call = ratings_use_case_call(r, server);
    call.position = position;
    ratings_outcome_e outcome =
        ratings_list_talk(&call, ratings_endpoint_item(r), with_ratings, &rules, listing);
    ratings_note_call(r, &call, outcome);
    return outcome == RATINGS_OUTCOME_DONE ? reply_document(r, talk_json(r->pool, listing, 0))
                                           : ratings_use_case_refuse(r, &call, outcome);
}
