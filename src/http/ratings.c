/* POST /ratings and GET /ratings?talkId=... */
#include "handlers.h"

#include "../module.h"
#include "../service/ratings.h"
#include "reply.h"
#include "request.h"

#include <apr_strings.h>
#include <jansson.h>

#define NO_TALK "There is no such talk."

/* One line a second and child for each kind of failure; the others are there at LogLevel debug. */
static int log_level(ratings_child_t *child, int status)
{
    int kind = status == HTTP_ACCEPTED ? 0 : status == HTTP_SERVICE_UNAVAILABLE ? 1 : 2;
    int64_t now = ratings_monotonic(), last = atomic_load(&child->logged_at[kind]);
    if (now - last < 1000000 ||
        !atomic_compare_exchange_strong(&child->logged_at[kind], &last, now))
        return APLOG_DEBUG;
    return status >= 500 ? APLOG_ERR : APLOG_WARNING;
}

static void log_failure(request_rec *r, ratings_child_t *child, int status,
                        const ratings_failure_t *failure)
{
    int level = log_level(child, status);
    ap_log_rerror(APLOG_MARK, level, 0, r, "RT0501: request %s answered with %d: %s",
                  ratings_request_id(r), status, failure->why.detail);
}

static int unavailable(request_rec *r, ratings_child_t *child, const ratings_failure_t *failure)
{
    log_failure(r, child, HTTP_SERVICE_UNAVAILABLE, failure);
    return ratings_reply_unavailable(r,
                                     apr_pstrcat(r->pool, "The service cannot use ", failure->part,
                                                 " at the moment. Please try again.", NULL));
}

/* ---- POST ---- */

static int unknown(request_rec *r, ratings_child_t *child, const ratings_failure_t *failure)
{
    log_failure(r, child, HTTP_GATEWAY_TIME_OUT, failure);
    return ratings_reply_problem(r, HTTP_GATEWAY_TIME_OUT,
                                 "The event log did not answer in time: the rating may or may not "
                                 "have been recorded.");
}

static int submitted(request_rec *r, int status, const ratings_rating_t *rating)
{
    json_t *reply =
        json_pack("{s:{s:s,s:i}}", "rating", "talk_uuid", rating->talk_id, "value", rating->value);
    char *text = reply ? json_dumps(reply, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(reply);
    return ratings_reply_json(r, status, text);
}

int ratings_post_ratings(request_rec *r, const ratings_config_t *config, int variant)
{
    ratings_event_t event = {.key = {.text = ""}};
    ratings_failure_t failure;
    ratings_child_t *child = config->service->child;
    (void)variant;
    int result = ratings_request_rating(r, config->body_limit, &event.rating);
    if (result != RATINGS_REQUEST_OK)
        return result;
    switch (ratings_submit(child, &event, config->visibility_timeout, r->pool, &failure)) {
    case RATINGS_DONE:
        return submitted(r, HTTP_OK, &event.rating);
    case RATINGS_ACCEPTED:
        log_failure(r, child, HTTP_ACCEPTED, &failure);
        return submitted(r, HTTP_ACCEPTED, &event.rating);
    case RATINGS_NO_TALK:
        return ratings_reply_problem(r, HTTP_NOT_FOUND, NO_TALK);
    case RATINGS_UNAVAILABLE:
        return unavailable(r, child, &failure);
    case RATINGS_UNKNOWN:
        break;
    }
    return unknown(r, child, &failure);
}

/* ---- GET ---- */

int ratings_get_ratings(request_rec *r, const ratings_config_t *config, int variant)
{
    char talk_id[RATINGS_TALK_ID_MAX + 1];
    ratings_summary_t summary;
    ratings_failure_t failure;
    ratings_child_t *child = config->service->child;
    const char *problem = ratings_talk_id_from_query(r->args, talk_id);
    (void)variant;
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    switch (ratings_read(child, talk_id, r->pool, &summary, &failure)) {
    case RATINGS_DONE:
        return ratings_reply_entity(
            r, ratings_histogram_reply(&summary.histogram,
                                       summary.has_statistics ? &summary.statistics : NULL));
    case RATINGS_NO_TALK:
        return ratings_reply_problem(r, HTTP_NOT_FOUND, NO_TALK);
    default:
        return unavailable(r, child, &failure);
    }
}
