/* POST /ratings and GET /ratings?talkId=... */
#include "handlers.h"

#include "../core/clock.h"
#include "../module.h"
#include "../service/pool_json.h"
#include "../service/use_cases.h"
#include "reply.h"
#include "request.h"

#include <apr_strings.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LOG_INTERVAL_US 1000000 /* of a child: one line for each kind of failure */

/* ---- outcomes ---- */

/* What the outcome of a use case is in HTTP. build/lint/endpoints compares the statuses with those
 * that endpoint.c and docs/api.md list. */
typedef struct {
    int status;
    const char *detail; /* of the problem document; NULL: the reply is made from more than this */
    int log_level;      /* 0: a request that ends so is not logged */
    int failure_kind;   /* of those that are logged, below RATINGS_FAILURE_KINDS */
} outcome_reply_t;

static const outcome_reply_t outcome_replies[] = {
    [RATINGS_OUTCOME_DONE] = {HTTP_OK, NULL, 0, 0},
    [RATINGS_OUTCOME_ACCEPTED] = {HTTP_ACCEPTED, NULL, APLOG_WARNING, 0},
    [RATINGS_OUTCOME_NO_TALK] = {HTTP_NOT_FOUND, "There is no such talk.", 0, 0},
    [RATINGS_OUTCOME_CONFLICTING] =
        {HTTP_UNPROCESSABLE_ENTITY,
         "Another rating of this talk was sent with the same Idempotency-Key: "
         "this one does not count.",
         0, 0},
    [RATINGS_OUTCOME_NO_KEYS] =
        {HTTP_NOT_IMPLEMENTED,
         "This service cannot tell ratings apart by Idempotency-Key: please send "
         "it without.",
         0, 0},
    [RATINGS_OUTCOME_UNAVAILABLE] = {HTTP_SERVICE_UNAVAILABLE, NULL, APLOG_ERR, 1},
    [RATINGS_OUTCOME_UNKNOWN] =
        {HTTP_GATEWAY_TIME_OUT,
         "The event log did not answer in time: the rating may or may not have "
         "been recorded.",
         APLOG_ERR, 2},
};

/* A request whose kind of failure was logged within the interval, by another of this child, is
 * there at LogLevel debug. Not by RATINGS_LINE_*: a line is about a request here, and each child
 * has requests of its own. */
static int claim_log_level(ratings_child_t *child, const outcome_reply_t *reply)
{
    _Atomic int64_t *logged_at = &child->logged_at[reply->failure_kind];
    int64_t now = ratings_monotonic(), last = atomic_load(logged_at);
    if (now - last < LOG_INTERVAL_US || !atomic_compare_exchange_strong(logged_at, &last, now))
        return APLOG_DEBUG;
    return reply->log_level;
}

static void log_outcome(request_rec *r, const ratings_call_t *call, const outcome_reply_t *reply)
{
    if (reply->log_level == 0)
        return;
    int level = claim_log_level(call->child, reply); /* httpd's macro evaluates it twice */
    ap_log_rerror(APLOG_MARK, level, 0, r, "RT0501: request %s answered with %d: %s",
                  ratings_request_id(r), reply->status, call->failure.why.detail);
}

static int reply_unavailable(request_rec *r, const ratings_call_t *call)
{
    return ratings_reply_unavailable(r, apr_pstrcat(r->pool, "The service cannot use ",
                                                    call->failure.part,
                                                    " at the moment. Please try again.", NULL));
}

static int reply_rating(request_rec *r, int status, const ratings_rating_t *rating)
{
    return ratings_reply_json(
        r, status,
        ratings_pool_json(r->pool, json_pack("{s:{s:s,s:i}}", "rating", "talk_uuid",
                                             rating->talk_id, "value", rating->value)));
}

/* An outcome other than that the rating is durable, or the ratings were read. */
static int reply_refusal(request_rec *r, const ratings_call_t *call, ratings_outcome_e outcome)
{
    const outcome_reply_t *reply = &outcome_replies[outcome];
    log_outcome(r, call, reply);
    return outcome == RATINGS_OUTCOME_UNAVAILABLE
               ? reply_unavailable(r, call)
               : ratings_reply_problem(r, reply->status, reply->detail);
}

static ratings_call_t begin_call(const request_rec *r, const ratings_server_t *server)
{
    return (ratings_call_t){.child = server->service->child,
                            .pool = r->pool,
                            .deadline = ratings_monotonic() + server->config.deadline};
}

/* ---- POST ---- */

/* NULL, or what is wrong with the request's Idempotency-Key (a sentence for the client). */
static const char *read_idempotency_key(const request_rec *r, const ratings_config_t *config,
                                        ratings_key_t *key)
{
    const char *header = apr_table_get(r->headers_in, "Idempotency-Key");
    key->text[0] = '\0';
    key->window_ms = apr_time_as_msec(config->idempotency_window);
    return header ? ratings_key_from_header(header, key->text) : NULL;
}

int ratings_post_ratings(request_rec *r, const ratings_server_t *server)
{
    ratings_event_t event;
    int result;
    /* before the body, whose trailers httpd may merge into the header (MergeTrailers) */
    const char *problem = read_idempotency_key(r, &server->config, &event.key);
    if (!ratings_request_rating(r, server->config.body_limit, &event.rating, &result))
        return result;
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    if (event.key.text[0] && server->config.idempotency_window == 0)
        return ratings_reply_problem(r, outcome_replies[RATINGS_OUTCOME_NO_KEYS].status,
                                     outcome_replies[RATINGS_OUTCOME_NO_KEYS].detail);
    ratings_call_t call = begin_call(r, server);
    ratings_outcome_e outcome = ratings_submit(&call, &event, server->config.visibility_timeout);
    if (outcome != RATINGS_OUTCOME_DONE && outcome != RATINGS_OUTCOME_ACCEPTED)
        return reply_refusal(r, &call, outcome);
    log_outcome(r, &call, &outcome_replies[outcome]);
    return reply_rating(r, outcome_replies[outcome].status, &event.rating);
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

/* False when memory ran out, or when it is too long, which no counts are. */
static bool make_entity(ratings_entity_t *entity, const ratings_summary_t *summary)
{
    char *json = ratings_histogram_reply(&summary->histogram,
                                         summary->has_statistics ? &summary->statistics : NULL);
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
                        ratings_entity_t *entity)
{
    ratings_summary_t summary;
    ratings_call_t call = begin_call(r, server);
    ratings_outcome_e outcome = ratings_read(&call, talk_id, &summary);
    if (outcome != RATINGS_OUTCOME_DONE)
        return reply_refusal(r, &call, outcome);
    if (!make_entity(entity, &summary))
        return HTTP_INTERNAL_SERVER_ERROR;
    ratings_cache_response(&call, talk_id, &summary, entity);
    return reply_entity(r, entity);
}

int ratings_get_ratings(request_rec *r, const ratings_server_t *server)
{
    char talk_id[RATINGS_TALK_ID_MAX + 1];
    const char *problem = ratings_talk_id_from_query(r->args, talk_id);
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    ratings_entity_t *entity = apr_palloc(r->pool, sizeof *entity);
    if (ratings_read_cached(server->service, talk_id, entity))
        return reply_entity(r, entity);
    return read_ratings(r, server, talk_id, entity);
}
