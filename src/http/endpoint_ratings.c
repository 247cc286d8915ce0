/* POST /ratings and GET /ratings?talkId=... */
#include "handlers.h"

#include "../core/clock.h"
#include "../module.h"
#include "../service/pool_json.h"
#include "../service/ratings.h"
#include "reply.h"
#include "request.h"

#include <apr_strings.h>

#define NO_KEYS "This service cannot tell ratings apart by Idempotency-Key: please send it without."
#define CONFLICT                                                                                   \
    "Another rating of this talk was sent with the same Idempotency-Key: this one does not count."
#define NO_TALK "There is no such talk."

/* One line a second and child for each kind of failure; the others are there at LogLevel debug. */
static int claim_log_level(ratings_child_t *child, int status)
{
    int kind = status == HTTP_ACCEPTED ? 0 : status == HTTP_SERVICE_UNAVAILABLE ? 1 : 2;
    int64_t now = ratings_monotonic(), last = atomic_load(&child->logged_at[kind]);
    if (now - last < 1000000 ||
        !atomic_compare_exchange_strong(&child->logged_at[kind], &last, now))
        return APLOG_DEBUG;
    return status >= 500 ? APLOG_ERR : APLOG_WARNING;
}

static void log_failure(request_rec *r, const ratings_call_t *call, int status)
{
    int level = claim_log_level(call->child, status);
    ap_log_rerror(APLOG_MARK, level, 0, r, "RT0501: request %s answered with %d: %s",
                  ratings_request_id(r), status, call->failure.why.detail);
}

static ratings_call_t begin(const request_rec *r, const ratings_server_t *server)
{
    return (ratings_call_t){.child = server->service->child,
                            .pool = r->pool,
                            .deadline = ratings_monotonic() + server->config.deadline};
}

static int unavailable(request_rec *r, const ratings_call_t *call)
{
    log_failure(r, call, HTTP_SERVICE_UNAVAILABLE);
    return ratings_reply_unavailable(r, apr_pstrcat(r->pool, "The service cannot use ",
                                                    call->failure.part,
                                                    " at the moment. Please try again.", NULL));
}

/* ---- POST ---- */

static int unknown(request_rec *r, const ratings_call_t *call)
{
    log_failure(r, call, HTTP_GATEWAY_TIME_OUT);
    return ratings_reply_problem(r, HTTP_GATEWAY_TIME_OUT,
                                 "The event log did not answer in time: the rating may or may not "
                                 "have been recorded.");
}

static int submitted(request_rec *r, int status, const ratings_rating_t *rating)
{
    json_t *reply =
        json_pack("{s:{s:s,s:i}}", "rating", "talk_uuid", rating->talk_id, "value", rating->value);
    return ratings_reply_json(r, status, ratings_pool_json(r->pool, reply));
}

/* NULL, or what is wrong with the request's key (a sentence for the client). */
static const char *read_key(const request_rec *r, const ratings_server_t *server,
                            ratings_key_t *key)
{
    const char *header = apr_table_get(r->headers_in, "Idempotency-Key");
    key->text[0] = '\0';
    key->window_ms = apr_time_as_msec(server->config.idempotency_window);
    return header ? ratings_key_from_header(header, key->text) : NULL;
}

static int submit(request_rec *r, const ratings_server_t *server, const ratings_event_t *event)
{
    ratings_call_t call = begin(r, server);
    switch (ratings_submit(&call, event, server->config.visibility_timeout)) {
    case RATINGS_DONE:
        return submitted(r, HTTP_OK, &event->rating);
    case RATINGS_ACCEPTED:
        log_failure(r, &call, HTTP_ACCEPTED);
        return submitted(r, HTTP_ACCEPTED, &event->rating);
    case RATINGS_NO_TALK:
        return ratings_reply_problem(r, HTTP_NOT_FOUND, NO_TALK);
    case RATINGS_CONFLICTING:
        return ratings_reply_problem(r, HTTP_UNPROCESSABLE_ENTITY, CONFLICT);
    case RATINGS_NO_KEYS:
        return ratings_reply_problem(r, HTTP_NOT_IMPLEMENTED, NO_KEYS);
    case RATINGS_UNAVAILABLE:
        return unavailable(r, &call);
    case RATINGS_UNKNOWN:
        break;
    }
    return unknown(r, &call);
}

int ratings_post_ratings(request_rec *r, const ratings_server_t *server)
{
    ratings_event_t event;
    const char *problem = read_key(r, server, &event.key);
    int result = ratings_request_rating(r, server->config.body_limit, &event.rating);
    if (result != RATINGS_REQUEST_OK)
        return result;
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    if (event.key.text[0] && server->config.idempotency_window == 0)
        return ratings_reply_problem(r, HTTP_NOT_IMPLEMENTED, NO_KEYS);
    return submit(r, server, &event);
}

/* ---- GET ---- */

static int answer(request_rec *r, const ratings_call_t *call, const char *talk_id,
                  const ratings_summary_t *summary, ratings_entity_t *entity)
{
    char *json = ratings_histogram_reply(&summary->histogram,
                                         summary->has_statistics ? &summary->statistics : NULL);
    if (!ratings_entity_make(entity, json))
        return HTTP_INTERNAL_SERVER_ERROR;
    ratings_response_cache_put(call, talk_id, summary, entity);
    return ratings_reply_entity(r, entity);
}

static int read_ratings(request_rec *r, const ratings_server_t *server, const char *talk_id,
                        ratings_entity_t *entity)
{
    ratings_summary_t summary;
    ratings_call_t call = begin(r, server);
    switch (ratings_read(&call, talk_id, &summary)) {
    case RATINGS_DONE:
        return answer(r, &call, talk_id, &summary, entity);
    case RATINGS_NO_TALK:
        return ratings_reply_problem(r, HTTP_NOT_FOUND, NO_TALK);
    default:
        return unavailable(r, &call);
    }
}

int ratings_get_ratings(request_rec *r, const ratings_server_t *server)
{
    char talk_id[RATINGS_TALK_ID_MAX + 1];
    const char *problem = ratings_talk_id_from_query(r->args, talk_id);
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    ratings_entity_t *entity = apr_palloc(r->pool, sizeof *entity);
    if (ratings_response_cache_get(server->service, talk_id, entity))
        return ratings_reply_entity(r, entity);
    return read_ratings(r, server, talk_id, entity);
}
