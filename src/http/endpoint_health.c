/* GET health: live, and ready */
#include "handlers.h"

#include "../core/clock.h"
#include "../service/health.h"
#include "../service/pool_json.h"
#include "reply.h"

#include <http_protocol.h>

int ratings_get_live(request_rec *r, const ratings_server_t *server)
{
    (void)server;
    return ratings_reply_constant(r, "{\"status\":\"alive\"}");
}

/* ---- ready ---- */

static json_t *backend_state(const ratings_health_t *health, ratings_backend_e which)
{
    const char *reason = health->reason[which];
    return reason[0] ? json_pack("{s:s,s:s}", "status", "down", "reason", reason)
                     : json_pack("{s:s}", "status", "up");
}

/* While the store is being rebuilt. */
static void add_rebuild(json_t *reply, const ratings_progress_t *rebuild)
{
    json_t *object = rebuild->total > 0
                         ? json_pack("{s:I,s:I}", "done", (json_int_t)rebuild->applied, "of",
                                     (json_int_t)rebuild->total)
                         : NULL;
    if (object && rebuild->seconds_left >= 0)
        (void)json_object_set_new(object, "secondsLeft", json_integer(rebuild->seconds_left));
    if (object)
        (void)json_object_set_new(reply, "rebuild", object);
}

static int reply_ready(request_rec *r, const ratings_health_t *health)
{
    int ready = ratings_health_is_ready(health);
    int64_t age = (ratings_monotonic() - health->found_at) / 1000000;
    json_t *reply = json_pack("{s:s,s:I,s:{s:o,s:o,s:o,s:o}}", "status",
                              ready ? "ready" : "not ready", "age", (json_int_t)age, "backends",
                              "talks", backend_state(health, RATINGS_BACKEND_TALKS), "store",
                              backend_state(health, RATINGS_BACKEND_STORE), "stream",
                              backend_state(health, RATINGS_BACKEND_STREAM), "stats",
                              backend_state(health, RATINGS_BACKEND_STATS));
    if (reply)
        add_rebuild(reply, &health->rebuild);
    if (!ready)
        apr_table_setn(r->headers_out, "Retry-After", "1");
    return ratings_reply_json(r, ready ? HTTP_OK : HTTP_SERVICE_UNAVAILABLE,
                              ratings_pool_json(r->pool, reply));
}

int ratings_get_ready(request_rec *r, const ratings_server_t *server)
{
    ratings_health_t health;
    if (!ratings_health(server->service->child, ratings_monotonic() + server->config.deadline,
                        r->pool, &health))
        return ratings_reply_unavailable(r, "The backends are still being asked.");
    return reply_ready(r, &health);
}
