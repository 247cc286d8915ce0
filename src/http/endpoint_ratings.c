/* POST /ratings, DELETE and GET /ratings?talkId=... */
#include "handlers.h"

#include "notes.h"
#include "position_header.h"
#include "reply.h"
#include "request.h"
#include "request_rate.h"
#include "request_voter.h"
#include "use_case_reply.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- POST and DELETE ---- */

/* NULL, or what is wrong with the request's Idempotency-Key (a sentence for the client). */
static const char *read_idempotency_key(const request_rec *r, const ratings_config_t *config,
                                        ratings_key_t *key)
{
    const char *header = apr_table_get(r->headers_in, "Idempotency-Key");
    key->text[0] = '\0';
    key->window_ms = apr_time_as_msec(config->idempotency_window);
    return header ? ratings_key_from_header(header, key->text) : NULL;
}

/* Whose event it is, unless the request has none or the voter has to wait: before anything else of
 * the request is looked at. False: as of ratings_request_voter. */
static bool read_event_voter(request_rec *r, const ratings_server_t *server, ratings_event_t *event,
                             int *result)
{
    return ratings_request_voter(r, server, &event->voter, &event->has_voter, result) &&
           (!event->has_voter || ratings_request_within_rate(r, server, &event->voter, result));
}

static ratings_outcome_e submit_event(request_rec *r, const ratings_server_t *server,
                                      const ratings_event_t *event, ratings_call_t *call)
{
    bool takes_key = !event->key.text[0] || server->config.idempotency_window > 0;
    ratings_outcome_e outcome = takes_key
                                    ? ratings_submit(call, event, server->config.visibility_timeout)
                                    : RATINGS_OUTCOME_NO_KEYS;
    ratings_note_call(r, call, outcome);
    return outcome;
}

/* Whoever is no voter has no rating to withdraw: nothing is recorded. */
static int withdraw_rating(request_rec *r, const ratings_server_t *server,
                           const ratings_event_t *event)
{
    if (!event->has_voter)
        return ratings_reply_empty(r, HTTP_NO_CONTENT);
    ratings_call_t call = ratings_use_case_call(r, server);
    ratings_outcome_e outcome = submit_event(r, server, event, &call);
    if (outcome != RATINGS_OUTCOME_DONE && outcome != RATINGS_OUTCOME_ACCEPTED)
        return ratings_use_case_refuse(r, &call, outcome);
    ratings_reply_at_position(r, &call.position);
    return ratings_reply_empty(
        r, ratings_use_case_status(r, &call, outcome) == HTTP_OK ? HTTP_NO_CONTENT : HTTP_ACCEPTED);
}

static int submit_rating(request_rec *r, const ratings_server_t *server,
                         const ratings_event_t *event)
{
    ratings_call_t call = ratings_use_case_call(r, server);
    ratings_outcome_e outcome = submit_event(r, server, event, &call);
    if (outcome != RATINGS_OUTCOME_DONE && outcome != RATINGS_OUTCOME_ACCEPTED)
        return ratings_use_case_refuse(r, &call, outcome);
    ratings_reply_at_position(r, &call.position);
    return ratings_reply_rating(r, ratings_use_case_status(r, &call, outcome), &event->rating);
}

int ratings_post_ratings(request_rec *r, const ratings_server_t *server)
{
    ratings_event_t event = {.has_voter = false};
    int result;
    if (!read_event_voter(r, server, &event, &result))
        return result;
    /* before the body, whose trailers httpd may merge into the header (MergeTrailers) */
    const char *problem = read_idempotency_key(r, &server->config, &event.key);
    if (!ratings_request_rating(r, server->config.body_limit, &event.rating, &result))
        return result;
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    return event.rating.value == RATINGS_VALUE_NONE ? withdraw_rating(r, server, &event)
                                                    : submit_rating(r, server, &event);
}

int ratings_delete_ratings(request_rec *r, const ratings_server_t *server)
{
    ratings_event_t event = {.rating.value = RATINGS_VALUE_NONE};
    int result;
    if (!read_event_voter(r, server, &event, &result))
        return result;
    const char *problem = ratings_talk_id_from_query(r->args, event.rating.talk_id);
    if (!problem)
        problem = read_idempotency_key(r, &server->config, &event.key);
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    return withdraw_rating(r, server, &event);
}

/* ---- GET ---- */

static int reply_entity(request_rec *r, const ratings_entity_t *entity)
{
    const ratings_representation_t representation = {
        .type = "application/json",
        .body = entity->body,
        .length = entity->length,
        .etag = entity->etag,
        .mismatch = "The ratings are not what If-Match names.",
    };
    return ratings_reply_representation(r, &representation);
}

static char *summary_reply(const ratings_summary_t *summary)
{
    if (summary->hidden.is_hidden)
        return ratings_hidden_reply(&summary->hidden);
    return ratings_histogram_reply(&summary->histogram,
                                   summary->has_statistics ? &summary->statistics : NULL);
}

/* False when memory ran out, or when it is too long, which no counts are. The entity tag is made of
 * what is sent alone: of hidden results it tells no more than they do. */
static bool make_entity(ratings_entity_t *entity, const ratings_summary_t *summary)
{
    char *json = summary_reply(summary);
    size_t length = json ? strlen(json) : 0;
    bool fits = length > 0 && length <= sizeof entity->body;
    if (fits) {
        memcpy(entity->body, json, length);
        entity->length = (uint32_t)length;
        ratings_etag_of(json, length, entity->etag);
    }
    free(json);
    return fits;
}

static int read_ratings(request_rec *r, const ratings_server_t *server, const char *talk_id,
                        const ratings_position_t *position, ratings_entity_t *entity)
{
    ratings_summary_t summary;
    ratings_call_t call = ratings_use_case_call(r, server);
    call.position = *position;
    ratings_outcome_e outcome = ratings_read(&call, talk_id, &summary);
    ratings_note_call(r, &call, outcome);
    if (outcome != RATINGS_OUTCOME_DONE)
        return ratings_use_case_refuse(r, &call, outcome);
    if (!make_entity(entity, &summary))
        return HTTP_INTERNAL_SERVER_ERROR;
    ratings_cache_response(&call, talk_id, &summary, entity);
    return reply_entity(r, entity);
}

int ratings_get_ratings(request_rec *r, const ratings_server_t *server)
{
    char talk_id[RATINGS_TALK_ID_MAX + 1];
    ratings_position_t position;
    const char *problem = ratings_talk_id_from_query(r->args, talk_id);
    if (!problem)
        problem = ratings_position_of_request(r, &position);
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    ratings_entity_t *entity = apr_palloc(r->pool, sizeof *entity);
    ratings_hide_t hide = ratings_location_hide(ratings_location_of_request(r));
    if (!ratings_read_cached(server->service, talk_id, hide, &position, entity))
        return read_ratings(r, server, talk_id, &position, entity);
    ratings_note_cached(r, &server->config);
    return reply_entity(r, entity);
}
